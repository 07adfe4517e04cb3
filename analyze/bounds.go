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

// Moment is a bound of the time range. The zero value is no bound.
type Moment struct {
	At   time.Time
	Back time.Duration // before the newest line of the run; 0 if At is the bound
}

// Dates returns what is known of the time range before a line is read.
func (o *Options) Dates() source.Dates {
	return source.Dates{Since: o.Since.At, Until: o.Until.At, Back: o.Since.Back}
}

// DatesError is returned if a bound is relative to the newest line, and directories were left
// out because others have later dates, but there is no line of those dates.
type DatesError struct{ Newest, Least time.Time }

func (e *DatesError) Error() string {
	return fmt.Sprintf("the newest line is of %s, but directories have later dates, from %s on", e.Newest.Format(time.RFC3339), e.Least.Format(time.DateOnly))
}

// NewestError is returned if a bound is relative to the newest line and that line
// cannot be found.
type NewestError struct {
	Path string // of the input that cannot be read; empty if no line has a time
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

// Unwrap returns the reason.
func (e *NewestError) Unwrap() error { return e.Err }

var errNoTime = errors.New("no line has a time")

// late is the maximum time by which a line may be later than the modification of its
// file: clocks differ, and time zones may be wrong.
const late = 24 * time.Hour

// Bound sets the bounds of the parsers and returns the inputs that can have lines
// between them. The skipped inputs are files that were modified more than a day
// before Since and whose first lines, and last lines where they can be sought, are
// from before it too.
//
// The newest line, if a bound is relative to it, is the latest time in the first and
// last lines of all inputs: logs are written in order, or nearly so. A compressed
// input is decompressed for that, unless it was modified more than a day before the
// newest line of the others. If nothing can be read of any input, there are no such
// bounds: the night was quiet, or reading them says why.
func (o *Options) Bound(ctx context.Context) (inputs, skipped []source.Input, err error) {
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
		if newest.Before(o.Newest) {
			return nil, nil, &DatesError{newest, o.Newest}
		}
	}
	o.Parse.Since, o.Parse.Until = o.Since.from(newest), o.Until.from(newest)
	for i, in := range o.Inputs {
		if looks[i].before(o.Parse.Since) {
			skipped = append(skipped, in)
		} else {
			inputs = append(inputs, in)
		}
	}
	return inputs, skipped, nil
}

// glance is the result of a first look at an input.
type glance struct {
	latest   int64     // of the lines seen, Unix microseconds; NoTime if none has a time
	undated  bool      // lines seen are requests, and none has a time
	modified time.Time // zero if unknown
	whole    bool      // the last lines were seen
	err      error     // why it cannot be read
}

// before reports whether all lines of an input are from before a time.
func (g *glance) before(t time.Time) bool {
	return g.latest != parse.NoTime && !g.modified.IsZero() && !t.IsZero() &&
		g.modified.Add(late).Before(t) && time.UnixMicro(g.latest).Before(t)
}

// look takes a first look at all inputs.
func (o *Options) look(ctx context.Context) ([]glance, error) {
	formats, err := o.formats()
	if err != nil {
		return nil, err
	}
	looks := make([]glance, len(o.Inputs))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(source.AtOnce(o.Inputs, o.Workers))
	for i, in := range o.Inputs {
		g.Go(func() error {
			lines, whole, err := source.Glance(ctx, in)
			if stopped := ctx.Err(); stopped != nil {
				return stopped
			}
			looks[i] = glance{modified: in.Modified(), whole: whole, err: err}
			looks[i].latest, looks[i].undated = o.latest(in, formats, lines)
			return nil
		})
	}
	return looks, g.Wait()
}

// from returns the bound. newest is the zero time if there are no lines.
func (m Moment) from(newest time.Time) time.Time {
	switch {
	case m.Back == 0:
		return m.At
	case newest.IsZero():
		return newest
	}
	return newest.Add(-m.Back)
}

