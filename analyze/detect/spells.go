package detect

import (
	"iter"
	"math"
	"slices"
	"sort"
	"strings"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
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
	spellFine   = 8
	spellWidths = 4
	// spellWindow is the number of the widest bins in which a share is usual.
	spellWindow = 64
	// spellLeast is the least width of a bin in milliseconds, and spellBins the maximum number of
	// bins.
	spellLeast = 2 * clockStep
	spellBins  = 1 << 16
	// spellParts is the maximum number of parts of the sites.
	spellParts = 16
	// spellUneven is how many standard deviations the refusals must be less even in time than
	// chance makes them before anything is counted, and spellDispersed their least index of
	// dispersion: that of pages which are refused for several requests at once is up to about two.
	spellUneven    = 5
	spellDispersed = 2.5
	// spellPure is the minimum chance that another client of the time is refused, too, and
	// spellUsual the maximum share in the long time around: spells are exceptions.
	spellPure  = 0.6
	spellUsual = 0.3
	// spellTimes is the minimum number of spells that refuse several clients, and spellShare the
	// maximum share of the time that they take.
	spellTimes = 3
	spellShare = 0.25
	// spellWeight is how many times more spells count than other findings of the same refusals,
	// such as an end of all sessions in each of the longer ones.
	spellWeight = 2
)

// part is a part of a site, and the bins of its time.
type part struct {
	scope
	refusals    int64
	first, last int64 // Unix milliseconds, of the refusals
	width       int64 // of a bin, milliseconds
	bins        []bin // nil for a part that is not followed
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
	for _, r := range o.eachRefusal() {
		for _, n := range o.of[r.Endpoint] {
			p := &o.parts[n]
			if p.refusals == 0 {
				p.first = r.Time
			}
			p.first, p.last = min(p.first, r.Time), max(p.last, r.Time)
			p.refusals++
		}
	}
	for i := range o.parts {
		if p := &o.parts[i]; p.refusals >= spellRefused {
			span := p.last - p.first + 1
			p.width = max(spellLeast, span/(p.refusals*spellFine), span/spellBins+1)
			p.bins = make([]bin, span/p.width+1)
		}
	}
	actors := make([]uint32, len(o.parts)) // of the last refusals
	for _, r := range o.eachRefusal() {
		for _, n := range o.of[r.Endpoint] {
			if p := &o.parts[n]; p.bins != nil && actors[n] != r.Actor {
				actors[n] = r.Actor
				p.bins[p.at(r.Time)].refused++
			}
		}
	}
	followed := 0
	for i := range o.parts {
		p := &o.parts[i]
		if p.bins != nil && (followed == spellParts || !p.uneven()) {
			p.bins = nil
		}
		if p.bins != nil {
			followed++
			clear(p.bins)
		}
	}
	if followed == 0 {
		return nil
	}
	for i, list := range o.of {
		o.of[i] = slices.DeleteFunc(list, func(n int32) bool { return o.parts[n].bins == nil })
	}
	return o
}

// eachRefusal yields the refusals that may be in a spell: of those whose credentials are good,
// but for sign-ins and renewals.
func (o *spellObserver) eachRefusal() iter.Seq2[int, *session.Refusal] {
	return o.d.Refusals.Those(func(i int) bool { return o.d.open(i) && o.may(o.d.Refusals.At(i)) })
}

func (o *spellObserver) may(r *session.Refusal) bool {
	return !r.SignIn && !r.Renewal && !r.Left && (r.Good || r.Fatal || r.Dead || r.Resumed)
}

