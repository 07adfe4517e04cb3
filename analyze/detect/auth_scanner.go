package detect

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// authScanner finds clients that try many paths in search of an open one.
//
// Sign: one address, whatever user agents it shows, to which many routes answer 401
// and many paths 403 or 404, and hardly any otherwise; most routes are requested a few
// times only, and nobody signs in. A few protected routes are enough if the user agent names
// a scanning tool, or if a program that nobody else is accepted with asks for one after the
// other without a pause. Not: a crawler (most of what it requests exists), a
// page whose session has ended (its paths exist), an application that begins (its routes are
// those that it asks for everywhere), a monitor (it requests the same few routes again and
// again).
//
// Statistic: the Poisson tail of a client's refused and missing requests against the
// share of such requests among all others, adjusted by Benjamini and Hochberg over
// the addresses.
var authScanner = Kind{
	Name:     "auth_scanner",
	Label:    "Scanner",
	Meaning:  "One client tries many paths in search of an open one and is refused.",
	Category: AttackCategory,
	Subjects: []string{"client"},
	folds:    byNetwork,
	Needs:    []string{needTime, needStatus, needPath, needClient},
	Uses:     []parse.Extra{parse.ExtraUserAgent, parse.ExtraForwarded},
	Details:  func() any { return new(Scan) },
	Title: clientName + `{{with .Details}} scanned the site{{with .Tool}} with {{.}}{{end}}:
		{{count .RoutesRefused "route"}} refused{{with .MissingOrForbidden}}, {{count . "request"}} for missing or forbidden paths{{end}}{{end}}`,
	Explanation: `{{with .Details}}
		{{share .FailedShare}} of its {{count .Requests "request"}} failed (401, 403 or 404), against {{share .UsualShare}} at most for other clients.
		Between {{time .Start}} and {{time .End}} it was refused on {{count .RoutesRefused "route"}}, always without credentials, and never signed in.{{end}}`,
	Remedy: []string{
		`Check what it found: look in the log for requests by this client that were answered 200.`,
		`Block this address, or ban clients with many 401s, 403s and 404s automatically (fail2ban, a web application firewall). Limit requests per address (nginx limit_req).`,
		`Make administration, metrics and backups reachable from internal addresses only.`,
	},
	observe: observeContrast, // its outages
	inspect: inspectScanners,
}

// Scan is the details of an auth_scanner finding.
type Scan struct {
	Start              result.Time        `json:"start"` // first refusal
	End                result.Time        `json:"end"`   // last refusal
	Requests           int64              `json:"requests"`
	RoutesRefused      int                `json:"routes_refused"`
	MissingOrForbidden int64              `json:"missing_or_forbidden"` // requests
	FailedShare        result.Share       `json:"failed_share"`         // of the requests: 401, 403 or 404
	UsualShare         result.Share       `json:"-"`                    // the same of others, at most
	UserAgents         int                `json:"user_agents"`
	Tool               string             `json:"tool,omitempty"` // the scanning tool that a user agent names
	PValue             result.Probability `json:"p_value"`
}

const (
	// scanRoutes is the minimum number of routes that refuse a scanner, and scanMissing
	// that of its requests answered 403 or 404. A crawler is refused on two or three.
	scanRoutes  = 4
	scanMissing = 5
	// scanClosed is the number of refused routes from which on no missing path is needed: a
	// site that is closed as a whole refuses those as well. It is more than a page loads
	// before somebody signs in.
	scanClosed = 25
	// scanQuick is the number of routes from which on a program that asks for one after the
	// other within scanPause milliseconds, nearly always (scanSteady), scans them, if at most
	// scanOthers other addresses are refused without credentials on most of them.
	scanQuick  = 8
	scanPause  = 1000
	scanSteady = 0.8
	scanOthers = 2
	// scanFails is the minimum share of a scanner's requests that fail.
	scanFails = 0.7
	// scanRepeats is how often a scanner requests a route, if it requests no more
	// routes than a monitor: a few methods and variants, not all day.
	scanRepeats = 5
	// scanUsual is the minimum share of failing requests that is assumed for other
	// clients, so that a single failure in a clean log is not significant.
	scanUsual = 0.05
)

// scan is the failed requests from one address, or from the addresses of a /64 of IPv6.
type scan struct {
	address  uint32 // the first one
	clients  map[timeline.Client]bool
	claims   ascending
	refused  int      // refusals without credentials
	last     int64    // the last of these, Unix milliseconds
	lastOn   uint32   // its endpoint
	quick    int      // those within scanPause after one on another route
	routes   []uint32 // ascending
	agents   map[uint32]bool
	requests int64
	failed   int64 // 401, 403 and 404
	missing  int64 // 403 and 404
	p        float64
}

