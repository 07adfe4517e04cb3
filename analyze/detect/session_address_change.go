package detect

import (
	"fmt"
	"maps"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// sessionAddressChange finds sites whose sessions end when the address of their
// client changes.
//
// Sign: the first request of a session from another address is refused, and far
// more often than requests from the same one. Not: sessions that expire (they
// do so without a change as well), phones that roam and stay signed in.
//
// Statistic: the relative risk of death in the first request after a change
// against requests without one, with the exact test of the difference
// (stats.RateRatioTest), and Wilson's lower bound of the share that dies.
var sessionAddressChange = Kind{
	Name:     "session_address_change",
	Label:    "Address change",
	Meaning:  "Sessions died when the client's address changed: they are bound to it.",
	Category: SessionCategory,
	Needs:    []string{needTime, needStatus, needPath, needClient, needSession},
	certain:  true,
	observe:  observeMoves,
	inspect:  inspectMoves,
}

const (
	// movedDeaths after a change of the address are the least.
	movedDeaths = 8
	// movedLower bounds from below the share of the changes that are not
	// survived.
	movedLower = 0.5
	// movedRatio is how many times the risk of other requests that must be.
	movedRatio = 10
	// movedFalse is the chance of a false report for each host.
	movedFalse = 0.001
)

// moveObserver counts the requests of live sessions to protected routes by host:
// first those from the address of the request before, then those from another.
// Hits are deaths.
type moveObserver struct {
	*Diagnosis
	pairs[string]
}

// movedAway tells whether a 401 belongs to a death that followed a change of the
// address.
func movedAway(f *session.Refusal) bool { return f.Session && f.Dead && f.Moved }

func observeMoves(c *Diagnosis) observer {
	n := map[string]int{}
	enough := false
	for i := range c.Refusals {
		if f := &c.Refusals[i]; c.open(i) && f.Fatal && movedAway(f) {
			host := c.State.Endpoints[f.Endpoint].Host
			n[host]++
			enough = enough || n[host] >= movedDeaths
		}
	}
	if !enough {
		return nil
	}
	maps.DeleteFunc(n, func(_ string, deaths int) bool { return deaths < movedDeaths })
	return &moveObserver{c, newPairs(slices.Collect(maps.Keys(n)))}
}

func (o *moveObserver) part() func(*timeline.Actor, uint32) {
	mine := o.pairs.part()
	return func(a *timeline.Actor, _ uint32) {
		if a.Session == nil {
			return
		}
		address, known := uint32(0), false
		for i := range a.Events {
			e := &a.Events[i]
			died := e.Refusal != timeline.NoRefusal && o.Refusals[e.Refusal].Fatal
			if !died && (e.Outcome != timeline.Accepted || o.Roles[e.Endpoint]&session.Guards == 0) {
				continue
			}
			if n := mine[o.State.Endpoints[e.Endpoint].Host]; n != nil && known {
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

func inspectMoves(c *Diagnosis, seen observer) ([]candidate, error) {
	if seen == nil {
		return nil, nil
	}
	o := seen.(*moveObserver)
	claims := map[string][]uint32{}
	deaths := map[string]int{}
	for i := range c.Refusals {
		if f := &c.Refusals[i]; c.open(i) && movedAway(f) {
			host := c.State.Endpoints[f.Endpoint].Host
			claims[host] = append(claims[host], uint32(i))
			if f.Fatal {
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
		if float64(deaths[host]) >= 0.05*float64(c.Actors) {
			cand.Severity = result.High
		}
		where := ""
		if host != "" {
			where = " on " + host
		}
		cand.Title = fmt.Sprintf("Sessions%s end when the address of their client changes", where)
		cand.Explanation = Say("Of %d first requests of a session from another address than before %s were answered 401, until a new sign-in; of %d requests from the same address %s. The risk is %.0f times as high. Phones, VPNs and networks with several exits change their address all the time.",
			moved.Trials, percent(float64(moved.Hits)/float64(moved.Trials)), stayed.Trials, percent(float64(stayed.Hits)/float64(max(stayed.Trials, 1))), min(ratio, 1e6))
		cand.Remediation = []string{
			"Do not bind sessions to the address: turn off the framework's check (PHP: own code that compares REMOTE_ADDR; Tomcat: the proxy's RemoteIpValve instead; WAF: session fingerprinting), and bind to the TLS channel or rotate the session id instead.",
			"Behind a proxy take the client's address from X-Forwarded-For of trusted proxies alone (nginx set_real_ip_from, Apache RemoteIPTrustedProxy): a balancer with several addresses looks like a client that moves.",
			"Where the check must stay, compare networks (/24, /48) and ask for the second factor instead of ending the session.",
		}
		cand.Exhibit = twoCells("Requests refused and accepted", "from another address", moved, "from the same address", stayed)
		cand.Details = map[string]any{
			"changes": moved.Trials, "deaths_after_change": moved.Hits, "requests_without_change": stayed.Trials,
			"deaths_without_change": stayed.Hits, "relative_risk": round(min(ratio, 1e6), 1), "p_value": p,
		}
		found = append(found, cand)
	}
	return found, nil
}
