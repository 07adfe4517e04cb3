package detect

import (
	"maps"
	"math"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/parse"
)

// sessionExpiry finds the rule by which sessions die: after one silence since
// the last request (idle), or at one age since the sign-in (absolute).
//
// Sign: sessions that were accepted are refused, until a new sign-in, and the
// deaths agree on a threshold above which nearly every request dies and below
// which nearly none does. Not: one account's lockout or one route's fault (no
// threshold), a mass invalidation (ages and silences of all sizes), single
// ordinary expiries (too few).
//
// Statistic: every request of a session to a protected route is a Bernoulli
// trial, survived or not, at the silence before it and the age of its session:
// interval-censored deaths and right-censored survivals seen request by
// request. A change-point in the death rate over the ordered silences, and one
// over the ordered ages, are fitted by maximum likelihood on the same trials;
// both have the same number of parameters, so the difference of their Bayesian
// information criteria is twice that of their log likelihoods. The interval of
// the timeout is the profile likelihood's, widened by the resolution of the
// log's times.
var sessionExpiry = Kind{
	Name:     "session_expiry",
	Label:    "Session timeout",
	Meaning:  "Sessions end at one age or after one silence, and people are refused in the middle of their work.",
	Category: SessionCategory,
	Subjects: []string{"session_policy"},
	Needs:    []string{needTime, needStatus, needPath, needClient},
	Details:  func() any { return new(Expiry) },
	Title:    `Sessions{{with .Subject.Host}} on {{.}}{{end}} time out {{with .Details}}{{if eq .Rule "absolute"}}{{duration .Timeout}} after sign-in{{else}}after {{duration .Timeout}} idle{{end}} (measured {{duration .Low}} to {{duration .High}}){{end}}`,
	Explanation: `{{with .Details}}
		{{number .Sessions}} of {{count .SessionsSeen "session"}} ({{part .Sessions .SessionsSeen}}) were refused once they were past {{duration .Timeout}}, and needed a new sign-in.
		Past it, {{part .RefusedPast .RequestsPast}} of the requests were refused; before it, {{part .RefusedBefore .RequestsBefore}}.
		The timeout lies {{between .Low .High}} (95% confidence).
		{{if eq .Policy "undetermined"}}This log does not show whether idle time or age ends the sessions: both fit about as well.{{end}}
		{{with .LikelySetting}}The setting is probably {{duration .}}.{{end}}{{end}}`,
	Remedy: []string{
		`{{if eq .Details.Rule "absolute"}}Compare the lifetime with how long people work without a break, and raise it where it is shorter (PHP session.cookie_lifetime, Spring server.servlet.session.cookie.max-age, OIDC access token lifespan, oauth2-proxy cookie_expire).{{else}}Compare the timeout with the pauses people make, and raise it where work is lost (PHP session.gc_maxlifetime, Tomcat session-timeout, Django SESSION_COOKIE_AGE with SESSION_SAVE_EVERY_REQUEST, ASP.NET sessionState timeout, oauth2-proxy cookie_refresh).{{end}}`,
		`{{if eq .Details.Rule "absolute"}}Renew before expiry, at 80% of the lifetime, instead of after a 401; on a 401, renew once and repeat the request.{{else}}Make sure that every request extends the session, including those of single-page applications and those answered from a cache.{{end}}`,
		`{{if eq .Details.Rule "absolute"}}For tokens, check the clocks of issuer and verifier, and allow a minute of leeway on exp.{{else}}Warn before the end and keep what was typed; after a 401, sign in once and repeat the request.{{end}}`,
	},
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
	LikelySetting  result.Seconds `json:"likely_setting_seconds,omitempty"`                // the one usual setting within the interval
}

const (
	// expiryDeaths above the threshold are the least that show a rule.
	expiryDeaths = 8
	// expiryGain is the log likelihood a threshold must gain over one death
	// rate for all: a likelihood ratio of e^10, far beyond what the choice
	// among thousands of thresholds yields by chance.
	expiryGain = 10
	// expiryLethal is the least share of trials above the threshold that die:
	// a rule spares few.
	expiryLethal = 0.7
	// expiryShare is the least share of all deaths above the threshold.
	expiryShare = 0.3
	// expiryAgeless is the share of the deaths of a known age that must be over
	// an absolute timeout for it to explain those of an unknown one.
	expiryAgeless = 0.9
	// policyBIC is the difference of the criteria from which one policy wins
	// clearly over the other (Kass and Raftery, JASA 90, 1995: 6 is strong).
	policyBIC = 6
	// clockStep in milliseconds: most logs tell whole seconds.
	clockStep = 1000
)

func inspectLifetimes(c *Diagnosis, _ observer) ([]candidate, error) {
	// The sessions' deaths by host, without those that are explained.
	deaths := map[string][]uint32{}
	for i := range c.Refusals {
		if f := &c.Refusals[i]; f.Fatal && c.open(i) {
			host := c.State.Endpoints[f.Endpoint].Host
			deaths[host] = append(deaths[host], uint32(i))
		}
	}
	var found []candidate
	for _, host := range slices.Sorted(maps.Keys(deaths)) {
		if l := c.Lifetimes[host]; l != nil && len(deaths[host]) >= expiryDeaths {
			if cand, ok := c.expiry(host, l, deaths[host]); ok {
				found = append(found, cand)
			}
		}
	}
	return found, nil
}

// measure says which number of a death a policy speaks of.
type measure func(*session.Refusal) int64

func byGap(f *session.Refusal) int64    { return f.Gap }
func byGapAny(f *session.Refusal) int64 { return f.GapAny }
func byAge(f *session.Refusal) int64    { return f.Age }

