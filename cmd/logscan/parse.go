package main

import (
	"bytes"
	"context"
	"io"
	"time"

	"logscan/analyze"
	"logscan/parse"
	"logscan/parse/source"
)

type parseCmd struct {
	Inputs []string `arg:"" predictor:"file" name:"input" help:"File, directory, glob, or - for standard input."`

	formatFlags
	lineFlags
	privacyFlags
}

// Help is shown below the command's flags.
func (parseCmd) Help() string {
	return `For trying a format, and for pipes. One JSON object a line, in the order of the input, under the column names of the tables; secrets are redacted. A line that no format explains gives log_line, error and raw; a notice of the server of itself gives log_line and skipped; blank lines and comments give nothing.`
}

// maxParseRejects is the share of rejected lines from which parse says that
// the work is not complete: the default of scan.
const maxParseRejects percent = 5

// Run prints the fields of every line.
func (c *parseCmd) Run(ctx context.Context, std *streams) error {
	options, err := c.resolve(std, false)
	if err != nil {
		return err
	}
	if options.Parse, options.Since, options.Until, err = c.lineFlags.options(time.Now()); err != nil {
		return err
	}
	if options.Parse.Privacy, err = c.privacyFlags.options(); err != nil {
		return err
	}
	inputs, err := c.expand(c.Inputs, std, false)
	if err != nil {
		return err
	}
	if options.Inputs, _, err = unfold(ctx, inputs, 0, std, false); err != nil {
		return err
	}
	if inputs, _, err = options.Bound(ctx); err != nil {
		return boundError(err)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	p := printer{out: std.stdout, options: options, stop: stop, rows: rows{untold: options.Parse.Privacy.Key != nil, mask: options.Parse.Privacy.NewMask()}}
	// One by one: rows come in the order of the inputs, and those of a compressed
	// tar in the order of the tar.
	for _, together := range source.Together(inputs) {
		p.inputs = together
		read, err := source.Read(ctx, together, 1, &p)
		if p.err != nil {
			return p.err
		}
		if err != nil {
			return err
		}
		for i := range read {
			if read[i].Err != nil {
				p.problems = append(p.problems, unread(together[i].Path, read[i].Err.Error()))
			}
		}
		p.ended()
	}
	if tooMany, ok := tooManyRejects(p.rejected, p.lines, maxParseRejects); ok {
		p.problems = append(p.problems, tooMany)
	}
	return incomplete(p.problems)
}

// ledger counts lines: lines = parsed + rejected + skipped.
type ledger struct{ lines, parsed, rejected, skipped int64 }

// printer prints the rows of one input at a time. It is used with one worker,
// so that one goroutine at a time calls it.
type printer struct {
	out     io.Writer
	options analyze.Options
	stop    context.CancelCauseFunc
	inputs  []source.Input // that are read

	// Of the input at hand.
	input     source.Input
	parser    *parse.Parser
	explained bool   // a format was found or named
	closest   string // where none was found: which came closest
	utf16     bool   // it is text in UTF-16
	line      int64  // lines so far
	before    ledger // of the inputs before it

	entry parse.Entry
	rows  rows
	ledger
	problems []problem // of the inputs so far
	err      error     // why nothing can be printed any more
}

var _ source.Handler = (*printer)(nil)

// flushAt is how many bytes of rows are collected before they are written.
const flushAt = 256 << 10

// ended looks back on the input at hand.
func (p *printer) ended() {
	if lines := p.lines - p.skipped - (p.before.lines - p.before.skipped); !p.explained && lines > 0 {
		p.problems = append(p.problems, unexplained(p.input.Path, p.closest, p.utf16, p.parsed-p.before.parsed, lines))
	}
	p.before = p.ledger
}

// Open finds out the format of the input.
func (p *printer) Open(input int, sample []byte) source.Plan {
	p.ended()
	p.input, p.line = p.inputs[input], 0
	p.rows.open(p.input.Path)
	formats, err := p.options.Candidates(p.input)
	if err != nil { // resolve has tried the same
		p.err = err
		p.stop(err)
		return source.Plan{}
	}
	d := parse.Detect(sample, formats)
	if p.explained = d.Format != nil || len(formats) == 1; d.Format == nil {
		d.Formats = formats[len(formats)-1:] // the commonest, where nothing explains the sample
	}
	p.closest, p.utf16 = analyze.Closest(&d), d.UTF16
	p.parser = parse.NewParser(d.Formats...)
	p.parser.Configure(p.options.Told(p.input))
	return analyze.Plan(d.Formats)
}

// Block prints the rows of a block.
func (p *printer) Block(_ int, b *source.Block) {
	if p.err != nil {
		return
	}
	if b.TooLong {
		p.line++
		p.lines++
		p.ledger.rejected++
		p.rows.rejected(p.line, parse.RejectTooLong, b.Data, nil)
	} else {
		p.parser.Directive(b.Directive)
		p.block(b.Data)
	}
	p.flush()
}

func (p *printer) block(data []byte) {
	for len(data) > 0 && p.err == nil {
		line := data
		if end := bytes.IndexByte(data, '\n'); end >= 0 {
			line, data = data[:end], data[end+1:]
		} else {
			data = nil
		}
		p.line++
		p.lines++
		switch v := p.parser.Parse(line, &p.entry); {
		case v.Skipped():
			p.skipped++
			if v == parse.SkipNotice {
				p.rows.skipped(p.line, v)
			}
		case v.Rejected():
			p.ledger.rejected++
			p.rows.rejected(p.line, v, line, p.entry.Session)
		default:
			p.parsed++
			p.rows.parsed(p.line, &p.entry)
		}
		if len(p.rows.buf) >= flushAt {
			p.flush()
		}
	}
}

// flush writes the collected rows. When that fails the reading is called off.
func (p *printer) flush() {
	if p.err != nil {
		return
	}
	if p.err = write(p.out, p.rows.buf); p.err != nil {
		p.stop(p.err)
	}
	p.rows.buf = p.rows.buf[:0]
}
