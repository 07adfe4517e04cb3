// Package detect finds what explains the refusals of a run.
//
// In: session.Evidence. Out: an Explanation: findings, and which of them explains
// each refusal. Catalogue lists the kinds of findings; each has a file of its own.
// A kind may observe the timelines (Observe); then all kinds propose findings, and
// Explain chooses among them.
package detect

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"slices"
	"strings"
	"sync"

	"logscan/analyze/policy"
	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// clockStep is the resolution of the times in most logs, in milliseconds.
const clockStep = 1000

// Diagnosis is the state of the detect stage.
type Diagnosis struct {
	*session.Evidence
	kinds        []Kind // those whose needs the log meets
	undetectable []result.Undetectable
	closed       session.Bits // the refusals that no finding may explain any more; see open
	reopened     session.Bits // the challenges that are none; see reopen
	sampled      bool         // firstWalk may take a sample
	finding      []int32      // by refusal: the finding that explains it, index plus one; else 0. nil before Explain
	passing
	young map[string]bool // see youngTokens

	observed  map[string]observer // by kind: what the timelines showed
	proposed  []proposals         // by kind: of those that need no observer, made during Observe
	submitted submissions
	guessOnce sync.Once      // makes guesses
	guesses   *guessObserver // shared by the kinds of attacks; nil if there is nothing to follow

	contrastOnce sync.Once         // makes contrast
	contrast     *contrastObserver // shared by the kinds that look for contrasts; nil if there is nothing to follow

	softwareOnce sync.Once // makes byAgent
	byAgent      *software // see software

	livesOnce sync.Once // makes lives
	lives     *lives    // see sessionsOf

	acceptedOnce sync.Once      // makes acceptedBy and acceptedAll
	acceptedBy   map[uint32]int // see acceptedAgents
	acceptedAll  int
}

// Observe returns a diagnosis of the evidence. It walks over the timelines once more
// if a kind has an observer. The error is that of ctx or of reading temporary files.
func Observe(ctx context.Context, ev *session.Evidence) (*Diagnosis, error) {
	d := newDiagnosis(ev)
	return d, d.observeAll(ctx)
}

func (d *Diagnosis) observeAll(ctx context.Context) error {
	if d.Refusals.OnDisk() { // what either keeps for each client is not in memory together
		if err := d.observe(ctx); err != nil {
			return err
		}
		d.proposeUnobserved()
		return nil
	}
	var beside sync.WaitGroup
	beside.Go(d.proposeUnobserved)
	defer beside.Wait()
	return d.observe(ctx)
}

func newDiagnosis(ev *session.Evidence) *Diagnosis {
	d := &Diagnosis{Evidence: ev, sampled: ev.Requests() >= sampleRequests && len(ev.Clients) >= sampleClients}
	for i, r := range ev.Refusals.All() {
		if r.Actor == 0 || r.Cause == session.Challenge {
			d.closed.Add(i)
		}
	}
	d.reopen()
	d.kinds, d.undetectable = detectable(Catalogue(), ev.State)
	d.passing, d.young = passingOf(ev), youngTokens(ev)
	d.submitted = d.findSubmissions()
	return d
}

// open reports whether a finding may still explain a refusal: it has a time, is not a
// challenge, and no finding explains it yet.
func (d *Diagnosis) open(refusal int) bool { return !d.closed.Has(refusal) }

// eachOpen yields the refusals that a finding may still explain: see spill.Table.All.
func (d *Diagnosis) eachOpen() iter.Seq2[int, *session.Refusal] { return d.Refusals.Those(d.open) }

// explained reports whether a finding explains a refusal.
func (d *Diagnosis) explained(refusal int) bool { return d.finding != nil && d.finding[refusal] > 0 }

// candidate is a finding and the refusals that it claims to explain.
type candidate struct {
	result.Finding
	claims []uint32  // ascending; none after pack
	packed ascending // what was claims before pack
	// messages are events that show it, as indexes into State.Messages.
	messages []uint32
	weight   float64 // multiplies the merit of the proposal; 0 for 1
}

// pack packs the claims, which take a quarter of the memory then: those of all proposals
// together may be many times the refusals of a log.
func (c *candidate) pack() {
	if len(c.claims) > 0 {
		c.packed, c.claims = ascendingOf(slices.Values(c.claims)), nil
	}
}

// Explanation is the output of the detect stage.
type Explanation struct {
	Findings     []result.Finding // most severe first, muted ones last
	Of           []int32          // by refusal: the finding that explains it, index plus one; 0 for none
	Samples      [][]uint32       // by finding: the refusals to show as evidence
	Messages     [][]uint32       // by finding: the events to show as evidence, beside those of the refusals
	Undetectable []result.Undetectable
	Doubted      session.Bits // the refusals without a finding that are not known to be ordinary, whatever they look like
}