// divide sets the parts of the sites: whole ones first, then what is below a path, then routes.
func (o *spellObserver) divide() {
	numbers := map[scope]int32{}
	o.of = make([][]int32, len(o.d.State.Endpoints))
	for depth := 0; depth <= prefixDepth+1; depth++ {
		for i := range o.d.State.Endpoints {
			e := &o.d.State.Endpoints[i]
			x := scope{host: e.Host}
			switch {
			case o.d.Roles[i]&session.Guards == 0:
				continue
			case depth > prefixDepth:
				x.prefix, x.method = e.Template, e.Method
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

// uneven reports whether the refusals are less even in time than those of a slowly changing rate
// (the index of dispersion; Fisher, 1922).
func (p *part) uneven() bool {
	excess, degrees := 0.0, 0.0
	for window := range slices.Chunk(p.bins, spellWindow<<(spellWidths-1)) {
		var counts []float64
		sum := 0.0
		for bins := range slices.Chunk(window, 1<<(spellWidths-1)) {
			n := 0.0
			for _, b := range bins {
				n += float64(b.refused)
			}
			counts, sum = append(counts, n), sum+n
		}
		mean := sum / float64(len(counts))
		if sum == 0 {
			continue
		}
		for _, n := range counts {
			excess += (n - mean) * (n - mean) / mean
		}
		degrees += float64(len(counts) - 1)
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
		if !refused && e.Outcome != timeline.Accepted || len(w.of[e.Endpoint]) == 0 {
			continue
		}
		if refused && (e.Refusal >= timeline.EarlierEvent || !w.d.open(int(e.Refusal)) || !w.may(w.d.Refusals.At(int(e.Refusal)))) {
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

// purity is how often clients are refused together.
type purity struct {
	merged   int     // bins that are taken as one
	together float64 // the refusals for which another client of the bin was refused, too: a sum of chances
	of       int64   // refusals in bins with another client
	usual    float64 // sum of the shares around them
}

// pureIn returns how often clients are refused together in bins of which several are merged.
func (p *part) pureIn(merged int) purity {
	x := purity{merged: merged}
	for window := range slices.Chunk(p.bins, spellWindow<<(spellWidths-1)) {
		var all stats.Cell
		of := int64(0)
		for bins := range slices.Chunk(window, merged) {
			b := sumBins(bins)
			r, n := int64(b.refused), int64(b.refused)+int64(b.accepted)
			all.Merge(stats.Cell{Hits: r, Trials: n})
			if n > 1 {
				x.together += float64(r) * float64(r-1) / float64(n-1)
				of += r
			}
		}
		x.of += of
		x.usual += float64(of) * shareOf(all)
	}
	return x
}

func sumBins(bins []bin) (sum bin) {
	for _, b := range bins {
		sum.refused += b.refused
		sum.accepted += b.accepted
	}
	return sum
}

// pure returns the width of bins that shows spells best; false if none does.
func (p *part) pure(tests float64) (best purity, pValue float64, ok bool) {
	for n := range spellWidths {
		x := p.pureIn(1 << n)
		of := float64(x.of)
		if x.of < spellRefused || x.together < spellPure*of || x.usual > spellUsual*of || ok && x.together-x.usual <= best.together-best.usual {
			continue
		}
		if tail := min(1, stats.BinomialTail(int64(x.together), x.of, max(x.usual/of, mixedUsual))*tests*spellWidths); tail <= mixedFalse {
			best, pValue, ok = x, tail, true
		}
	}
	return best, pValue, ok
}

// spell is a time in which a part of a site refuses those who ask; Unix milliseconds.
type spell struct {
	from, to    int64 // to is excluded
	refused     int64 // clients, in each bin
	first, last int64 // of the refusals
	actors      map[uint32]bool
}

// spells returns the times in which most clients are refused and between which some are
// accepted.
func (p *part) spells(merged int) (list []spell) {
	quiet := spellFine // bins since the last refusal
	n := 0
	for bins := range slices.Chunk(p.bins, merged) {
		b, from := sumBins(bins), p.first+int64(n*merged)*p.width
		n++
		to := from + int64(merged)*p.width
		switch {
		case b.refused > 0 && float64(b.refused) >= spellPure*float64(b.refused+b.accepted):
			if quiet >= spellFine {
				list = append(list, spell{from: from, actors: map[uint32]bool{}})
			}
			last := &list[len(list)-1]
			last.to, quiet = to, 0
			last.refused += int64(b.refused)
		case b.accepted > 0:
			quiet = spellFine
		default:
			quiet++
		}
	}
	return list
}

// find returns the parts of sites that refuse everybody in spells, the widest ones.
func (o *spellObserver) find() (found []candidate) {
	followed := 0.0
	for i := range o.parts {
		if o.parts[i].bins != nil {
			followed++
		}
	}
	var wide []scope
	for n := range o.parts {
		p := &o.parts[n]
		if p.bins == nil || slices.ContainsFunc(wide, func(x scope) bool { return x.host == p.host && strings.HasPrefix(p.prefix, x.prefix) }) {
			continue
		}
		x, pValue, ok := p.pure(followed)
		if !ok {
			continue
		}
		if c, ok := o.finding(int32(n), x, pValue); ok {
			wide, found = append(wide, p.scope), append(found, c)
		}
	}
	return found
}

// finding returns the finding of the spells of a part.
func (o *spellObserver) finding(n int32, x purity, pValue float64) (c candidate, ok bool) {
	p := &o.parts[n]
	list := p.spells(x.merged)
	actors, routes := map[uint32]bool{}, map[uint32]bool{}
	for i, r := range o.eachRefusal() {
		at := sort.Search(len(list), func(k int) bool { return list[k].to > r.Time })
		if at == len(list) || r.Time < list[at].from || !slices.Contains(o.of[r.Endpoint], n) {
			continue
		}
		s := &list[at]
		if len(s.actors) == 0 {
			s.first = r.Time
		}
		s.last, s.actors[r.Actor] = r.Time, true
		actors[r.Actor], routes[r.Endpoint] = true, true
		c.claims = append(c.claims, uint32(i))
	}
	times, longest, taken, refused := 0, int64(0), int64(0), int64(0)
	for i := range list {
		s := &list[i]
		taken, refused = taken+s.to-s.from, refused+s.refused
		if len(s.actors) > 1 {
			times++
			longest = max(longest, s.last-s.first)
		}
	}
	if times < spellTimes || len(actors) < mixedSessions || float64(taken) > spellShare*float64(p.last-p.first) ||
		float64(len(c.claims)) < minKept*float64(refused) || o.d.ofOneVersion(c.claims) { // the rest of something else
		return c, false
	}
	all := sumBins(p.bins)
	details := (&mixture{answers: stats.Cell{Hits: int64(all.refused), Trials: int64(all.refused) + int64(all.accepted)}}).details()
	details.Processes, details.BrokenOf = 0, 0
	details.AfterRefusal = result.Share(round(x.together/float64(x.of), 4))
	details.Spells, details.LongestSpell = times, result.Seconds(float64(max(longest, clockStep))/1000)
	details.Sessions, details.Routes = int64(len(actors)), len(routes)
	o.d.rateMixture(&c, details, pValue, details.Sessions)
	c.Subject.Host, c.Subject.Route = p.host, p.prefix
	c.weight = spellWeight
	c.Onset = list[0].first * 1000
	high := result.Time(c.Onset)
	details.OnsetHigh = &high
	return c, true
}
