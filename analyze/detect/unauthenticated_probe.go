package detect

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// unauthenticatedProbe finds monitors and health checks that have no
// credentials.
//
// Sign: one client asks one or a few routes at a steady pace, without a name or
// a session, and is refused each time; or with one name that is wrong, from the
// first line of the log to the last. Not: a program whose key has expired (it
// was accepted before), a handshake (the challenge is answered), a page that
// keeps polling after its session has ended (its client was accepted), a scanner
// (many routes), guessing (names, sign-in routes).
//
// Statistic: the share of the gaps between its rounds near the typical gap, by
// the tail of the binomial distribution against what random arrivals show.
var unauthenticatedProbe = Kind{
	Name:     "unauthenticated_probe",
	Label:    "Probe without credentials",
	Meaning:  "A monitor or health check that never had credentials.",
	Category: ClientCategory,
	Needs:    []string{needTime, needStatus, needPath, needClient},
	inspect:  inspectProbes,
}

const (
	// probeRounds is how many rounds show a pace that is no chance.
	probeRounds = 8
	// probeRoutes is how many routes a monitor asks.
	probeRoutes = 5
	// probePeriod in milliseconds is the least time between rounds: what asks
	// faster is no monitor, and in whole seconds every pace looks steady.
	probePeriod = 4000
	// randomNear bounds the share of gaps near the typical one that arrivals at
	// random show: a third, and a log of few gaps shows more.
	randomNear = 0.4
)

func inspectProbes(c *Diagnosis, _ observer) ([]candidate, error) {
	by := map[timeline.Client][]uint32{}
	refused := c.refusalsOf(c.stranger)
	for i := range c.Refusals {
		f := &c.Refusals[i]
		if refused[f.Address] < probeRounds || !c.stranger(i) {
			continue
		}
		if client := (timeline.Client{Address: f.Address, Agent: f.Agent}); c.Clients[client].Sessions == 0 {
			by[client] = append(by[client], uint32(i))
		}
	}
	clients := slices.SortedFunc(maps.Keys(by), timeline.CompareClients)
	var found []candidate
	for _, client := range clients {
		if cand, ok := c.probe(client, by[client], len(clients)); ok {
			found = append(found, cand)
		}
	}
	return found, nil
}

// bare tells whether a 401 wants an explanation and came without credentials, to
// somebody who was never accepted.
func (c *Diagnosis) bare(i int) bool { return c.stranger(i) && !c.Refusals[i].Named }

// stranger tells the same, whether or not there were credentials.
func (c *Diagnosis) stranger(i int) bool {
	f := &c.Refusals[i]
	return c.open(i) && !f.SignIn && !f.Good && !f.Session
}

// refusalsOf counts the 401s that fit by address.
func (c *Diagnosis) refusalsOf(fits func(int) bool) []int {
	n := make([]int, len(c.State.Addresses))
	for i := range c.Refusals {
		if f := &c.Refusals[i]; fits(i) {
			n[f.Address]++
		}
	}
	return n
}

// probe judges the refusals of one client, of so many.
func (c *Diagnosis) probe(client timeline.Client, claims []uint32, clients int) (candidate, bool) {
	cand := candidate{claims: claims}
	if len(claims) < probeRounds {
		return cand, false
	}
	routes, names := map[uint32]int{}, map[uint32]bool{}
	times := make([]int64, len(claims))
	for n, i := range claims {
		f := &c.Refusals[i]
		routes[f.Endpoint]++
		times[n] = f.Time
		if f.Named {
			names[f.User] = true
		}
	}
	if len(routes) > probeRoutes || len(names) > 1 || len(names) == 1 && !c.allDay(rounds(times)) {
		return cand, false // names that come and go are guesses
	}
	gaps := gapsOf(rounds(times))
	typical, near := stats.Steady(gaps, clockStep)
	if len(gaps) < probeRounds-1 || typical < probePeriod || float64(near) < steadyShare*float64(len(gaps)) {
		return cand, false
	}
	p := min(1, stats.BinomialTail(int64(near), int64(len(gaps)), randomNear)*float64(clients))
	if p > attackFalse {
		return cand, false
	}
	route := c.mostAsked(routes)
	agent := result.Clean(c.State.Agents[client.Agent])
	cand.Subject = result.Subject{Type: "client", ClientAddress: result.Clean(c.State.Addresses[client.Address]), UserAgent: agent}
	first, last := times[0], times[len(times)-1]
	cand.Onset = first * 1000
	if first-c.From <= 2*typical {
		cand.Onset = parse.NoTime // it asked before the log began
	}
	cand.Confidence = confidence(p, stats.WilsonLower(int64(near), int64(len(gaps)), stats.Z95)+0.1)
	// It harms nobody but the reader of the log; a balancer that is refused
	// takes the server for dead.
	cand.Severity = result.Low
	balancer := isBalancer(agent)
	if balancer {
		cand.Severity = result.Medium
	}
	period := round(float64(typical)/1000, 1)
	wrong := ""
	for u := range names { // one at most
		wrong = " that are accepted, as " + result.Clean(c.State.Users[u-1].Name)
	}
	cand.Title = fmt.Sprintf("A probe asks %s every %s without credentials%s", endpointLabel(&c.State.Endpoints[route]), seconds(period), wrong)
	cand.Explanation = Say("%s (%s) was refused all %d times between %s and %s, on %s, and was never accepted where a name is asked for. %s of its rounds come about %s apart: a machine.",
		c.who(guesser{address: client.Address}), cmp.Or(agent, "no user agent"), len(claims), Clock(first*1000), Clock(last*1000),
		count(len(routes), "route"), percent(float64(near)/float64(len(gaps))), seconds(period))
	cand.Remediation = []string{
		"Give the probe credentials (Prometheus basic_auth or authorization, blackbox_exporter http.basic_auth, the header of an HTTP check), or let it take 401 for a good answer.",
		"Or open one route for it that tells nothing: nginx auth_basic off or satisfy any with allow for its address, Apache Require ip.",
		"Find out who runs it: its address and user agent stand in the evidence.",
	}
	cand.Details = map[string]any{
		"period_seconds": period, "steady_share": round(float64(near)/float64(len(gaps)), 4), "rounds": len(gaps) + 1,
		"routes": len(routes), "balancer": balancer, "p_value": p,
	}
	return cand, true
}

// rounds gives when rounds began: what is asked together is one. Times are
// ascending.
func rounds(times []int64) []int64 {
	var list []int64
	last := int64(session.LongAgo)
	for _, t := range times {
		if t-last > tryGap {
			list = append(list, t)
		}
		last = t
	}
	return list
}

func gapsOf(times []int64) []int64 {
	gaps := make([]int64, 0, len(times))
	for i := 1; i < len(times); i++ {
		gaps = append(gaps, times[i]-times[i-1])
	}
	return gaps
}

// mostAsked gives the route that was asked most.
func (c *Diagnosis) mostAsked(routes map[uint32]int) uint32 {
	best, n := uint32(0), 0
	for r, k := range routes {
		if k > n || k == n && r < best {
			best, n = r, k
		}
	}
	return best
}

// isBalancer tells whether a user agent is a health check that takes servers
// out of service.
func isBalancer(agent string) bool {
	for _, name := range []string{"ELB-HealthChecker", "GoogleHC", "kube-probe", "Consul Health Check", "Amazon-Route53-Health-Check-Service"} {
		if strings.HasPrefix(agent, name) {
			return true
		}
	}
	return false
}
