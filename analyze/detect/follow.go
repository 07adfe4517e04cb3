package detect

import (
	"context"
	"slices"
	"sync"

	"logscan/analyze/timeline"
)

// Most logs have no route that refuses good sessions and no account that is
// refused again and again. A detector that needs more than the facts of the
// 401s brings an observer, when the facts show that there is something to look
// for; only then the timelines are walked over a second time.

// observer is what a detector notes of the timelines.
type observer interface {
	// part gives a part of the observer for one goroutine of the walk. What it
	// gives is called with every actor; id is fact.actor.
	part() func(a *timeline.Actor, id uint32)
	// gather sums the parts once the walk has ended, while other observers do. It
	// must not depend on the order of the parts, nor on that of the actors.
	gather()
}

// selective is an observer that looks at some actors alone.
type selective interface {
	// wants tells whether it looks at an actor; id is fact.actor.
	wants(id uint32, w timeline.ActorSummary) bool
}

// wanted tells which actors any of the observers looks at; nil for all of them.
func wanted(watching []observer) func(id uint32, w timeline.ActorSummary) bool {
	some := make([]selective, len(watching))
	for i, o := range watching {
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

// follow walks over the timelines again for the detectors that want it. The others
// look at the facts meanwhile.
func (c *Diagnosis) follow(ctx context.Context) error {
	var beside sync.WaitGroup
	beside.Go(c.inspectUnobserved)
	defer beside.Wait()
	return c.observe(ctx)
}

// observe walks over the timelines again for the detectors that want it.
func (c *Diagnosis) observe(ctx context.Context) error {
	var watching []observer
	c.observed = map[string]observer{}
	observers := make([]observer, len(c.kinds))
	var tasks []func()
	for i, d := range c.kinds {
		if d.observe != nil {
			tasks = append(tasks, func() { observers[i] = d.observe(c) })
		}
	}
	c.Parallel(tasks...)
	for i, o := range observers {
		if o != nil {
			c.observed[c.kinds[i].Name] = o
			if !slices.Contains(watching, o) { // several detectors may share one
				watching = append(watching, o)
			}
		}
	}
	if len(watching) == 0 {
		return nil
	}
	parts := make([][]func(*timeline.Actor, uint32), c.Workers)
	for i := range parts {
		for _, o := range watching {
			parts[i] = append(parts[i], o.part())
		}
	}
	err := c.Visit(ctx, wanted(watching), func(worker int, id uint32, a *timeline.Actor) {
		if c.Carries() { // findings are about the lines of this run
			if a.Since(); len(a.Events) == 0 {
				return
			}
		}
		for _, part := range parts[worker] {
			part(a, id)
		}
	})
	if err != nil {
		return err
	}
	tasks = nil
	for _, o := range watching {
		tasks = append(tasks, o.gather)
	}
	c.Parallel(tasks...)
	return nil
}
