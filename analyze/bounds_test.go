package analyze

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

// accessLine is a line of a day in March 2026.
func accessLine(at time.Duration, status int) string {
	return fmt.Sprintf("192.0.2.1 - - [%s] \"GET /a HTTP/1.1\" %d 5 \"-\" \"curl/8\"\n", day.Add(at).Format("02/Jan/2006:15:04:05 -0700"), status)
}

func options(t *testing.T, paths ...string) Options {
	t.Helper()
	inputs, _, err := source.Expand(paths, nil)
	if err != nil {
		t.Fatal(err)
	}
	return Options{Inputs: inputs, Workers: 2}
}

// A bound that lies back from the newest line is found in whichever input has
// it, and lines that come out of order do not matter.
func TestBound(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.log"), filepath.Join(dir, "b.log")
	writeLog(t, a, accessLine(20*time.Hour, 200)+accessLine(19*time.Hour, 200), time.Time{})
	writeLog(t, b, accessLine(10*time.Hour, 200)+"junk\n"+accessLine(22*time.Hour, 401)+accessLine(21*time.Hour, 401), time.Time{})
	o := options(t, a, b)
	o.Since.Back, o.Until.Back = 2*time.Hour, time.Hour
	if err := o.Bound(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !o.Parse.Since.Equal(day.Add(20*time.Hour)) || !o.Parse.Until.Equal(day.Add(21*time.Hour)) {
		t.Errorf("from %v to %v", o.Parse.Since, o.Parse.Until)
	}
	res, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if res.Totals.Parsed != 1 || res.Totals.Skipped != 4 || res.Skips["out_of_range"] != res.Totals.Skipped {
		t.Errorf("%+v, %v", res.Totals, res.Skips)
	}
	if res.Since != day.Add(20*time.Hour).UnixMicro() || res.Until != day.Add(21*time.Hour).UnixMicro() {
		t.Errorf("the result tells %d to %d", res.Since, res.Until)
	}
}

func TestBoundErrors(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.log")
	writeLog(t, name, "junk\n", time.Time{})
	o := options(t, name)
	o.Since.Back = time.Hour
	var newest *NewestError
	if err := o.Bound(t.Context()); !errors.As(err, &newest) || newest.Path != "" {
		t.Errorf("no time: %v", err)
	}
	inputs, _, err := source.Expand([]string{"-"}, strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	o.Inputs = inputs
	if err := o.Bound(t.Context()); !errors.As(err, &newest) || !errors.Is(err, source.ErrOnce) {
		t.Errorf("standard input: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	o = options(t, name)
	o.Since.At = day
	if err := o.Bound(ctx); err != nil || !o.Parse.Since.Equal(day) {
		t.Errorf("a time needs no look: %v", err)
	}
}

// A line that says that its token had expired is the end of a session, though
// nothing else shows it; one that does not say so is not.
func TestExpiredIsSessionEnd(t *testing.T) {
	f, err := parse.Compile(`$remote_addr [$time_local] "$request" $status "$sent_http_www_authenticate"`)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "a.log")
	line := func(n int, challenge string) string {
		return fmt.Sprintf("192.0.2.%d [%s] \"GET /api HTTP/1.1\" 401 \"%s\"\n", n, day.Add(time.Duration(n)*time.Hour).Format("02/Jan/2006:15:04:05 -0700"), challenge)
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
	for row, err := range res.Unauthorized {
		if err != nil {
			t.Fatal(err)
		}
		reasons = append(reasons, row.Cause+" "+row.Reason)
	}
	if got, want := strings.Join(reasons, "; "), `session_end token_expired; anonymous Bearer realm="x"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
