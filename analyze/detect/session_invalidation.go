package detect

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// sessionInvalidation finds instants at which all sessions of a site end.
//
// Sign: sessions in use, whatever their age, are refused at their first request
// after one instant; no session begun before it survives, and sessions begun after
// it do. Not: expiry (sessions end at all times, each at the same idle time or
// age), an outage (nobody is accepted any more), the morning after a night (nobody was active), a broken backend or route
// (the same sessions are accepted elsewhere). Programs of which none is ever refused have
// credentials of their own, and no session that could end. Where servers are replaced in turn,
// sessions end one after the other within minutes, and are accepted by some servers meanwhile.
//
// Statistic: each death, the end of a session by a refusal, lies between the
// session's last acceptance and that refusal. A sweep over these intervals finds
// the instant that most of them have in common and that fewest survivors
// contradict (maximum coverage). Each death is weighted by how surprising it is:
// by the share of the sessions that die after as long an idle time at other times.
// Sessions from before the log are added by their first requests (earlier_sessions.go).
// The sum of these log likelihoods is tested against the number of instants,
// which is that of the deaths (Bonferroni).
var sessionInvalidation = Kind{
	Name:     "session_invalidation",
	Label:    "Sessions ended at once",
	Meaning:  "Most live sessions ended at one moment: a deploy, a new key, an emptied session store.",
	Category: SessionCategory,
	Subjects: []string{"site"},
	Needs:    []string{needTime, needStatus, needPath, needClient},
	Uses:     []parse.Extra{parse.ExtraSession, parse.ExtraHost, parse.ExtraTimeZone},
	Details:  func() any { return new(Invalidation) },
	Title:    `{{if .Details.Survivors}}Nearly all{{else}}All{{end}} sessions{{with .Subject.Host}} on {{.}}{{end}} ended {{with .Details.Moments}}{{len .}} times{{if $.Details.Daily}}, always at about the same time of day{{end}}, the first {{end}}at {{time .Onset}}`,
	Explanation: `{{with .Details}}
		{{plural .Sessions "session was" "sessions were"}} refused at their first request after {{if .Moments}}one of these moments{{else}}that moment{{end}} and needed a new sign-in, whatever their age ({{duration .Youngest}} to {{duration .Oldest}}).
		{{if .Rollout}}They ended one after the other within {{duration .Rollout}}, as when servers are replaced in turn.{{end}}
		{{if .Survivors}}{{plural .Survivors "session" "sessions"}} stayed valid.{{else}}No session is known to have stayed valid.{{end}}
		{{if .Moments}}It happened at {{range $i, $at := .Moments}}{{if $i}}, {{end}}{{time $at}}{{end}}. The first moment{{else}}The moment{{end}} lies between {{time .OnsetLow}} and {{time .OnsetHigh}}.
		It is not a timeout: at other times, sessions survive being idle for as long.{{end}}`,
	Remedy: []string{
		`{{if .Details.Daily}}Check what runs at that time of day: a nightly deploy or restart, a job that empties or compacts the session store.{{end}}`,
		`Check what happened at {{time .Onset}}: a deploy, a restart or failover of the session store (Redis, Memcached), a rotated signing key.`,
		`Keep the old signing key valid beside the new one for one session lifetime (JWKS with both keys, Django SECRET_KEY_FALLBACKS, Rails rotations, Spring's delegating key resolver).`,
		`Keep sessions in a store that survives restarts (Redis with AOF, a database), not in the application's memory.`,
	},
	certain: true,
	observe: observeContrast, // for outages
	inspect: inspectInvalidations,
}

// Invalidation is the details of a session_invalidation finding.
type Invalidation struct {
	Sessions  int                `json:"sessions"`          // refused after the instant
	Moments   []result.Time      `json:"moments,omitempty"` // all instants, if there are several
	Daily     bool               `json:"daily,omitempty" label:"at the same time of day"`
	Rollout   result.Seconds     `json:"rollout_seconds,omitempty" label:"took up to"` // from the instant until no session was left
	Survivors int                `json:"survivors"`                                    // accepted before and after it
	PValue    result.Probability `json:"p_value"`
	OnsetLow  result.Time        `json:"onset_low" label:"onset (earliest)"`
	OnsetHigh result.Time        `json:"onset_high" label:"onset (latest)"`
	Youngest  result.Seconds     `json:"youngest_seconds" label:"youngest session"` // ages of the sessions refused
	Oldest    result.Seconds     `json:"oldest_seconds" label:"oldest session"`
}

