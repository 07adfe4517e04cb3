package detect

import "iter"

// closedShare is the refused share of the visits of a key from which on, if hardly
// any are accepted any more, it refuses everybody. Below it, some clients may go on
// without a failure, so that the others are at fault.
const closedShare = 0.9

// closure is a period in which a key refuses everybody: a run of steps.
type closure struct{ from, to int }

// findOutages returns the outages by place of the key. In an outage, clients whose
// credentials were known to be good are refused as well, so a flood of guesses at a
// route that few others use is none. They are not accepted soon after, as they are when
// all sessions have ended at once.
func (o *contrastObserver) findOutages() map[int32]closure {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.series([]contrastType{siteContrast, pathContrast, routeContrast}, false, func(int) bool { return true })
	found := map[int32]closure{}
	for place := range s.o.keys {
		if s.o.keys[place].kind == backendContrast {
			continue
		}
		cells, excursions := s.excursions(place)
		if len(excursions) == 0 {
			continue
		}
		others := s.others(place)
		for _, x := range excursions {
			c := contrast{place: place, Excursion: x}
			if c.share() >= closedShare && x.Outside.Trials >= contrastOutside && s.collapsed(&c, others) &&
				s.test(&c, cells, smoothed(x.Outside)) && goodVoters(o.d, s.claims(&c).each) >= contrastVoters {
				s.widen(&c)
				for c.To < s.o.steps && s.o.accepted[place][c.To] == 0 {
					c.To++
				}
				found[int32(place)] = closure{c.From, c.To}
				break
			}
		}
	}
	return found
}

// goodVoters returns the number of distinct users and sessions of refusals whose
// credentials were known to be good.
func goodVoters(d *Diagnosis, refusals iter.Seq[uint32]) int {
	return voters(d, func(yield func(uint32) bool) {
		refusals(func(i uint32) bool { return !d.Refusals.At(int(i)).Good || yield(i) })
	})
}

// inOutage reports whether a refusal by an endpoint at a time is one of an outage, in
// which a failed try of credentials says nothing about them.
func (d *Diagnosis) inOutage(endpoint uint32, ms int64) bool {
	if d.contrast == nil {
		return false
	}
	for _, place := range d.contrast.ofEndpoint[endpoint] {
		if x, ok := d.contrast.outages[place]; ok {
			if at := d.contrast.step(ms); at >= x.from && at < x.to {
				return true
			}
		}
	}
	return false
}
