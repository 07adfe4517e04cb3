package detect

import (
	"cmp"
	"fmt"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/timeline"
)

// retryStorm finds software that repeats a refused request over and over and
// never signs in again.
//
// Sign: after its session or token has ended, a client repeats the same request
// at a machine's pace, without a sign-in or an acceptance between; grouped by
// user agent. Not: a monitor (never accepted), a program whose key has expired
// (no session, and its usual work goes on at its usual pace), guessing (sign-in
// routes, names), a person who reloads (a few times, at all intervals).
//
// Statistic: the length of the run, and the share of its gaps within a factor
// of two of their median, which long-tailed human gaps do not reach. The least
// lengths are far beyond what somebody reloads by hand.
var retryStorm = Kind{
	Name:     "retry_storm",
	Label:    "Retry storm",
	Meaning:  "A client repeats the refused request over and over and never signs in again.",
	Category: SessionCategory,
	Needs:    []string{needTime, needStatus, needPath, needClient, needAgent},
	certain:  true,
	observe:  observeRetries,
	inspect:  inspectRetries,
}

const (
	// stormRun repeats of one request by one session or client are a storm; or
	stormRun = 20
	// stormShort repeats each, of several that run the same software,
	stormShort = 10
	// stormTotal together.
	stormTotal = 40
	// stormEven is the share of the gaps within a factor of two of the median.
	stormEven = 0.85
	// maxStorms bounds the actors that are followed: those with most repeats.
	maxStorms = 20_000
)

// retries is a run of the same refused request.
type retries struct {
	facts []uint32 // all but the first, which only told that the session had ended
	agent uint32
	actor uint32
	gap   int64 // the typical one, milliseconds
}

type retryObserver struct {
	*Diagnosis
	actors map[uint32]bool
	runs   []retries // by agent, first fact
	mine   [][]retries
}

func observeRetries(c *Diagnosis) observer {
	type repeated struct{ actor, endpoint uint32 }
	n := map[repeated]int{}
	for i := range c.Refusals {
		if f := &c.Refusals[i]; c.open(i) && !f.SignIn && (f.Good || f.Session) {
			n[repeated{f.Actor, f.Endpoint}]++
		}
	}
	type many struct {
		actor uint32
		n     int
	}
	var list []many
	for r, count := range n {
		if count > stormShort {
			list = append(list, many{r.actor, count})
		}
	}
	if len(list) == 0 {
		return nil
	}
	slices.SortFunc(list, func(a, b many) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.actor, b.actor)) })
	o := &retryObserver{Diagnosis: c, actors: map[uint32]bool{}}
	for _, m := range list[:min(len(list), maxStorms)] {
		o.actors[m.actor] = true
	}
	return o
}

func (o *retryObserver) wants(id uint32, _ timeline.ActorSummary) bool { return o.actors[id] }

func (o *retryObserver) part() func(*timeline.Actor, uint32) {
	n := len(o.mine)
	o.mine = append(o.mine, nil)
	open := map[uint32][]uint32{} // by endpoint: refusals since the last acceptance
	return func(a *timeline.Actor, id uint32) {
		if !o.actors[id] {
			return
		}
		clear(open)
		// Who never had a session is a program, whose key may have expired.
		hadSession := a.Session != nil
		end := func() {
			for _, endpoint := range sortedKeys(open) {
				if run, ok := o.run(open[endpoint]); ok && hadSession {
					o.mine[n] = append(o.mine[n], run)
				}
			}
			clear(open)
		}
		for i := range a.Events {
			e := &a.Events[i]
			switch {
			case e.Refusal != timeline.NoRefusal:
				if f := &o.Refusals[e.Refusal]; !f.SignIn && (f.Good || f.Session) && f.Cause != session.Challenge {
					open[e.Endpoint] = append(open[e.Endpoint], e.Refusal)
				}
			case e.Outcome == timeline.Accepted && o.Roles[e.Endpoint]&session.Guards != 0,
				e.Outcome <= timeline.Redirected && o.Roles[e.Endpoint]&session.SignsIn != 0:
				end()
				hadSession = hadSession || o.Roles[e.Endpoint]&session.SignsIn != 0
			}
		}
		end()
	}
}

