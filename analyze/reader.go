package analyze

import (
	"bytes"
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"logscan/analyze/timeline"
	"logscan/parse"
	"logscan/parse/propose"
	"logscan/parse/source"
)

// reader is the source.Handler that parses lines and adds them to timelines. Each worker
// uses only its own elements of workers and parsers.
type reader struct {
	options Options
	inputs  []source.Input
	formats []*parse.Format // candidates; one if the user named it
	known   []*parse.Known  // by input: the format of its neighbours; nil for none
	chosen  []detected      // by input; set by Open
	workers []*timeline.Worker
	parsers []map[string]*parse.Parser // by worker, by detected.key
	spool   *spool                     // of all blocks; nil unless Options.Requests asks for it
	fail    context.CancelCauseFunc    // ends the reading
	changed sync.Map                   // the inputs, by number, whose lines were other ones when they were read again

	planned  bool // the formats are those of a plan
	recorded bool // the lines were read by tasks: the workers hold records of them
}

// detected is what an input is read with.
type detected struct {
	parse.Detection
	formats   []*parse.Format // tried in this order
	name      string
	key       string    // inputs of the same key can share a parser
	reference time.Time // latest time that a line can have
	presence  parse.Presence
	proposed  bool // the format is unknown, but package propose finds one
}

// newDetector returns a reader that can only detect formats.
func newDetector(ctx context.Context, o Options) (*reader, error) {
	formats, err := o.formats()
	if err != nil {
		return nil, err
	}
	known, err := o.knownFormats(ctx, formats)
	if err != nil {
		return nil, err
	}
	return &reader{options: o, inputs: o.Inputs, formats: formats, known: known, chosen: make([]detected, len(o.Inputs))}, nil
}

func newReader(ctx context.Context, o Options) (*reader, error) {
	r, err := newDetector(ctx, o)
	if err != nil {
		return nil, err
	}
	servers, serverOf := listServers(o.Inputs)
	r.makeWorkers(rand.Uint64(), servers, serverOf)
	if o.Requests != nil {
		r.spool = newSpool(o.Requests, o.Workers)
	}
	return r, nil
}

// makeWorkers makes the workers and their parsers.
func (r *reader) makeWorkers(seed uint64, servers []string, serverOf []uint8) {
	o := &r.options
	r.workers = make([]*timeline.Worker, o.Workers)
	var g sync.WaitGroup
	for i := range r.workers {
		g.Go(func() {
			w := timeline.NewWorker(seed, len(o.Inputs))
			w.SetServers(servers, serverOf)
			if len(o.Parse.Refusals) > 0 {
				w.Refuse(o.Parse.Refusals)
			}
			if o.Memory.Bytes > 0 {
				w.Limit(o.Memory.Part(o.Workers), o.Memory.Space)
			}
			if earlier := o.Carryover.Earlier(); earlier != nil {
				w.ExpectSessions(earlier)
			}
			r.workers[i] = w
		})
		r.parsers = append(r.parsers, map[string]*parse.Parser{})
	}
	g.Wait()
}

// read reads all inputs into the workers. State of earlier runs becomes one more worker.
func (r *reader) read(ctx context.Context) ([]source.Result, error) {
	if p := r.options.Progress; p != nil {
		p.begin(r.inputs)
	}
	reading, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r.fail = stop
	read, err := source.Read(reading, r.inputs, r.options.Workers, r)
	if cause := context.Cause(reading); cause != nil && ctx.Err() == nil {
		return nil, cause
	}
	if err != nil {
		return nil, err
	}
	if r.planned { // a task counts from the beginning of what it reads
		return read, nil
	}
	return read, r.resume()
}

// resume adds the lines and the state of earlier runs to what was read.
func (r *reader) resume() error {
	for i := range r.inputs {
		_, lines, _ := r.inputs[i].Before()
		r.workers[0].SetLinesBefore(i, lines)
	}
	if r.options.Carryover == nil {
		return nil
	}
	earlier := r.options.Carryover.Earlier()
	if earlier == nil {
		return nil
	}
	past, err := timeline.NewEarlierWorker(r.workers, earlier)
	r.workers = append(r.workers, past)
	return err
}

// UnknownFormat is the name of the format of an input that no format matches.
const UnknownFormat = "unknown"

// Open detects the format of an input.
func (r *reader) Open(input int, sample []byte) source.Plan {
	d := &r.chosen[input]
	d.reference = r.options.reference(r.inputs[input])
	if r.planned {
		return PlanOf(d.formats)
	}
	formats := r.options.candidates(r.formats, r.inputs[input])
	surveyed := false
	if k := r.known[input]; k != nil {
		d.Detection, d.presence, surveyed = k.Detect(sample)
	}
	if !surveyed {
		d.Detection = parse.Detect(sample, formats)
	}
	// If no format matches, the lines are counted and rejected one by one; those that the
	// most common format matches nevertheless are not lost.
	var known bool
	if d.formats, known = r.options.Chosen(&d.Detection, formats); known {
		d.name = d.formats[0].Name
	} else {
		d.name = UnknownFormat
	}
	for _, f := range d.formats {
		d.key += f.Key() + "\n"
	}
	switch {
	case d.name == UnknownFormat:
		d.proposed = propose.Format(sample).Spec != ""
	case !surveyed:
		d.survey(sample)
	}
	return PlanOf(d.formats)
}

// PlanOf returns how an input whose lines have one of the formats is divided.
func PlanOf(formats []*parse.Format) source.Plan {
	var p source.Plan
	for _, f := range formats {
		if len(p.Directive) == 0 {
			p.Directive = f.Directive()
		}
		if p.Whole == nil {
			p.Whole = f.Whole()
		}
	}
	return p
}

// Block adds the lines of a block.
func (r *reader) Block(worker int, b *source.Block) {
	p := r.parser(r.parsers[worker], b.Input)
	p.Directive(b.Directive)
	b.Again = b.Again && !r.planned // what a task reads, the merging cannot
	w := r.workers[worker]
	before := w.Unauthorized(b.Input)
	lines, requests := w.Counted(b.Input)
	w.Block(b, p)
	if err := w.Err(); err != nil {
		r.fail(err)
	}
	if r.spool != nil {
		linesNow, requestsNow := w.Counted(b.Input)
		if err := r.spool.add(worker, b, linesNow-lines, requestsNow-requests); err != nil {
			r.fail(err)
		}
	}
	if r.options.Progress != nil {
		r.options.Progress.refused.Add(w.Unauthorized(b.Input) - before)
	}
}

// parser returns the parser for the lines of an input: one of those made before, or
// a new one.
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

// cutLine returns the first line of data without its end, and the rest.
func cutLine(data []byte) (line, rest []byte) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return data[:i], data[i+1:]
	}
	return data, nil
}