func (c *Diagnosis) durations(deaths []uint32, seen bool, m measure) *stats.Durations {
	var d stats.Durations
	for _, i := range deaths {
		if f := &c.Refusals[i]; !seen || f.Age >= 0 {
			d.Add(m(f))
		}
	}
	return &d
}

func (c *Diagnosis) expiry(host string, l *session.Lifetimes, deaths []uint32) (candidate, bool) {
	// Idle, by the silence on protected routes or on all of them: which of both
	// keeps a session alive is the application's choice. All trials count.
	policy, m := "idle", measure(byGap)
	whole := false // any request keeps it alive
	t, ok := stats.FindThreshold(c.durations(deaths, false, byGap), &l.Gap)
	if u, okAny := stats.FindThreshold(c.durations(deaths, false, byGapAny), &l.GapAny); okAny &&
		(!ok || u.LogLikelihood > t.LogLikelihood) {
		t, ok, m, whole = u, true, byGapAny, true
	}
	// Absolute, by the age: only sessions whose sign-in was seen have one, so
	// the policies are compared on those.
	bic := math.Inf(1)
	age, okAge := stats.FindThreshold(c.durations(deaths, true, byAge), &l.SeenAge)
	if okAge && age.Above.Hits >= expiryDeaths {
		idle := math.Inf(-1)
		if s, ok := stats.FindThreshold(c.durations(deaths, true, byGap), &l.SeenGap); ok {
			idle = s.LogLikelihood
		}
		if s, ok := stats.FindThreshold(c.durations(deaths, true, byGapAny), &l.SeenGapAny); ok {
			idle = max(idle, s.LogLikelihood)
		}
		bic = 2 * (idle - age.LogLikelihood)
		if !ok || bic < 0 {
			policy, m, t, ok = "absolute", byAge, age, true
		}
	}
	if !ok || t.Gain < expiryGain || t.Above.Hits < expiryDeaths ||
		float64(t.Above.Hits) < expiryLethal*float64(t.Above.Trials) ||
		float64(t.Above.Hits) < expiryShare*float64(len(deaths)) {
		return candidate{}, false
	}
	clear := math.Abs(bic) >= policyBIC
	low, high := float64(max(t.LowerBound-clockStep, 0))/1000, float64(t.UpperBound+clockStep)/1000
	timeout := round(float64(t.Low+t.High)/2000, 1)

	var cand candidate
	sessions := t.Above.Hits
	// Where the age decides, nearly all deaths of a known age are over it, and
	// those of sessions whose sign-in was not seen will be, too.
	ageless := false
	if policy == "absolute" {
		known := c.durations(deaths, true, byAge).Total()
		ageless = float64(t.Above.Hits) >= expiryAgeless*float64(known)
	}
	for i := range c.Refusals {
		f := &c.Refusals[i]
		if f.Dead && c.open(i) && c.State.Endpoints[f.Endpoint].Host == host && (m(f) >= t.High || ageless && f.Age < 0) {
			cand.claims = append(cand.claims, uint32(i))
		}
	}
	if len(cand.claims) == 0 {
		return candidate{}, false
	}
	share := float64(sessions) / float64(max(l.Sessions, 1))
	lower := stats.WilsonLower(t.Above.Hits, t.Above.Trials, stats.Z95)
	d := &Expiry{
		Policy: policy, Rule: policy, Timeout: result.Seconds(timeout), Low: result.Seconds(round(low, 1)), High: result.Seconds(round(high, 1)),
		Sessions: sessions, SessionsSeen: l.Sessions, Deaths: len(deaths),
		RefusedPast: t.Above.Hits, RequestsPast: t.Above.Trials, RefusedBefore: t.Below.Hits, RequestsBefore: t.Below.Trials,
	}
	if !clear {
		d.Policy = "undetermined"
	}
	if !math.IsInf(bic, 0) {
		difference := round(math.Abs(bic), 1)
		d.BICDifference = &difference
	}
	if human, ok := humanTimeout(low, high); ok {
		d.LikelySetting = result.Seconds(human)
	}
	cand.Subject = result.Subject{Type: "session_policy", Host: host}
	cand.Onset = parse.NoTime
	cand.Confidence = confidence(stats.ChiSquareTail(2*t.Gain, 2), lower)
	cand.Severity = expirySeverity(share, sessions, timeout)
	cand.Details = d
	idle := policy == "idle"
	survived := &l.SeenAge
	switch {
	case idle && whole:
		survived = &l.GapAny
	case idle:
		survived = &l.Gap
	}
	cand.Exhibit = survival(c.durations(deaths, !idle, m), survived, result.Curve{Idle: idle, Timeout: timeout, Low: low, High: high})
	return cand, true
}

// expirySeverity judges by how many sessions it ends in the middle of their
// work, and how soon.
func expirySeverity(share float64, sessions int64, timeout float64) result.Severity {
	switch {
	case share >= 0.5 && timeout < 15*60 && sessions >= 50:
		return result.High
	case share >= 0.02:
		return result.Medium
	}
	return result.Low
}

// humanTimeouts are the settings people write, in seconds.
var humanTimeouts = []float64{
	5, 10, 15, 20, 30, 60, 120, 180, 300, 600, 900, 1200, 1440, 1800, 2700, 3600, 5400, 7200, 10800, 14400, 21600,
	28800, 36000, 43200, 86400, 172800, 604800, 1209600, 2592000,
}

// humanTimeout gives the setting within the interval, if there is just one.
func humanTimeout(low, high float64) (float64, bool) {
	found, n := 0.0, 0
	for _, t := range humanTimeouts {
		if t >= low && t <= high {
			found = t
			n++
		}
	}
	return found, n == 1
}
