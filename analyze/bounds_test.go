package analyze

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"logscan/analyze/result"
	"logscan/parse"
	"logscan/parse/source"
)

func writeLog(t *testing.T, name, text string, modified time.Time) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if !modified.IsZero() {
		if err := os.Chtimes(name, modified, modified); err != nil {
			t.Fatal(err)
		}
	}
}

// accessLine returns a line in format combined, at a time after the beginning of today.
func accessLine(at time.Duration, status int) string {
	return fmt.Sprintf("192.0.2.1 - - [%s] \"GET /a HTTP/1.1\" %d 5 \"-\" \"curl/8\"\n", today.Add(at).Format("02/Jan/2006:15:04:05 -0700"), status)
}

func options(t *testing.T, paths ...string) Options {
	t.Helper()
	inputs, _, err := source.Expand(paths, nil)
	if err != nil {
		t.Fatal(err)
	}
	return Options{Inputs: inputs, Workers: 2}
}

// TestBound checks bounds relative to the newest line, which may be in any input and
// out of order.
func TestBound(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.log"), filepath.Join(dir, "b.log")
	writeLog(t, a, accessLine(20*time.Hour, 200)+accessLine(19*time.Hour, 200), time.Time{})
	writeLog(t, b, accessLine(10*time.Hour, 200)+"junk\n"+accessLine(22*time.Hour, 401)+accessLine(21*time.Hour, 401), time.Time{})
	o := options(t, a, b)
	o.Since.Back, o.Until.Back = 2*time.Hour, time.Hour
	if _, _, err := o.Bound(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !o.Parse.Since.Equal(today.Add(20*time.Hour)) || !o.Parse.Until.Equal(today.Add(21*time.Hour)) {
		t.Errorf("bounds are %v to %v", o.Parse.Since, o.Parse.Until)
	}
	res, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if res.Totals.Parsed != 1 || res.Totals.Skipped != 4 || res.Skips["out_of_range"] != res.Totals.Skipped {
		t.Errorf("%+v, %v", res.Totals, res.Skips)
	}
	if res.Since != today.Add(20*time.Hour).UnixMicro() || res.Until != today.Add(21*time.Hour).UnixMicro() {
		t.Errorf("bounds of the result are %d to %d", res.Since, res.Until)
	}
}

func TestBoundErrors(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.log")
	writeLog(t, name, "junk\n", time.Time{})
	o := options(t, name)
	o.Since.Back = time.Hour
	if read, _, err := o.Bound(t.Context()); err != nil || !o.Parse.Since.IsZero() || len(read) != 1 {
		t.Errorf("log without requests: error %v, since %v", err, o.Parse.Since)
	}
	var err error
	if o.Format, err = parse.Compile("$remote_addr $status"); err != nil {
		t.Fatal(err)
	}
	writeLog(t, name, "192.0.2.1 401\n", time.Time{})
	var newest *NewestError
	if _, _, err := o.Bound(t.Context()); !errors.As(err, &newest) || newest.Path != "" {
		t.Errorf("log without times: error %v", err)
	}
	inputs, _, err := source.Expand([]string{"-"}, strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	o.Inputs = inputs
	if _, _, err := o.Bound(t.Context()); !errors.As(err, &newest) || !errors.Is(err, source.ErrOnce) {
		t.Errorf("standard input: error %v", err)
	}
	o.Since = Moment{At: today}
	if read, _, err := o.Bound(t.Context()); err != nil || !o.Parse.Since.Equal(today) || len(read) != 1 {
		t.Errorf("a bound that is a time: error %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	o = options(t, name)
	o.Since.At = today
	if _, _, err := o.Bound(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled context: error %v", err)
	}
}

// TestSkipEarlyFiles checks that a file is skipped only if both its time of
// modification and its lines are from before the range.
func TestSkipEarlyFiles(t *testing.T) {
	dir := t.TempDir()
	old, now := today.Add(-7*24*time.Hour), today.Add(24*time.Hour)
	files := []struct {
		name, text string
		modified   time.Time
		read       bool
	}{
		{"copied.log", accessLine(-8*24*time.Hour, 401), now, true},
		{"current.log", accessLine(-8*24*time.Hour, 200) + accessLine(10*time.Hour, 401), now, true},
		{"junk.log", "junk\n", old, true},
		{"nearly.log", accessLine(-2*time.Hour, 401), today.Add(-time.Hour), true}, // clocks differ
		{"old.log", accessLine(-8*24*time.Hour, 401) + accessLine(-7*24*time.Hour, 401), old, false},
		{"wrong.log", accessLine(10*time.Hour, 401), old, true},
	}
	var paths []string
	for _, f := range files {
		paths = append(paths, filepath.Join(dir, f.name))
		writeLog(t, filepath.Join(dir, f.name), f.text, f.modified)
	}
	o := options(t, paths...)
	o.Since.At = today
	res, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Inputs) != len(files) {
		t.Fatalf("%d inputs, want %d", len(res.Inputs), len(files))
	}
	for i, f := range files {
		in := res.Inputs[i]
		if filepath.Base(in.Path) != f.name || in.OutOfRange == f.read || (in.Lines > 0) != f.read {
			t.Errorf("%s: %+v", f.name, in)
		}
	}
	if res.Totals.Unauthorized != 2 || !slices.Contains(res.Notes, result.Note{Kind: result.NoteEarly, N: 1}) {
		t.Errorf("%+v, %v", res.Totals, res.Notes)
	}
	// A run without any input left returns an empty result.
	o.Since.At, o.Inputs = today.Add(10*24*time.Hour), o.Inputs[4:5]
	if res, err = Run(t.Context(), o); err != nil || len(res.Inputs) != 1 || res.Totals.Lines != 0 {
		t.Errorf("%+v, %v", res, err)
	}
}

// TestExpiredIsSessionEnd checks that a 401 whose challenge says that the token has
// expired gets the cause session_end.
func TestExpiredIsSessionEnd(t *testing.T) {
	f, err := parse.Compile(`$remote_addr [$time_local] "$request" $status "$sent_http_www_authenticate"`)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "a.log")
	line := func(n int, challenge string) string {
		return fmt.Sprintf("192.0.2.%d [%s] \"GET /api HTTP/1.1\" 401 \"%s\"\n", n, today.Add(time.Duration(n)*time.Hour).Format("02/Jan/2006:15:04:05 -0700"), challenge)
	}
	writeLog(t, name, line(1, `Bearer error=\x22invalid_token\x22, error_description=\x22token expired\x22`)+line(2, `Bearer realm=\x22x\x22`), time.Time{})
	o := options(t, name)
	o.Format = f
	res, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if res.Causes["session_end"] != 1 || res.Causes["anonymous"] != 1 {
		t.Errorf("causes %v", res.Causes)
	}
	var reasons []string
	for row, err := range res.Unauthorized.Reader()(0, res.Unauthorized.Len) {
		if err != nil {
			t.Fatal(err)
		}
		reasons = append(reasons, row.Cause+" "+row.Reason)
	}
	if got, want := strings.Join(reasons, "; "), `session_end token_expired; anonymous Bearer realm="x"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