// Explain chooses the findings that explain the refusals best, and adds those that
// failures state by themselves. It must be called once. The error is one of reading
// temporary files.
func (d *Diagnosis) Explain(policy *policy.Policy, failures []Failure) (*Explanation, error) {
	all, err := d.explain(d.kinds)
	if err != nil {
		return nil, err
	}
	for i := range all {
		d.measure(all[i])
	}
	all = append(all, d.statedFailures(failures, all)...)
	last := lastTime(d)
	for i := range all {
		policy.Judge(&all[i].Finding)
		all[i].Muted = policy.Muted(all[i].ID, last)
	}
	told := d.fold(all, func(id string) *result.Muted { return policy.Muted(id, last) })
	place := make([]int32, len(all)+1)
	findings := make([]result.Finding, len(told))
	samples, messages := make([][]uint32, len(told)), make([][]uint32, len(told))
	lines := evidenceLines(len(told))
	for to := range told {
		u := &told[to]
		for _, from := range u.members {
			place[from+1] = int32(to + 1)
		}
		if u.Exhibit == nil && u.packed.n > 0 {
			u.Exhibit = d.trendOf(u.packed.each)
		}
		u.Clean()
		findings[to] = u.Finding
		samples[to], messages[to] = u.samples(all, lines), spread(u.messages, lines)
	}
	var doubted session.Bits
	if o, ok := d.observed[endpointMisconfigured.Name].(*endpointObserver); ok {
		doubted = d.doubtedLinks(o.links)
	}
	doubted.Merge(d.reopened)
	for i, f := range d.finding {
		d.finding[i] = place[f]
	}
	return &Explanation{findings, d.finding, samples, messages, d.undetectable, doubted}, nil
}

// comparePresented orders findings as they are presented: muted ones last, then the
// most severe first, then those that explain most refusals.
func comparePresented(a, b *candidate) int {
	switch {
	case a.Muted == nil && b.Muted != nil:
		return -1
	case a.Muted != nil && b.Muted == nil:
		return 1
	case a.Severity != b.Severity:
		return int(b.Severity) - int(a.Severity)
	case a.packed.n != b.packed.n:
		return b.packed.n - a.packed.n
	}
	return strings.Compare(a.ID, b.ID)
}

// lastTime returns the last time of any line, in Unix microseconds, parse.NoTime if
// no line has one.
func lastTime(d *Diagnosis) int64 {
	last := int64(parse.NoTime)
	for i := range d.State.Inputs {
		if l := &d.State.Inputs[i]; l.First != parse.NoTime {
			last = max(last, l.Last)
		}
	}
	return last
}

// findingID returns the id of a finding: its kind and a hash of its subject, so that
// the same trouble has the same id every night.
func findingID(kind string, s result.Subject) string {
	names := []string{kind, s.Type, s.Host, s.Method, s.Route, s.User, s.ClientAddress, s.UserAgent, s.Upstream}
	if s.Server != "" {
		names = append(names, s.Server)
	}
	return hashedID(kind, names...)
}

// hashedID returns a kind and a hash of names.
func hashedID(kind string, names ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(names, "\x00")))
	return kind + "-" + hex.EncodeToString(sum[:6])
}

// measure fills in the fields of a finding that follow from its refusals.
func (d *Diagnosis) measure(f *candidate) {
	var actors actorSet
	var users session.Bits
	f.FirstSeen, f.LastSeen = parse.NoTime, parse.NoTime
	for _, r := range d.Refusals.Of(f.packed.each) {
		actors.add(r.Actor)
		if r.User != 0 {
			users.Add(int(r.User))
		}
	}
	for i := range f.packed.each { // they are in the order of time, those without one first
		if f.FirstSeen = d.State.Refusals.At(int(i)).Time; f.FirstSeen != parse.NoTime {
			break
		}
	}
	if f.packed.n > 0 {
		f.LastSeen = d.State.Refusals.At(int(f.packed.last)).Time
	}
	f.Unauthorized = int64(f.packed.n)
	f.Reason, f.AnsweredBy = StatedReason(d.State, f.packed.each)
	f.Actors, f.Users = actors.len(), int64(users.Len())
}

// spread returns up to n elements of list, the first and others evenly spaced.
func spread(list []uint32, n int) []uint32 {
	if len(list) <= n {
		return list
	}
	picked := make([]uint32, n)
	for i := range picked {
		picked[i] = list[i*len(list)/n]
	}
	return picked
}

// distinctActors returns the number of actors of refusals.
func distinctActors(d *Diagnosis, refusals []uint32) int64 {
	var seen actorSet
	for _, r := range d.Refusals.Of(slices.Values(refusals)) {
		seen.add(r.Actor)
	}
	return seen.len()
}

// endpointLabel names an endpoint.
func endpointLabel(e *timeline.Endpoint) string {
	s := endpointSubject(e)
	return s.Endpoint()
}

// explained reports whether a refusal, timeline.NoRefusal for an acceptance, is one
// that findings may not explain any more.
func explained(d *Diagnosis, refusal uint32) bool {
	return refusal != timeline.NoRefusal && !d.open(int(refusal))
}
