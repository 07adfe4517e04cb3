package detect

import (
	"math"

	"logscan/analyze/result"
	"logscan/analyze/stats"
	"logscan/parse"
)

// A route may take a credential of its own: a signed link to a file or to the parts of a video, a
// token for an upload, a ticket for a WebSocket, the hidden token of a form, a token whose
// audience is one service. Another request hands it out, and it has a lifetime of its own. A
// player, a page or a program that uses it for longer is refused there, while the session goes on
// elsewhere, until it asks for another one.
//
// Sign: the route accepts what comes soon after the actor requested another route, and refuses
// nearly all that comes later than a certain time after it, though other protected routes go on
// accepting the actor then. Not: a timeout of the session (the others refuse the actor, too), a
// broken route, a missing permission, refusals at random (the time since the other request does
// not matter).
//
// Statistic: that of session_expiry, with the time since the other request in the place of the
// age of the session. The gain of likelihood is corrected for the number of pairs of routes that
// are measured. Of the credentials that were not replaced before the timeout, those during which
// other routes accepted the actor past it are counted against those during which they refused it;
// Wilson's lower bound of their share must be at least a half.

// issuedSpared is the minimum share, by its 95% bound, of the credentials during which other routes
// accepted the actor past the timeout, of those during which they accepted or refused it: most are,
// though some sessions end by other rules meanwhile. Where the session itself times out, at most
// what expiryLethal leaves is.
const issuedSpared = 0.5

// withIssuedLifetimes returns a kind with the texts of findings of issuedLifetimes.
func withIssuedLifetimes(k Kind) Kind {
	return withVariant(k, "IssuedBy",
		`{{.Subject.Endpoint}} accepts what {{.Details.IssuedBy}} hands out for {{duration (or .Details.LikelySetting .Details.Timeout)}} only (measured {{duration .Details.Low}} to {{duration .Details.High}})`,
		`{{with .Details}}
		{{number .RefusedPast}} of {{count .RequestsPast "request"}} ({{part .RefusedPast .RequestsPast}}) that came more than {{duration .Timeout}} after {{.IssuedBy}} were refused, until {{.IssuedBy}} was requested again; of those that came earlier, {{part .RefusedBefore .RequestsBefore}}. Requests that repeat a refused one are not counted.
		The timeout lies {{between .Low .High}} (95% confidence).
		The sessions go on: other protected routes accepted the same clients past this time in {{number .SparedPast}} of {{count .SeenPast "case"}}. So the route has a credential of its own, such as a signed link, a token or a ticket, whose lifetime is shorter than its use.
		{{with .LikelySetting}}The setting is probably {{duration .}}.{{end}}{{end}}`,
		`Let the client ask for a new link, token or ticket before the old one expires, at 80% of its lifetime, or once after a 401, and repeat the request with it. Do not retry with the old one.`,
		`Or raise the lifetime above the time of use: the length of a video or an upload, the time that people leave a page open (CloudFront and S3 signed URLs, the se field of an Azure SAS, secure_link of nginx, the token of a form).`,
		`For a connection that is opened anew, such as a WebSocket, fetch a new ticket for each connection.`,
	)
}

// issuedLifetimes returns a finding for each route whose own credentials time out.
func (d *Diagnosis) issuedLifetimes(seen observer) (found []candidate) {
	o, ok := seen.(*issuerObserver)
	if !ok || o.issued == nil {
		return nil
	}
	best := make([]*candidate, len(o.members))
	gain := make([]float64, len(o.members))
	for pair, x := range o.issued.pairs {
		t, ok := o.issued.fit(pair)
		if !ok || best[x.key] != nil && t.Gain <= gain[x.key] {
			continue
		}
		if c, ok := d.issuedLifetime(o.issued, pair, &t); ok {
			best[x.key], gain[x.key] = &c, t.Gain
		}
	}
	for _, c := range best {
		if c != nil {
			found = append(found, *c)
		}
	}
	return found
}

// fit fits a timeout to the ages of a pair; false if there is none, or the sessions end as well.
func (o *issuedObserver) fit(pair int) (stats.Threshold, bool) {
	ages := &o.ages[pair]
	t, ok := stats.FindThreshold(&ages.died, &ages.lived)
	if !ok || t.Gain < expiryGain+math.Log(float64(len(o.pairs))) || t.Above.Hits < expiryDeaths || t.LowerBound <= clockStep ||
		float64(t.Above.Hits) < expiryLethal*float64(t.Above.Trials) || float64(t.Above.Hits) < expiryUnseenShare*float64(ages.died.Total()) {
		return t, false
	}
	spared, spoilt := ages.past(&t)
	return t, spared >= expiryDeaths && stats.WilsonLower(spared, spared+spoilt, stats.Z95) >= issuedSpared
}

// past returns the numbers of credentials during which other routes accepted the actor past a
// timeout, and refused it.
func (a *issuedAges) past(t *stats.Threshold) (spared, spoilt int64) {
	return a.spared.CountsAbove()(t.High), a.spoilt.CountsAbove()(t.High)
}

// issuedLifetime returns the finding of a pair; false if it explains the refusals of too few.
func (d *Diagnosis) issuedLifetime(o *issuedObserver, pair int, t *stats.Threshold) (candidate, bool) {
	ages, by := &o.ages[pair], o.pairs[pair]
	var cand candidate
	for _, x := range ages.refused {
		if int64(x.age) >= t.High && d.open(int(x.refusal)) {
			cand.claims = append(cand.claims, x.refusal)
		}
	}
	actors := distinctActors(d, cand.claims)
	if actors < expiryUnseen {
		return cand, false
	}
	low, high := float64(t.LowerBound-clockStep)/1000, float64(t.UpperBound+clockStep)/1000
	seconds := round(float64(t.Low+t.High)/2000, 1)
	details := &Expiry{
		Policy: "absolute", Rule: "absolute", Timeout: result.Seconds(seconds), Low: result.Seconds(round(low, 1)), High: result.Seconds(round(high, 1)),
		Sessions: t.Above.Hits, SessionsSeen: ages.issued, Deaths: int(ages.died.Total()), IssuedBy: endpointLabel(&d.State.Endpoints[by.endpoint]),
		RefusedPast: t.Above.Hits, RequestsPast: t.Above.Trials, RefusedBefore: t.Below.Hits, RequestsBefore: t.Below.Trials,
	}
	spared, spoilt := ages.past(t)
	details.SparedPast, details.SeenPast, details.Ongoing = spared, spared+spoilt, d.ongoing(cand.claims[len(cand.claims)-1])
	if setting, ok := usualTimeout(low, high); ok {
		details.LikelySetting = result.Seconds(setting)
	}
	cand.Subject, _ = areaSubject(d, o.members[by.key], cand.claims)
	cand.Subject.Type = "session_policy"
	cand.Onset = parse.NoTime
	cand.Confidence = confidence(stats.ChiSquareTail(2*t.Gain, 2), stats.WilsonLower(t.Above.Hits, t.Above.Trials, stats.Z95))
	if cand.Severity = result.Medium; high > expiryVague*low {
		cand.Severity = result.Low
	}
	cand.Details = details
	cand.Exhibit = survival(&ages.died, &ages.lived, result.Curve{Timeout: seconds, Low: low, High: high})
	return cand, true
}
