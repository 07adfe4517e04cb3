package main

import (
	"bytes"
	"context"
	"io"
	"time"

	"logscan/analyze"
	"logscan/parse"
	"logscan/parse/propose"
	"logscan/parse/source"
	"logscan/report/wording"
)

type parseCmd struct {
	Inputs []string `arg:"" predictor:"file" name:"input" help:"File, directory, glob, URL (s3://BUCKET/KEY, https://), or - for standard input."`

	formatFlags
	lineFlags
	privacyFlags
}

// Help returns the text that kong prints before the flags.
func (parseCmd) Help() string {
	return `Prints one JSON object per line, in input order, with the column names of the tables and secrets redacted. Use it to try a format, or in pipes. A rejected line yields log_line, error and raw; a server's own notice yields log_line and skipped; blank lines, comments and lines of error logs yield nothing. Of several JSON objects in a line each counts as a line.`
}

// maxParseRejects is the share of rejected lines above which parse exits with
// exitIncomplete: the default of scan.
const maxParseRejects percent = 5

// Run prints the fields of every line.
func (c *parseCmd) Run(ctx context.Context, std *streams) error {
	options, err := c.formatFlags.options(std, false)
	if err != nil {
		return err
	}
	if options.Parse, options.Since, options.Until, err = c.lineFlags.options(time.Now()); err != nil {
		return err
	}
	if options.Parse.Privacy, err = c.privacyFlags.options(); err != nil {
		return err
	}
	inputs, err := c.expand(ctx, c.Inputs, std, false, &options)
	if err != nil {
		return err
	}
	if options.Inputs, _, err = expandArchives(ctx, inputs, 0, std, false); err != nil {
		return err
	}
	if inputs, _, err = options.Bound(ctx); err != nil {
		return rangeError(err)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	privacy := options.Parse.Privacy
	p := printer{out: std.stdout, options: options, stop: stop, rows: rows{omitRaw: privacy.Key != nil, mask: privacy.NewMask()}}
	// Group by group: rows are printed in the order of the inputs, and those of
	// a compressed tar in the order of the archive.
	for _, group := range source.Together(inputs) {
		p.inputs = group
		read, err := source.Read(ctx, group, 1, &p)
		if p.err != nil {
			return p.err
		}
		if err != nil {
			return err
		}
		for i := range read {
			if read[i].Err != nil {
				p.problems = append(p.problems, problem{text: group[i].Path + ": " + read[i].Err.Error()})
			}
		}
		p.finishInput()
	}
	if tooMany, ok := tooManyRejects(p.rejected, p.lines, maxParseRejects); ok {
		p.problems = append(p.problems, tooMany)
	}
	return incomplete(p.problems)
}

// ledger counts lines: lines = parsed + rejected + skipped.
type ledger struct{ lines, parsed, rejected, skipped int64 }

// printer prints the rows of one input at a time. It is used with one worker, so
// its methods are never called concurrently.
type printer struct {
	out     io.Writer
	options analyze.Options
	stop    context.CancelCauseFunc
	inputs  []source.Input // that are being read

	// The current input.
	input      source.Input
	parser     *parse.Parser
	recognised bool   // a format was detected or named
	closest    string // if not: the closest format
	utf16      bool   // the text is UTF-16
	proposed   bool   // if not: the shape of the columns suggests a format
	line       int64  // 1-based number of the last line
	before     ledger // of earlier inputs

	entry parse.Entry
	rows  rows
	ledger
	problems []problem // of the inputs so far
	err      error     // why printing has stopped
}

var _ source.Handler = (*printer)(nil)

// flushAt is the number of buffered bytes at which rows are written.
const flushAt = 256 << 10

// finishInput records the problem of an input with an unknown format.
func (p *printer) finishInput() {
	if lines := p.lines - p.skipped - (p.before.lines - p.before.skipped); !p.recognised && lines > 0 {
		p.problems = append(p.problems, unrecognised(p.input.Path, p.closest, p.utf16, p.proposed, p.parsed-p.before.parsed, lines))
	}
	p.before = p.ledger
}

// Open detects the format of the input.
func (p *printer) Open(input int, sample []byte) source.Plan {
	p.finishInput()
	p.input, p.line = p.inputs[input], 0
	p.rows.open(p.input.Path)
	formats, err := p.options.Candidates(p.input)
	if err != nil { // unexpected: formatFlags.options has checked the same
		p.err = err
		p.stop(err)
		return source.Plan{}
	}
	d := parse.Detect(sample, formats)
	formats, p.recognised = p.options.Chosen(&d, formats)
	p.proposed = !p.recognised && propose.Format(sample).Spec != ""
	p.closest, p.utf16 = wording.Match(analyze.Closest(&d)), d.UTF16
	p.parser = parse.NewParser(formats...)
	p.parser.Configure(p.options.ParseOptions(p.input))
	return analyze.PlanOf(formats)
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
		p.entry.Reset()
		p.reject(parse.RejectTooLong, b.Data)
	} else {
		p.parser.Directive(b.Directive)
		p.block(b.Data)
	}
	p.flush()
}

func (p *printer) block(data []byte) {
	p.parser.Lines(data)
	for p.err == nil {
		line, v, more := p.parser.Next(&p.entry)
		if !more {
			break
		}
		p.line++
		p.lines++
		switch {
		case v.Skipped():
			p.skipped++
			if v == parse.SkipNotice {
				p.rows.skipped(p.line, v)
			}
		case v.Rejected():
			p.ledger.rejected++
			p.reject(v, line)
		default:
			p.parsed++
			p.rows.parsed(p.line, &p.entry)
		}
		if len(p.rows.buf) >= flushAt {
			p.flush()
		}
	}
}

// reject prints the row of a rejected line, or of the beginning of one.
func (p *printer) reject(v parse.Verdict, line []byte) {
	session := bytes.Clone(p.entry.Session)
	known := p.parser.Locate(line, v)
	known.Session = session
	p.rows.rejected(p.line, v, line, known)
}

// flush writes the buffered rows. If that fails, it stops the reading.
func (p *printer) flush() {
	if p.err != nil {
		return
	}
	if _, p.err = p.out.Write(p.rows.buf); p.err != nil {
		p.stop(p.err)
	}
	p.rows.buf = p.rows.buf[:0]
}