// newest returns the time of the newest line, the zero time if there are no requests. It
// reads the last lines of the inputs
// whose end the first look did not show.
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
		latest, undated := o.latest(inputs[i], formats, lines)
		l.latest, l.undated = max(l.latest, latest), l.undated || undated
		return nil
	})
	if err != nil {
		return time.Time{}, err
	}
	undated := false
	for i := range looks {
		newest, undated = max(newest, looks[i].latest), undated || looks[i].undated
	}
	switch {
	case newest != parse.NoTime:
		return time.UnixMicro(newest).UTC(), nil
	case undated:
		return time.Time{}, &NewestError{"", errNoTime}
	}
	return time.Time{}, nil
}

// Latest returns the latest time in lines of an input, parse.NoTime for none.
func (o *Options) Latest(in source.Input, lines []byte) (int64, error) {
	formats, err := o.Candidates(in)
	if err != nil {
		return parse.NoTime, err
	}
	latest, _ := o.latest(in, formats, lines)
	return latest, nil
}

// latest returns the latest time in lines of an input, parse.NoTime for none, and reports
// whether there are requests and none of them has a time.
func (o *Options) latest(in source.Input, formats []*parse.Format, lines []byte) (latest int64, undated bool) {
	d := parse.Detect(lines, formats)
	formats, _ = o.Chosen(&d, formats)
	p := parse.NewParser(formats...)
	options := o.ParseOptions(in)
	options.Since, options.Until = time.Time{}, time.Time{}
	p.Configure(options)
	latest = parse.NoTime
	var e parse.Entry
	for len(lines) > 0 {
		var line []byte
		if line, lines = cutLine(lines); p.Parse(line, &e) == parse.Parsed {
			latest, undated = max(latest, e.Time), true
		}
	}
	return latest, undated && latest == parse.NoTime
}

// ParseOptions returns the options of the parser of an input.
func (o *Options) ParseOptions(in source.Input) parse.Options {
	options := o.Parse
	options.Reference = o.reference(in)
	return options
}

// reference returns the latest time that a line of an input can have: a file is
// modified when its last line is written.
func (o *Options) reference(in source.Input) time.Time {
	if t := in.Modified(); !t.IsZero() {
		return t
	}
	return o.Parse.Reference
}

// Candidates returns the formats that an input can have: the one that the user named, after
// the logs without requests that may lie beside it, or else those of a server's
// configuration and then all known ones.
func (o *Options) Candidates(in source.Input) ([]*parse.Format, error) {
	formats, err := o.formats()
	if err != nil {
		return nil, err
	}
	return o.candidates(formats, in), nil
}

// candidates is Candidates for the formats that o.formats returned.
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

// Chosen returns the formats to try with the lines of an input: those that were detected
// among its candidates, with the one that the user named. If there is none, it is the last
// candidate, and known is false unless the user named it.
func (o *Options) Chosen(d *parse.Detection, candidates []*parse.Format) (formats []*parse.Format, known bool) {
	last := candidates[len(candidates)-1]
	switch {
	case d.Format == nil:
		return []*parse.Format{last}, o.Format != nil
	case o.Format != nil && !slices.ContainsFunc(d.Formats, func(f *parse.Format) bool { return f.HasRequests() }):
		return append(slices.Clone(d.Formats), last), true
	}
	return d.Formats, true
}

// formats returns the candidates for every input. The last one is tried with lines that
// none explains: the one that the user named, or the most common one.
func (o *Options) formats() ([]*parse.Format, error) {
	if o.Format == nil && len(o.Fields) == 0 {
		return parse.Formats(), nil
	}
	formats := slices.Clone(parse.Formats())
	if o.Format != nil {
		formats = slices.DeleteFunc(formats, func(f *parse.Format) bool { return f.HasRequests() || !o.Format.HasRequests() })
		formats = append(formats, o.Format)
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
