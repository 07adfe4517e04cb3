package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/rogpeppe/go-internal/testscript"

	"logscan/fixtures"
	"logscan/fixtures/bucket"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"logscan": main})
}

// skipWithRace skips a test of what outputs contain with -short, that is with the race
// detector: others run the same goroutines.
func skipWithRace(t *testing.T) {
	if testing.Short() {
		t.Skip("tests what outputs contain")
	}
}

// raced are the scripts in which more runs at once than the workers of one scan: the
// race detector needs no others, and takes a quarter of a second to start.
var raced = []string{"archives", "bad_input", "full", "interrupt", "metrics", "objects", "pipe", "requests", "scale", "scan", "state", "watch", "webhook"}

// TestScripts runs the scripts that specify the command line: commands, flags, exit
// codes, messages and files. With -short only those of raced.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d scripts, %v", len(files), err)
	}
	if testing.Short() {
		files = files[:0]
		for _, name := range raced {
			files = append(files, filepath.Join("testdata/script", name+".txtar"))
		}
	}
	testscript.Run(t, testscript.Params{
		Files: files,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits":    exits,
			"balanced": balanced,
			"ndjson":   ndjson,
			"bytes":    writeBytes,
			"gzip":     writeGzip,
			"tar":      writeTar,
			"zip":      writeZip,
			"signal":   signalWhenRunning,
			"simulate": simulate,
			"crowd":    writeCrowd,
			"bucket":   startBucket,
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, errors.New("unknown condition")
		},
		Setup: func(env *testscript.Env) error {
			// Programs built with the race detector sleep for a second before they
			// exit, unless told otherwise.
			env.Setenv("GORACE", "atexit_sleep_ms=0")
			// A garbage collection takes a quarter of the time of a short run.
			env.Setenv("GOGC", os.Getenv("GOGC"))
			return nil
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// startBucket DIR starts an object store whose bucket s3://logs has the files of a
// directory, and makes the programs of the script use it.
func startBucket(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: bucket DIR")
	}
	b, err := bucket.Start()
	ts.Check(err)
	ts.Defer(b.Close)
	root := ts.MkAbs(args[0])
	ts.Check(filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		key, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		return b.Put(filepath.ToSlash(key), data)
	}))
	for name, value := range b.Environment() {
		ts.Setenv(name, value)
	}
}

// exits CODE PROGRAM ARGS... runs a program and checks its exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// balanced DIR LINES checks that the line counts of a finished run add up, for
// every input and in total, and that there are LINES lines.
func balanced(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: balanced DIR LINES")
	}
	want, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	m, err := ledgerOf([]byte(ts.ReadFile(filepath.Join(args[0], "manifest.json"))))
	ts.Check(err)
	if m.Totals.Lines != want {
		ts.Fatalf("%d lines counted, want %d", m.Totals.Lines, want)
	}
}

// counts holds the line counts of one input or of all.
type counts struct{ Lines, Parsed, Rejected, Skipped, Unauthorized int64 }

// manifest holds the fields of manifest.json that tests compare.
type manifest struct {
	Inputs []struct {
		Path  string
		Error *string
		counts
	}
	Totals                 counts
	Rejects, Skips, Causes map[string]int64
}

// ledgerOf parses a manifest and returns an error if its counts do not add up.
func ledgerOf(data []byte) (m manifest, err error) {
	if err := json.Unmarshal(data, &m); err != nil {
		return m, err
	}
	var sum counts
	for _, in := range m.Inputs {
		if in.Lines != in.Parsed+in.Rejected+in.Skipped {
			return m, fmt.Errorf("%s: %d lines, but %d parsed + %d rejected + %d skipped", in.Path, in.Lines, in.Parsed, in.Rejected, in.Skipped)
		}
		sum.Lines += in.Lines
		sum.Parsed += in.Parsed
		sum.Rejected += in.Rejected
		sum.Skipped += in.Skipped
		sum.Unauthorized += in.Unauthorized
	}
	switch {
	case sum != m.Totals:
		err = fmt.Errorf("the inputs sum to %+v, totals are %+v", sum, m.Totals)
	case total(m.Rejects) != sum.Rejected:
		err = fmt.Errorf("reasons of rejects sum to %d, want %d", total(m.Rejects), sum.Rejected)
	case total(m.Skips) != sum.Skipped:
		err = fmt.Errorf("reasons of skips sum to %d, want %d", total(m.Skips), sum.Skipped)
	case total(m.Causes) != sum.Unauthorized:
		err = fmt.Errorf("causes sum to %d, want %d", total(m.Causes), sum.Unauthorized)
	}
	return m, err
}

func total(m map[string]int64) (n int64) {
	for _, v := range m {
		n += v
	}
	return n
}

