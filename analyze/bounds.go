package analyze

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"logscan/parse"
	"logscan/parse/source"
)

// Moment is a bound of the range of time that counts. The zero value is none.
type Moment struct {
	At   time.Time
	Back time.Duration // so long before the newest line of the run; 0 where At says it
}

// NewestError is returned where a bound lies back from the newest line and that
// line cannot be found.
type NewestError struct {
	Path string // of the input that is to blame; empty where no line has a time
	Err  error
}

func (e *NewestError) Error() string {
	if e.Path == "" {
		return "find the newest line: " + e.Err.Error()
	}
	name := e.Path
	if name == source.Stdin {
		name = "standard input"
	}
	return fmt.Sprintf("find the newest line: %s %v", name, e.Err)
}

// Unwrap gives the reason.
func (e *NewestError) Unwrap() error { return e.Err }

var errNoTime = errors.New("no line has a time")

// Bound sets the bounds of what the parsers are told, after a first look at the
// inputs where a bound lies back from the newest line. It is the latest time in
// the first and last lines of all inputs: logs are written in order, or nearly
// so. Compressed inputs are decoded once more for that.
func (o *Options) Bound(ctx context.Context) error {
	newest := time.Time{}
	if o.Since.Back != 0 || o.Until.Back != 0 {
		var err error
		if newest, err = o.newest(ctx); err != nil {
			return err
		}
	}
	o.Parse.Since, o.Parse.Until = o.Since.from(newest), o.Until.from(newest)
	return nil
}

func (m Moment) from(newest time.Time) time.Time {
	if m.Back != 0 {
		return newest.Add(-m.Back)
	}
	return m.At
}

// micros gives a bound in Unix microseconds, NoTime where there is none.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return parse.NoTime
	}
	return t.UnixMicro()
}

// newest finds the latest time in the first and last lines of all inputs.
func (o *Options) newest(ctx context.Context) (time.Time, error) {
	formats, err := o.formats()
	if err != nil {
		return time.Time{}, err
	}
	latest := make([]int64, len(o.Inputs))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(o.Workers, 1))
	for i, in := range o.Inputs {
		g.Go(func() error {
			lines, err := source.Ends(ctx, in)
			if err != nil {
				return &NewestError{in.Path, err}
			}
			latest[i] = o.latest(in, formats, lines)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return time.Time{}, err
	}
	newest := int64(parse.NoTime)
	for _, t := range latest {
		newest = max(newest, t)
	}
	if newest == parse.NoTime {
		return time.Time{}, &NewestError{"", errNoTime}
	}
	return time.UnixMicro(newest).UTC(), nil
}

// latest gives the latest time in lines of an input.
func (o *Options) latest(in source.Input, formats []*parse.Format, lines []byte) int64 {
	f := formats[len(formats)-1]
	if d := parse.Detect(lines, formats); d.Format != nil {
		f = d.Format
	}
	p := f.NewParser()
	told := o.Told(in)
	told.Since, told.Until = time.Time{}, time.Time{}
	p.Configure(told)
	latest := int64(parse.NoTime)
	var e parse.Entry
	for len(lines) > 0 {
		var line []byte
		if line, lines = cutLine(lines); p.Parse(line, &e) == parse.Parsed {
			latest = max(latest, e.Time)
		}
	}
	return latest
}

// Told gives what the parser of an input is told.
func (o *Options) Told(in source.Input) parse.Options {
	told := o.Parse
	told.Reference = o.reference(in)
	return told
}

// reference is the newest time that a line of an input can have: a file is
// changed when its last line is written.
func (o *Options) reference(in source.Input) time.Time {
	if t := in.Modified(); !t.IsZero() {
		return t
	}
	return o.Parse.Reference
}

// formats are the candidates for every input: one when the user named it.
func (o *Options) formats() ([]*parse.Format, error) {
	if o.Format == nil && len(o.Fields) == 0 {
		return parse.Formats(), nil
	}
	formats := []*parse.Format{o.Format}
	if o.Format == nil {
		formats = append(formats[:0], parse.Formats()...)
	}
	for i, f := range formats {
		if len(o.Fields) == 0 {
			break
		}
		var err error
		if formats[i], err = f.WithFields(o.Fields); err != nil {
			return nil, err
		}
	}
	return formats, nil
}
