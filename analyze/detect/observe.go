package detect

import (
	"context"
	"slices"

	"logscan/analyze/session"
	"logscan/analyze/timeline"
)

// observer records what a kind needs from the timelines. Most logs have no route that
// refuses live sessions and no account that fails again and again, so a kind returns
// an observer only if the refusals make it worthwhile. The timelines are walked over
// once more only if there is an observer.
type observer interface {
	// part returns the observer's part for one goroutine, which is called with
	// every actor, or those that a selective one wants; id is Refusal.Actor.
	part() func(a *timeline.Actor, id uint32)
	// gather adds up the parts when the walk has ended, concurrently with other
	// observers. Its result must not depend on the order of parts or actors.
	gather()
}

// selective is an observer that needs some actors only.
type selective interface {
	// wants reports whether it needs an actor; id is Refusal.Actor.
	wants(id uint32, w timeline.ActorSummary) bool
}

// preliminary is an observer whose counts may raise the suspicion that another walk is
// needed: one that costs more for each request.
type preliminary interface {
	observer
	// further returns the observer for another walk, nil for none. It is called after
	// gather.
	further() observer
}

// actorSet is a set of actors by Refusal.Actor, in a bit for each actor of the log.
type actorSet [timeline.Shards]session.Bits

// actorsOfShard is how many ids there are in each shard; see timeline.State.Shard.
const actorsOfShard = 1 << 32 / timeline.Shards

func (s *actorSet) add(id uint32)      { s[id/actorsOfShard].Add(int(id % actorsOfShard)) }
func (s *actorSet) has(id uint32) bool { return s[id/actorsOfShard].Has(int(id % actorsOfShard)) }

func (s *actorSet) len() (n int64) {
	for i := range s {
		n += int64(s[i].Len())
	}
	return n
}

// wantedBy returns a function that reports whether any of the observers needs an
// actor; nil if one of them needs all.
func wantedBy(observers []observer) func(id uint32, w timeline.ActorSummary) bool {
	some := make([]selective, len(observers))
	for i, o := range observers {
		s, ok := o.(selective)
		if !ok {
			return nil
		}
		some[i] = s
	}
	return func(id uint32, w timeline.ActorSummary) bool {
		return slices.ContainsFunc(some, func(s selective) bool { return s.wants(id, w) })
	}
}

// observe sets d.observed: it gets the observers of the kinds, and walks over the
// timelines if there are any, and once more if they need it.
func (d *Diagnosis) observe(ctx context.Context) error {
	byKind := make([]observer, len(d.kinds))
	var tasks []func()
	for i, k := range d.kinds {
		if k.observe != nil {
			tasks = append(tasks, func() { byKind[i] = k.observe(d) })
		}
	}
	d.Parallel(tasks...)
	var observers []observer
	for _, o := range byKind {
		if o != nil && !slices.Contains(observers, o) { // several kinds may share one
			observers = append(observers, o)
		}
	}
	observers, dismissed, err := d.firstWalk(ctx, observers)
	if err != nil {
		return err
	}
	d.observed = map[string]observer{}
	for i, o := range byKind {
		if o != nil && !slices.Contains(dismissed, o) {
			d.observed[d.kinds[i].Name] = o
		}
	}
	var further []observer
	var rest []func()
	for _, o := range observers {
		p, ok := o.(preliminary)
		if !ok {
			rest = append(rest, o.gather)
			continue
		}
		p.gather()
		if next := p.further(); next != nil {
			further, rest = append(further, next), append(rest, next.gather)
		}
	}
	if err := d.walk(ctx, d.partsOf(further), wantedBy(further)); err != nil {
		return err
	}
	d.DropTimelines() // what was observed may take their memory
	d.Parallel(rest...)
	return nil
}

// observerParts are an observer and its parts, by worker.
type observerParts struct {
	observer
	wants func(id uint32, w timeline.ActorSummary) bool // nil for all actors
	of    []func(*timeline.Actor, uint32)
}

func (d *Diagnosis) partsOf(observers []observer) []observerParts {
	all := make([]observerParts, len(observers))
	for i, o := range observers {
		all[i] = observerParts{observer: o, of: make([]func(*timeline.Actor, uint32), d.Workers)}
		if s, ok := o.(selective); ok {
			all[i].wants = s.wants
		}
		for worker := range all[i].of {
			all[i].of[worker] = o.part()
		}
	}
	return all
}

// walk calls the parts of observers with those of the actors that they want that want
// reports true for; nil stands for all.
func (d *Diagnosis) walk(ctx context.Context, parts []observerParts, want func(uint32, timeline.ActorSummary) bool) error {
	if len(parts) == 0 {
		return nil
	}
	return d.Visit(ctx, want, func(worker int, id uint32, a *timeline.Actor) {
		if d.Carries() { // findings are about the lines of this run
			if a.Since(); len(a.Events) == 0 {
				return
			}
		}
		for i := range parts {
			if p := &parts[i]; p.wants == nil || p.wants(id, a.Summary) {
				p.of[worker](a, id)
			}
		}
	})
}
