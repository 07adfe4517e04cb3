package detect

import (
	"maps"
	"slices"
	"strings"

	"logscan/analyze/result"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// unauthenticatedProbe finds monitors and health checks that have no credentials.
//
// Sign: one client requests one or a few routes at a steady pace, without a name or a
// session, and is refused each time; or with one name that is wrong, from the first
// line of the log to the last. Not: a program whose key has expired (it was accepted
// before), a handshake (the challenge is answered), a page that keeps polling after
// its session has ended (its client was accepted), a scanner (many routes), guessing
// (names, sign-in routes). A route that must be open to strangers by its standard, and
// refuses all of them, is a finding of its own, with what fails (closedPublicRoutes).
//
// Statistic: the share of the gaps between its rounds near the typical gap, by the
// tail of the binomial distribution against what random arrivals show.
var unauthenticatedProbe = Kind{
	Name:     "unauthenticated_probe",
	Label:    "Probe without credentials",
	Meaning:  "A monitor or health check sends no credentials, or wrong ones, and is refused every time.",
	Category: ClientCategory,
	Subjects: []string{"client", "endpoint"},
	folds:    byNetwork,
	Needs:    []string{needTime, needStatus, needPath, needClient},
	Uses:     []parse.Extra{parse.ExtraUserAgent},
	Details:  func() any { return new(Probe) },
	Title:    `{{with .Details}}{{if .Fails}}{{route $.Subject}} is behind authentication: {{.Fails}}{{else}}A probe sends {{.Route}} every {{duration .Period}} {{with .User}}with wrong credentials for {{.}}{{else}}without credentials{{end}}{{end}}{{end}}`,
	Explanation: `{{if .Details.Fails}}{{with .Details}}
		All {{plural .Requests "request" "requests"}} of {{count .Clients "client"}} were refused, in {{count .Rounds "round"}} between {{time .First}} and {{time .Last}}.
		By its standard this route is requested without credentials, so those who ask have none to send.{{end}}{{else}}` + clientName + `{{with .Details}} ({{with $.Subject.UserAgent}}{{.}}{{else}}no user agent{{end}})
		was refused on all {{plural .Requests "request" "requests"}} to {{count .Routes "route"}} between {{time .First}} and {{time .Last}}, and was never accepted where credentials are required.
		{{share .SteadyShare}} of its requests come about {{duration .Period}} apart, so it is a program.
		{{if .Balancer}}A load balancer that gets a 401 may take the server out of service.{{end}}{{end}}{{end}}`,
	Remedy: []string{
		`{{if .Details.Fails}}Exempt {{.Subject.Route}} from authentication: nginx location with auth_basic off (and auth_request off); Apache Location with Require all granted; a skip_auth rule of an authentication proxy, or a router without the middleware.{{end}}`,
		`{{if .Details.Fails}}Then request it without credentials from outside: it must answer 200 or 404, and no redirect to a sign-in page.{{end}}`,
		`{{if not .Details.Fails}}Give the probe credentials (Prometheus basic_auth or authorization, blackbox_exporter http.basic_auth, a header of the HTTP check), or make it accept a 401 as healthy.{{end}}`,
		`{{if not .Details.Fails}}Or open one route to it that reveals nothing: nginx auth_basic off, or satisfy any with allow for its address; Apache Require ip.{{end}}`,
		`{{if not .Details.Fails}}Find out who runs it: the evidence shows its address and user agent.{{end}}`,
	},
	inspect: inspectProbes,
}

// Probe is the details of an unauthenticated_probe finding.
type Probe struct {
	Period      result.Seconds     `json:"period_seconds,omitempty"` // between rounds
	SteadyShare result.Share       `json:"steady_share,omitempty"`   // of the gaps that are about Period
	Rounds      int                `json:"rounds"`
	Requests    int                `json:"-"`
	Routes      int                `json:"routes"`
	Route       string             `json:"-"` // the one with most requests
	User        string             `json:"-"` // the name that is refused, if it sends one
	First       result.Time        `json:"-"` // request
	Last        result.Time        `json:"-"`
	Clients     int                `json:"clients,omitempty"` // of a route that must be open
	Fails       string             `json:"fails,omitempty"`   // while such a route is refused
	Balancer    bool               `json:"balancer"`          // it is a health check that takes servers out of service
	PValue      result.Probability `json:"p_value"`
}

const (
	// probeRounds is how many rounds show a pace that is not chance.
	probeRounds = 8
	// probeRoutes is the maximum number of routes that a monitor requests.
	probeRoutes = 5
	// randomNear bounds the share of gaps near the typical one for random arrivals:
	// it is a third, and more in a log of few gaps.
	randomNear = 0.4
)

func inspectProbes(d *Diagnosis, _ observer) ([]candidate, error) {
	by := map[timeline.Client][]uint32{}
	refused := d.countByAddress(d.neverAccepted)
	for i := range d.Refusals.Len() {
		r := d.Refusals.At(i)
		if refused[r.Address] < probeRounds || !d.neverAccepted(i) {
			continue
		}
		if client := r.Client(); d.Clients[client].Sessions == 0 {
			by[client] = append(by[client], uint32(i))
		}
	}
	clients := slices.SortedFunc(maps.Keys(by), timeline.CompareClients)
	found := closedPublicRoutes(d)
	for _, client := range clients {
		if c, ok := probe(d, client, by[client], len(clients)); ok {
			found = append(found, c)
		}
	}
	return found, nil
}

// probe returns the finding of a client whose refusals show a probe. clients is the
// number of clients tested.
func probe(d *Diagnosis, client timeline.Client, claims []uint32, clients int) (candidate, bool) {
	c := candidate{claims: claims}
	if len(claims) < probeRounds {
		return c, false
	}
	routes, users := map[uint32]int{}, map[uint32]bool{}
	times := make([]int64, len(claims))
	for n, i := range claims {
		r := d.Refusals.At(int(i))
		routes[r.Endpoint]++
		times[n] = r.Time
		if r.Named {
			users[r.User] = true
		}
	}
	if len(routes) > probeRoutes || len(users) > 1 || len(users) == 1 && !d.allDay(rounds(times)) {
		return c, false // names that change or do not last all day are guesses
	}
	gaps := gapsOf(rounds(times))
	typical, near := stats.Steady(gaps, clockStep)
	if len(gaps) < probeRounds-1 || typical < minPeriod || float64(near) < steadyShare*float64(len(gaps)) {
		return c, false
	}
	p := min(1, stats.BinomialTail(int64(near), int64(len(gaps)), randomNear)*float64(clients))
	if p > attackFalse {
		return c, false
	}
	c.Subject = d.clientSubject(client.Address)
	c.Subject.UserAgent = result.Clean(d.State.Agents[client.Agent])
	first, last := times[0], times[len(times)-1]
	c.Onset = first * 1000
	if first-d.From <= 2*typical {
		c.Onset = parse.NoTime // it began before the log
	}
	c.Confidence = confidence(p, stats.WilsonLower(int64(near), int64(len(gaps)), stats.Z95)+0.1)
	details := &Probe{
		Period: result.Seconds(round(float64(typical)/1000, 1)), SteadyShare: result.Share(round(float64(near)/float64(len(gaps)), 4)),
		Rounds: len(gaps) + 1, Requests: len(claims), Routes: len(routes), Route: endpointLabel(&d.State.Endpoints[mostAsked(routes)]),
		First: result.Time(first * 1000), Last: result.Time(last * 1000),
		Balancer: isBalancer(c.Subject.UserAgent), PValue: result.Probability(p),
	}
	for u := range users { // one at most
		details.User = d.State.Users[u-1].Name
	}
	// A probe only fills the log, but a load balancer that is refused may take the
	// server out of service.
	c.Severity = result.Low
	if details.Balancer {
		c.Severity = result.Medium
	}
	c.Details = details
	return c, true
}

// isBalancer reports whether a user agent is a health check that takes servers out of
// service.
func isBalancer(agent string) bool {
	for _, name := range []string{"ELB-HealthChecker", "GoogleHC", "kube-probe", "Consul Health Check", "Amazon-Route53-Health-Check-Service"} {
		if strings.HasPrefix(agent, name) {
			return true
		}
	}
	return false
}
