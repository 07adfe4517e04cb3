package analyze

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"logscan/analyze/fold"
	"logscan/analyze/stats"
	"logscan/parse"
)

// sessionInvalidation finds instants at which all sessions end.
//
// Sign: sessions that were in use, whatever their age, are refused at their
// first request after one instant; none that was begun before lives on; those
// that are begun after it do. Not: expiry (sessions die at all times, each at
// the same silence or age), the morning after a night (nobody was active), a
// broken backend or route (the same sessions are accepted elsewhere).
//
// Statistic: each death lies between the session's last acceptance and its first
// refusal. A sweep over these intervals finds the instant that most deaths have
// in common and fewest survivors contradict (maximum coverage), each death
// weighed by how surprising it is: by the share of the sessions that die after
// as long a silence at other times. The sum of these log likelihoods is tested
// against the number of instants (Bonferroni).
var sessionInvalidation = Detector{
	Kind:     "session_invalidation",
	Category: "session",
	Doc:      "very many live sessions die at one instant",
	Needs:    []string{needTime, needStatus, needPath, needClient},
	certain:  true,
	inspect:  inspectInvalidations,
}

const (
	// flushedSessions that die together are the least.
	flushedSessions = 5
	// flushedShare of the sessions that were live then die.
	flushedShare = 0.85
	// flushedFalse is the chance of a false report for each host.
	flushedFalse = 0.0001
	// flushedLife is what a session that lives on takes off the evidence.
	flushedLife = 3.0
	// flushedMost bounds what one death adds: it may have a reason of its own.
	flushedMost = 4.0
)

// lived is a session's time on protected routes, and how it ended.
type lived struct {
	start, last int64 // Unix milliseconds
	end         int64 // first refusal; never when it was alive at the end
}

func inspectInvalidations(c *correlation, _ observer) ([]candidate, error) {
	byHost := map[string][]lived{}
	for i := range c.sessions {
		s := &c.sessions[i]
		l := lived{s.Start / 1000, s.LastAccepted / 1000, never}
		if s.LastAccepted == parse.NoTime {
			l.last = l.start
		}
		if s.endRefusal != fold.NoRefusal && c.facts[s.endRefusal].open() {
			l.end = s.End / 1000
		}
		byHost[s.Host] = append(byHost[s.Host], l)
	}
	var found []candidate
	for _, host := range slices.Sorted(maps.Keys(byHost)) {
		if cand, ok := c.flushed(host, byHost[host]); ok {
			found = append(found, cand)
		}
	}
	return found, nil
}

// instant is a moment that many deaths have in common.
type instant struct {
	from, to        int64 // it lies after from, and not after to
	deaths, survive int   // of sessions that were live then
	evidence        float64
}

// commonInstant sweeps over the deaths and the lives of those that go on. weight
// gives how surprising a death after a silence is.
func commonInstant(list []lived, weight func(silence int64) float64) (best instant) {
	type edge struct {
		at            int64
		deaths, lives int
		evidence      float64
	}
	var edges []edge
	for _, l := range list {
		if l.last > l.start {
			edges = append(edges, edge{l.start, 0, 1, -flushedLife}, edge{l.last, 0, -1, flushedLife})
		}
		if l.end != never {
			w := weight(l.end - l.last)
			edges = append(edges, edge{l.last, 1, 0, w}, edge{l.end, -1, 0, -w})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.deaths, b.deaths), cmp.Compare(a.lives, b.lives), cmp.Compare(a.evidence, b.evidence))
	})
	var at instant
	for i, e := range edges {
		at.deaths += e.deaths
		at.survive += e.lives
		at.evidence += e.evidence
		if i+1 == len(edges) || edges[i+1].at == e.at {
			continue
		}
		if at.evidence > best.evidence+1e-9 {
			best = at
			best.from, best.to = e.at, edges[i+1].at
		}
	}
	return best
}

