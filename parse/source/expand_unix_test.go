//go:build unix

package source

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"logscan/parse/source/compress/compresstest"
)

func TestSpecialFiles(t *testing.T) {
	tree(t, "d/a.log")
	if err := syscall.Mkfifo("d/fifo", 0o600); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", "d/socket")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	link(t, "fifo", "d/to-fifo")
	link(t, os.DevNull, "d/to-null")
	want := []string{
		"d/fifo: skipped: it is a FIFO",
		"d/socket: skipped: it is a socket",
		"d/to-fifo: skipped: it is a link to a FIFO",
		"d/to-null: skipped: it is a link to a device",
	}
	inputs, notes, err := Expand([]string{"d"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := paths(inputs); !slices.Equal(got, []string{"d/a.log"}) {
		t.Errorf("walked: %q", got)
	}
	if got := texted(notes); !slices.Equal(got, want) {
		t.Errorf("notes %q, want %q", got, want)
	}
	inputs, notes, err = Expand([]string{"d/f*", "d/a*"}, nil)
	var none *NoMatchError
	if !errors.As(err, &none) || none.Pattern != "d/f*" || !slices.Equal(texted(notes), want[:1]) {
		t.Errorf("pattern: %q, %q, %v", paths(inputs), notes, err)
	}
}

// TestFIFO reads FIFOs given as arguments, plain and compressed.
func TestFIFO(t *testing.T) {
	before := runtime.NumGoroutine()
	text := strings.Repeat("through a pipe\n", 20000)
	for comp, stored := range compresstest.StoreAll(t, text) {
		tree(t)
		if err := syscall.Mkfifo("fifo", 0o600); err != nil {
			t.Fatal(err)
		}
		written := make(chan error, 1)
		go func() { written <- os.WriteFile("fifo", stored, 0) }()
		c, results := readAll(t, expand(t, nil, "fifo"), 2, defaultSizes())
		if err := <-written; err != nil {
			t.Fatal(err)
		}
		if got, _ := c.content(0, defaultSizes()); got != text || results[0].Err != nil || results[0].Compression != comp {
			t.Errorf("%s: %d bytes, %+v", comp, len(got), results[0])
		}
	}
	checkGoroutines(t, before)
}

// TestCancelFIFO cancels while a FIFO has no writer, and while its writer is silent.
func TestCancelFIFO(t *testing.T) {
	tree(t)
	before := runtime.NumGoroutine()
	if err := syscall.Mkfifo("fifo", 0o600); err != nil {
		t.Fatal(err)
	}
	cancelled := func() {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		if _, err := read(ctx, expand(t, nil, "fifo"), 2, newCollector(t, 2), small); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	}
	cancelled()
	writer, err := os.OpenFile("fifo", os.O_RDWR, 0) // ends the open that was abandoned
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	cancelled()
	checkGoroutines(t, before)
}

func TestNoPermission(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may read everything")
	}
	tree(t, "d/a.log", "d/shut/b.log", "d/secret.log")
	for name, mode := range map[string]os.FileMode{"d/shut": 0, "d/secret.log": 0} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
		defer os.Chmod(name, 0o700)
	}
	inputs := expand(t, nil, "d")
	if got := paths(inputs); !slices.Equal(got, []string{"d/a.log", "d/secret.log", "d/shut"}) {
		t.Fatalf("inputs %q", got)
	}
	_, results := readAll(t, inputs, 2, small)
	for i, failed := range []bool{false, true, true} {
		if failed != errors.Is(results[i].Err, os.ErrPermission) {
			t.Errorf("%s: %v", inputs[i].Path, results[i].Err)
		}
	}
}

// TestReplacedByFIFO checks that Read does not wait for a FIFO that has replaced a file.
func TestReplacedByFIFO(t *testing.T) {
	path := write(t, "a.log", []byte("a\n"))
	inputs := expand(t, nil, path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip("no FIFO: ", err)
	}
	inputs, _ = unfold(t, inputs, 1)
	if _, _, err := Distinct(t.Context(), inputs, 1); err != nil {
		t.Error(err)
	}
	if _, results := readAll(t, inputs, 1, small); !errors.Is(results[0].Err, errReplaced) {
		t.Errorf("got %v", results[0].Err)
	}
}

// Direct holds for files of directories, and neither for links nor for what is named.
func TestDirect(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("y\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	inputs, _, err := Expand([]string{dir, outside}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range inputs {
		if got, want := inputs[i].Direct(), filepath.Base(inputs[i].Path) == "file"; got != want {
			t.Errorf("%s: direct is %v", inputs[i].Path, got)
		}
	}
}
