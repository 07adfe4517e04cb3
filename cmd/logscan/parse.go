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
	Inputs []string `arg:"" name:"input" help:"File, directory, glob, or - for standard input."`

	formatFlags
	lineFlags
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
	if options.Parse, options.Since, options.Until, err = c.options(time.Now()); err != nil {
		return err
	}
	inputs, err := expand(c.Inputs, std, false)
	if err != nil {
		return err
	}
	options.Inputs = inputs
	if inputs, _, err = options.Bound(ctx); err != nil {
		return boundError(err)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	p := printer{out: std.stdout, options: options, stop: stop}
	var problems []problem
	for i := range inputs { // one by one: rows come in the order of the inputs
		p.rows.open(inputs[i].Path)
		p.input = inputs[i]
		if p.formats, err = options.Candidates(inputs[i]); err != nil {
			return err
		}
		before := p.ledger
		p.line = 0
		read, err := source.Read(ctx, inputs[i:i+1], 1, &p)
		if p.err != nil {
			return p.err
		}
		if err != nil {
			return err
		}
		if read[0].Err != nil {
			problems = append(problems, unread(inputs[i].Path, read[0].Err.Error()))
		}
		if lines := p.lines - p.skipped - (before.lines - before.skipped); !p.explained && lines > 0 {
			problems = append(problems, unexplained(inputs[i].Path, p.closest, p.parsed-before.parsed, lines))
		}
	}
	if tooMany, ok := tooManyRejects(p.rejected, p.lines, maxParseRejects); ok {
		problems = append(problems, tooMany)
	}
	return incomplete(problems)
}

// ledger counts lines: lines = parsed + rejected + skipped.
type ledger struct{ lines, parsed, rejected, skipped int64 }

// printer prints the rows of one input at a time. It is used with one worker,
// so that one goroutine at a time calls it.
type printer struct {
	out     io.Writer
	formats []*parse.Format // candidates for the input; one when the user named it
	options analyze.Options
	stop    context.CancelCauseFunc
	input   source.Input // the one that is read

	parser    *parse.Parser
	explained bool   // a format was found or named
	closest   string // where none was found: which came closest
	entry     parse.Entry
	rows      rows
	line      int64 // lines of this input so far
	ledger
	err error // why nothing can be printed any more
}

var _ source.Handler = (*printer)(nil)

// flushAt is how many bytes of rows are collected before they are written.
const flushAt = 256 << 10

// Open finds out the format of the input.
func (p *printer) Open(_ int, sample []byte) source.Plan {
	d := parse.Detect(sample, p.formats)
	if p.explained = d.Format != nil || len(p.formats) == 1; d.Format == nil {
		d.Formats = p.formats[len(p.formats)-1:] // the commonest, where nothing explains the sample
	}
	p.closest = analyze.Closest(&d)
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
