package detect

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"sync"

	"logscan/analyze/policy"
	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// candidate is a finding that claims 401s.
type candidate struct {
	result.Finding
	claims []uint32 // indexes of facts, ascending
}

// Explanation is the output of the detect stage.
type Explanation struct {
	Findings     []result.Finding // most severe first, muted ones last
	Of           []int32          // by refusal: the finding that explains it, index plus one; 0 for none
	Samples      [][]uint32       // by finding: the refusals to show as evidence
	Undetectable []result.Undetectable
}

// Explain runs the detectors and picks the findings that explain the refusals
// best. It must be called once.
func (c *Diagnosis) Explain(policy *policy.Policy) (*Explanation, error) {
	all, err := c.explain(c.kinds)
	if err != nil {
		return nil, err
	}
	for i := range all {
		policy.Judge(&all[i].Finding)
		all[i].Muted = policy.Muted(all[i].ID, c.lastTime())
	}
	// Most severe first, then what explains most; the facts follow.
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		a, b := &all[i], &all[j]
		if (a.Muted == nil) != (b.Muted == nil) {
			if a.Muted == nil {
				return -1
			}
			return 1
		}
		if a.Severity != b.Severity {
			return int(b.Severity) - int(a.Severity)
		}
		if len(a.claims) != len(b.claims) {
			return len(b.claims) - len(a.claims)
		}
		return strings.Compare(a.ID, b.ID)
	})
	place := make([]int32, len(all)+1)
	findings := make([]result.Finding, len(all))
	samples := make([][]uint32, len(all))
	for to, from := range order {
		place[from+1] = int32(to + 1)
		c.measure(&all[from])
		clean(&all[from].Finding)
		findings[to] = all[from].Finding
		samples[to] = spread(all[from].claims, result.MaxEvidence)
	}
	for i, f := range c.finding {
		c.finding[i] = place[f]
	}
	return &Explanation{findings, c.finding, samples, c.undetectable}, nil
}

// lastTime is the last time of any line, parse.NoTime where none has one.
func (c *Diagnosis) lastTime() int64 {
	last := int64(parse.NoTime)
	for i := range c.State.Inputs {
		if l := &c.State.Inputs[i]; l.First != parse.NoTime {
			last = max(last, l.Last)
		}
	}
	return last
}

// findingID names a finding by its kind and subject: the same trouble has the
// same id every night.
func findingID(kind string, s result.Subject) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{
		kind, s.Type, s.Host, s.Method, s.Route, s.User, s.ClientAddress, s.UserAgent, s.Upstream,
	}, "\x00")))
	return kind + "-" + hex.EncodeToString(sum[:6])
}

// measure fills in what every finding tells of its 401s.
func (c *Diagnosis) measure(f *candidate) {
	actors, users := map[uint32]bool{}, map[uint32]bool{}
	f.FirstSeen, f.LastSeen = parse.NoTime, parse.NoTime
	for _, i := range f.claims {
		x := &c.Refusals[i]
		actors[x.Actor] = true
		if x.User != 0 {
			users[x.User] = true
		}
		at := c.State.Refusals[i].Time
		if f.FirstSeen == parse.NoTime || at < f.FirstSeen {
			f.FirstSeen = at
		}
		f.LastSeen = max(f.LastSeen, at)
	}
	f.Unauthorized = int64(len(f.claims))
	f.Actors, f.Users = int64(len(actors)), int64(len(users))
	if f.Exhibit == nil {
		f.Exhibit = c.trendOf(f.claims)
	}
}

// spread picks up to n of list, evenly over it, the first among them.
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

// distinctActors counts the actors of facts.
func (c *Diagnosis) distinctActors(facts []uint32) int64 {
	seen := map[uint32]bool{}
	for _, i := range facts {
		seen[c.Refusals[i].Actor] = true
	}
	return int64(len(seen))
}

// open tells whether a fact is one that detectors may explain: it has a place
// in time, is no handshake, and no finding has claimed it.
func (c *Diagnosis) open(i int) bool {
	f := &c.Refusals[i]
	return c.finding[i] == 0 && f.Actor != 0 && f.Cause != session.Challenge
}

func endpointLabel(e *timeline.Endpoint) string {
	s := strings.TrimSpace(e.Method + " " + e.Host + e.Template)
	if s == "" {
		return "requests without a path"
	}
	return s
}

// diagnosis is what the detect stage adds to the evidence.
type Diagnosis struct {
	*session.Evidence
	finding []int32 // by refusal: the finding that explains it, index plus one

	kinds        []Kind                // those whose needs the log meets
	undetectable []result.Undetectable // the kinds of the others
	guessOnce    sync.Once             // makes guesses
	guesses      *guessObserver        // shared by the detectors of attacks; nil for nothing
	observed     map[string]observer   // by kind: what the second walk found
	inspected    []inspection          // by detector, of those that need no walk
}

// observe makes a diagnosis, and walks over the timelines once more for the
// detectors that want it.
func Observe(ctx context.Context, ev *session.Evidence) (*Diagnosis, error) {
	d := newDiagnosis(ev)
	return d, d.follow(ctx)
}

func newDiagnosis(ev *session.Evidence) *Diagnosis {
	d := &Diagnosis{Evidence: ev, finding: make([]int32, len(ev.Refusals))}
	d.kinds, d.undetectable = able(Catalogue(), ev.State)
	return d
}

// clockStep is the resolution of the times in most logs, in milliseconds.
const clockStep = 1000
