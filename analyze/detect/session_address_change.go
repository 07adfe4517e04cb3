package detect

import (
	"maps"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// sessionAddressChange finds sites whose sessions end when the client's address
// changes.
//
// Sign: the first request of a session from a new address is refused, far more
// often than requests from an unchanged address. Not: sessions that expire (they
// do so without a change, too), phones that roam and stay signed in.
//
// Statistic: the relative risk of a session's end in the first request after a
// change against requests without one, with the exact test of the difference
// (stats.RateRatioTest), and Wilson's lower bound of the share of changes that end the
// session.
var sessionAddressChange = Kind{
	Name:     "session_address_change",
	Label:    "Address change",
	Meaning:  "Sessions ended when the client's address changed: they are bound to it.",
	Category: SessionCategory,
	Subjects: []string{"site"},
	Needs:    []string{needTime, needStatus, needPath, needClient, needSession},
	Uses:     []parse.Extra{parse.ExtraSession, parse.ExtraSubSecond, parse.ExtraForwarded},
	Details:  func() any { return new(AddressChange) },
	Title:    `Sessions{{with .Subject.Host}} on {{.}}{{end}} end when the client's address changes`,
	Explanation: `{{with .Details}}
		{{part .DeathsAfterChange .Changes}} of {{count .Changes "first request"}} from a new address {{if eq .Changes 1}}was{{else}}were{{end}} refused, and the session was not accepted again before a new sign-in.
		Of {{count .Unchanged "request"}} from an unchanged address, {{part .DeathsUnchanged .Unchanged}} ended the session.
		{{if lt .RelativeRisk 1000.0}}The risk is {{fixed 0 .RelativeRisk}} times as high after a change.{{else}}Sessions end almost only after an address change.{{end}}
		Phones, VPNs and networks with several exits change addresses often.{{end}}`,
	Remedy: []string{
		`Do not bind sessions to the client's address: turn off the check (in PHP, code that compares REMOTE_ADDR; in a WAF, session fingerprinting), and rotate the session id or bind it to the TLS channel instead.`,
		`Behind a proxy, take the client's address from X-Forwarded-For of trusted proxies only (nginx set_real_ip_from, Apache RemoteIPTrustedProxy, Tomcat RemoteIpValve): a balancer with several addresses looks like a client that moves.`,
		`If the check must stay, compare networks (/24, /48) instead of addresses, and ask for the second factor instead of ending the session.`,
	},
	certain: true,
	observe: observeMoves,
	inspect: inspectMoves,
}

// AddressChange is the details of a session_address_change finding.
type AddressChange struct {
	Changes           int64              `json:"changes"`                 // first requests from a new address
	DeathsAfterChange int64              `json:"deaths_after_change"`     // of them, refused for good
	Unchanged         int64              `json:"requests_without_change"` //
	DeathsUnchanged   int64              `json:"deaths_without_change"`   // of them, refused for good
	RelativeRisk      float64            `json:"relative_risk"`           // at most a million
	PValue            result.Probability `json:"p_value"`
}

const (
	// movedDeaths is the minimum number of sessions that end after a change.
	movedDeaths = 8
	// movedLower is the minimum of the lower bound of the share of changes that end
	// the session.
	movedLower = 0.5
	// movedRatio is the minimum relative risk.
	movedRatio = 10
	// movedFalse is the accepted probability of a false report per host.
	movedFalse = 0.001
)

// moveObserver counts the requests of live sessions to protected routes by host:
// in the first cell those from the address of the request before, in the second
// those from another address. Hits are refusals that end the session. A request takes
// constant time.
type moveObserver struct {
	d *Diagnosis
	pairs[string]
}

// afterMove reports whether a refusal belongs to a session that ended after its
// address had changed.
func afterMove(r *session.Refusal) bool { return r.Session && r.Dead && r.Moved }

func observeMoves(d *Diagnosis) observer {
	deaths := map[string]int{}
	enough := false
	for _, r := range d.eachOpen() {
		if r.Fatal && afterMove(r) {
			host := d.State.Endpoints[r.Endpoint].Host
			deaths[host]++
			enough = enough || deaths[host] >= movedDeaths
		}
	}
	if !enough {
		return nil
	}
	maps.DeleteFunc(deaths, func(_ string, n int) bool { return n < movedDeaths })
	return &moveObserver{d, newPairs(slices.Collect(maps.Keys(deaths)))}
}

func (o *moveObserver) part() func(*timeline.Actor, uint32) {
	cells := o.pairs.part()
	return func(a *timeline.Actor, _ uint32) {
		if a.Session == nil {
			return
		}
		address, known := uint32(0), false
		for i := range a.Events {
			e := &a.Events[i]
			died := e.Refusal != timeline.NoRefusal && o.d.Refusals.At(int(e.Refusal)).Fatal
			if !died && (e.Outcome != timeline.Accepted || o.d.Roles[e.Endpoint]&session.Guards == 0) {
				continue
			}
			if n := cells[o.d.State.Endpoints[e.Endpoint].Host]; n != nil && known {
				cell := &n[0]
				if e.Client.Address != address {
					cell = &n[1]
				}
				cell.Add(died)
			}
			address, known = e.Client.Address, !died
		}
	}
}

func (o *moveObserver) gather() { o.pairs.gather() }

func inspectMoves(d *Diagnosis, seen observer) ([]candidate, error) {
	if seen == nil {
		return nil, nil
	}
	o := seen.(*moveObserver)
	claims := map[string][]uint32{}
	deaths := map[string]int{}
	for i, r := range d.eachOpen() {
		if afterMove(r) {
			host := d.State.Endpoints[r.Endpoint].Host
			claims[host] = append(claims[host], uint32(i))
			if r.Fatal {
				deaths[host]++
			}
		}
	}
	var found []candidate
	for _, host := range slices.Sorted(maps.Keys(o.counts)) {
		stayed, moved := o.counts[host][0], o.counts[host][1]
		p := stats.RateRatioTest(moved.Hits, moved.Trials, stayed.Hits, stayed.Trials)
		ratio := stats.Ratio(moved.Hits, moved.Trials, stayed.Hits, stayed.Trials)
		lower := stats.WilsonLower(moved.Hits, moved.Trials, stats.Z95)
		if deaths[host] < movedDeaths || p > movedFalse || ratio < movedRatio || lower < movedLower {
			continue
		}
		cand := candidate{claims: claims[host]}
		cand.Subject, cand.Onset = result.Subject{Type: "site", Host: host}, parse.NoTime
		cand.Severity, cand.Confidence = result.Medium, confidence(p, lower)
		if float64(deaths[host]) >= 0.05*float64(d.Actors) {
			cand.Severity = result.High
		}
		cand.Exhibit = comparison(result.CountsRequests, result.ChangedAddress, result.SameAddress, moved, stayed)
		cand.Details = &AddressChange{
			Changes: moved.Trials, DeathsAfterChange: moved.Hits, Unchanged: stayed.Trials, DeathsUnchanged: stayed.Hits,
			RelativeRisk: round(min(ratio, 1e6), 1), PValue: result.Probability(p),
		}
		found = append(found, cand)
	}
	return found, nil
}
