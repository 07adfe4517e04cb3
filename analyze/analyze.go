// Package analyze finds the causes of 401s.
//
// In: the inputs of a run. Out: a result.Result. Run is the pipeline: package source
// divides the inputs into blocks of lines, package timeline keeps a short event of
// every line, package session derives evidence from the timelines, package detect
// finds and explains, and this package makes the rows of the Result. Package report
// writes the outputs.
package analyze

import (
	"cmp"
	"context"
	"io"
	"runtime"
	"time"

	"logscan/analyze/detect"
	"logscan/analyze/policy"
	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/spill"
	"logscan/analyze/timeline"
	"logscan/parse"
	"logscan/parse/source"
)

// Options are the options of a run.
type Options struct {
	Inputs []source.Input
	// Notes are what source.Members reported about the inputs, and what was left out by its
	// date.
	Notes []source.Note
	// Newest is the time before which the newest line must not be; see source.Expansion.
	Newest time.Time
	// Format reads all inputs; nil detects the format of each.
	Format *parse.Format
	// Configured returns the formats that a server's configuration has for the log
	// at a path. They are tried before the known ones, unless Format is set. It may
	// be nil, and is called concurrently.
	Configured func(path string) []*parse.Format
	// Fields name the log variables or JSON keys that carry a field, as
	// parse.Format.WithFields takes them.
	Fields map[string]string
	// Parse are the options of the parsers. Its Reference is for inputs whose time
	// of last modification is unknown; its bounds are set by Run.
	Parse parse.Options
	// Since and Until bound the time range: lines outside it are skipped.
	Since, Until Moment
	// Policy is what the operators of the site have configured about it.
	Policy policy.Policy
	// Configuration is that of the servers and applications, as far as it was given.
	Configuration Configuration
	// Baseline holds the findings of an earlier run, for Finding.Change; nil for
	// none.
	Baseline *result.Snapshot
	// Phase, if set, is called when a phase of the run begins.
	Phase func(Phase)
	// Progress, if set, is kept up to date during the run.
	Progress *Progress
	// Carryover is the state of earlier runs: only what is new is counted, and
	// Result.Save writes the state for the next run. nil counts everything. It
	// excludes Since and Until.
	Carryover *session.Carryover
	// Requests is where all lines are kept, compressed, until the rows of
	// Result.Requests are read; nil for no such rows.
	Requests *spill.Space
	// Memory limits the memory of the run; the zero value sets no limit.
	Memory spill.Memory
	// PseudonymKey is the ID of Parse.Privacy.Key; it is set by Run.
	PseudonymKey string
	// Workers is the number of goroutines that read and parse; 0 is one for each
	// CPU that the process may use.
	Workers int
}

// Phase is a part of a run.
type Phase string

// The phases, in their order.
const (
	PhaseRead      Phase = "read"      // reading, parsing, adding to timelines
	PhaseCorrelate Phase = "correlate" // merging, walking over the timelines
	PhaseDetect    Phase = "detect"    // observers, detectors, choosing findings
	PhaseResult    Phase = "result"    // rows of the tables, evidence
)

func (o *Options) begin(p Phase) {
	if o.Phase != nil {
		o.Phase(p)
	}
	if o.Progress != nil {
		o.Progress.Begin(p)
	}
}

// Run reads all inputs and returns the causes of their 401s. The error is that of ctx, of
// writing temporary files, a *NewestError, or a bug. An input that cannot be read is
// no error, but reported in the Result.
//
// NewPlan, Plan.Map and Plan.Reduce do the same in several processes.
func Run(ctx context.Context, o Options) (*result.Result, error) {
	o.prepare()
	o.begin(PhaseRead) // inputs → lines → what each worker saw
	skipped, err := o.selectInputs(ctx)
	if err != nil {
		return nil, err
	}
	r, err := newReader(ctx, o)
	if err != nil {
		return nil, err
	}
	read, err := r.read(ctx)
	if err != nil {
		return nil, err
	}
	return r.conclude(ctx, read, skipped)
}