const (
	// invalidatedSessions is the minimum number of sessions that die together.
	invalidatedSessions = 5
	// invalidatedKnown is the minimum number of them that the log shows accepted before:
	// they tell the instant.
	invalidatedKnown = 3
	// invalidatedShare is the minimum share of the live sessions that die then.
	invalidatedShare = 0.85
	// invalidationFalse is the accepted probability of a false report per host.
	invalidationFalse = 0.0001
	// survivorPenalty is subtracted from the evidence for each session that
	// survives the instant.
	survivorPenalty = 3.0
	// maxInstants is the maximum number of instants of a site: each night of a month.
	maxInstants = 31
	// dailyInstants is the minimum number of instants that show a time of day, and
	// dailyWithin the time in milliseconds by which a job may be early or late.
	dailyInstants = 3
	dailyWithin   = 10 * 60_000
	// rollout is how long, in milliseconds, servers that are replaced in turn take. There must be
	// rolloutTimes as many deaths in such a time as there are on average.
	rollout      = 5 * 60_000
	rolloutTimes = 5
	// maxSurprise bounds the weight of one death, which may have a cause of its own.
	maxSurprise = 4.0
)

// death is the end of a session by a refusal.
type death struct {
	start, last, end int64  // Unix milliseconds; last: acceptance on a protected route
	refusal          uint32 // index in Refusals
	open             bool   // no finding explains the refusal yet
	named            bool   // the session has an id
}

// mortality is the deaths of one site.
type mortality struct {
	site     uint32
	sessions int             // all, dead or not
	deaths   []death         // by start
	open     int             // number of open deaths
	named    int             // number of deaths of sessions with an id
	families map[uint32]bool // families of software whose sessions died
	earlier  earlierSessions
	done     bool // no further instant is to be found
}

// crowded reports whether far more open deaths than usual lie within the time of a rollout.
func (m *mortality) crowded() bool {
	var ends []int64
	for _, l := range m.deaths {
		if l.open && m.counts(l.named) {
			ends = append(ends, l.end)
		}
	}
	slices.Sort(ends)
	most, from := 0, 0
	for i, at := range ends {
		for at-ends[from] > 2*rollout { // the last of them is noticed late
			from++
		}
		most = max(most, i-from+1)
	}
	if most < invalidatedSessions {
		return false
	}
	windows := float64(ends[len(ends)-1]-ends[0])/(2*rollout) + 1
	return float64(most) >= rolloutTimes*float64(len(ends)-most)/windows
}

// counts reports whether a life or a death counts. If most that die are sessions with ids,
// clients without one do not: programs with a key have no session that could end.
func (m *mortality) counts(named bool) bool { return named || 2*m.named < len(m.deaths) }

// mayDie reports whether a session counts: those of software of which none ever died do
// not.
func (m *mortality) mayDie(s *session.Record, programs []uint32) bool {
	return m.counts(s.Named) && m.families[programs[s.Client.Agent]]
}

// programs numbers the families of the user agents of a log.
func (d *Diagnosis) programs() []uint32 {
	numbers := map[string]uint32{}
	of := make([]uint32, len(d.State.Agents))
	for i, agent := range d.State.Agents {
		family, _ := softwareOf(agent)
		n, ok := numbers[family]
		if !ok {
			n = uint32(len(numbers))
			numbers[family] = n
		}
		of[i] = n
	}
	return of
}

// lifeOf returns when a session began, was last accepted and ended.
func lifeOf(s *session.Record) death {
	l := death{start: s.Start, last: s.LastAccepted, end: s.End, refusal: s.EndRefusal, named: s.Named}
	if l.last == session.LongAgo {
		l.last = l.start
	}
	return l
}

// inspectInvalidations finds one instant of each site after the other: without the deaths of
// those that are found, the next one stands out. Then it finds those that took a while.
func inspectInvalidations(d *Diagnosis, _ observer) ([]candidate, error) {
	programs := d.programs()
	sites, err := mortalities(d, programs)
	if err != nil {
		return nil, err
	}
	ended := make([][]invalidated, len(sites))
	for _, took := range []int64{0, rollout} {
		for i := range sites {
			sites[i].done = sites[i].deaths == nil || took > 0 && !sites[i].crowded()
		}
		for n, more := 0, true; more && n < maxInstants; n++ {
			more = false
			instants, err := findInstants(d, sites, programs, took)
			if err != nil {
				return nil, err
			}
			for i := range sites {
				m := &sites[i]
				if m.done {
					continue
				}
				x, ok := m.invalidated(d, instants[i])
				if !ok {
					m.done = true
					continue
				}
				ended[i], more = append(ended[i], x), true
				m.remove(x.refusals)
			}
		}
	}
	var found []candidate
	for i, list := range ended {
		if len(list) > 0 {
			found = append(found, invalidation(d, &sites[i], list))
		}
	}
	return found, nil
}