func inspectScanners(d *Diagnosis, _ observer) ([]candidate, error) {
	scans := wideScans(d)
	if len(scans) == 0 {
		return nil, nil
	}
	for _, s := range scans {
		addClients(d, s)
	}
	usual := usualFailures(d, scans)
	walking := d.walking(scans)
	scans = slices.DeleteFunc(scans, func(s *scan) bool {
		closed := len(s.routes) >= scanClosed && s.failed == s.requests
		return s.missing < scanMissing && !closed && !walking[s] && scanningTool(d, s.agents) == "" || float64(s.failed) < scanFails*float64(s.requests)
	})
	p := make([]float64, len(scans))
	for n, s := range scans {
		p[n] = stats.PoissonTail(s.failed, usual*float64(s.requests))
	}
	adjusted := stats.BenjaminiHochberg(p)
	var certain []*scan
	for n, s := range scans {
		if adjusted[n] <= falseReports {
			s.p = adjusted[n]
			certain = append(certain, s)
		}
	}
	claimScans(d, certain)
	var found []candidate
	for _, s := range certain {
		found = append(found, scanFinding(d, s, usual))
	}
	return found, nil
}

// wideScans counts the refusals without credentials of the addresses that were
// refused on many routes, by address.
func wideScans(d *Diagnosis) []*scan {
	by := map[uint32]*scan{}
	refused := d.countByAddress(d.uncredentialed)
	of := d.subscribers(refused)
	for i, r := range d.Refusals.All() {
		if refused[of(r.Address)] < scanRoutes || !d.scanned(i, r) {
			continue
		}
		s := by[of(r.Address)]
		if s == nil {
			s = &scan{address: of(r.Address)}
			by[s.address] = s
		}
		if s.refused > 0 && r.Time-s.last <= scanPause && r.Endpoint != s.lastOn {
			s.quick++
		}
		s.refused++
		s.last, s.lastOn = r.Time, r.Endpoint
		if at, known := slices.BinarySearch(s.routes, r.Endpoint); !known {
			s.routes = slices.Insert(s.routes, at, r.Endpoint)
		}
	}
	maps.DeleteFunc(by, func(_ uint32, s *scan) bool {
		return len(s.routes) <= probeRoutes && (len(s.routes) < scanRoutes || s.refused > scanRepeats*len(s.routes))
	})
	if len(by) == 0 {
		return nil
	}
	for _, s := range by {
		s.agents, s.clients = map[uint32]bool{}, map[timeline.Client]bool{}
	}
	for i, r := range d.Refusals.All() {
		if s := by[of(r.Address)]; s != nil && d.scanned(i, r) {
			s.agents[r.Agent], s.clients[r.Client()] = true, true
		}
	}
	scans := slices.Collect(maps.Values(by))
	slices.SortFunc(scans, func(a, b *scan) int { return cmp.Compare(a.address, b.address) })
	return scans
}

// walking returns those of some scans that are programs which ask for one route after the
// other without a pause, are answered nothing but refusals, and are not what people use the
// site with, such as an application that begins. Browsers ask for pages by GET.
func (d *Diagnosis) walking(scans []*scan) map[*scan]bool {
	accepted, _ := d.acceptedAgents()
	found, on := map[*scan]bool{}, map[uint32]map[uint32]bool{} // by route: who is refused there, up to two more than scanOthers
	for _, s := range scans {
		heads, usual := 0, false
		for _, e := range s.routes {
			if d.State.Endpoints[e].Method == "HEAD" {
				heads++
			}
		}
		for a := range s.agents {
			usual = usual || accepted[a] > 0
		}
		if len(s.routes) < scanQuick || float64(s.quick) < scanSteady*float64(s.refused-1) || s.failed != s.requests || usual && heads < scanRoutes {
			continue
		}
		found[s] = true
		for _, e := range s.routes {
			on[e] = map[uint32]bool{}
		}
	}
	if len(found) == 0 {
		return nil
	}
	for i, r := range d.eachOpen() {
		if addresses := on[r.Endpoint]; addresses != nil && len(addresses) < scanOthers+2 && d.scanned(i, r) {
			addresses[r.Address] = true
		}
	}
	maps.DeleteFunc(found, func(s *scan, _ bool) bool {
		known := 0 // routes
		for _, e := range s.routes {
			if len(on[e])-1 > scanOthers {
				known++
			}
		}
		return 2*known > len(s.routes)
	})
	return found
}