// surprise gives how surprising the end of a session after a silence is, from
// how many ended and how many went on after as long a one, deaths between two
// times left out.
func surprise(list []lived, survived *stats.Durations, from, to int64) func(int64) float64 {
	var deaths []int64
	for _, l := range list {
		if l.end != never && !(l.last <= from && l.end >= to) {
			deaths = append(deaths, l.end-l.last)
		}
	}
	slices.Sort(deaths)
	return func(silence int64) float64 {
		silence = silence * 4 / 5
		n, _ := slices.BinarySearch(deaths, silence)
		died, lived := float64(len(deaths)-n), float64(survived.Above(silence))
		return min(flushedMost, -math.Log((died+0.5)/(died+lived+1)))
	}
}

func (c *correlation) flushed(host string, list []lived) (candidate, bool) {
	l := c.hosts[host]
	if l == nil {
		return candidate{}, false
	}
	// First with all deaths taken for usual ones, then with those of the instant
	// left out.
	at := commonInstant(list, surprise(list, &l.gap, before, never))
	if at.deaths >= flushedSessions {
		at = commonInstant(list, surprise(list, &l.gap, at.from, at.to))
	}
	if at.deaths < flushedSessions || float64(at.deaths) < flushedShare*float64(at.deaths+at.survive) {
		return candidate{}, false
	}
	p := math.Exp(-at.evidence) * float64(len(list))
	if p > flushedFalse {
		return candidate{}, false
	}
	// The 401s of all sessions that were live before and asked again after it,
	// active or not, until they sign in.
	rows := map[uint32]bool{}
	sessions := 0
	var ages []int64
	for i := range c.sessions {
		s := &c.sessions[i]
		if s.Host != host || s.endRefusal == fold.NoRefusal || s.Start/1000 > at.to || s.LastAccepted/1000 > at.to || s.End/1000 < at.from {
			continue
		}
		rows[s.endRefusal] = true
		sessions++
		ages = append(ages, at.to-s.Start/1000)
	}
	var cand candidate
	type death struct {
		time int64
		this bool // it was at that instant
	}
	deaths := map[uint32][]death{} // by actor, by time
	for i := range c.facts {
		if f := &c.facts[i]; f.first {
			deaths[f.actor] = append(deaths[f.actor], death{f.time, rows[uint32(i)]})
		}
	}
	for i := range c.facts {
		f := &c.facts[i]
		if !f.dead || !f.open() {
			continue
		}
		this := false
		for _, d := range deaths[f.actor] {
			if d.time > f.time {
				break
			}
			this = d.this
		}
		if this {
			cand.claims = append(cand.claims, uint32(i))
		}
	}
	if len(cand.claims) == 0 {
		return cand, false
	}
	slices.Sort(ages)
	cand.Subject = Subject{Type: "site", Host: host}
	cand.Onset = at.to * 1000
	cand.Severity = Medium
	if float64(sessions) >= 0.1*float64(len(list)) || sessions >= 50 {
		cand.Severity = High
	}
	lower := stats.WilsonLower(int64(at.deaths), int64(at.deaths+at.survive), stats.Z95)
	cand.Confidence = confidence(p, lower)
	where := ""
	if host != "" {
		where = " of " + host
	}
	cand.Title = fmt.Sprintf("All sessions%s ended at %s", where, clock(cand.Onset))
	cand.Explanation = fmt.Sprintf("%d sessions that had been accepted were refused at their first request after that instant, and needed a new sign-in, at ages from %s to %s; %d sessions were accepted both before and after it. At other times as long a silence does not end a session.",
		sessions, seconds(round(float64(ages[0])/1000, 0)), seconds(round(float64(ages[len(ages)-1])/1000, 0)), at.survive)
	cand.Remediation = []string{
		"Look what happened at that time: a deploy, a restart or failover of the session store (Redis, Memcached), a rotated signing key.",
		"Keep the old signing key valid for one session lifetime beside the new one (JWKS with both keys; Django SECRET_KEY_FALLBACKS; Rails rotations; Spring's delegating key resolver).",
		"Keep sessions in a store that survives restarts (Redis with AOF, a database), and not in the memory of the application.",
	}
	cand.Details = map[string]any{
		"sessions": sessions, "survivors": at.survive, "p_value": p,
		"onset_low": clock(at.from * 1000), "onset_high": clock(at.to * 1000),
		"youngest_seconds": float64(ages[0]) / 1000, "oldest_seconds": float64(ages[len(ages)-1]) / 1000,
	}
	return cand, true
}