// findInstants reads the sessions twice, to find the instant of each site with most evidence,
// first with all deaths as the baseline, then without those of the instant. Each took up to so
// many milliseconds. The sessions may be too many to keep in memory.
func findInstants(d *Diagnosis, sites []mortality, programs []uint32, took int64) ([]instant, error) {
	instants := make([]instant, len(sites))
	for round := range 2 {
		sweeps := make([]*sweep, len(sites))
		some := false
		for i := range sites {
			m, at := &sites[i], &instants[i]
			from, to := session.LongAgo, session.Never
			switch {
			case m.done:
				continue
			case round > 0:
				if at.deaths < invalidatedKnown {
					continue
				}
				from, to = at.from, at.to
				m.earlier.divide(d, at.from)
			}
			sweeps[i] = newSweep(m, surprise(m.deaths, &d.Lifetimes[d.Sites[i]].Gap, from+took, to), took)
			if some = true; took > 0 {
				sweeps[i].until = d.To - 2*took // who is accepted then shows that a session has survived
			}
		}
		if !some {
			break
		}
		for s, err := range d.EachSession() {
			if err != nil {
				return nil, err
			}
			w, m := sweeps[s.Site], &sites[s.Site]
			if w == nil || !m.mayDie(s, programs) {
				continue
			}
			l := lifeOf(s)
			w.life(l.start, l.last-took)
			if round > 0 && s.Named && !s.StartSeen {
				m.earlier.accepted(l.start, instants[s.Site])
			}
		}
		for i, w := range sweeps {
			if w != nil {
				instants[i] = w.end()
				instants[i].took = took
			}
		}
	}
	return instants, nil
}

// mortalities returns the deaths by site. The deaths of sites with too few open
// ones are left out.
func mortalities(d *Diagnosis, programs []uint32) ([]mortality, error) {
	sites := make([]mortality, len(d.Sites))
	for i, earlier := range d.earlierRefused() {
		sites[i].earlier, sites[i].families = earlier, map[uint32]bool{}
	}
	for s, err := range d.EachSession() {
		if err != nil {
			return nil, err
		}
		m := &sites[s.Site]
		m.site = s.Site
		m.sessions++
		if s.EndRefusal >= timeline.EarlierEvent {
			continue
		}
		l := lifeOf(s)
		if d.open(int(l.refusal)) {
			l.open = !d.inOutage(int(l.refusal))
		}
		if l.open {
			m.open++
		}
		m.deaths = append(m.deaths, l)
		m.families[programs[s.Client.Agent]] = true
		if s.Named {
			m.named++
		}
	}
	for i := range sites {
		m := &sites[i]
		if m.open < invalidatedKnown || m.open+len(m.earlier.refused) < invalidatedSessions || d.Lifetimes[d.Sites[i]] == nil {
			m.deaths = nil
		}
	}
	return sites, nil
}

// instant is a moment that many deaths have in common.
type instant struct {
	from, to        int64 // it lies after from, and not after to; Unix milliseconds
	took            int64 // milliseconds until all sessions had ended
	deaths, survive int   // of the sessions that were live then
	evidence        float64
}

// sweep visits the deaths and the lives of surviving sessions in order of time, to
// find the instant with most evidence.
type sweep struct {
	edges  []deathEdge
	lasts  times // ends of the lives that are not over
	until  int64 // later instants are not looked for
	now    int64
	deaths int     // that may have been at now
	weight float64 // of those deaths
	best   instant
}

// deathEdge is an end of the interval in which a session died.
type deathEdge struct {
	at     int64
	deaths int // 1 where the interval begins, -1 where it ends
	weight float64
}

// times is a heap, earliest first. There is one push and one pop per session:
// container/heap would allocate for each.
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

// pop removes the earliest time. The heap must not be empty.
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

