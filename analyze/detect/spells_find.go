package detect

import (
	"slices"
	"sort"
	"strings"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
)

// purity is how often clients are refused together.
type purity struct {
	merged   int     // bins that are taken as one
	together float64 // the refusals for which another client of the bin was refused, too: a sum of chances
	of       int64   // refusals in bins with another client
	alone    int64   // refusals in others
	usual    float64 // sum of the shares around them
}

// pureIn returns how often clients are refused together in bins of which several are merged.
func (p *part) pureIn(merged int) purity {
	x := purity{merged: merged}
	for window := range slices.Chunk(p.bins, spellWindow*wideBin) {
		var all stats.Cell
		of := int64(0)
		for bins := range slices.Chunk(window, merged) {
			b := sumBins(bins)
			r, n := int64(b.refused), int64(b.refused)+int64(b.accepted)
			all.Merge(stats.Cell{Hits: r, Trials: n})
			if n > 1 {
				x.together += float64(r) * float64(r-1) / float64(n-1)
				of += r
			} else {
				x.alone += r
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
	least := spellPure
	if p.signIn {
		least = spellPureTries
	}
	for n := range spellWidths {
		x := p.pureIn(1 << n)
		of := float64(x.of)
		if x.of < max(spellRefused, x.alone) || x.together < least*of || x.usual > spellUsual*of || ok && x.together-x.usual <= best.together-best.usual {
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
	goesOn      bool  // nobody was accepted since the spell before
	first, last int64 // of the refusals
	actors      map[uint32]bool
}

// spells returns the times in which most clients are refused and between which some are
// accepted.
func (p *part) spells(merged int) (list []spell) {
	quiet, accepted := spellFine, true // bins since the last refusal; whether somebody was accepted since
	n := 0
	for bins := range slices.Chunk(p.bins, merged) {
		b, from := sumBins(bins), p.first+int64(n*merged)*p.width
		n++
		to := from + int64(merged)*p.width
		switch {
		case b.refused > 0 && float64(b.refused) >= spellMost*float64(b.refused+b.accepted):
			if quiet >= spellFine {
				list = append(list, spell{from: from, goesOn: !accepted, actors: map[uint32]bool{}})
			}
			accepted = false
			last := &list[len(list)-1]
			last.to, quiet = to, 0
			last.refused += int64(b.refused)
		case b.accepted > 0:
			quiet, accepted = spellFine, true
		default:
			quiet++
		}
	}
	return list
}

// dense returns the spells without those before and after that are far from the others: single
// clients, or a few by chance.
func dense(list []spell) []spell {
	var several []int // spells of several clients
	for i := range list {
		if list[i].refused > 1 && !list[i].goesOn {
			several = append(several, i)
		}
	}
	if len(several) < spellTimes {
		return nil
	}
	var gaps []float64
	for i, n := range several[1:] {
		gaps = append(gaps, float64(list[n].from-list[several[i]].from))
	}
	usual, _ := stats.MedianDeviation(gaps)
	far := func(n int) bool {
		return float64(list[several[n+spellTimes]].from-list[several[n]].from) > spellTimes*spellFar*usual
	}
	for len(several) > spellTimes && far(0) {
		several = several[1:]
	}
	for len(several) > spellTimes && far(len(several)-1-spellTimes) {
		several = several[:len(several)-1]
	}
	return list[several[0] : several[len(several)-1]+1]
}

// find returns the parts of sites that refuse everybody in spells, the widest ones.
func (o *spellObserver) find() (found []candidate) {
	var wide []scope
	for n := range o.parts {
		p := &o.parts[n]
		if slices.ContainsFunc(wide, func(x scope) bool { return x.host == p.host && strings.HasPrefix(p.prefix, x.prefix) }) {
			continue
		}
		x, pValue, ok := p.pure(float64(len(o.parts)))
		if !ok {
			continue
		}
		if c, ok := o.finding(int32(n), x, pValue); ok {
			wide, found = append(wide, p.scope), append(found, c)
		}
	}
	return found
}

// in reports whether a refusal in a spell of a part is one of it: sign-ins are of whole sites, too.
func (o *spellObserver) in(n int32, r *session.Refusal) bool {
	p := &o.parts[n]
	if r.SignIn && p.prefix == "" {
		return o.d.State.Endpoints[r.Endpoint].Host == p.host
	}
	return (r.SignIn || mayBeInSpell(r)) && slices.Contains(o.of[r.Endpoint], n)
}

// finding returns the finding of the spells of a part.
func (o *spellObserver) finding(n int32, x purity, pValue float64) (c candidate, ok bool) {
	p := &o.parts[n]
	list := dense(p.spells(x.merged))
	if list == nil {
		return c, false
	}
	actors, routes := map[uint32]bool{}, map[uint32]bool{}
	var meanwhile []uint32 // all refusals from the first spell to the last
	for i, r := range o.d.eachOpen() {
		at := sort.Search(len(list), func(k int) bool { return list[k].to > r.Time })
		if at == len(list) || r.Time < list[0].from || !o.in(n, r) {
			continue
		}
		meanwhile = append(meanwhile, uint32(i))
		s := &list[at]
		if r.Time < s.from {
			continue
		}
		if len(s.actors) == 0 {
			s.first = r.Time
		}
		s.last, s.actors[r.Actor] = r.Time, true
		actors[r.Actor], routes[r.Endpoint] = true, true
		c.claims = append(c.claims, uint32(i))
	}
	inSpells := len(c.claims)
	if float64(inSpells) >= spellRest*float64(len(meanwhile)) {
		c.claims = meanwhile
	}
	times, longest, taken, refused, here, most := 0, int64(0), int64(0), int64(0), int64(0), int64(0)
	for i := range list {
		s := &list[i]
		if !s.goesOn {
			here = 0
		}
		here += s.refused
		taken, refused, most = taken+s.to-s.from, refused+s.refused, max(most, here)
		if len(s.actors) > 1 && !s.goesOn {
			times++
			longest = max(longest, s.last-s.first)
		}
	}
	if times < spellTimes || len(actors) < mixedSessions || float64(taken) > spellShare*float64(p.last-p.first) || float64(most) > spellOne*float64(refused) ||
		float64(inSpells) < minKept*float64(refused) || o.d.ofOneVersion(c.claims) { // the rest of something else
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
	if c.weight = spellWeight; p.prefix != "" {
		c.weight = 1.0 / spellWeight
	}
	c.Onset = list[0].first * 1000
	high := result.Time(c.Onset)
	details.OnsetHigh = &high
	return c, true
}
