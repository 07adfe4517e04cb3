package follow

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"logscan/analyze/spill"
	"logscan/parse"
	"logscan/parse/source"
)

// logs is a directory that is followed. Its lines are a number of seconds and a text.
type logs struct {
	*testing.T
	dir string
	now time.Time
	*Follower
}

var epoch = time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)

func newLogs(t *testing.T, window time.Duration, limit int64, args ...string) *logs {
	l := &logs{T: t, dir: t.TempDir(), now: epoch}
	space := spill.NewSpace(filepath.Join(t.TempDir(), "lines"))
	for i := range args {
		args[i] = filepath.Join(l.dir, args[i])
	}
	l.Follower = New(Options{Args: args, Window: window, Limit: limit, Space: space, Latest: latestSecond})
	t.Cleanup(func() {
		if err := errors.Join(l.Close(), space.Close()); err != nil {
			t.Error(err)
		}
	})
	return l
}

func latestSecond(_ source.Input, lines []byte) (int64, error) {
	latest := int64(parse.NoTime)
	for line := range bytes.Lines(lines) {
		var n int64
		if _, err := fmt.Sscanf(string(line), "%d ", &n); err == nil {
			latest = max(latest, epoch.Add(time.Duration(n)*time.Second).UnixMicro())
		}
	}
	return latest, nil
}