// newSweep returns a sweep over the open deaths of a site, weighted by the surprise of a
// death after an idle time in milliseconds. A session may have died up to took milliseconds
// after the instant; then those alone count that were in use.
func newSweep(m *mortality, surprise func(idle int64) float64, took int64) *sweep {
	w := &sweep{now: session.LongAgo, until: session.Never, edges: make([]deathEdge, 2*len(m.deaths))[:0]}
	for _, d := range m.deaths {
		if d.open && m.counts(d.named) && (took == 0 || d.end-d.last <= 2*took) {
			weight := surprise(d.end - d.last)
			w.edges = append(w.edges, deathEdge{d.last - took, 1, weight}, deathEdge{d.end, -1, -weight})
		}
	}
	slices.SortFunc(w.edges, func(a, b deathEdge) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.deaths, b.deaths), cmp.Compare(a.weight, b.weight))
	})
	return w
}

// life adds a session that was alive from start to last. Calls must be in order of
// start.
func (w *sweep) life(start, last int64) {
	if last > start {
		w.advance(start)
		w.reach(start)
		w.lasts.push(last)
	}
}

// advance processes all edges and ends of lives before a time.
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

// reach closes the period since the last change, in which the instant may lie.
func (w *sweep) reach(at int64) {
	if at == w.now {
		return
	}
	if e := w.weight - survivorPenalty*float64(len(w.lasts)); e > w.best.evidence+1e-9 && at <= w.until {
		w.best = instant{from: w.now, to: at, deaths: w.deaths, survive: len(w.lasts), evidence: e}
	}
	w.now = at
}

// end returns the instant with most evidence.
func (w *sweep) end() instant {
	w.advance(session.Never)
	return w.best
}

// surprise returns a function of an idle time in milliseconds: the negative log of
// the share of sessions that died after as long an idle time, at most maxSurprise; 0 if
// none survived it.
// Deaths that may lie between from and to are left out.
func surprise(all []death, survived *stats.Durations, from, to int64) func(int64) float64 {
	var deaths []int64
	for _, x := range all {
		if x.open && !(x.last <= from && x.end >= to) {
			deaths = append(deaths, x.end-x.last)
		}
	}
	slices.Sort(deaths)
	above := survived.CountsAbove()
	return func(idle int64) float64 {
		idle = idle * 4 / 5
		n, _ := slices.BinarySearch(deaths, idle)
		died, lived := float64(len(deaths)-n), float64(above(idle))
		if lived == 0 {
			return 0 // nobody knows whether a session lives as long, such as over a night
		}
		return min(maxSurprise, -math.Log((died+0.5)/(died+lived+1)))
	}
}

// invalidated is what ended at an instant.
type invalidated struct {
	instant
	p        float64
	refusals map[uint32]bool // that ended sessions
	claims   []uint32        // these and those that followed
	ages     []int64         // of the sessions, ascending, in milliseconds
}

// invalidated returns what ended at an instant, and whether it is an invalidation.
func (m *mortality) invalidated(d *Diagnosis, at instant) (x invalidated, ok bool) {
	earlier, more := m.earlier.after()
	if at.deaths < invalidatedKnown || at.deaths+int(earlier) < invalidatedSessions || float64(at.deaths) < invalidatedShare*float64(at.deaths+at.survive) {
		return x, false
	}
	// The evidence grows only where the interval of a death begins: there are as many
	// instants to choose from.
	p := math.Exp(-at.evidence-more) * float64(len(m.deaths)) * 2 // with and without a rollout
	if p > invalidationFalse {
		return x, false
	}
	// All sessions that were live before the instant and sent a request after it,
	// whether they were in use at the time or not.
	x = invalidated{instant: at, p: p, refusals: map[uint32]bool{}}
	for _, l := range m.deaths {
		if max(l.start, l.last) > at.to+at.took || l.end < at.from {
			continue
		}
		x.refusals[l.refusal] = true
		x.ages = append(x.ages, max(0, at.to-l.start))
	}
	if earlier > 0 {
		m.earlier.end(d, at.from, x.refusals)
	}
	slices.Sort(x.ages)
	x.claims = refusedAfter(d, x.refusals)
	return x, len(x.claims) > 0 && !d.ofFewUsers(x.claims)
}

// remove removes the deaths by some refusals.
func (m *mortality) remove(refusals map[uint32]bool) {
	m.deaths = slices.DeleteFunc(m.deaths, func(l death) bool { return refusals[l.refusal] })
	m.earlier = earlierSessions{refused: slices.DeleteFunc(m.earlier.refused, func(i uint32) bool { return refusals[i] })}
}

