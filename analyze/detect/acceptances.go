package detect

import (
	"encoding/binary"
	"math"
	"slices"

	"logscan/analyze/session"
	"logscan/analyze/timeline"
)

// keySets are the keys that the requests of endpoints, or of other numbered things,
// belong to. Few of their lists differ: most routes of a site are in the same parts of it.
type keySets struct {
	of   []int32   // by endpoint: its set plus one, 0 for none
	sets [][]int32 // keys
}

// newKeySets returns the sets of n endpoints with the given lists of keys.
func newKeySets(n int, keysOf func(endpoint int) []int32) *keySets {
	k := &keySets{of: make([]int32, n)}
	known := map[string]int32{}
	var name []byte
	for i := range k.of {
		keys := keysOf(i)
		if len(keys) == 0 {
			continue
		}
		name = name[:0]
		for _, key := range keys {
			name = binary.LittleEndian.AppendUint32(name, uint32(key))
		}
		if known[string(name)] == 0 {
			k.sets = append(k.sets, keys)
			known[string(name)] = int32(len(k.sets))
		}
		k.of[i] = known[string(name)]
	}
	return k
}

// acceptances counts by key and step the actors that were accepted, for one goroutine.
// The observers that compare refusals with acceptances over time share it.
//
// An actor makes most of its requests to keys that accepted it a moment before. Of these
// only the time is noted; the keys are looked up when the actor or the step has changed.
// So a request takes constant time, and at most the time for the keys of its set, whose
// number each observer bounds.
type acceptances struct {
	*keySets          // read only
	visit    int32    // steps after the counted one in which an actor does not count again
	cells    [][]cell // by key and step
	counted  []inStep // by key
	latest   []latest // by set
	// last holds by set and step the time of the last acceptance, math.MinInt64 for none;
	// nil for sets without one. Each is entered for its keys at the end.
	last [][]int64
}

// latest is the last acceptance in the keys of a set.
type latest struct {
	time  int64 // Unix milliseconds
	actor uint32
	step  int32
}

// inStep records the steps in which an actor was counted last, -1 for none.
type inStep struct {
	actor             uint32
	accepted, refused int32
}

// newAcceptances counts for n keys.
func newAcceptances(sets *keySets, n int, visit int32) acceptances {
	return acceptances{keySets: sets, visit: visit, cells: newCells(n), counted: make([]inStep, n), latest: make([]latest, len(sets.sets)), last: make([][]int64, len(sets.sets))}
}

// accept adds an acceptance by an endpoint. refused is the step of the actor's last
// refusal, after which it counts again; -1 for none, or if that does not matter.
func (x *acceptances) accept(endpoint, actor uint32, step, refused int32, ms int64) {
	set := x.of[endpoint] - 1
	if set < 0 {
		return
	}
	if l := &x.latest[set]; l.actor == actor && l.step == step && refused < step {
		l.time = ms
		return
	}
	x.note(set)
	x.latest[set] = latest{ms, actor, step}
	for _, key := range x.sets[set] {
		in := x.in(key, actor)
		if in.accepted < 0 || refused >= in.accepted || step-in.accepted > x.visit {
			in.accepted = step
			x.cells[key][step].accepted++
		}
	}
}

// refuse adds a refusal of an actor to a key: it counts once in each step.
func (x *acceptances) refuse(key int32, actor uint32, step int32, ms int64) {
	c, in := &x.cells[key][step], x.in(key, actor)
	c.firstRefused = min(c.firstRefused, ms)
	if in.refused != step {
		in.refused = step
		c.refused++
	}
}

// in returns where an actor was counted for a key.
func (x *acceptances) in(key int32, actor uint32) *inStep {
	in := &x.counted[key]
	if in.actor != actor {
		*in = inStep{actor, -1, -1}
	}
	return in
}

// note notes the time of the last acceptance in the keys of a set.
func (x *acceptances) note(set int32) {
	l := &x.latest[set]
	if l.actor == 0 {
		return // none yet
	}
	if x.last[set] == nil {
		x.last[set] = slices.Repeat([]int64{math.MinInt64}, session.MaxSteps)
	}
	at := &x.last[set][l.step]
	*at = max(*at, l.time)
}

// finish returns the cells when all actors have been added.
func (x *acceptances) finish() [][]cell {
	for set, keys := range x.sets {
		x.note(int32(set))
		for _, key := range keys {
			for step, ms := range x.last[set] {
				c := &x.cells[key][step]
				c.lastAccepted = max(c.lastAccepted, ms)
			}
		}
	}
	return x.cells
}

// sumCells adds up the cells of all parts, in those of the first one.
func sumCells(parts []*acceptances) [][]cell {
	sums := parts[0].finish()
	for _, p := range parts[1:] {
		mergeCells(sums, p.finish())
	}
	return sums
}

// stepClock returns the steps of times. Times that are close to each other cost no
// division.
type stepClock struct {
	start, width int64 // of the first step; of each, milliseconds
	last         int32 // step
	from, until  int64 // of step
	step         int32
}

// clock returns a clock of the steps of the evidence.
func (d *Diagnosis) clock() stepClock {
	return stepClock{start: d.From, width: d.Width, last: session.MaxSteps - 1}
}

// at returns the step of a time, the first or last one if it is outside of all.
func (c *stepClock) at(ms int64) int32 {
	if ms < c.from || ms >= c.until {
		c.set(ms)
	}
	return c.step
}

func (c *stepClock) set(ms int64) {
	n := min(max(ms-c.start, 0)/c.width, int64(c.last))
	c.step, c.from = int32(n), c.start+n*c.width
	c.until = c.from + c.width
	if ms < c.from || ms >= c.until {
		c.from, c.until = ms, ms+1
	}
}

// passing holds by endpoint the outcomes, as bits, of requests that were accepted where
// credentials are asked for.
type passing []uint8

func (p passing) passes(e *timeline.Event) bool { return p[e.Endpoint]>>e.Outcome&1 != 0 }

func passingOf(ev *session.Evidence) passing {
	p := make(passing, len(ev.Roles))
	for i, role := range ev.Roles {
		if role&(session.Guards|session.SignsIn) != 0 {
			p[i] |= 1 << timeline.Accepted
		}
		if role.Begins() {
			p[i] |= 1 << timeline.Redirected
		}
	}
	return p
}
