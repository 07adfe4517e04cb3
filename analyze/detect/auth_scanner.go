package detect

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"logscan/analyze/result"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
)

// authScanner finds clients that walk over many paths in search of an open one.
//
// Sign: one address, whatever user agents it shows, to which many routes answer
// 401 and many paths 403 or 404, and hardly any otherwise; most routes are asked
// a few times only, and nobody signs in. Not: a crawler (most of what it asks is
// there), a page whose session has ended (its paths are there), a monitor (it
// asks the same few routes again and again).
//
// Statistic: the Poisson tail of a client's refused and missing requests against
// the share of such requests among all others, adjusted by Benjamini and
// Hochberg over the addresses.
var authScanner = Kind{
	Name:     "auth_scanner",
	Label:    "Scanner",
	Meaning:  "One client walks many paths and is refused.",
	Category: AttackCategory,
	Needs:    []string{needTime, needStatus, needPath, needClient},
	inspect:  inspectScanners,
}

const (
	// scanRoutes refused and scanMissing paths answered 403 or 404 are the
	// least of a scan: a crawler meets two or three closed doors.
	scanRoutes  = 4
	scanMissing = 5
	// scanFails of a scanner's requests come to nothing.
	scanFails = 0.7
	// scanRepeats is how often a scanner asks a route, if it asks no more than a
	// monitor does: a few methods and forms of it, not all day.
	scanRepeats = 5
	// scanUsual bounds the site's own share of requests that come to nothing
	// from below, so that one in a clean log surprises nobody.
	scanUsual = 0.05
)

// walkOf is what one address asked in vain.
type walkOf struct {
	address  uint32
	claims   []uint32
	routes   map[uint32]bool
	agents   map[uint32]bool
	requests int64
	failed   int64 // 401, 403 and 404
	missing  int64 // 403 and 404
}

func inspectScanners(c *Diagnosis, _ observer) ([]candidate, error) {
	by := map[uint32]*walkOf{}
	bare := c.refusalsOf(c.bare)
	for i := range c.Refusals {
		f := &c.Refusals[i]
		if bare[f.Address] < scanRoutes || !c.bare(i) {
			continue
		}
		w := by[f.Address]
		if w == nil {
			w = &walkOf{address: f.Address, routes: map[uint32]bool{}, agents: map[uint32]bool{}}
			by[f.Address] = w
		}
		w.claims = append(w.claims, uint32(i))
		w.routes[f.Endpoint], w.agents[f.Agent] = true, true
	}
	var walks []*walkOf
	for _, w := range by {
		if len(w.routes) > probeRoutes || len(w.routes) >= scanRoutes && len(w.claims) <= scanRepeats*len(w.routes) {
			walks = append(walks, w)
		}
	}
	if len(walks) == 0 {
		return nil, nil
	}
	slices.SortFunc(walks, func(a, b *walkOf) int { return cmp.Compare(a.address, b.address) })
	for _, w := range walks {
		c.addClients(w)
	}
	usual := c.inVain(walks)
	var scans []*walkOf
	var p []float64
	for _, w := range walks {
		if w.missing >= scanMissing && float64(w.failed) >= scanFails*float64(w.requests) {
			scans = append(scans, w)
			p = append(p, stats.PoissonTail(w.failed, usual*float64(w.requests)))
		}
	}
	adjusted := stats.BenjaminiHochberg(p)
	var found []candidate
	for n, w := range scans {
		if adjusted[n] <= accountFalse {
			found = append(found, c.scan(w, usual, adjusted[n]))
		}
	}
	return found, nil
}

// addClients sums what the clients asked that take part in a walk.
func (c *Diagnosis) addClients(w *walkOf) {
	for agent := range w.agents {
		f := c.Clients[timeline.Client{Address: w.address, Agent: agent}]
		if f == nil {
			continue
		}
		for _, n := range f.Tally.N {
			w.requests += n
		}
		missing := f.Tally.N[timeline.Forbidden] + f.Tally.N[timeline.NotFound]
		w.missing += missing
		w.failed += missing + f.Tally.N[timeline.Unauthorized]
	}
}

// inVain is the share of the site's requests that are refused or ask what is not
// there, without those of the walks.
func (c *Diagnosis) inVain(walks []*walkOf) float64 {
	var all, vain int64
	for _, w := range walks {
		all -= w.requests
		vain -= w.failed
	}
	for i := range c.State.Endpoints {
		for o, n := range c.State.Endpoints[i].N {
			all += n
			switch timeline.Outcome(o) {
			case timeline.Unauthorized, timeline.Forbidden, timeline.NotFound:
				vain += n
			}
		}
	}
	return max(scanUsual, float64(vain)/float64(max(all, 1)))
}

func (c *Diagnosis) scan(w *walkOf, usual, p float64) candidate {
	cand := candidate{claims: w.claims}
	g := guesser{address: w.address}
	first, last := c.Refusals[w.claims[0]].Time, c.Refusals[w.claims[len(w.claims)-1]].Time
	cand.Subject = c.guesserSubject(g)
	cand.Onset = first * 1000
	lower := stats.WilsonLower(w.failed, w.requests, stats.Z95)
	cand.Confidence = confidence(p, lower)
	cand.Severity = result.Medium
	cand.Title = fmt.Sprintf("%s scans the site: %s refused, %s missing or forbidden", c.who(g), count(len(w.routes), "route"), count(int(w.missing), "path"))
	cand.Explanation = Say("Of its %d requests between %s and %s, %s came to nothing (401, 403 or 404), of those of others %s at most. It was refused on %d routes, each of which it asked a few times at most, and never signed in.",
		w.requests, Clock(first*1000), Clock(last*1000), percent(float64(w.failed)/float64(w.requests)), percent(usual), len(w.routes))
	cand.Remediation = []string{
		"Look at what the same client was given: requests answered 200 among its refusals are what it came for.",
		"Limit the rate of clients with many 401s, 403s and 404s (nginx limit_req with a map on the status, fail2ban, a web application firewall), or block the address.",
		"Close what needs no reach from outside: administration, metrics and backups on an internal address only.",
	}
	cand.Details = map[string]any{
		"start": Clock(first * 1000), "end": Clock(last * 1000), "requests": w.requests, "routes_refused": len(w.routes),
		"missing_or_forbidden": w.missing, "failed_share": round(float64(w.failed)/float64(w.requests), 4), "p_value": p,
		"user_agents": len(w.agents),
	}
	if tool := c.toolOf(w.agents); tool != "" {
		cand.Details.(map[string]any)["tool"] = tool
	}
	return cand
}

// toolOf names the scanning tool that one of the user agents admits to be.
func (c *Diagnosis) toolOf(agents map[uint32]bool) string {
	tool := ""
	for a := range agents {
		name := strings.ToLower(c.State.Agents[a])
		for _, t := range []string{"nikto", "nuclei", "sqlmap", "gobuster", "dirbuster", "feroxbuster", "ffuf", "wfuzz", "wpscan", "zgrab", "masscan", "nmap", "nessus", "openvas", "acunetix", "burp", "zap/"} {
			if t = strings.TrimSuffix(t, "/"); strings.Contains(name, t) && (tool == "" || t < tool) {
				tool = t
			}
		}
	}
	return tool
}
