// Package analyze tells why there are 401s.
//
// In: the inputs of a run. Out: a Result. Package source cuts the inputs into
// blocks, package fold keeps what must be known of every line, correlate puts
// actors and sessions together, the detectors judge, and the rest of the
// package makes the rows of the Result. It writes nothing: package report does.
package analyze

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"sync"
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

// Options are what a run is asked to do.
type Options struct {
	Inputs []source.Input
	// Notes are what source.Members had to say of them.
	Notes []source.Note
	// Format reads all inputs; nil finds out the format of each.
	Format *parse.Format
	// Configured gives the formats that the configuration of a server has for
	// the log at a path: they are tried before those that are known, unless
	// Format is set. It may be nil, and is called by many goroutines.
	Configured func(path string) []*parse.Format
	// Fields name the log variables or JSON keys that carry a field, as
	// parse.Format.WithFields takes them.
	Fields map[string]string
	// Parse is what the parsers are told. Its Reference is for inputs of which
	// it is not known when they were last changed; its bounds are set by Run.
	Parse parse.Options
	// Since and Until are the range of time that counts.
	Since, Until Moment
	// Policy is what is known of the site.
	Policy policy.Policy
	// Baseline is what an earlier run found, for Finding.Change; nil for none.
	Baseline *result.Snapshot
	// Phase, where it is set, is called as each phase of the run begins, for
	// those who want to know what takes how long.
	Phase func(Phase)
	// Progress, where it is set, is told how far the run has come.
	Progress *Progress
	// Carryover is what earlier runs left: only what is new is counted, and
	// Result.Save writes what the next one is to know. Since and Until must not
	// be set with it. nil counts everything.
	Carryover *session.Carryover
	// Memory bounds what is kept in memory; the zero value does not.
	Memory spill.Memory
	// Workers is how many goroutines read, parse and fold; 0 is one for each
	// CPU that the process may use.
	Workers int
}

// Phase is a part of a run.
type Phase string