// ndjson FILE LINES checks that the file (or stdout) holds that many JSON objects.
func ndjson(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: ndjson FILE LINES")
	}
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	n := 0
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			ts.Fatalf("%v in %s", err, line)
		}
		n++
	}
	if n != want {
		ts.Fatalf("%d objects, want %d", n, want)
	}
}

// writeBytes implements bytes FILE [TIMES] TEXT: it appends TEXT, with Go escapes,
// TIMES times.
func writeBytes(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: bytes FILE [TIMES] TEXT")
	}
	times := 1
	if len(args) == 3 {
		var err error
		times, err = strconv.Atoi(args[1])
		ts.Check(err)
	}
	text, err := strconv.Unquote(`"` + strings.ReplaceAll(args[len(args)-1], `"`, `\"`) + `"`)
	ts.Check(err)
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	ts.Check(err)
	_, err = f.WriteString(strings.Repeat(text, times))
	ts.Check(errors.Join(err, f.Close()))
}

// writeGzip implements gzip FILE TO [BYTES]: it compresses FILE, and truncates the
// result to BYTES bytes, or by -BYTES bytes.
func writeGzip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: gzip FILE TO [BYTES]")
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(ts.ReadFile(args[0])))
	ts.Check(errors.Join(err, z.Close()))
	if len(args) == 3 {
		n, err := strconv.Atoi(args[2])
		ts.Check(err)
		if n < 0 {
			n += b.Len()
		}
		b.Truncate(n)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b.Bytes(), 0o644))
}

// writeTar implements tar TO FILES...: it writes a tar archive of files, and of
// symbolic links given as NAME->TARGET.
func writeTar(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: tar TO FILES...")
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range args[1:] {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600, ModTime: time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC)}
		content := ""
		if link, target, ok := strings.Cut(name, "->"); ok {
			h.Typeflag, h.Name, h.Linkname = tar.TypeSymlink, link, target
		} else {
			content = ts.ReadFile(name)
			h.Size = int64(len(content))
		}
		ts.Check(w.WriteHeader(h))
		_, err := w.Write([]byte(content))
		ts.Check(err)
	}
	ts.Check(w.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o644))
}

// writeZip implements zip TO FILES...: it writes a zip archive of files.
func writeZip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: zip TO FILES...")
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range args[1:] {
		f, err := w.Create(name)
		ts.Check(err)
		_, err = f.Write([]byte(ts.ReadFile(name)))
		ts.Check(err)
	}
	ts.Check(w.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o644))
}

// writeCrowd implements crowd FILE LINES: it writes a log in which every line has
// another client. With --memory 16MiB and eight workers some thousand clients spill.
func writeCrowd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: crowd FILE LINES")
	}
	lines, err := strconv.Atoi(args[1])
	ts.Check(err)
	var b bytes.Buffer
	for i := range lines {
		status := 200
		if i%10 == 0 {
			status = 401
		}
		fmt.Fprintf(&b, `10.%d.%d.%d - - [09/Mar/2026:10:%02d:%02d +0000] "GET /a HTTP/1.1" %d 90 "-" "agent/%d"`+"\n",
			i>>16&255, i>>8&255, i&255, i/60%60, i%60, status, i)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o644))
}

// signalWhenRunning implements signal NAME PROGRAM ARGS...: it runs a program with
// a standard input that does not end, sends it a signal once it reads, and checks
// that it exits with 130.
func signalWhenRunning(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: signal NAME PROGRAM ARGS...")
	}
	number := map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP}[args[0]]
	if number == nil {
		ts.Fatalf("unknown signal %s", args[0])
	}
	program, err := exec.LookPath(args[1])
	ts.Check(err)
	cmd := exec.Command(program, args[2:]...)
	cmd.Dir = ts.MkAbs(".")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	defer cmd.Process.Kill()
	// A pipe buffers 64 KiB: once more is written, the program has started to read.
	line := []byte(`192.0.2.1 - - [09/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "-"` + "\n")
	_, err = stdin.Write(bytes.Repeat(line, 4000))
	ts.Check(err)
	ts.Check(cmd.Process.Signal(number))
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		ts.Fatalf("still running 20 s after the signal")
	}
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
		ts.Fatalf("exit code %d, want %d; stderr: %s", code, exitInterrupted, stderr.Bytes())
	}
	if !strings.Contains(stderr.String(), "logscan: error: interrupted") {
		ts.Fatalf("no message about the interrupt; stderr: %s", stderr.Bytes())
	}
}

// simulate SCENARIO LINES DIR writes the logs of a simulated day.
func simulate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: simulate SCENARIO LINES DIR")
	}
	lines, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	_, err = fixtures.Generate(context.Background(), fixtures.Options{Scenario: args[0], Lines: lines}, ts.MkAbs(args[2]))
	ts.Check(err)
}