// scanned reports whether a refusal may be one of a scan.
func (d *Diagnosis) scanned(i int, r *session.Refusal) bool {
	return d.uncredentialed(i, r) && !d.inOutageOf(i, r, anyContrast)
}

// claimScans sets the claims of scans.
func claimScans(d *Diagnosis, scans []*scan) {
	if len(scans) == 0 {
		return
	}
	by := map[uint32]*scan{}
	for _, s := range scans {
		for client := range s.clients {
			by[client.Address] = s
		}
	}
	for i, r := range d.Refusals.All() {
		if s := by[r.Address]; s != nil && d.scanned(i, r) {
			s.claims.add(uint32(i))
		}
	}
}

// subscribers returns a function of an address: the first address of its /64 of IPv6, which
// one subscriber has, or itself. It adds the numbers of refusals of the others to that of
// the first.
func (d *Diagnosis) subscribers(refused []int) func(uint32) uint32 {
	first, of := map[netip.Prefix]uint32{}, map[uint32]uint32{}
	for address, n := range refused {
		if n == 0 || !strings.Contains(d.State.Addresses[address], ":") {
			continue
		}
		network, ok := networkOf(d.State.Addresses[address])
		if !ok || !network.Addr().Is6() {
			continue
		}
		if to, known := first[network]; known {
			of[uint32(address)] = to
			refused[to] += n
		} else {
			first[network] = uint32(address)
		}
	}
	return func(address uint32) uint32 {
		if to, ok := of[address]; ok {
			return to
		}
		return address
	}
}

// addClients sums the outcomes of the clients that take part in a scan.
func addClients(d *Diagnosis, s *scan) {
	for client := range s.clients {
		client := d.Clients[client]
		if client == nil {
			continue
		}
		outcomes := &client.Tally.N
		for _, n := range outcomes {
			s.requests += n
		}
		missing := outcomes[timeline.Forbidden] + outcomes[timeline.NotFound]
		s.missing += missing
		s.failed += missing + outcomes[timeline.Unauthorized]
	}
}

// usualFailures returns the share of the site's requests that are refused, forbidden
// or missing, without those of the scans; scanUsual at least.
func usualFailures(d *Diagnosis, scans []*scan) float64 {
	var all, failed int64
	for _, s := range scans {
		all -= s.requests
		failed -= s.failed
	}
	for i := range d.State.Endpoints {
		for o, n := range d.State.Endpoints[i].N {
			all += n
			switch timeline.Outcome(o) {
			case timeline.Unauthorized, timeline.Forbidden, timeline.NotFound:
				failed += n
			}
		}
	}
	return max(scanUsual, float64(failed)/float64(max(all, 1)))
}

func scanFinding(d *Diagnosis, s *scan, usual float64) candidate {
	c := candidate{packed: s.claims}
	first, last := d.Refusals.At(int(s.claims.first())).Time, d.Refusals.At(int(s.claims.last)).Time
	c.Subject = d.clientSubject(s.address)
	if common := d.originOf(s.claims.each); common != "" && strings.Contains(common, ":") && len(s.clients) > len(s.agents) {
		c.Subject.ClientAddress = common
	}
	c.Onset = first * 1000
	c.Confidence = confidence(s.p, stats.WilsonLower(s.failed, s.requests, stats.Z95))
	c.Severity = result.Medium
	if s.missing < scanMissing && len(s.routes) < scanClosed {
		c.Severity = result.Low // all of a little was refused
	}
	c.Details = &Scan{
		Start: result.Time(first * 1000), End: result.Time(last * 1000), Requests: s.requests, RoutesRefused: len(s.routes),
		MissingOrForbidden: s.missing, FailedShare: result.Share(round(float64(s.failed)/float64(s.requests), 4)), UsualShare: result.Share(usual),
		UserAgents: len(s.agents), Tool: scanningTool(d, s.agents), PValue: result.Probability(s.p),
	}
	return c
}

// scanningTools are the names of scanning tools in user agents, in lower case.
var scanningTools = [...]string{
	"acunetix", "burp", "dirbuster", "feroxbuster", "ffuf", "gobuster", "masscan", "nessus", "nikto", "nmap", "nuclei",
	"openvas", "sqlmap", "wfuzz", "wpscan", "zap", "zgrab",
}

// scanningTool returns the first scanning tool that one of the user agents names.
func scanningTool(d *Diagnosis, agents map[uint32]bool) string {
	for _, tool := range scanningTools {
		for a := range agents {
			if strings.Contains(strings.ToLower(d.State.Agents[a]), tool) {
				return tool
			}
		}
	}
	return ""
}
