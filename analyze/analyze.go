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
	"math/rand/v2"
	"runtime"
	"time"

	"logscan/analyze/fold"
	"logscan/parse"
	"logscan/parse/source"
)

// Options are what a run is asked to do.
type Options struct {
	Inputs []source.Input
	// Format reads all inputs; nil finds out the format of each.
	Format *parse.Format
	// Fields name the log variables or JSON keys that carry a field, as
	// parse.Format.WithFields takes them.
	Fields map[string]string
	// Parse is what the parsers are told. Its Reference is for inputs of which
	// it is not known when they were last changed; its bounds are set by Run.
	Parse parse.Options
	// Since and Until are the range of time that counts.
	Since, Until Moment
	// Workers is how many goroutines read, parse and fold; 0 is one for each
	// CPU that the process may use.
	Workers int
}

// Run reads all inputs and says why they hold 401s. It fails when ctx ends or
// on a bug; an input that cannot be read is told in the Result.
func Run(ctx context.Context, o Options) (*Result, error) {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	inputs, left, err := o.Bound(ctx)
	if err != nil {
		return nil, err
	}
	o.Inputs = inputs
	r, err := newReader(o)
	if err != nil {
		return nil, err
	}
	read, err := source.Read(ctx, o.Inputs, o.Workers, r)
	if err != nil {
		return nil, err
	}
	state := fold.Merge(r.workers)
	c, err := correlate(ctx, state, o.Workers)
	if err != nil {
		return nil, err
	}
	if err := c.follow(ctx); err != nil {
		return nil, err
	}
	state.DropTimelines()
	findings, err := c.detect()
	if err != nil {
		return nil, err
	}
	res, err := c.result(r, read, findings)
	if err != nil {
		return nil, err
	}
	res.leave(left)
	return res, nil
}

// reader is the source.Handler that folds blocks. What belongs to a worker is
// touched by that worker alone.
type reader struct {
	options Options
	inputs  []source.Input
	formats []*parse.Format // candidates; one when the user named it
	chosen  []detected      // by input, set by Open
	workers []*fold.Worker
	parsers []map[*parse.Format]*parse.Parser // by worker
}

// detected is the format an input is read with.
type detected struct {
	parse.Detection
	format    *parse.Format
	name      string
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
	for range o.Workers {
		r.workers = append(r.workers, fold.NewWorker(seed, len(o.Inputs)))
		r.parsers = append(r.parsers, map[*parse.Format]*parse.Parser{})
	}
	return r, nil
}

// UnknownFormat is the name of the format of an input that no format explains.
const UnknownFormat = "unknown"

// Open finds out the format of an input.
func (r *reader) Open(input int, sample []byte) source.Plan {
	d := &r.chosen[input]
	d.reference = r.options.reference(r.inputs[input])
	if len(r.formats) == 1 {
		d.format, d.name = r.formats[0], r.formats[0].Name
		d.survey(sample)
		return source.Plan{}
	}
	d.Detection = parse.Detect(sample, r.formats)
	if d.format = d.Detection.Format; d.format == nil {
		// Nothing explains it. Its lines are counted and rejected one by one;
		// those that the commonest format explains after all are not lost.
		d.format, d.name = r.formats[len(r.formats)-1], UnknownFormat
		return source.Plan{}
	}
	d.name = d.format.Name
	d.survey(sample)
	return source.Plan{}
}

// Block folds the lines of a block.
func (r *reader) Block(worker int, b *source.Block) {
	r.workers[worker].Block(b, r.parser(r.parsers[worker], b.Input))
}

// parser gives the parser for the lines of an input, of those made before or a
// new one.
func (r *reader) parser(made map[*parse.Format]*parse.Parser, input int) *parse.Parser {
	d := &r.chosen[input]
	p := made[d.format]
	if p == nil {
		p = d.format.NewParser()
		p.Configure(r.options.Parse)
		made[d.format] = p
	}
	p.SetReference(d.reference)
	return p
}

// cutLine takes the first line off data.
func cutLine(data []byte) (line, rest []byte) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return data[:i], data[i+1:]
	}
	return data, nil
}
