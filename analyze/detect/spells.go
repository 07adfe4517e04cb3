package detect

import (
	"math"
	"slices"

	"logscan/analyze/session"
	"logscan/analyze/timeline"
)

// A check of credentials may fail for seconds or minutes, again and again: a directory or
// session store that is overloaded, a process that restarts, a cache that keeps a 401. Each
// time is too short for an outage and has few refusals, and at the next request the same
// people are accepted. What tells is that whoever asks in such a spell is refused, and that
// nobody is between the spells.
//
// Not: sessions that end at an instant, which are accepted again after a sign-in at any time;
// processes that do not share their sessions, which refuse and accept at the same time; one
// long spell, which is an outage.
//
// Statistic: clients refused and accepted on the routes of a part of a site, in bins of time;
// the chance that another client of the same bin is refused, too (sum of r(r-1)/(n-1)), against
// the share of refusals in a long time around (binomial tail). If clients are refused
// independently of each other, both are the same.

const (
	// spellRefused is the minimum number of refusals of a part of a site.
	spellRefused = 12
	// spellFine is the number of bins for each refusal, and spellWidths how many widths are tried,
	// each twice the one before: spells and the pauses between them may have any length.
	spellFine   = 32
	spellWidths = 6
	// spellLeast is the least width of a bin in milliseconds, and spellBins the maximum number of
	// bins.
	spellLeast = 2 * clockStep
	spellBins  = 1 << 16
	// wideBin is how many bins the widest ones have, spellWindow how many of those there are in
	// a time in which a share is usual.
	wideBin     = 1 << (spellWidths - 1)
	spellWindow = 64
	// maxSpellParts is the maximum number of parts of sites whose refusals are examined, and
	// spellParts that of those that are followed.
	maxSpellParts = 256
	spellParts    = 16
	// spellUneven is how many standard deviations the refusals must be less even in time than
	// chance makes them before anything is counted, and spellDispersed their least index of
	// dispersion. A few pages whose requests are refused together reach seven and two.
	spellUneven    = 8
	spellDispersed = 2
	// spellPure is the minimum chance that another client of the time is refused, too: of sessions
	// that servers end which are replaced, many have begun anew by then. For sign-ins, at which
	// people mistype at other times, it is spellPureTries. spellUsual is the maximum share in the
	// long time around: spells are exceptions.
	spellPure      = 0.7
	spellPureTries = 0.5
	spellUsual     = 0.3
	// spellMost is the minimum share of those who ask that is refused in each bin of a spell.
	spellMost = 0.6
	// spellTimes is the minimum number of spells that refuse several clients, and spellShare the
	// maximum share of the time that they take. spellOne is the maximum share of the refusals in one
	// of them, else it is an outage, and chance the others.
	spellTimes = 3
	spellShare = 0.25
	spellOne   = 0.7
	// spellFar is how many times the usual distance of spells those that are far from the others
	// are away.
	spellFar = 4
	// spellRest is the share of the refusals from the first spell to the last that are in spells from
	// which on the others are of the same trouble: at the edges of a spell, some are accepted.
	spellRest = 0.75
	// spellWeight is how many times more the spells of a whole site count than other findings of the
	// same refusals, such as an end of all sessions in each of the longer ones. Of a
	// route they count as many times less: it may itself be at fault.
	spellWeight = 2
)

// part is a part of a site, and the bins of its time.
type part struct {
	scope
	refusals    int64
	first, last int64      // Unix milliseconds, of the refusals
	width       int64      // of a bin, milliseconds
	recent      [16]uint32 // actors of the last refusals that are counted
	counts      []int32    // refusals by wide bin, but for further ones of a recent actor; nil afterwards
	bins        []bin
}

// bin is the number of clients refused and accepted in a time. One that is both counts twice.
type bin struct{ refused, accepted int32 }

// at returns the bin of a time, -1 for none.
func (p *part) at(ms int64) int32 {
	if ms < p.first || ms > p.last {
		return -1
	}
	return int32((ms - p.first) / p.width)
}

// spellObserver counts the clients that are refused and accepted in short times, in parts of
// sites whose refusals are uneven in time. A request takes constant time.
type spellObserver struct {
	d       *Diagnosis
	parts   []part
	of      [][]int32 // by endpoint: its parts
	walkers []*spellWalker
}

// observeSpells returns the observer of the parts of sites whose refusals are uneven; nil if there
// are none.
func observeSpells(d *Diagnosis) *spellObserver {
	o := &spellObserver{d: d}
	o.divide()
	o.eachRefusal(func(p *part, r *session.Refusal) {
		if p.refusals == 0 {
			p.first = r.Time
		}
		p.first, p.last = min(p.first, r.Time), max(p.last, r.Time)
		p.refusals++
	})
	o.keep(maxSpellParts, func(p *part) bool { return p.refusals >= spellRefused })
	for i := range o.parts {
		p := &o.parts[i]
		span := p.last - p.first + 1
		p.width = max(spellLeast, span/(p.refusals*spellFine), span/spellBins+1)
		p.counts = make([]int32, p.at(p.last)/wideBin+1)
	}
	o.eachRefusal(func(p *part, r *session.Refusal) {
		if !slices.Contains(p.recent[:], r.Actor) {
			copy(p.recent[1:], p.recent[:])
			p.recent[0] = r.Actor
			p.counts[p.at(r.Time)/wideBin]++
		}
	})
	// Those who mistype at other times hide the spells of a sign-in, and a small log is soon walked over.
	o.keep(spellParts, func(p *part) bool { return p.uneven() || p.signIn && !d.sampled })
	if len(o.parts) == 0 {
		return nil
	}
	for i := range o.parts {
		p := &o.parts[i]
		p.counts, p.bins = nil, make([]bin, p.at(p.last)+1)
	}
	return o
}