// prepare sets what follows from other options.
func (o *Options) prepare() {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if key := o.Parse.Privacy.Key; key != nil {
		o.PseudonymKey = key.ID()
		o.Policy.Pseudonymize(&o.Parse.Privacy)
	}
}

// conclude diagnoses what was read.
func (r *reader) conclude(ctx context.Context, read []source.Result, skipped skippedInputs) (*result.Result, error) {
	o := &r.options
	o.begin(PhaseCorrelate) // → State → Evidence
	state, err := timeline.Merge(r.workers)
	if err != nil {
		return nil, err
	}
	state.Gather(o.Workers)
	lines := r.lineStore(state)
	joined, failures, err := r.joinEvents(ctx, state, lines) // what other logs state
	if err != nil {
		return nil, err
	}
	evidence, err := session.Correlate(ctx, state, o.Workers, o.Memory, o.Carryover)
	if err != nil {
		return nil, err
	}

	o.begin(PhaseDetect) // → Diagnosis → Explanation
	diagnosis, err := detect.Observe(ctx, evidence)
	if err != nil {
		return nil, err
	}
	evidence.DropTimelines()
	order := beside(func() *clientOrder { return orderClients(evidence) })
	explanation, err := diagnosis.Explain(&o.Policy, failures)
	clients := order()
	if err != nil {
		return nil, err
	}

	o.begin(PhaseResult) // → Result
	res, err := newAssembly(evidence, explanation, clients, joined, lines, r).result(read)
	if err := cmp.Or(err, state.Refusals.Err(), state.Messages.Err(), evidence.Refusals.Err()); err != nil {
		return nil, err
	}
	if o.Carryover != nil {
		ledger := source.UpdateLedger(o.Carryover.Ledger(), r.inputs, skipped.done, func(i int) int64 { return state.Inputs[i].Lines })
		res.Save = func(dst io.Writer) error { return evidence.Save(dst, ledger) }
		dropIdle(res)
	}
	o.complete(res, skipped)
	return res, nil
}

// skippedInputs are the inputs of a run that are not read.
type skippedInputs struct {
	early []source.Input     // all their lines are from before Since
	same  []source.Duplicate // they have the content of another input
	done  []source.Resumed   // earlier runs read them to their end
}

// selectInputs removes from o.Inputs those that need not be read, and sets the
// bounds of the parsers.
func (o *Options) selectInputs(ctx context.Context) (s skippedInputs, err error) {
	if o.Inputs, s.early, err = o.Bound(ctx); err != nil {
		return s, err
	}
	if o.Inputs, s.same, err = source.Distinct(ctx, o.Inputs, o.Workers); err != nil {
		return s, err
	}
	if o.Carryover != nil {
		o.Inputs, s.done, err = source.Resume(ctx, o.Inputs, o.Carryover.Ledger(), o.Workers)
	}
	return s, err
}

// complete adds to a result what does not depend on the lines that were read: the
// skipped inputs, the comparison with the baseline, and notes.
func (o *Options) complete(res *result.Result, skipped skippedInputs) {
	if key := o.PseudonymKey; key != "" {
		res.PseudonymKey = key
		res.Notes = append(res.Notes, result.Note{Kind: result.NotePseudonyms, Name: key, N: int64(len(res.RejectedLines))})
	}
	if b := o.Baseline; b != nil {
		if b.PseudonymKey == res.PseudonymKey {
			res.Compare(b)
		} else {
			res.Notes = append(res.Notes, result.Note{Kind: result.NoteBaselineKey})
		}
	}
	listSkipped(res, skipped)
	res.Notes = append(res.Notes, o.Policy.Notes(res.Findings, res.Totals.LastTime)...)
	for _, n := range o.Notes {
		res.Notes = append(res.Notes, result.Note{Kind: result.NoteInput, Name: n.Path, Text: n.Text})
	}
}

// beside starts do on a goroutine of its own and returns a function that waits for
// its value.
func beside[T any](do func() T) func() T {
	done := make(chan T, 1)
	go func() { done <- do() }()
	return func() T { return <-done }
}

// micros returns a time in Unix microseconds, parse.NoTime for the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return parse.NoTime
	}
	return t.UnixMicro()
}