// The phases, in their order.
const (
	PhaseRead      Phase = "read"      // reading, parsing, folding
	PhaseCorrelate Phase = "correlate" // merging, walking over the timelines
	PhaseDetect    Phase = "detect"    // observers, detectors, picking findings
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

// Run reads all inputs and says why they hold 401s. It fails when ctx ends or
// on a bug; an input that cannot be read is told in the Result.
func Run(ctx context.Context, o Options) (*result.Result, error) {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	key := o.Parse.Privacy.Key
	if key != nil {
		o.Policy.Pseudonymize(&o.Parse.Privacy)
	}
	o.begin(PhaseRead)
	inputs, left, err := o.Bound(ctx)
	if err != nil {
		return nil, err
	}
	inputs, same, err := source.Distinct(ctx, inputs, o.Workers)
	if err != nil {
		return nil, err
	}
	var done []source.Resumed
	if o.Carryover != nil {
		if inputs, done, err = source.Resume(ctx, inputs, o.Carryover.Ledger(), o.Workers); err != nil {
			return nil, err
		}
	}
	o.Inputs = inputs
	if o.Progress != nil {
		o.Progress.begin(inputs)
	}
	r, err := newReader(o)
	if err != nil {
		return nil, err
	}
	reading, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r.fail = stop
	read, err := source.Read(reading, o.Inputs, o.Workers, r)
	if cause := context.Cause(reading); cause != nil && ctx.Err() == nil {
		return nil, cause
	}
	if err != nil {
		return nil, err
	}
	o.begin(PhaseCorrelate)
	if err := r.recall(); err != nil {
		return nil, err
	}
	state, err := timeline.Merge(r.workers)
	if err != nil {
		return nil, err
	}
	c, err := session.Correlate(ctx, state, o.Workers, o.Memory, o.Carryover)
	if err != nil {
		return nil, err
	}
	o.begin(PhaseDetect)
	diagnosis, err := detect.Observe(ctx, c)
	if err != nil {
		return nil, err
	}
	c.DropTimelines()
	order := beside(func() *clientOrder { return orderClients(c) })
	explained, err := diagnosis.Explain(&o.Policy)
	clients := order() // waited for in any case
	if err != nil {
		return nil, err
	}
	o.begin(PhaseResult)
	res, err := newAssembly(c, explained, clients, r).result(read)
	if err != nil {
		return nil, err
	}
	if key != nil {
		disguised(res, key)
	}
	if b := o.Baseline; b != nil {
		if b.PseudonymKey == res.PseudonymKey {
			compareBaseline(res, b)
		} else {
			res.Notes = append(res.Notes, otherKeyNote)
		}
	}
	leave(res, left)
	leaveCopies(res, same)
	if o.Carryover != nil {
		ledger := source.Counting(o.Carryover.Ledger(), o.Inputs, done, func(i int) int64 { return state.Inputs[i].Lines })
		res.Save = func(dst io.Writer) error { return c.Save(dst, ledger) }
		leaveCounted(res, done)
		dropIdle(res)
	}
	res.Notes = append(res.Notes, o.Policy.Notes(res.Findings, res.Totals.LastTime)...)
	for _, n := range o.Notes {
		res.Notes = append(res.Notes, fmt.Sprintf("%s: %s.", n.Path, n.Text))
	}
	return res, nil
}

// reader is the source.Handler that folds blocks. What belongs to a worker is
// touched by that worker alone.
type reader struct {
	options Options
	inputs  []source.Input
	formats []*parse.Format // candidates; one when the user named it
	chosen  []detected      // by input, set by Open
	workers []*timeline.Worker
	parsers []map[string]*parse.Parser // by worker, by detected.key
	fail    context.CancelCauseFunc    // ends the reading
}

// detected is what an input is read with.
type detected struct {
	parse.Detection
	formats   []*parse.Format // tried in this order
	name      string
	key       string    // inputs of the same key can be read with the same parser
	reference time.Time // newest time that a line can have
	presence  parse.Presence
}

func newReader(o Options) (*reader, error) {
	formats, err := o.formats()
	if err != nil {
		return nil, err
	}
	r := &reader{options: o, inputs: o.Inputs, formats: formats, chosen: make([]detected, len(o.Inputs))}
	seed := rand.Uint64()
	r.workers = make([]*timeline.Worker, o.Workers)
	var g sync.WaitGroup
	for i := range r.workers {
		g.Go(func() {
			w := timeline.NewWorker(seed, len(o.Inputs))
			if o.Memory.Bytes > 0 {
				w.Limit(o.Memory.Part(o.Workers), o.Memory.Space)
			}
			if earlier := o.Carryover.Earlier(); earlier != nil {
				w.Expect(earlier)
			}
			r.workers[i] = w
		})
		r.parsers = append(r.parsers, map[string]*parse.Parser{})
	}
	g.Wait()
	return r, nil
}

// UnknownFormat is the name of the format of an input that no format explains.
const UnknownFormat = "unknown"

// Open finds out the format of an input.
func (r *reader) Open(input int, sample []byte) source.Plan {
	d := &r.chosen[input]
	d.reference = r.options.reference(r.inputs[input])
	formats := r.options.candidates(r.formats, r.inputs[input])
	d.Detection = parse.Detect(sample, formats)
	d.formats = d.Detection.Formats
	switch {
	case d.Detection.Format != nil:
		d.name = d.Detection.Format.Name
	case len(formats) == 1: // what the user named is tried with every line
		d.formats, d.name = formats, formats[0].Name
	default:
		// Nothing explains it. Its lines are counted and rejected one by one;
		// those that the commonest format explains after all are not lost.
		d.formats, d.name = r.formats[len(r.formats)-1:], UnknownFormat
	}
	for _, f := range d.formats {
		d.key += f.Key() + "\n"
	}
	if d.name != UnknownFormat {
		d.survey(sample)
	}
	return Plan(d.formats)
}

// Plan says how an input whose lines have one of the formats is to be cut.
func Plan(formats []*parse.Format) source.Plan {
	var p source.Plan
	for _, f := range formats {
		if len(p.Directive) == 0 {
			p.Directive = f.Directive()
		}
		if p.Continues == nil {
			p.Continues = f.Continues()
		}
	}
	return p
}

// Block folds the lines of a block.
func (r *reader) Block(worker int, b *source.Block) {
	p := r.parser(r.parsers[worker], b.Input)
	p.Directive(b.Directive)
	w := r.workers[worker]
	before := w.Refused(b.Input)
	w.Block(b, p)
	if err := w.Err(); err != nil {
		r.fail(err)
	}
	if r.options.Progress != nil {
		r.options.Progress.refused.Add(w.Refused(b.Input) - before)
	}
}

// parser gives the parser for the lines of an input, of those made before or a
// new one.
func (r *reader) parser(made map[string]*parse.Parser, input int) *parse.Parser {
	d := &r.chosen[input]
	p := made[d.key]
	if p == nil {
		p = parse.NewParser(d.formats...)
		p.Configure(r.options.Parse)
		made[d.key] = p
	}
	p.SetReference(d.reference)
	p.Directive(nil)
	return p
}

// recall adds what earlier runs kept to what was read.
func (r *reader) recall() error {
	p := r.options.Carryover
	if p == nil {
		return nil
	}
	for i := range r.inputs {
		_, lines, _ := r.inputs[i].Before()
		r.workers[0].Continue(i, lines)
	}
	if p.Earlier() == nil {
		return nil
	}
	past, err := timeline.Recall(r.workers, p.Earlier())
	r.workers = append(r.workers, past)
	return err
}

// cutLine takes the first line off data.
func cutLine(data []byte) (line, rest []byte) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return data[:i], data[i+1:]
	}
	return data, nil
}

// beside starts do on a goroutine of its own and returns a function that waits
// for its value.
func beside[T any](do func() T) func() T {
	done := make(chan T, 1)
	go func() { done <- do() }()
	return func() T { return <-done }
}
