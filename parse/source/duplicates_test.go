package source

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"logscan/parse/source/compress/compresstest"
)

// copiesOf returns "path=of" for what Distinct removes, and the paths that it keeps.
func copiesOf(t *testing.T, inputs []Input, workers int) (same, kept []string) {
	t.Helper()
	left, copies, err := Distinct(t.Context(), inputs, workers)
	if err != nil {
		t.Fatal(err)
	}
	if len(left)+len(copies) != len(inputs) {
		t.Errorf("%d kept and %d left out of %d", len(left), len(copies), len(inputs))
	}
	for _, d := range copies {
		same = append(same, d.Path+"="+d.Of)
	}
	return same, paths(left)
}

func TestDistinct(t *testing.T) {
	t.Chdir(t.TempDir())
	log := func(name string, lines int) string {
		return strings.Repeat(fmt.Sprintf("a line of %s that is long enough\n", name), lines)
	}
	// Longer than the beginning that is compared first, and equal up to the last byte.
	long := log("long", 5000)
	other := long[:len(long)-2] + "X\n"
	gz := func(text string) string { return string(compresstest.Store(t, "gzip", text)) }
	files := map[string]string{
		"one.log": log("one", 20), "one.log.copy": log("one", 20), "one.log.gz": gz(log("one", 20)),
		"long.1": long, "long.2": other, "long.3.gz": gz(long), "long.4.gz": gz(other), "long.5": long + "more\n",
		"long.6.gz": gz(long)[:len(gz(long))-4],
		"empty.1":   "", "empty.2": "", "short.1": "one line\n", "short.2": "one line\n",
		"a.tar":    string(tarOf(t, packed{"one", log("one", 20)}, packed{"two.gz", gz(log("two", 20))}, packed{"long", long})),
		"b.tar.gz": gz(string(tarOf(t, packed{"one", log("one", 20)}, packed{"two", log("two", 20)}, packed{"two.gz", gz(log("two", 20))}, packed{"long", other}, packed{"short", "one line\n"}))),
		"c.zip":    string(zipOf(t, 8, packed{"long", long}, packed{"own", log("own", 20)})),
	}
	for name, content := range files {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"b.tar.gz!one=a.tar!one", "b.tar.gz!two=a.tar!two.gz", "b.tar.gz!two.gz=a.tar!two.gz", "c.zip!long=a.tar!long",
		"long.1=a.tar!long", "long.2=b.tar.gz!long", "long.3.gz=a.tar!long", "long.4.gz=b.tar.gz!long",
		"one.log=a.tar!one", "one.log.copy=a.tar!one", "one.log.gz=a.tar!one",
	}
	wantKept := []string{"a.tar!long", "a.tar!one", "a.tar!two.gz", "b.tar.gz!long", "b.tar.gz!short", "c.zip!own",
		"empty.1", "empty.2", "long.5", "long.6.gz", "short.1", "short.2", "-"}
	for _, workers := range []int{1, 2, 8} {
		inputs, _ := unfold(t, expand(t, strings.NewReader(long), ".", Stdin), workers)
		same, kept := copiesOf(t, inputs, workers)
		if !slices.Equal(same, want) {
			t.Errorf("%d workers: same %q, want %q", workers, same, want)
		}
		if !slices.Equal(kept, wantKept) {
			t.Errorf("%d workers: kept %q, want %q", workers, kept, wantKept)
		}
		// Standard input has not been consumed.
		stdin := inputs[len(inputs)-1]
		c, _ := readAll(t, []Input{stdin}, 1, small)
		if got, _ := c.content(0, small); stdin.Path != Stdin || got != shown(long, small) {
			t.Error("standard input was read")
		}
	}
}

// TestDistinctAlike compares inputs with the same size and beginning, some of which turn
// out to be copies only at their end.
func TestDistinctAlike(t *testing.T) {
	head := strings.Repeat("h", headSize)
	tests := []struct {
		name   string
		a, b   string
		copies int
	}{
		{"the head alone", head, head, 1},
		{"one byte behind it", head + "a", head + "a", 1},
		{"another byte behind it", head + "a", head + "b", 0},
		{"one is the head of the other", head, head + "a", 0},
		{"one byte less than the head", head[1:], head[1:], 1},
		{"just long enough", head[:minDuplicate], head[:minDuplicate], 1},
		{"not long enough", head[:minDuplicate-1], head[:minDuplicate-1], 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, comp := range []string{"none", "gzip", "zstd", "xz", "lz4"} {
				dir := t.TempDir()
				for name, data := range map[string][]byte{"a": []byte(test.a), "b": compresstest.StoreAll(t, test.b)[comp]} {
					if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				if same, _ := copiesOf(t, expand(t, nil, dir), 2); len(same) != test.copies {
					t.Errorf("%s: %v", comp, same)
				}
			}
		})
	}
}

// TestDistinctCut checks that an input that cannot be read to its end is never a copy, not
// even of one that is cut off at the same place.
func TestDistinctCut(t *testing.T) {
	text := benchText(300 << 10)
	for comp, data := range compresstest.StoreAll(t, text) {
		if comp == "none" {
			continue
		}
		for _, size := range []int{len(data) / 3, len(data) - 1} {
			dir := t.TempDir()
			for _, name := range []string{"a", "b"} {
				if err := os.WriteFile(filepath.Join(dir, name), data[:size], 0o600); err != nil {
					t.Fatal(err)
				}
			}
			inputs := expand(t, nil, dir)
			_, results := readAll(t, inputs, 1, defaultSizes())
			if same, _ := copiesOf(t, inputs, 2); len(same) != 0 && results[0].Err != nil {
				t.Errorf("%s, %d of %d bytes: %v", comp, size, len(data), same)
			}
		}
	}
}

// TestDistinctTrouble checks that an input that cannot be opened is kept, so that Read
// reports the error.
func TestDistinctTrouble(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"a", "b", "c"} {
		if err := os.WriteFile(name, []byte(strings.Repeat("the same\n", 100)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	inputs := expand(t, nil, ".")
	if err := os.Remove("a"); err != nil {
		t.Fatal(err)
	}
	same, kept := copiesOf(t, inputs, 2)
	if !slices.Equal(same, []string{"c=b"}) || !slices.Equal(kept, []string{"a", "b"}) {
		t.Errorf("same %q, kept %q", same, kept)
	}
	_, results := readAll(t, inputs[:1], 1, small)
	if !errors.Is(results[0].Err, os.ErrNotExist) {
		t.Errorf("error %v", results[0].Err)
	}
}
