package detect

import (
	"iter"

	"logscan/analyze/session"
	"logscan/analyze/timeline"
)

// onceShare is the minimum share of the clients whose refused renewals all fall within
// session.Nearby: who meets the end of a session renews in vain once, while a route that
// is at fault refuses the same clients again and again.
const onceShare = 0.9

// endedRenewals reports whether refusals are renewals of sessions that have ended, of people
// who can sign in, at the host or elsewhere: that is no fault of the route, and nobody is kept
// from signing in.
func (d *Diagnosis) endedRenewals(refusals iter.Seq[uint32]) bool {
	of, all, renewals, host := map[timeline.Client]period{}, 0, 0, ""
	for _, r := range d.Refusals.Of(refusals) {
		all++
		if !r.Renewal {
			continue
		}
		renewals++
		host = d.State.Endpoints[r.Endpoint].Host
		t, known := of[r.Client()]
		if !known {
			t = period{r.Time, r.Time}
		}
		of[r.Client()] = period{min(t.first, r.Time), max(t.last, r.Time)}
	}
	if renewals == 0 || float64(renewals) < intact*float64(all) || d.signIns()[host] == 0 && !d.comeBack(of) {
		return false
	}
	once := 0
	for _, t := range of {
		if t.last-t.first <= session.Nearby {
			once++
		}
	}
	return float64(once) >= onceShare*float64(len(of))
}

// period is a time from the first to the last of something, Unix milliseconds.
type period struct{ first, last int64 }

// comeBack reports whether most clients begin another session within minutes after they were
// refused, wherever they sign in.
func (d *Diagnosis) comeBack(refused map[timeline.Client]period) bool {
	back := map[timeline.Client]bool{}
	for s, err := range d.EachSession() {
		if err != nil {
			return false
		}
		if t, ok := refused[s.Client]; ok && s.Start >= t.first && s.Start-t.last <= session.Nearby {
			back[s.Client] = true
		}
	}
	return 2*len(back) > len(refused)
}

// signIns returns, by host, how many requests were accepted at routes at which people sign
// in, without those that only renew.
func (d *Diagnosis) signIns() map[string]int64 {
	n := map[string]int64{}
	for i := range d.State.Endpoints {
		if e := &d.State.Endpoints[i]; d.Roles[i].Begins() && d.Roles[i]&session.Renews == 0 {
			n[e.Host] += e.N[timeline.Accepted] + e.N[timeline.Redirected]
		}
	}
	return n
}