// invalidation returns the finding of a site at which sessions ended at some instants, of
// which there is one at least.
func invalidation(d *Diagnosis, m *mortality, all []invalidated) candidate {
	slices.SortFunc(all, func(x, y invalidated) int { return cmp.Compare(x.to, y.to) })
	all = joinRollouts(all)
	first := &all[0]
	details := &Invalidation{
		PValue: 1, OnsetLow: result.Time(first.from * 1000), OnsetHigh: result.Time(first.to * 1000),
		Youngest: result.Seconds(float64(first.ages[0]) / 1000), Daily: daily(all),
	}
	var cand candidate
	deaths := 0
	for i := range all {
		x := &all[i]
		cand.claims = append(cand.claims, x.claims...)
		deaths += x.deaths
		details.Sessions += len(x.refusals)
		details.Survivors += x.survive
		details.Rollout = max(details.Rollout, result.Seconds(float64(x.took)/1000))
		details.PValue = min(details.PValue, result.Probability(x.p))
		details.Youngest = min(details.Youngest, result.Seconds(float64(x.ages[0])/1000))
		details.Oldest = max(details.Oldest, result.Seconds(float64(x.ages[len(x.ages)-1])/1000))
		if len(all) > 1 {
			details.Moments = append(details.Moments, result.Time(x.to*1000))
		}
	}
	slices.Sort(cand.claims)
	cand.claims = slices.Compact(cand.claims)
	cand.Subject = result.Subject{Type: "site", Host: d.Sites[m.site]}
	cand.Onset = first.to * 1000
	cand.Severity = result.Medium
	if n := details.Sessions; float64(n) >= 0.1*float64(m.sessions) || n >= 50 {
		cand.Severity = result.High
	}
	cand.Confidence = confidence(float64(details.PValue), stats.WilsonLower(int64(deaths), int64(deaths+details.Survivors), stats.Z95))
	cand.Details = details
	return cand
}

// joinRollouts returns the instants with those that lie within one rollout put together: who
// signs in while servers are replaced is refused again.
func joinRollouts(all []invalidated) (joined []invalidated) {
	for _, x := range all {
		last := len(joined) - 1
		if last < 0 || x.from-joined[last].to > 2*max(x.took, joined[last].took) || x.took+joined[last].took == 0 {
			joined = append(joined, x)
			continue
		}
		y := &joined[last]
		y.took, y.deaths, y.survive, y.p = max(x.took, y.took, x.to-y.to), y.deaths+x.deaths, y.survive+x.survive, min(x.p, y.p)
		maps.Copy(y.refusals, x.refusals)
		y.claims, y.ages = append(y.claims, x.claims...), append(y.ages, x.ages...)
		slices.Sort(y.ages)
	}
	return joined
}

// daily reports whether instants have a time of day in common.
func daily(all []invalidated) bool {
	const day = 24 * 3_600_000
	if len(all) < dailyInstants {
		return false
	}
	// The first instant is the origin; each other one must be whole days away from it.
	low, high := int64(-dailyWithin), all[0].to-all[0].from+dailyWithin
	for i := range all[1:] {
		x, y := &all[i], &all[i+1]
		if y.to-x.to < day/2 {
			return false
		}
		off := (y.to-all[0].to+day/2)%day - day/2 // how much later in the day
		low, high = max(low, -off-dailyWithin), min(high, y.to-y.from-off+dailyWithin)
	}
	return low <= high
}

// ofFewUsers reports whether refusals name users, most of them, and hardly any distinct
// ones: an account has a trouble, on however many machines.
func (d *Diagnosis) ofFewUsers(refusals []uint32) bool {
	users, named := map[uint32]bool{}, 0
	for _, r := range d.Refusals.Of(slices.Values(refusals)) {
		if r.User != 0 {
			users[r.User] = true
			named++
		}
	}
	return 2*named > len(refusals) && len(users) < outageUsers
}

// refusedAfter returns the open refusals of sessions that ended with one of the
// given refusals, or are known by them only, up to the actor's next sign-in, and those of
// their renewals.
func refusedAfter(d *Diagnosis, ended map[uint32]bool) (refusals []uint32) {
	type end struct {
		time  int64
		given bool
	}
	ends := map[uint32][]end{} // by actor, in order of time
	for i, r := range d.Refusals.All() {
		if r.Fatal || ended[uint32(i)] {
			ends[r.Actor] = append(ends[r.Actor], end{r.Time, ended[uint32(i)]})
		}
	}
	for i, r := range d.Refusals.All() {
		if !r.Dead && !r.Renewal && !unknownSession(r) || !d.open(i) {
			continue
		}
		given := false
		for _, e := range ends[r.Actor] {
			if e.time > r.Time {
				break
			}
			given = e.given
		}
		if given {
			refusals = append(refusals, uint32(i))
		}
	}
	return refusals
}
