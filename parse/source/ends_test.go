package source

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"logscan/parse/source/compress/compresstest"
)

// endsOf calls Ends for one input.
func endsOf(t testing.TB, in Input) (lines []byte, failed error) {
	t.Helper()
	err := Ends(t.Context(), []Input{in}, 1, func(_ int, given []byte, err error) error {
		lines, failed = given, err
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines, failed
}

// TestEnds checks that the first and last lines of an input are found, whole, however it is
// stored and however long it is.
func TestEnds(t *testing.T) {
	line := func(n int) string { return fmt.Sprintf("line %08d %s\n", n, strings.Repeat("x", 80)) }
	for _, lines := range []int{0, 1, 10, 2 * endSize / 98, 2*endSize/98 + 1, 10_000, 50_000} {
		for _, terminated := range []bool{true, false} {
			var b bytes.Buffer
			for n := range lines {
				b.WriteString(line(n))
			}
			data := b.Bytes()
			if !terminated {
				data = bytes.TrimSuffix(data, []byte("\n"))
			}
			dir := t.TempDir()
			plain, packed := filepath.Join(dir, "a.log"), filepath.Join(dir, "a.log.gz")
			var z bytes.Buffer
			w := gzip.NewWriter(&z)
			if _, err := w.Write(data); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			for name, content := range map[string][]byte{plain: data, packed: z.Bytes()} {
				if err := os.WriteFile(name, content, 0o600); err != nil {
					t.Fatal(err)
				}
				got, err := endsOf(t, Input{Path: name})
				if err != nil {
					t.Fatal(err)
				}
				if len(got) > 2*endSize {
					t.Errorf("%d lines: %d bytes", lines, len(got))
				}
				all := strings.SplitAfter(string(got), "\n")
				for _, l := range all {
					if l != "" && len(strings.TrimSuffix(l, "\n")) != len(line(0))-1 {
						t.Errorf("%d lines: not whole: %q", lines, l)
					}
				}
				if lines > 0 {
					last := strings.TrimSuffix(line(lines-1), "\n")
					if !strings.HasPrefix(string(got), line(0)[:20]) || !strings.HasSuffix(strings.TrimSuffix(string(got), "\n"), last) {
						t.Errorf("%d lines of %s: the first or last is not there", lines, filepath.Ext(name))
					}
				}
			}
		}
	}
}

// TestEndsOfTrouble checks inputs that are damaged, can be read only once, or do not exist.
func TestEndsOfTrouble(t *testing.T) {
	dir := t.TempDir()
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	for range 100 {
		fmt.Fprintf(w, "some line of text %d\n", time.Now().UnixNano())
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "cut.gz")
	if err := os.WriteFile(name, z.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := endsOf(t, Input{Path: name}); err != nil || bytes.Count(got, []byte("\n")) != 100 {
		t.Errorf("cut off: %d bytes, %v", len(got), err)
	}
	if got, err := endsOf(t, Input{Path: filepath.Join(dir, "missing")}); err != nil || got != nil {
		t.Errorf("missing: %q %v", got, err)
	}
	if _, err := endsOf(t, Input{Path: Stdin, reader: strings.NewReader("x")}); !errors.Is(err, ErrOnce) {
		t.Errorf("standard input: %v", err)
	}
}

func TestModified(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.log")
	if err := os.WriteFile(name, []byte("x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := time.Date(2026, 3, 9, 14, 5, 0, 0, time.UTC)
	if err := os.Chtimes(name, want, want); err != nil {
		t.Fatal(err)
	}
	if got := (Input{Path: name}).Modified(); !got.Equal(want) {
		t.Errorf("file: %v", got)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := (Input{Path: Stdin, reader: f}).Modified(); !got.Equal(want) {
		t.Errorf("redirected: %v", got)
	}
	if got := (Input{Path: Stdin, reader: strings.NewReader("")}).Modified(); !got.IsZero() {
		t.Errorf("pipe: %v", got)
	}
	if got := (Input{Path: name + ".none"}).Modified(); !got.IsZero() {
		t.Errorf("missing: %v", got)
	}
}

// TestEndsInTar checks that the ends of files in a compressed tar are found in one pass,
// whichever files are asked for, and that a truncated one yields the lines before.
func TestEndsInTar(t *testing.T) {
	var files []packed
	for i := range 50 {
		files = append(files, packed{fmt.Sprintf("%02d.log", 49-i), strings.Repeat(fmt.Sprintf("line of %02d\n", 49-i), 1000)})
	}
	data := compresstest.Store(t, "gzip", string(tarOf(t, files...)))
	inputs, _ := unfold(t, expand(t, nil, write(t, "x", data), write(t, "y", []byte("plain\n"))), 2)
	inputs = slices.Delete(inputs, 10, 20)
	for _, cut := range []int{0, len(data) / 2} {
		if err := os.Truncate(inputs[0].member.archive.path, int64(len(data)-cut)); err != nil {
			t.Fatal(err)
		}
		for _, workers := range []int{1, 4} {
			var mu sync.Mutex
			var order []int
			seen := map[int]string{}
			err := Ends(t.Context(), inputs, workers, func(i int, lines []byte, err error) error {
				mu.Lock()
				defer mu.Unlock()
				if inputs[i].member != nil {
					order = append(order, inputs[i].member.number)
				}
				seen[i] = string(lines)
				return err
			})
			if err != nil || len(seen) != len(inputs) || !slices.IsSorted(order) {
				t.Errorf("%d workers: %d of %d seen in the order %v, %v", workers, len(seen), len(inputs), order, err)
			}
			whole := 0
			for i, in := range inputs {
				want := "plain\n"
				if in.member != nil {
					want = files[in.member.number].content
				}
				if !strings.HasPrefix(want, seen[i]) {
					t.Errorf("%s: %.30q", in.Path, seen[i])
				} else if seen[i] == want {
					whole++
				}
			}
			if cut == 0 && whole != len(inputs) || cut > 0 && (whole < 5 || whole > len(inputs)-5) {
				t.Errorf("%d workers, cut by %d bytes: %d are whole", workers, cut, whole)
			}
		}
	}
	enough := errors.New("enough")
	if err := Ends(t.Context(), inputs, 2, func(int, []byte, error) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("error %v", err)
	}
}