func sortedKeys(m map[uint32][]uint32) []uint32 {
	keys := make([]uint32, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// run tests the refusals of one request by one actor.
func (o *retryObserver) run(facts []uint32) (retries, bool) {
	if len(facts) <= stormShort {
		return retries{}, false
	}
	times := make([]int64, len(facts))
	for i, n := range facts {
		times[i] = o.Refusals[n].Time
	}
	gaps := gapsOf(times[1:])
	slices.Sort(gaps)
	median := max(gaps[len(gaps)/2], 1)
	even := 0
	for _, g := range gaps {
		if 2*g+clockStep >= median && g <= 2*median+clockStep {
			even++
		}
	}
	f := &o.Refusals[facts[0]]
	return retries{slices.Clone(facts[1:]), f.Agent, f.Actor, median}, float64(even) >= stormEven*float64(len(gaps))
}

func (o *retryObserver) gather() {
	for _, mine := range o.mine {
		o.runs = append(o.runs, mine...)
	}
	o.mine = nil
	slices.SortFunc(o.runs, func(a, b retries) int {
		return cmp.Or(cmp.Compare(a.agent, b.agent), cmp.Compare(a.facts[0], b.facts[0]))
	})
}

func inspectRetries(c *Diagnosis, seen observer) ([]candidate, error) {
	if seen == nil {
		return nil, nil
	}
	o := seen.(*retryObserver)
	var found []candidate
	for from := 0; from < len(o.runs); {
		to := from + 1
		for to < len(o.runs) && o.runs[to].agent == o.runs[from].agent {
			to++
		}
		if cand, ok := c.storm(o.runs[from:to]); ok {
			found = append(found, cand)
		}
		from = to
	}
	return found, nil
}

// storm sums the runs of one user agent.
func (c *Diagnosis) storm(runs []retries) (candidate, bool) {
	var cand candidate
	longest := 0
	actors := map[uint32]bool{}
	var gaps []int64
	for _, r := range runs {
		n := 0
		for _, i := range r.facts {
			if c.open(int(i)) {
				cand.claims = append(cand.claims, i)
				n++
			}
		}
		if n >= stormShort {
			longest = max(longest, n)
			actors[r.actor] = true
			gaps = append(gaps, r.gap)
		}
	}
	if longest < stormShort || longest < stormRun && len(cand.claims) < stormTotal {
		return cand, false
	}
	slices.Sort(cand.claims)
	slices.Sort(gaps)
	agent := c.State.Agents[runs[0].agent]
	typical := float64(gaps[len(gaps)/2]) / 1000
	cand.Subject = result.Subject{Type: "client_software", UserAgent: agent}
	if agent == "" {
		cand.Subject = result.Subject{Type: "site"}
	}
	cand.Onset = c.State.Refusals[cand.claims[0]].Time
	cand.Confidence = 0.95
	cand.Severity = result.Low
	if len(cand.claims) >= 100 || float64(len(cand.claims)) >= 0.2*float64(len(c.Refusals)) {
		cand.Severity = result.Medium
	}
	cand.Title = fmt.Sprintf("%s repeats refused requests every %s and never signs in again", cmp.Or(agent, "Software without a user agent"), seconds(round(typical, 1)))
	cand.Explanation = Say("%s of this software, once accepted, sent the same request again %d times (one of them %d times) after it had been answered 401, about every %s, without signing in or renewing a token between. None of these requests could succeed.",
		count(len(actors), "session"), len(cand.claims), longest, seconds(round(typical, 1)))
	cand.Remediation = []string{
		"In the client: stop on 401; renew the token once (OAuth refresh_token) and then ask the user to sign in; back off exponentially with jitter.",
		"Tell the makers which versions do it: the user agent names them.",
		"Until then spare the server: nginx limit_req keyed by session or address, Apache mod_qos; answer with Retry-After.",
	}
	cand.Details = map[string]any{"sessions": len(actors), "wasted_requests": len(cand.claims), "longest_run": longest, "interval_seconds": round(typical, 1)}
	return cand, true
}
