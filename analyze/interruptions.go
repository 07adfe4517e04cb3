package analyze

import (
	"cmp"
	"slices"
	"time"

	"logscan/analyze/session"
	"logscan/analyze/stats"
)

// A session that is refused for half a minute or longer and then goes on without a sign-in
// had not ended. One may have a token that was renewed elsewhere; several at once were
// interrupted by something that nothing in the log names: what checks credentials was down
// for minutes. On a small site too few people are there at the time for a finding.

const (
	// interruptedFor is the minimum time, in milliseconds, between the first and the last
	// refusal of an interruption: a token is renewed within seconds.
	interruptedFor = 30_000
	// interruptedPause is the maximum time between two of them.
	interruptedPause = int64(5 * time.Minute / time.Millisecond)
)

// interruption is a series of refusals of an actor that goes on afterwards.
type interruption struct {
	actor    uint32
	from, to int64 // Unix milliseconds
	together bool  // with others
}

// interruptions returns the refusals of sessions that were interrupted at the same time,
// as ends of sessions are not by chance.
func (a *assembly) interruptions() (all session.Bits) {
	list := a.interrupted()
	total := int64(0)
	for i := range list {
		total += list[i].to - list[i].from
	}
	usual := float64(total) / float64(max(a.To-a.From, 1)) // at any time
	slices.SortFunc(list, func(x, y interruption) int {
		return cmp.Or(cmp.Compare(x.from, y.from), cmp.Compare(x.actor, y.actor))
	})
	var open []int // those that are going on
	for i := range list {
		open = slices.DeleteFunc(open, func(j int) bool { return list[j].to < list[i].from })
		open = append(open, i)
		if len(open) < oddActors || stats.PoissonTail(int64(len(open)), usual)*float64(len(list)) > failingFalse {
			continue
		}
		for _, j := range open {
			list[j].together = true
		}
	}
	of := map[uint32][]interruption{} // by actor
	for _, x := range list {
		if x.together {
			of[x.actor] = append(of[x.actor], x)
		}
	}
	for i, r := range a.Refusals.All() {
		within := func(x interruption) bool { return r.Time >= x.from && r.Time <= x.to }
		if a.interrupts(i, r) && slices.ContainsFunc(of[r.Actor], within) {
			all.Add(i)
		}
	}
	return all
}

// interrupts reports whether a refusal may be one of an interruption.
func (a *assembly) interrupts(i int, r *session.Refusal) bool {
	ordinary := r.Cause != session.Challenge && r.Cause != session.Unexplained
	return a.Of[i] == 0 && r.Actor != 0 && ordinary && r.Resumed && !r.Shared
}

// interrupted returns the interruptions of actors, in no order.
func (a *assembly) interrupted() (list []interruption) {
	running := map[uint32]interruption{}
	end := func(x interruption) {
		if x.to-x.from >= interruptedFor {
			list = append(list, x)
		}
	}
	for i, r := range a.Refusals.All() {
		if !a.interrupts(i, r) {
			continue
		}
		x, runs := running[r.Actor]
		if runs && r.Time-x.to > interruptedPause {
			end(x)
			runs = false
		}
		if !runs {
			x = interruption{actor: r.Actor, from: r.Time}
		}
		x.to = r.Time
		running[r.Actor] = x
	}
	for _, x := range running {
		end(x)
	}
	return list
}
