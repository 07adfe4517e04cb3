package analyze

import (
	"cmp"
	"fmt"
	"maps"
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
// refusal. A sweep over these intervals finds the instant that most deaths of
// active sessions have in common and fewest survivors contradict (maximum
// coverage); the binomial tail of the deaths among all sessions that were live
// then, at the usual risk of death over such a gap, corrected for the number of
// instants (Bonferroni).
var sessionInvalidation = Detector{
	Kind:     "session_invalidation",
	Category: "session",
	Doc:      "very many live sessions die at one instant",
	Needs:    []string{needTime, needStatus, needPath, needClient},
	certain:  true,
	inspect:  inspectInvalidations,
}

const (
	// flushedSessions that were active and die together are the least.
	flushedSessions = 6
	// flushedShare of the sessions that were in use die.
	flushedShare = 0.85
	// flushedGap in milliseconds is how long an active session pauses at most.
	flushedGap = 12 * 60_000
	// flushedFalse is the chance of a false report for each host.
	flushedFalse = 0.001
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
	deaths, survive int   // of active sessions that were live then
}

// commonInstant sweeps over the deaths of active sessions and the lives of
// those that go on.
func commonInstant(list []lived) (best instant, instants int) {
	type edge struct {
		at            int64
		deaths, lives int
	}
	var edges []edge
	for _, l := range list {
		if l.last > l.start {
			edges = append(edges, edge{l.start, 0, 1}, edge{l.last, 0, -1})
		}
		if l.end != never && l.end-l.last <= flushedGap {
			edges = append(edges, edge{l.last, 1, 0}, edge{l.end, -1, 0})
			instants++
		}
	}
	// Where an interval ends at the same millisecond as another begins, they
	// have nothing in common.
	slices.SortFunc(edges, func(a, b edge) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.deaths+a.lives, b.deaths+b.lives))
	})
	deaths, lives, score := 0, 0, 0
	for i, e := range edges {
		deaths += e.deaths
		lives += e.lives
		if i+1 == len(edges) || edges[i+1].at == e.at {
			continue
		}
		if s := deaths - 2*lives; s > score {
			score = s
			best = instant{e.at, edges[i+1].at, deaths, lives}
		}
	}
	return best, instants
}

func (c *correlation) flushed(host string, list []lived) (candidate, bool) {
	at, instants := commonInstant(list)
	if at.deaths < flushedSessions || float64(at.deaths) < flushedShare*float64(at.deaths+at.survive) {
		return candidate{}, false
	}
	// The usual risk: of the sessions, those that die at another time while they
	// are active, for each gap as long as these.
	usual := 0.02
	if l := c.hosts[host]; l != nil && l.gap.Total() > 0 {
		usual = max(usual, float64(instants-at.deaths)/float64(l.gap.Total()))
	}
	p := stats.BinomialTail(int64(at.deaths), int64(at.deaths+at.survive), usual) * float64(max(instants, 1))
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
	dying := map[uint32]bool{} // by actor: its death was this one
	for i := range c.facts {
		f := &c.facts[i]
		if f.first {
			dying[f.actor] = rows[uint32(i)]
		}
		if f.dead && f.open() && dying[f.actor] {
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
	cand.Explanation = fmt.Sprintf("%d sessions that had been accepted were refused at their first request after that instant, and needed a new sign-in: %d of them were in use within the %d minutes before, at ages from %s to %s; %d sessions in use lived on. What was begun afterwards lives.",
		sessions, at.deaths, flushedGap/60_000, seconds(round(float64(ages[0])/1000, 0)), seconds(round(float64(ages[len(ages)-1])/1000, 0)), at.survive)
	cand.Remediation = []string{
		"Look what happened at that time: a deploy, a restart or failover of the session store (Redis, Memcached), a rotated signing key.",
		"Keep the old signing key valid for one session lifetime beside the new one (JWKS with both keys; Django SECRET_KEY_FALLBACKS; Rails rotations; Spring's delegating key resolver).",
		"Keep sessions in a store that survives restarts (Redis with AOF, a database), and not in the memory of the application.",
	}
	cand.Details = map[string]any{
		"sessions": sessions, "active": at.deaths, "survivors": at.survive, "p_value": p,
		"onset_low": clock(at.from * 1000), "onset_high": clock(at.to * 1000),
		"youngest_seconds": float64(ages[0]) / 1000, "oldest_seconds": float64(ages[len(ages)-1]) / 1000,
	}
	return cand, true
}
