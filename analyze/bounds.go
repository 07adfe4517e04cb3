package analyze

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

// late is how much later than the last change of a file a line of it may claim
// to be: clocks differ, and zones may be mistaken.
const late = 24 * time.Hour

// Bound sets the bounds of what the parsers are told, after a first look at the
// inputs where a bound lies back from the newest line, and gives the inputs that
// can hold lines between them. The others are left out: files that were last
// changed more than a day before Since, and whose first lines, and last ones
// where they can be sought, are from before it too.
//
// The newest line is the latest time in the first and last lines of all inputs:
// logs are written in order, or nearly so. A compressed input is decoded for
// that, unless it was last changed more than a day before the newest line of
// the others.
func (o *Options) Bound(ctx context.Context) (inputs, left []source.Input, err error) {
	if o.Since == (Moment{}) && o.Until.Back == 0 {
		o.Parse.Until = o.Until.At
		return o.Inputs, nil, nil
	}
	looks, err := o.look(ctx)
	if err != nil {
		return nil, nil, err
	}
	newest := time.Time{}
	if o.Since.Back != 0 || o.Until.Back != 0 {
		if newest, err = o.newest(ctx, looks); err != nil {
			return nil, nil, err
		}
	}
	o.Parse.Since, o.Parse.Until = o.Since.from(newest), o.Until.from(newest)
	for i, in := range o.Inputs {
		if looks[i].before(o.Parse.Since) {
			left = append(left, in)
		} else {
			inputs = append(inputs, in)
		}
	}
	return inputs, left, nil
}

// glance is what a first look at an input shows.
type glance struct {
	latest   int64     // time of its lines that were seen, Unix microseconds; NoTime where none has one
	modified time.Time // zero where it is not known
	whole    bool      // no other lines can be the last
	err      error     // why it cannot be looked at
}

// before tells whether the lines of an input are from before a time.
func (g *glance) before(t time.Time) bool {
	return g.latest != parse.NoTime && !g.modified.IsZero() && !t.IsZero() &&
		g.modified.Add(late).Before(t) && time.UnixMicro(g.latest).Before(t)
}

// look looks at all inputs.
func (o *Options) look(ctx context.Context) ([]glance, error) {
	formats, err := o.formats()
	if err != nil {
		return nil, err
	}
	looks := make([]glance, len(o.Inputs))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(o.Workers, 1))
	for i, in := range o.Inputs {
		g.Go(func() error {
			lines, whole, err := source.Glance(ctx, in)
			if stopped := ctx.Err(); stopped != nil {
				return stopped
			}
			looks[i] = glance{latest: o.latest(in, formats, lines), modified: in.Modified(), whole: whole, err: err}
			return nil
		})
	}
	return looks, g.Wait()
}

func (m Moment) from(newest time.Time) time.Time {
	if m.Back != 0 {
		return newest.Add(-m.Back)
	}
	return m.At
}

// newest finds the newest line, of what a first look showed and a second one at
// the inputs of which it did not show the end.
func (o *Options) newest(ctx context.Context, looks []glance) (time.Time, error) {
	formats, err := o.formats()
	if err != nil {
		return time.Time{}, err
	}
	newest := int64(parse.NoTime)
	for i := range looks {
		if looks[i].err != nil {
			return time.Time{}, &NewestError{o.Inputs[i].Path, looks[i].err}
		}
		newest = max(newest, looks[i].latest)
	}
	var inputs []source.Input
	var rank []int // in o.Inputs
	for i, in := range o.Inputs {
		if !looks[i].whole && !looks[i].before(time.UnixMicro(newest)) {
			inputs, rank = append(inputs, in), append(rank, i)
		}
	}
	err = source.Ends(ctx, inputs, o.Workers, func(i int, lines []byte, err error) error {
		if err != nil {
			return &NewestError{inputs[i].Path, err}
		}
		l := &looks[rank[i]]
		l.latest = max(l.latest, o.latest(inputs[i], formats, lines))
		return nil
	})
	if err != nil {
		return time.Time{}, err
	}
	for i := range looks {
		newest = max(newest, looks[i].latest)
	}
	if newest == parse.NoTime {
		return time.Time{}, &NewestError{"", errNoTime}
	}
	return time.UnixMicro(newest).UTC(), nil
}

// latest gives the latest time in lines of an input.
func (o *Options) latest(in source.Input, formats []*parse.Format, lines []byte) int64 {
	if d := parse.Detect(lines, formats); d.Format != nil {
		formats = d.Formats
	} else {
		formats = formats[len(formats)-1:]
	}
	p := parse.NewParser(formats...)
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

// Candidates are the formats that an input can have: the one that the user
// named, or else those that a server's configuration gives it and then all that
// are known.
func (o *Options) Candidates(in source.Input) ([]*parse.Format, error) {
	formats, err := o.formats()
	if err != nil {
		return nil, err
	}
	return o.candidates(formats, in), nil
}

// candidates are Candidates, with what formats gave.
func (o *Options) candidates(formats []*parse.Format, in source.Input) []*parse.Format {
	if o.Format != nil || o.Configured == nil {
		return formats
	}
	var list []*parse.Format
	for _, f := range o.Configured(in.Path) {
		if with, err := f.WithFields(o.Fields); err == nil {
			f = with
		}
		list = append(list, f)
	}
	own := len(list)
	for _, f := range formats {
		if f.Native == "" || !slices.ContainsFunc(list[:own], func(c *parse.Format) bool { return c.Native == f.Native }) {
			list = append(list, f)
		}
	}
	return list
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
