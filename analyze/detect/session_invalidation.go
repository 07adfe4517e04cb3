package detect

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
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
var sessionInvalidation = Kind{
	Name:     "session_invalidation",
	Label:    "Sessions ended at once",
	Meaning:  "Very many live sessions died at one instant: a deploy, a new key, a session store that was emptied.",
	Category: SessionCategory,
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

// death is the end of a session by a 401.
type death struct {
	start, last, end int64  // Unix milliseconds; last: on a protected route
	refusal          uint32 // index of the 401
	open             bool   // no finding explains it yet
}

// mortality is what the sessions of a site show.
type mortality struct {
	site     uint32
	sessions int
	deaths   []death // by start
	open     int     // of them
}

// lifeOf gives from when to when a session is seen alive, and when it ended.
func lifeOf(s *session.Record) death {
	d := death{start: s.Start, last: s.LastAccepted, end: s.End, refusal: s.EndRefusal}
	if d.last == session.LongAgo {
		d.last = d.start
	}
	return d
}

// inspectInvalidations goes over the sessions once to collect the deaths, which
// are as few as the 401s, and twice more to weigh them against the lives, which
// may be too many to keep.
func inspectInvalidations(c *Diagnosis, _ observer) ([]candidate, error) {
	bySite := make([]mortality, len(c.Sites))
	for s, err := range c.EachSession() {
		if err != nil {
			return nil, err
		}
		m := &bySite[s.Site]
		m.site = s.Site
		m.sessions++
		if s.EndRefusal >= timeline.EarlierEvent {
			continue
		}
		d := lifeOf(s)
		if d.open = c.open(int(d.refusal)); d.open {
			m.open++
		}
		m.deaths = append(m.deaths, d)
	}
	// First with all deaths taken for usual ones, then with those of the instant
	// left out.
	for i := range bySite {
		if bySite[i].open < flushedSessions || c.Lifetimes[c.Sites[i]] == nil {
			bySite[i].deaths = nil
		}
	}
	instants := make([]instant, len(bySite))
	for round := range 2 {
		sweeps := make([]*sweep, len(bySite))
		some := false
		for i := range bySite {
			m, at := &bySite[i], &instants[i]
			from, to := session.LongAgo, session.Never
			switch {
			case m.deaths == nil:
				continue
			case round > 0:
				if at.deaths < flushedSessions {
					continue
				}
				from, to = at.from, at.to
			}
			sweeps[i] = newSweep(m.deaths, surprise(m.deaths, &c.Lifetimes[c.Sites[i]].Gap, from, to))
			some = true
		}
		if !some {
			break
		}
		for s, err := range c.EachSession() {
			if err != nil {
				return nil, err
			}
			if w := sweeps[s.Site]; w != nil {
				d := lifeOf(s)
				w.life(d.start, d.last)
			}
		}
		for i, w := range sweeps {
			if w != nil {
				instants[i] = w.end()
			}
		}
	}
	var found []candidate
	for i := range bySite {
		if cand, ok := c.flushed(&bySite[i], instants[i]); ok {
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

// sweep goes over the deaths, and the lives of those that go on, by time.
type sweep struct {
	edges  []deathEdge
	lasts  times // of the lives that are not over
	now    int64
	deaths int
	weight float64 // of the deaths
	best   instant
}

type deathEdge struct {
	at     int64
	deaths int // 1 where one may begin to have been, -1 where it has been
	weight float64
}

// times is a heap, the earliest first. There is one push and one pop for each
// session: container/heap would put every time on Go's heap as well.
type times []int64

func (t *times) push(at int64) {
	*t = append(*t, at)
	h := *t
	i := len(h) - 1
	for up := (i - 1) / 2; i > 0 && h[up] > at; up = (i - 1) / 2 {
		h[i] = h[up]
		i = up
	}
	h[i] = at
}

// pop takes the earliest off; there must be one.
func (t *times) pop() {
	last := len(*t) - 1
	at, h := (*t)[last], (*t)[:last]
	*t = h
	i := 0
	for down := 1; down < last; down = 2*i + 1 {
		if down+1 < last && h[down+1] < h[down] {
			down++
		}
		if h[down] >= at {
			break
		}
		h[i] = h[down]
		i = down
	}
	if last > 0 {
		h[i] = at
	}
}

// newSweep makes a sweep; surprise gives how surprising a death after a silence
// is.
func newSweep(deaths []death, surprise func(silence int64) float64) *sweep {
	w := &sweep{now: session.LongAgo, edges: make([]deathEdge, 2*len(deaths))[:0]}
	for _, d := range deaths {
		if d.open {
			weight := surprise(d.end - d.last)
			w.edges = append(w.edges, deathEdge{d.last, 1, weight}, deathEdge{d.end, -1, -weight})
		}
	}
	slices.SortFunc(w.edges, func(a, b deathEdge) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.deaths, b.deaths), cmp.Compare(a.weight, b.weight))
	})
	return w
}

// life takes in a session that was alive from start to last. They come by start.
func (w *sweep) life(start, last int64) {
	if last > start {
		w.advance(start)
		w.reach(start)
		w.lasts.push(last)
	}
}

// advance goes to a time, over all that lies before it.
func (w *sweep) advance(to int64) {
	for {
		at := to
		if len(w.lasts) > 0 {
			at = min(at, w.lasts[0])
		}
		if len(w.edges) > 0 {
			at = min(at, w.edges[0].at)
		}
		if at >= to {
			return
		}
		w.reach(at)
		for len(w.edges) > 0 && w.edges[0].at == at {
			w.deaths += w.edges[0].deaths
			w.weight += w.edges[0].weight
			w.edges = w.edges[1:]
		}
		for len(w.lasts) > 0 && w.lasts[0] == at {
			w.lasts.pop()
		}
	}
}

// reach ends the time since the last change.
func (w *sweep) reach(at int64) {
	if at == w.now {
		return
	}
	if e := w.weight - flushedLife*float64(len(w.lasts)); e > w.best.evidence+1e-9 {
		w.best = instant{w.now, at, w.deaths, len(w.lasts), e}
	}
	w.now = at
}

func (w *sweep) end() instant {
	w.advance(session.Never)
	return w.best
}

// surprise gives how surprising the end of a session after a silence is, from
// how many ended and how many went on after as long a one, deaths between two
// times left out.
func surprise(all []death, survived *stats.Durations, from, to int64) func(int64) float64 {
	var deaths []int64
	for _, d := range all {
		if d.open && !(d.last <= from && d.end >= to) {
			deaths = append(deaths, d.end-d.last)
		}
	}
	slices.Sort(deaths)
	above := survived.CountsAbove()
	return func(silence int64) float64 {
		silence = silence * 4 / 5
		n, _ := slices.BinarySearch(deaths, silence)
		died, lived := float64(len(deaths)-n), float64(above(silence))
		return min(flushedMost, -math.Log((died+0.5)/(died+lived+1)))
	}
}

func (c *Diagnosis) flushed(m *mortality, at instant) (candidate, bool) {
	if at.deaths < flushedSessions || float64(at.deaths) < flushedShare*float64(at.deaths+at.survive) {
		return candidate{}, false
	}
	p := math.Exp(-at.evidence) * float64(m.sessions)
	if p > flushedFalse {
		return candidate{}, false
	}
	host := c.Sites[m.site]
	// The 401s of all sessions that were live before and asked again after it,
	// active or not, until they sign in.
	rows := map[uint32]bool{}
	sessions := 0
	var ages []int64
	for _, d := range m.deaths {
		if d.start > at.to || d.last > at.to || d.end < at.from {
			continue
		}
		rows[d.refusal] = true
		sessions++
		ages = append(ages, at.to-d.start)
	}
	var cand candidate
	type end struct {
		time int64
		this bool // it was at that instant
	}
	ends := map[uint32][]end{} // by actor, by time
	for i := range c.Refusals {
		if f := &c.Refusals[i]; f.Fatal {
			ends[f.Actor] = append(ends[f.Actor], end{f.Time, rows[uint32(i)]})
		}
	}
	for i := range c.Refusals {
		f := &c.Refusals[i]
		if !f.Dead || !c.open(i) {
			continue
		}
		this := false
		for _, d := range ends[f.Actor] {
			if d.time > f.Time {
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
	cand.Subject = result.Subject{Type: "site", Host: host}
	cand.Onset = at.to * 1000
	cand.Severity = result.Medium
	if float64(sessions) >= 0.1*float64(m.sessions) || sessions >= 50 {
		cand.Severity = result.High
	}
	lower := stats.WilsonLower(int64(at.deaths), int64(at.deaths+at.survive), stats.Z95)
	cand.Confidence = confidence(p, lower)
	where := ""
	if host != "" {
		where = " of " + host
	}
	cand.Title = fmt.Sprintf("All sessions%s ended at %s", where, Clock(cand.Onset))
	cand.Explanation = Say("%d sessions that had been accepted were refused at their first request after that instant, and needed a new sign-in, at ages from %s to %s; %d sessions were accepted both before and after it. At other times as long a silence does not end a session.",
		sessions, seconds(round(float64(ages[0])/1000, 0)), seconds(round(float64(ages[len(ages)-1])/1000, 0)), at.survive)
	cand.Remediation = []string{
		"Look what happened at that time: a deploy, a restart or failover of the session store (Redis, Memcached), a rotated signing key.",
		"Keep the old signing key valid for one session lifetime beside the new one (JWKS with both keys; Django SECRET_KEY_FALLBACKS; Rails rotations; Spring's delegating key resolver).",
		"Keep sessions in a store that survives restarts (Redis with AOF, a database), and not in the memory of the application.",
	}
	cand.Details = map[string]any{
		"sessions": sessions, "survivors": at.survive, "p_value": p,
		"onset_low": Clock(at.from * 1000), "onset_high": Clock(at.to * 1000),
		"youngest_seconds": float64(ages[0]) / 1000, "oldest_seconds": float64(ages[len(ages)-1]) / 1000,
	}
	return cand, true
}