// eachRefusal calls do with the refusals that may be in a spell, and each part that they are of.
func (o *spellObserver) eachRefusal(do func(p *part, r *session.Refusal)) {
	for _, r := range o.d.eachOpen() {
		if mayBeInSpell(r) {
			for _, n := range o.of[r.Endpoint] {
				do(&o.parts[n], r)
			}
		}
	}
}

// mayBeInSpell reports whether a refusal is one of somebody whose credentials are good: who is
// accepted before or after it, or gets the password right at last.
func mayBeInSpell(r *session.Refusal) bool {
	if r.SignIn {
		return r.Settled
	}
	return !r.Renewal && !r.Left && (r.Good || r.Fatal || r.Dead || r.Resumed)
}

// divide sets the parts of the sites: whole ones first, then what is below a path, then routes and
// sign-ins.
func (o *spellObserver) divide() {
	numbers := map[scope]int32{}
	o.of = make([][]int32, len(o.d.State.Endpoints))
	for depth := 0; depth <= prefixDepth+1; depth++ {
		for i := range o.d.State.Endpoints {
			e := &o.d.State.Endpoints[i]
			x := scope{host: e.Host, signIn: o.d.Roles[i].Begins()}
			switch {
			case !x.signIn && o.d.Roles[i]&session.Guards == 0:
				continue
			case depth > prefixDepth:
				x.prefix, x.method = e.Template, e.Method
			case x.signIn:
				continue
			case depth > 0:
				if x.prefix = prefixOf(e.Template, depth); x.prefix == "" {
					continue
				}
			}
			n, known := numbers[x]
			if !known {
				n = int32(len(o.parts))
				numbers[x], o.parts = n, append(o.parts, part{scope: x})
			}
			o.of[i] = append(o.of[i], n)
		}
	}
}

// keep drops all parts but those that may have spells, of these at most so many, with the most
// refusals.
func (o *spellObserver) keep(most int, may func(*part) bool) {
	kept := greatest(len(o.parts), most, func(n int32) int64 { return o.parts[n].refusals }, func(n int32) bool { return may(&o.parts[n]) })
	parts, number := make([]part, len(kept)), make([]int32, len(o.parts))
	for i, n := range kept {
		parts[i], number[n] = o.parts[n], int32(i)+1
	}
	for i, list := range o.of {
		var left []int32
		for _, n := range list {
			if number[n] > 0 {
				left = append(left, number[n]-1)
			}
		}
		o.of[i] = left
	}
	o.parts = parts
}

// uneven reports whether the refusals are less even in time than those of a slowly changing rate
// (the index of dispersion; Fisher, 1922).
func (p *part) uneven() bool {
	excess, degrees := 0.0, 0.0
	for window := range slices.Chunk(p.counts, spellWindow) {
		sum := 0.0
		for _, n := range window {
			sum += float64(n)
		}
		mean := sum / float64(len(window))
		if sum == 0 {
			continue
		}
		for _, n := range window {
			excess += (float64(n) - mean) * (float64(n) - mean) / mean
		}
		degrees += float64(len(window) - 1)
	}
	return degrees > 0 && excess >= spellDispersed*degrees && excess-degrees >= spellUneven*math.Sqrt(2*degrees)
}

// spellWalker counts for one goroutine.
type spellWalker struct {
	*spellObserver         // read only
	bins           [][]bin // by part
	counted        []lastBins
}

// lastBins are the bins in which an actor was counted last.
type lastBins struct{ refused, accepted int32 }

func (o *spellObserver) part() func(*timeline.Actor, uint32) {
	w := &spellWalker{spellObserver: o, bins: make([][]bin, len(o.parts)), counted: make([]lastBins, len(o.parts))}
	for i := range o.parts {
		w.bins[i] = make([]bin, len(o.parts[i].bins))
	}
	o.walkers = append(o.walkers, w)
	return w.actor
}

func (w *spellWalker) actor(a *timeline.Actor, _ uint32) {
	for i := 0; i < len(w.counted) && !a.Continues; i++ {
		w.counted[i] = lastBins{-1, -1}
	}
	for i := range a.Events {
		e := &a.Events[i]
		refused := e.Outcome == timeline.Unauthorized
		switch {
		case len(w.of[e.Endpoint]) == 0:
			continue
		case refused:
			if e.Refusal >= timeline.EarlierEvent || !w.d.open(int(e.Refusal)) || !mayBeInSpell(w.d.Refusals.At(int(e.Refusal))) {
				continue
			}
		case e.Outcome != timeline.Accepted && !w.d.SignedIn(a, i):
			continue
		}
		for _, n := range w.of[e.Endpoint] {
			at, last := w.parts[n].at(e.Time), &w.counted[n]
			switch {
			case at < 0:
			case refused && at != last.refused:
				last.refused = at
				w.bins[n][at].refused++
			case !refused && at != last.accepted:
				last.accepted = at
				w.bins[n][at].accepted++
			}
		}
	}
}

func (o *spellObserver) gather() {
	for _, w := range o.walkers {
		for n, bins := range w.bins {
			for i, b := range bins {
				o.parts[n].bins[i].refused += b.refused
				o.parts[n].bins[i].accepted += b.accepted
			}
		}
	}
	o.walkers = nil
}