func (l *logs) write(name, text string) {
	l.Helper()
	f, err := os.OpenFile(filepath.Join(l.dir, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		l.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		l.Fatal(err)
	}
}

func (l *logs) poll(after time.Duration) {
	l.Helper()
	l.now = l.now.Add(after)
	if _, err := l.Poll(l.Context(), l.now); err != nil {
		l.Fatal(err)
	}
}

// wants checks what is kept of each file, given as pairs of name and text.
func (l *logs) wants(when string, pairs ...string) {
	l.Helper()
	got := []string{}
	for _, x := range l.Inputs() {
		got = append(got, filepath.Base(x.Path), readInput(l.T, x))
	}
	if len(got) != len(pairs) {
		l.Fatalf("%s: %.300q, want %.300q", when, got, pairs)
	}
	for i := range pairs {
		if got[i] != pairs[i] {
			l.Errorf("%s: %d is %.200q (%d bytes), want %.200q (%d bytes)", when, i, got[i], len(got[i]), pairs[i], len(pairs[i]))
		}
	}
}

// lineReader is a source.Handler that keeps all lines.
type lineReader struct{ text []byte }

func (r *lineReader) Open(int, []byte) source.Plan { return source.Plan{} }
func (r *lineReader) Block(_ int, b *source.Block) { r.text = append(r.text, b.Data...) }
func readInput(t *testing.T, in source.Input) string {
	t.Helper()
	var r lineReader
	read, err := source.Read(t.Context(), []source.Input{in}, 1, &r)
	if err != nil || read[0].Err != nil {
		t.Fatal(err, read[0].Err)
	}
	return string(r.text)
}

// TestRotation checks what is kept of logs that are renamed, truncated, removed and
// replaced.
func TestRotation(t *testing.T) {
	l := newLogs(t, time.Hour, 1<<30, "a.log", "c*.log")
	long := strings.Repeat("x", 300)
	l.write("a.log", "1 one\n2 tw")
	l.poll(0)
	l.wants("half a line", "a.log", "1 one\n")
	l.write("a.log", "o\n")
	l.write("cb.log", "2 b\n")
	l.poll(time.Second)
	l.wants("the rest of it, and a new file", "a.log", "1 one\n2 two\n", "cb.log", "2 b\n")

	// The server writes to the renamed file for a while.
	if err := os.Rename(filepath.Join(l.dir, "a.log"), filepath.Join(l.dir, "a.log.1")); err != nil {
		t.Fatal(err)
	}
	l.write("a.log.1", "3 three\n4 cut off")
	l.write("a.log", "4 new\n")
	l.poll(time.Second)
	l.wants("renamed", "a.log", "4 new\n", "a.log.1", "1 one\n2 two\n3 three\n", "cb.log", "2 b\n")
	l.poll(2 * rest)
	l.wants("nothing follows the last line", "a.log", "4 new\n", "a.log.1", "1 one\n2 two\n3 three\n4 cut off", "cb.log", "2 b\n")

	// A log is copied and truncated; the next lines are more than those before.
	l.write("cb.log", "5 "+long+"\n")
	l.poll(time.Second)
	l.write("cb2.log", "2 b\n5 "+long+"\n")
	l.poll(time.Second)
	if err := os.Truncate(filepath.Join(l.dir, "cb.log"), 0); err != nil {
		t.Fatal(err)
	}
	l.write("cb.log", "6 "+long+long+"\n")
	l.poll(time.Second)
	l.poll(time.Second)
	l.wants("truncated", "a.log", "4 new\n", "a.log.1", "1 one\n2 two\n3 three\n4 cut off",
		"cb.log", "6 "+long+long+"\n", "cb2.log", "2 b\n5 "+long+"\n")

	// A file is removed, and another takes its place.
	if err := os.Remove(filepath.Join(l.dir, "a.log")); err != nil {
		t.Fatal(err)
	}
	l.write("a.log", "7 other\n")
	l.poll(time.Second)
	l.wants("removed", "a.log", "7 other\n", "a.log (rotated)", "4 new\n", "a.log.1", "1 one\n2 two\n3 three\n4 cut off",
		"cb.log", "6 "+long+long+"\n", "cb2.log", "2 b\n5 "+long+"\n")
}

// TestWindow checks that lines leave the window in pieces, while comment lines at the
// beginning stay, and that the temporary files stay below the limit.
func TestWindow(t *testing.T) {
	const header = "#Software: test\n#Fields: seconds text\n"
	l := newLogs(t, 1000*time.Second, 1<<30, "*.log")
	if err := os.Chtimes(l.dir, epoch, epoch); err != nil {
		t.Fatal(err)
	}
	l.write("a.log", header)
	l.write("quiet.log", "1 old\n")
	line := func(i int) string { return fmt.Sprintf("%d %s\n", i, strings.Repeat("y", 990)) }
	for i := range 5000 {
		l.write("a.log", line(i))
		if i%50 == 0 {
			l.poll(time.Second)
		}
	}
	l.poll(time.Second)
	inputs := l.Inputs()
	if len(inputs) != 1 || l.Since() != epoch.Add(3999*time.Second) {
		t.Fatalf("%d inputs since %v, want one since the last 1000 lines", len(inputs), l.Since())
	}
	text := readInput(t, inputs[0])
	kept, ok := strings.CutPrefix(text, header)
	if !ok {
		t.Fatalf("the beginning is %.60q", text)
	}
	bytesBefore, lines, _ := inputs[0].Before()
	first, rest, _ := strings.Cut(kept, "\n")
	if !strings.HasSuffix(rest, line(4999)) || len(kept) > 1000*1000+2*pieceSize || len(kept) < 1000*990 {
		t.Errorf("%d bytes are kept", len(kept))
	}
	if want := int64(len(header)); bytesBefore+int64(len(text)) != fileSize(t, l, "a.log") || lines+int64(strings.Count(text, "\n")) != 5002 {
		t.Errorf("%d bytes and %d lines before; the first line kept is %.20q, the header %d bytes", bytesBefore, lines, first, want)
	}
	if l.Full() {
		t.Error("the limit was reached")
	}

	small := newLogs(t, 1e6*time.Second, 5000, "*.log")
	for i := range 3000 {
		small.write("a.log", line(i))
	}
	small.poll(time.Second)
	left := len(readInput(t, small.Inputs()[0]))
	if stored := small.files[0].stored; !small.Full() || stored > 5000 || left > 2500*990 || left < 500*990 {
		t.Errorf("%d bytes of %d are stored", stored, left)
	}
}

func fileSize(t *testing.T, l *logs, name string) int64 {
	t.Helper()
	info, err := os.Stat(filepath.Join(l.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// TestViewReadsAnywhere checks reads at all offsets over the borders of pieces.
func TestViewReadsAnywhere(t *testing.T) {
	space := spill.NewSpace(filepath.Join(t.TempDir(), "lines"))
	defer space.Close()
	s := &store{space: space, cache: &pieceCache{}}
	var want []byte
	for i := range 3 * pieceSize / 7 {
		want = append(want, fmt.Sprintf("%06d\n", i%1_000_000)...)
	}
	if err := s.add(want); err != nil {
		t.Fatal(err)
	}
	v := s.view()
	for _, off := range []int{0, 1, pieceSize - 1, pieceSize, 2*pieceSize - 5, len(want) - 9, len(want)} {
		got := make([]byte, pieceSize+20)
		n, err := v.ReadAt(got, int64(off))
		rest := want[off:]
		if short := len(rest) < len(got); short != errors.Is(err, io.EOF) || n != min(len(rest), len(got)) || !bytes.Equal(got[:n], rest[:n]) {
			t.Errorf("at %d: %d bytes, %v", off, n, err)
		}
	}
}
