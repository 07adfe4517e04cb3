package detect

import (
	"cmp"
	"math"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// sessionExpiry finds the timeout of a site's sessions: a fixed idle time since the
// last request, or a fixed age since the sign-in (absolute).
//
// Sign: accepted sessions are refused until a new sign-in, and there is a threshold
// above which nearly every request ends its session and below which nearly none
// does. Not: one account's lockout or one route's fault (no threshold), a mass
// invalidation (ages and idle times of all sizes), single ordinary expiries (too
// few).
//
// Statistic: every request of a session to a protected route is a Bernoulli trial,
// survived or not, at the idle time before it and the age of its session:
// interval-censored deaths and right-censored survivals seen request by request. A
// change-point in the death rate over the ordered idle times, and one over the
// ordered ages, are fitted by maximum likelihood on the same trials; both have the
// same number of parameters, so the difference of their Bayesian information
// criteria is twice that of their log likelihoods. The interval of the timeout is
// that of the profile likelihood, widened by the resolution of the log's times.
var sessionExpiry = Kind{
	Name:     "session_expiry",
	Label:    "Session timeout",
	Meaning:  "Sessions time out at a fixed age or after a fixed idle time, while people are still working.",
	Category: SessionCategory,
	Subjects: []string{"session_policy"},
	Needs:    []string{needTime, needStatus, needPath, needClient},
	Uses:     []parse.Extra{parse.ExtraSession, parse.ExtraHost, parse.ExtraReason, parse.ExtraTimeZone},
	Details:  func() any { return new(Expiry) },
	Title:    `Sessions{{with .Subject.UserAgent}} of {{.}}{{end}}{{with .Subject.Host}} on {{.}}{{end}}{{with .Subject.Route}} that begin at {{$.Subject.Method}} {{.}}{{end}} time out {{with .Details}}{{if eq .Rule "absolute"}}{{duration (or .LikelySetting .Timeout)}} after sign-in{{else}}after {{duration (or .LikelySetting .Timeout)}} idle{{end}} (measured {{duration .Low}} to {{duration .High}}){{end}}`,
	Explanation: `{{with .Details}}
		{{number .Sessions}} of {{count .SessionsSeen "session"}} ({{part .Sessions .SessionsSeen}}) were refused once they were {{if eq .Rule "absolute"}}older than{{else}}idle for more than{{end}} {{duration .Timeout}}, and needed a new sign-in.
		Beyond this timeout, {{part .RefusedPast .RequestsPast}} of the requests were refused; below it, {{part .RefusedBefore .RequestsBefore}}.
		The timeout lies {{between .Low .High}} (95% confidence).
		{{if eq .Policy "undetermined"}}This log does not show whether idle time or age ends the sessions: both fit about as well.{{end}}
		{{with $.Subject.UserAgent}}Sessions of other software last longer: this one does not renew them, or asks for shorter ones.{{end}}
		{{with .Hosts}}The sessions are those of {{list .}}.{{end}}
		{{if .NewSessions}}Only sessions that began since {{time .OnsetHigh}} end so; those from before go on. What renews a session may not work with what new ones are given: the path or name of a cookie, the kind of a token.
		{{else}}{{with .OnsetHigh}}Sessions outlived this timeout until {{time .}}: it was shortened, or set, before then.{{end}}{{end}}
		{{with .LikelySetting}}The setting is probably {{duration .}}.{{end}}{{end}}`,
	Remedy: []string{
		`{{if eq .Details.Rule "absolute"}}Compare the lifetime with how long people work without a break, and raise it if it is shorter (PHP session.cookie_lifetime, Spring server.servlet.session.cookie.max-age, OIDC access token lifespan, oauth2-proxy cookie_expire).{{else}}Compare the timeout with the pauses that people make, and raise it if work is lost (PHP session.gc_maxlifetime, Tomcat session-timeout, Django SESSION_COOKIE_AGE with SESSION_SAVE_EVERY_REQUEST, ASP.NET sessionState timeout, oauth2-proxy cookie_refresh).{{end}}`,
		`{{if eq .Details.Rule "absolute"}}Make clients renew the session or token at 80% of its lifetime rather than after a 401; on a 401, renew once and repeat the request.{{else}}Make sure that every request extends the session, including those of single-page applications and those answered from a cache.{{end}}`,
		`{{if eq .Details.Rule "absolute"}}For tokens, check the clocks of issuer and verifier, and allow a minute of leeway on exp.{{else}}Warn users before the session ends, and keep what they typed; after a 401, let them sign in once and repeat the request.{{end}}`,
	},
	observe: observeIssued,
	inspect: inspectLifetimes,
}

// Expiry is the details of a session_expiry finding.
type Expiry struct {
	Policy         string         `json:"policy"`                                          // idle, absolute or undetermined
	Rule           string         `json:"-"`                                               // the one of idle and absolute that fits better
	Timeout        result.Seconds `json:"timeout_seconds"`                                 // the estimate
	Low            result.Seconds `json:"timeout_low" label:"timeout (at least)"`          // with High its 95% interval
	High           result.Seconds `json:"timeout_high" label:"timeout (at most)"`          //
	Sessions       int64          `json:"sessions"`                                        // refused past the timeout
	SessionsSeen   int64          `json:"sessions_seen"`                                   // of the host
	Deaths         int            `json:"deaths"`                                          // sessions ended by a refusal
	RefusedPast    int64          `json:"refused_past"`                                    // of RequestsPast, the requests past the timeout
	RequestsPast   int64          `json:"requests_past"`                                   //
	RefusedBefore  int64          `json:"refused_before"`                                  // of RequestsBefore
	RequestsBefore int64          `json:"requests_before"`                                 //
	BICDifference  *float64       `json:"bic_difference,omitempty" label:"BIC difference"` // between the two policies, where both were fitted
	Hosts          []string       `json:"hosts,omitempty" label:"hosts that share the sessions"`
	LikelySetting  result.Seconds `json:"likely_setting_seconds,omitempty"` // the one usual setting within the interval
	NewSessions    bool           `json:"new_sessions_only,omitempty"`      // older ones have no timeout
	// Of credentials that one route alone takes: what hands them out, and how many of those past
	// the timeout, of all whose actors requested other routes then, had actors accepted there.
	IssuedBy   string       `json:"issued_by,omitempty"`
	SparedPast int64        `json:"accepted_elsewhere_past,omitempty"`
	SeenPast   int64        `json:"seen_elsewhere_past,omitempty"`
	Ongoing    bool         `json:"-"`
	OnsetHigh  *result.Time `json:"onset_high,omitempty" label:"onset (latest)"`
}

const (
	// expiryDeaths is the minimum number of deaths above the threshold.
	expiryDeaths = 8
	// expiryGain is the minimum log likelihood gained by a threshold over one death
	// rate for all: a likelihood ratio of e^10, far more than the choice among
	// thousands of thresholds yields by chance.
	expiryGain = 10
	// expiryLethal is the minimum share of trials above the threshold that die: a
	// timeout spares few. Of the sessions that reach it, at least as many die the first
	// time: one program that has no timeout may send more requests than all people.
	expiryLethal = 0.7
	// expiryShare is the minimum share of all deaths that are above the threshold.
	expiryShare = 0.3
	// expiryUnseenShare is the same where most sessions go on without a sign-in: the lifetime of a
	// token that is renewed elsewhere ends them after a short silence as well as after a long one.
	expiryUnseenShare = 0.5
	// expiryAgeless is the minimum share of the deaths of a known age that are above
	// an absolute timeout for it to explain those of an unknown age, too.
	expiryAgeless = 0.9
	// expiryUnseen is the minimum number of actors whose sessions end where the log does not
	// show that they sign in again: what stops one or two programs for a while may as well
	// be a limit on their requests.
	expiryUnseen = 3
	// expiryVague is the ratio of the bounds of a timeout from which on nothing follows from
	// it: the usual settings are two apart.
	expiryVague = 2
	// expirySpared is the share of the trials above the threshold that survive, at least, from
	// which on more than a timeout decides: some people close the browser, with the cookie of
	// the session, and others do not.
	expirySpared = 0.1
	// expiryAway is an idle time in seconds from which on a timeout ends nobody's work: who
	// comes back after half a day or a night has been away, and expects to sign in.
	expiryAway = 4 * 3600
	// policyBIC is the difference of the criteria from which one policy clearly wins
	// over the other (Kass and Raftery, JASA 90, 1995: 6 is strong).
	policyBIC = 6
)

func inspectLifetimes(d *Diagnosis, seen observer) ([]candidate, error) {
	hosts, err := d.joinHosts(d.mortalHosts())
	if err != nil {
		return nil, err
	}
	var found []candidate
	var none []*mortalHost // without a timeout of most requests, or of a sign-in
	var sparing []timeout  // by host of none: the one that spares few sessions, if any
	for _, h := range hosts {
		if _, _, ok := d.endsAtRandom(h); ok {
			continue
		}
		t, ok := d.fitPolicy(h)
		if !ok || t.bySessions {
			if x, since := d.limitSince(h); since {
				t, ok = x, true
			}
		}
		if ok && !t.bySessions {
			if cand, ok := d.expiry(h, &t); ok {
				found = append(found, cand)
			}
			continue
		}
		doors := d.doorPolicies(h)
		if found = append(found, doors...); len(doors) == 0 {
			none, sparing = append(none, h), append(sparing, t)
		}
	}
	single, err := d.softwarePolicies(none)
	for n, h := range none {
		t := &sparing[n]
		if !t.bySessions || slices.ContainsFunc(single, func(c candidate) bool { return c.Subject.Host == h.names[0] }) {
			continue
		}
		if cand, ok := d.expiry(h, t); ok {
			found = append(found, cand)
		}
	}
	return slices.Concat(found, single, d.issuedLifetimes(seen)), cmp.Or(err, d.lives.failed())
}

// mortalHost is the hosts that share sessions, mostly one, and the ends of the sessions.
type mortalHost struct {
	names     []string // that of the finding first
	lifetimes *session.Lifetimes
	deaths    []uint32 // open ones, ascending
	door      uint8    // at which the sessions began; 0 for any
	// runs reports whether a client runs the software of the sessions; nil for any.
	runs func(timeline.Client) bool
}

// mortalHosts returns the ends of sessions by host that no finding explains, of hosts whose
// lifetimes are kept.
func (d *Diagnosis) mortalHosts() map[string]*mortalHost {
	all := map[string]*mortalHost{}
	for i, r := range d.Refusals.All() {
		host := d.State.Endpoints[r.Endpoint].Host
		if l := d.Lifetimes[host]; r.Fatal && !r.Shared && l != nil && d.open(i) && (l.Bare || r.Session || !d.State.Sessions || r.Age() >= 0) {
			if all[host] == nil {
				all[host] = &mortalHost{names: []string{host}, lifetimes: l}
			}
			all[host].deaths = append(all[host].deaths, uint32(i))
		}
	}
	return all
}

// has reports whether a refusal may be of the host's sessions.
func (h *mortalHost) has(d *Diagnosis, r *session.Refusal) bool {
	return (h.door == 0 || r.Door == h.door) && slices.Contains(h.names, d.State.Endpoints[r.Endpoint].Host) && (h.runs == nil || h.runs(r.Client()))
}

// measure returns the duration of a death that a policy limits, in milliseconds.
type measure func(*session.Refusal) int64

func idleTime(r *session.Refusal) int64    { return r.Gap() }    // since the last request to a protected route
func idleTimeAny(r *session.Refusal) int64 { return r.GapAny() } // since the last request to any route
func ageOf(r *session.Refusal) int64       { return r.Age() }

// durations counts the deaths by a measure; with seen, only those of sessions whose
// sign-in was seen.
func durations(d *Diagnosis, deaths []uint32, seen bool, m measure) *stats.Durations {
	var all stats.Durations
	for _, r := range d.Refusals.Of(slices.Values(deaths)) {
		if !seen || r.Age() >= 0 {
			all.Add(m(r))
		}
	}
	return &all
}

// timeout is a fitted policy.
type timeout struct {
	stats.Threshold
	absolute bool // idle otherwise
	measure  measure
	deaths   *stats.Durations // what the threshold was fitted on
	survived *stats.Durations
	reached  *stats.Durations // by sessions that were accepted
	bic      float64          // of the idle policy less that of the absolute one; infinite if they were not compared
	since    int64            // if only sessions that begin from a time on have it: that time in Unix milliseconds; else 0
	// Only the sessions that it spares are few, not the requests: those of one way to sign in
	// may have a timeout.
	bySessions bool
}

// fitTimeout fits an idle and an absolute timeout to the deaths of a host and
// returns the better one; false if there is none. With seen, only sessions whose sign-in
// was seen count.
func fitTimeout(d *Diagnosis, l *session.Lifetimes, deaths []uint32, seen bool) (timeout, bool) {
	gap, gapAny, longest := &l.Gap, &l.GapAny, &l.Longest
	if seen {
		gap, gapAny, longest = &l.SeenGap, &l.SeenGapAny, &l.SeenLongest
	}
	// The application decides whether any request or only one to a protected route
	// keeps a session alive: take what fits better. All trials count.
	best := timeout{measure: idleTime, deaths: durations(d, deaths, seen, idleTime), survived: gap, reached: longest, bic: math.Inf(1)}
	var ok bool
	best.Threshold, ok = stats.FindThreshold(best.deaths, best.survived)
	anyDeaths := durations(d, deaths, seen, idleTimeAny)
	if t, okAny := stats.FindThreshold(anyDeaths, gapAny); okAny && (!ok || t.LogLikelihood > best.LogLikelihood) {
		best.Threshold, best.measure, best.deaths, best.survived, ok = t, idleTimeAny, anyDeaths, gapAny, true
	}
	// Only sessions whose sign-in was seen have an age: compare the policies on
	// those.
	ages := durations(d, deaths, true, ageOf)
	age, okAge := stats.FindThreshold(ages, &l.SeenAge)
	if !okAge || age.Above.Hits < expiryDeaths {
		return best, ok
	}
	idle := math.Inf(-1)
	if t, ok := stats.FindThreshold(durations(d, deaths, true, idleTime), &l.SeenGap); ok {
		idle = t.LogLikelihood
	}
	if t, ok := stats.FindThreshold(durations(d, deaths, true, idleTimeAny), &l.SeenGapAny); ok {
		idle = max(idle, t.LogLikelihood)
	}
	best.bic = 2 * (idle - age.LogLikelihood)
	if !ok || best.bic < 0 {
		return timeout{Threshold: age, absolute: true, measure: ageOf, deaths: ages, survived: &l.SeenAge, reached: &l.SeenOldest, bic: best.bic}, true
	}
	return best, true
}

// fitPolicy fits a timeout to the deaths of a host; false if they show none. Clients that
// send credentials with each request survive any silence: if they hide the timeout, the
// sessions that began with a sign-in show it.
func (d *Diagnosis) fitPolicy(h *mortalHost) (t timeout, ok bool) {
	resumes, share := d.resumes(h.deaths), expiryShare
	if len(h.deaths) < expiryDeaths || resumes && distinctActors(d, h.deaths) < expiryUnseen {
		return t, false
	}
	if resumes {
		share = expiryUnseenShare
	}
	for _, seen := range []bool{false, true} {
		x, fits := fitTimeout(d, h.lifetimes, h.deaths, seen)
		fits = fits && x.Gain >= expiryGain && x.Above.Hits >= expiryDeaths && float64(x.Above.Hits) >= share*float64(len(h.deaths))
		switch {
		case !fits:
		case float64(x.Above.Hits) >= expiryLethal*float64(x.Above.Trials):
			return x, true
		case !ok && x.endsSessions(d, h.deaths):
			t, ok = x, true
			t.bySessions = true
		case !ok:
			_, ok = d.shortened(h, &x)
			t = x
		}
	}
	return t, ok
}

// endsSessions reports whether the timeout spares few of the sessions that reach it, and few
// of the clients, where these have no session ids: where everybody was spared for half of a
// day, it is something else that ends sessions in the other half.
func (t *timeout) endsSessions(d *Diagnosis, deaths []uint32) bool {
	ended := map[uint32]bool{}
	for _, r := range d.Refusals.Of(slices.Values(deaths)) {
		if t.measure(r) >= t.High {
			ended[r.Actor] = true
		}
	}
	// Each session that was accepted past the timeout may be one of those that died past it.
	spared := t.reached.CountsAbove()(t.High - 1)
	return float64(int64(len(ended))-spared) >= max(expiryDeaths, expiryLethal*float64(len(ended)))
}

// doorPolicies returns the timeouts of the sessions that began at each of the sign-ins of a
// host, where all of them together show none.
func (d *Diagnosis) doorPolicies(h *mortalHost) (found []candidate) {
	for door, lifetimes := range h.lifetimes.Doors {
		if door == 0 || lifetimes == nil {
			continue
		}
		part := mortalHost{names: h.names, lifetimes: lifetimes, door: uint8(door)}
		for i, r := range d.Refusals.Of(slices.Values(h.deaths)) {
			if r.Door == part.door {
				part.deaths = append(part.deaths, i)
			}
		}
		if t, ok := d.fitPolicy(&part); ok && !t.bySessions {
			if cand, ok := d.expiry(&part, &t); ok {
				found = append(found, cand)
			}
		}
	}
	return found
}

// resumes reports whether most of the sessions that ended were accepted again without a
// sign-in in the log.
func (d *Diagnosis) resumes(deaths []uint32) bool {
	resumed := 0
	for _, r := range d.Refusals.Of(slices.Values(deaths)) {
		if r.Resumed {
			resumed++
		}
	}
	return 2*resumed > len(deaths)
}

// expiry returns the finding of a policy; false if it explains no refusal.
func (d *Diagnosis) expiry(h *mortalHost, t *timeout) (candidate, bool) {
	// If nearly all deaths of a known age are above an absolute timeout, so are those
	// of sessions whose sign-in was not seen.
	ageless := t.absolute && float64(t.Above.Hits) >= expiryAgeless*float64(t.deaths.Total())
	var cand candidate
	for i, r := range d.Refusals.All() {
		if r.Dead && d.open(i) && h.has(d, r) && (t.measure(r) >= t.High || ageless && r.Age() < 0) && (t.since == 0 || r.Time-r.Age() >= t.since) {
			cand.claims = append(cand.claims, uint32(i))
		}
	}
	if len(cand.claims) == 0 {
		return candidate{}, false
	}
	low, high := float64(t.LowerBound-clockStep)/1000, float64(t.UpperBound+clockStep)/1000
	if low <= 0 {
		return candidate{}, false // requests are refused after any silence, however short
	}
	seconds := round(float64(t.Low+t.High)/2000, 1)
	details := &Expiry{
		Policy: "idle", Timeout: result.Seconds(seconds), Low: result.Seconds(round(low, 1)), High: result.Seconds(round(high, 1)),
		Sessions: t.Above.Hits, SessionsSeen: h.lifetimes.Sessions, Deaths: len(h.deaths),
		RefusedPast: t.Above.Hits, RequestsPast: t.Above.Trials, RefusedBefore: t.Below.Hits, RequestsBefore: t.Below.Trials,
	}
	if t.absolute {
		details.Policy = "absolute"
	}
	details.Rule = details.Policy
	if math.Abs(t.bic) < policyBIC {
		details.Policy = "undetermined"
	}
	if !math.IsInf(t.bic, 0) {
		difference := round(math.Abs(t.bic), 1)
		details.BICDifference = &difference
	}
	if setting, ok := usualTimeout(low, high); ok {
		details.LikelySetting = result.Seconds(setting)
	}
	cand.Subject = result.Subject{Type: "session_policy", Host: h.names[0]}
	if h.door > 0 {
		e := &d.State.Endpoints[d.Doors()[h.door-1]]
		cand.Subject.Method, cand.Subject.Route = e.Method, result.Clean(e.Template)
	}
	if len(h.names) > 1 {
		details.Hosts = h.names
	}
	cand.Onset = parse.NoTime
	details.NewSessions = t.since > 0
	onset, ok := t.since, t.since > 0
	if !ok {
		onset, ok = d.shortened(h, t)
	}
	if ok {
		cand.Onset = onset * 1000
		high := result.Time(cand.Onset)
		details.OnsetHigh = &high
	}
	cand.Confidence = confidence(stats.ChiSquareTail(2*t.Gain, 2), stats.WilsonLower(t.Above.Hits, t.Above.Trials, stats.Z95))
	cand.Severity = expirySeverity(float64(t.Above.Hits)/float64(max(h.lifetimes.Sessions, 1)), t.Above.Hits, seconds)
	switch {
	case details.Rule == "idle" && seconds >= expiryAway:
		cand.Severity = result.Info
	case high > expiryVague*low || details.OnsetHigh == nil && stats.WilsonLower(t.Above.Trials-t.Above.Hits, t.Above.Trials, stats.Z95) >= expirySpared:
		cand.Severity = result.Low
	}
	cand.Details = details
	cand.Exhibit = survival(t.deaths, t.survived, result.Curve{Idle: !t.absolute, Timeout: seconds, Low: low, High: high})
	return cand, true
}

// expirySeverity rates a timeout by the share and number of sessions that it ends in
// the middle of work, and by how short it is in seconds.
func expirySeverity(share float64, sessions int64, timeout float64) result.Severity {
	switch {
	case share >= 0.5 && timeout < 15*60 && sessions >= 50:
		return result.High
	case share >= 0.02:
		return result.Medium
	}
	return result.Low
}

// usualTimeouts are the settings that people choose, in seconds.
var usualTimeouts = []float64{
	5, 10, 15, 20, 30, 60, 120, 180, 300, 600, 900, 1200, 1440, 1800, 2700, 3600, 5400, 7200, 10800, 14400, 21600,
	28800, 36000, 43200, 86400, 172800, 604800, 1209600, 2592000,
}

// usualTimeout returns the usual setting within an interval in seconds, if there is
// exactly one.
func usualTimeout(low, high float64) (float64, bool) {
	found, n := 0.0, 0
	for _, t := range usualTimeouts {
		if t >= low && t <= high {
			found = t
			n++
		}
	}
	return found, n == 1
}
