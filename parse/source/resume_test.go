package source

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"logscan/parse/source/compress/compresstest"
)

// lines returns the numbered lines in [from, to), 50 bytes each.
func lines(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, "%-49d\n", i)
	}
	return b.String()
}

const (
	few  = 40   // lines, less than the beginning that is compared
	many = 4000 // 200 kB
)

// nightly runs over files, one night after the other.
type nightly struct {
	t      *testing.T
	dir    string
	ledger *Ledger
	sizes  sizes
	plan   Plan
	stdin  []byte // nil for none
}

// night reads the files and returns what of them is counted, and the errors.
func (c *nightly) night(files map[string][]byte) (counted string, wrong []error) {
	c.t.Helper()
	if err := os.RemoveAll(c.dir); err != nil {
		c.t.Fatal(err)
	}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		c.t.Fatal(err)
	}
	args := []string{c.dir}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(c.dir, name), data, 0o600); err != nil {
			c.t.Fatal(err)
		}
	}
	if len(files) == 0 {
		args = nil
	}
	var in io.Reader
	if c.stdin != nil {
		args, in = append(args, Stdin), bytes.NewReader(c.stdin)
	}
	inputs, _, err := Expand(args, in)
	if err != nil {
		c.t.Fatal(err)
	}
	const workers = 3
	inputs, _ = unfold(c.t, inputs, workers)
	inputs, _, err = Distinct(context.Background(), inputs, workers)
	if err != nil {
		c.t.Fatal(err)
	}
	fresh, done, err := Resume(context.Background(), inputs, c.ledger, workers)
	if err != nil {
		c.t.Fatal(err)
	}
	h := newCollector(c.t, workers)
	h.plan = c.plan
	results, err := read(context.Background(), fresh, workers, h, c.sizes)
	if err != nil {
		c.t.Fatal(err)
	}
	slices.SortFunc(h.blocks, func(a, b kept) int { return cmp.Or(a.Input-b.Input, cmp.Compare(a.Seq, b.Seq)) })
	next := make([]int64, len(fresh)) // offset of the next block
	for i := range fresh {
		next[i], _, _ = fresh[i].Before()
		if results[i].Err != nil {
			wrong = append(wrong, results[i].Err)
		}
	}
	perInput := make([]int64, len(fresh))
	for _, b := range h.blocks {
		if b.Seq != next[b.Input] {
			c.t.Errorf("%s: block at %d, want %d", fresh[b.Input].Path, b.Seq, next[b.Input])
		}
		next[b.Input] += int64(len(b.data))
		counted += b.data
		perInput[b.Input] += int64(strings.Count(b.data, "\n"))
	}
	c.ledger = UpdateLedger(c.ledger, fresh, done, func(i int) int64 { return perInput[i] })
	return counted, wrong
}

func newNightly(t *testing.T) *nightly {
	return &nightly{t: t, dir: filepath.Join(t.TempDir(), "logs"), ledger: NewLedger(nil), sizes: sizes{block: 4 << 10, maxLine: 8 << 10, rng: 16 << 10, sample: 2 << 10}}
}

// TestResume checks that everything is counted exactly once over several nights.
func TestResume(t *testing.T) {
	type files = map[string][]byte
	plain := func(name, text string) files { return files{name: []byte(text)} }
	packed1 := func(name, text string) files { return files{name: compresstest.StoreAll(t, text)["gzip"]} }
	type night struct {
		files
		want string
		err  error
	}
	for _, tt := range []struct {
		name   string
		nights []night
	}{
		{"nothing new", []night{{plain("a", lines(0, many)), lines(0, many), nil}, {plain("a", lines(0, many)), "", nil}}},
		{"grown", []night{{plain("a", lines(0, 2000)), lines(0, 2000), nil}, {plain("a", lines(0, many)), lines(2000, many), nil}}},
		{"grown from little", []night{{plain("a", lines(0, 3)), lines(0, 3), nil}, {plain("a", lines(0, many)), lines(3, many), nil}}},
		{"grown night by night", []night{
			{plain("a", lines(0, 3)), lines(0, 3), nil},
			{plain("a", lines(0, 9)), lines(3, 9), nil},
			{plain("a", lines(0, 2000)), lines(9, 2000), nil},
			{plain("a", lines(0, many)), lines(2000, many), nil},
		}},
		{"empty", []night{{plain("a", ""), "", nil}, {plain("a", lines(0, 9)), lines(0, 9), nil}}},
		{"rotated", []night{
			{plain("a", lines(0, 2000)), lines(0, 2000), nil},
			{files{"a.1": []byte(lines(0, many)), "a": []byte(lines(5000, 5100))}, lines(5000, 5100) + lines(2000, many), nil},
			{files{"a.2": compresstest.StoreAll(t, lines(0, many))["gzip"], "a.1": []byte(lines(5000, 5200)), "a": []byte(lines(6000, 6001))}, lines(6000, 6001) + lines(5100, 5200), nil},
		}},
		{"compressed and unpacked", []night{
			{packed1("a.gz", lines(0, 2000)), lines(0, 2000), nil},
			{plain("a", lines(0, many)), lines(2000, many), nil},
			{packed1("a.gz", lines(0, many)), "", nil},
			{packed1("a.gz", lines(0, many)), "", nil},
			{packed1("b.gz", lines(0, many+5)), lines(many, many+5), nil},
		}},
		{"cut to nothing and written again", []night{
			{plain("a", lines(0, many)), lines(0, many), nil},
			{plain("a", lines(7000, 7100)), lines(7000, 7100), nil},
		}},
		{"little, cut and written again", []night{
			{plain("a", lines(0, few)), lines(0, few), nil},
			{plain("a", lines(7000, 7010)), lines(7000, 7010), nil},
			{plain("a", lines(7000, 7100)), lines(7010, 7100), nil},
		}},
		{"the same beginning, then another end", []night{
			{plain("a", lines(0, few)), lines(0, few), nil},
			{plain("a", lines(0, few-1)+lines(9000, 9100)), lines(0, few-1) + lines(9000, 9100), nil},
		}},
		{"shorter than it was", []night{
			{plain("a", lines(0, many)), lines(0, many), nil},
			{plain("a", lines(0, many-1)), "", errShorter},
			{packed1("a.gz", lines(0, many-1)), "", errShorter},
			{plain("a", lines(0, many+1)), lines(many, many+1), nil},
		}},
		{"another end", []night{
			{plain("a", lines(0, many)), lines(0, many), nil},
			{plain("a", lines(0, many-1)+lines(9000, 9100)), "", errDiverged},
			{packed1("a.gz", lines(0, many-1)+lines(9000, 9100)), "", errDiverged},
		}},
		{"a line without its end", []night{
			{plain("a", lines(0, 9)+"half"), lines(0, 9), nil},
			{plain("a", lines(0, 9)+"half of it\nmore\n"), "half of it\nmore\n", nil},
		}},
		{"a line that never ends", []night{
			{plain("a", lines(0, 9)+"half"), lines(0, 9), nil},
			{plain("a", lines(0, 9)+"half"), "half", nil},
			{plain("a", lines(0, 9)+"half"), "", nil},
			{plain("a", lines(0, 9)+"half\nmore\n"), "\nmore\n", nil},
		}},
		{"nothing but a line that never ends", []night{
			{plain("a", "half"), "", nil},
			{plain("a", "half"), "half", nil},
			{plain("a", "half"), "", nil},
		}},
		{"nothing but a line that goes on", []night{
			{plain("a", "half"), "", nil},
			{plain("a", "half of"), "", nil},
			{plain("a", "half of it\n"), "half of it\n", nil},
		}},
		{"compressed without a line's end", []night{
			{packed1("a.gz", lines(0, 9)+"half"), lines(0, 9) + "half", nil},
			{plain("a", lines(0, 9)+"half"), "", nil},
			{plain("a", lines(0, 9)+"half of it"), "", nil},
			{plain("a", lines(0, 9)+"half of it\n"), " of it\n", nil},
		}},
		{"several that begin alike", []night{
			{files{"a": []byte(lines(0, 2000)), "b": []byte(lines(0, 3000))}, lines(0, 2000) + lines(0, 3000), nil},
			{files{"a": []byte(lines(0, 2000)), "b": []byte(lines(0, 3001))}, lines(3000, 3001), nil},
			{files{"a.gz": compresstest.StoreAll(t, lines(0, 2000))["gzip"], "b": []byte(lines(0, 3001))}, "", nil},
		}},
		{"given again later", []night{
			{plain("a", lines(0, 2000)), lines(0, 2000), nil},
			{plain("b", lines(5000, 5010)), lines(5000, 5010), nil},
			{plain("a", lines(0, many)), lines(2000, many), nil},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newNightly(t)
			for i, n := range tt.nights {
				got, wrong := c.night(n.files)
				if got != n.want {
					t.Errorf("night %d: %d bytes, want %d: %.200q", i+1, len(got), len(n.want), got)
				}
				if n.err == nil && len(wrong) > 0 || n.err != nil && (len(wrong) != 1 || !errors.Is(wrong[0], n.err)) {
					t.Errorf("night %d: %v, want %v", i+1, wrong, n.err)
				}
			}
		})
	}
}

// TestResumeStored checks that content is recognised however it is stored, and continues
// from any offset.
func TestResumeStored(t *testing.T) {
	text := lines(0, many)
	for name, data := range compresstest.StoreAll(t, text) {
		for _, size := range []int{50, 5000, 70_000, len(text) - 50, len(text)} {
			c := newNightly(t)
			if got, _ := c.night(map[string][]byte{"a": []byte(text[:size])}); got != text[:size] {
				t.Fatalf("%s: %d bytes at first", name, len(got))
			}
			if got, wrong := c.night(map[string][]byte{"b": data}); got != text[size:] || wrong != nil {
				t.Errorf("%s from %d: %d bytes, %v", name, size, len(got), wrong)
			}
			if got, _ := c.night(map[string][]byte{"b": data, "c": []byte(text)}); got != "" {
				t.Errorf("%s from %d: %d bytes are counted again", name, size, len(got))
			}
			if got := c.ledger.Contents(); len(got) != 1 || got[0].Lines != many || got[0].Size != int64(len(text)) {
				t.Errorf("%s from %d: ledger %+v", name, size, got)
			}
		}
	}
}

// TestResumeArchives checks that files in archives are recognised as well.
func TestResumeArchives(t *testing.T) {
	first, second := lines(0, many), lines(5000, 5010)
	for name, data := range archives(t, packed{"x/a.log", first}, packed{"x/b.log", second}) {
		c := newNightly(t)
		c.night(map[string][]byte{"a": []byte(first[:100_000])})
		if got, wrong := c.night(map[string][]byte{"old": data}); got != first[100_000:]+second || wrong != nil {
			t.Errorf("%s: %d bytes, %v", name, len(got), wrong)
		}
		if got, _ := c.night(map[string][]byte{"old": data, "b": []byte(second + lines(5010, 5011))}); got != lines(5010, 5011) {
			t.Errorf("%s: then %d bytes", name, len(got))
		}
	}
}

// TestResumeStdin checks that standard input is compared while it is read.
func TestResumeStdin(t *testing.T) {
	c := newNightly(t)
	for _, n := range []struct {
		text, want string
		err        error
	}{
		{lines(0, 2000), lines(0, 2000), nil},
		{lines(0, many), lines(2000, many), nil},
		{lines(0, many), "", nil},
		{lines(0, 10), lines(0, 10), nil}, // too short to be recognised
		{lines(0, many-1), "", errShorter},
		{lines(0, many-1) + lines(0, 1), "", errDiverged},
	} {
		c.stdin = []byte(n.text)
		got, wrong := c.night(nil)
		if got != n.want || (n.err == nil) != (wrong == nil) || n.err != nil && !errors.Is(wrong[0], n.err) {
			t.Errorf("%d bytes: %d counted, want %d; %v", len(n.text), len(got), len(n.want), wrong)
		}
	}
}

// TestResumeDirective checks that a directive applies to the lines of later nights.
func TestResumeDirective(t *testing.T) {
	for _, form := range []string{"none", "gzip"} {
		c := newNightly(t)
		c.plan = Plan{Directive: []byte("#Fields:")}
		text := "#Fields: a b\n" + lines(0, many)
		c.night(map[string][]byte{"a": []byte(text[:13+50*2000])})
		data := []byte(text)
		if form == "gzip" {
			data = compresstest.StoreAll(t, text)["gzip"]
		}
		h := newCollector(t, 1)
		h.plan = c.plan
		inputs, _, err := Expand([]string{write(t, "a", data)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		fresh, _, err := Resume(context.Background(), inputs, c.ledger, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := read(context.Background(), fresh, 1, h, c.sizes); err != nil {
			t.Fatal(err)
		}
		if len(h.blocks) == 0 {
			t.Fatalf("%s: nothing is counted", form)
		}
		for _, b := range h.blocks {
			if string(b.Directive) != "#Fields: a b" || b.Seq < 100_013 {
				t.Errorf("%s: block at %d has %q", form, b.Seq, b.Directive)
			}
		}
	}
}

// TestResumeReplaced checks that a file that replaces another after Resume is not read in
// its place.
func TestResumeReplaced(t *testing.T) {
	c := newNightly(t)
	path := write(t, "a", []byte(lines(0, many)))
	c.night(map[string][]byte{"a": []byte(lines(0, 2000))})
	inputs, _, err := Expand([]string{path}, nil)
	if err != nil {
		t.Fatal(err)
	}
	fresh, done, err := Resume(context.Background(), inputs, c.ledger, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(lines(6000, 9000)), 0o600); err != nil {
		t.Fatal(err)
	}
	h := newCollector(t, 1)
	results, err := read(context.Background(), fresh, 1, h, c.sizes)
	if err != nil || !errors.Is(results[0].Err, errAnotherFile) || len(h.blocks) > 0 {
		t.Errorf("%v, %v, %d blocks", err, results[0].Err, len(h.blocks))
	}
	before := c.ledger.Contents()[0].Size
	next := UpdateLedger(c.ledger, fresh, done, func(int) int64 { return 0 }).Contents()
	if len(next) != 1 || next[0].Size != before {
		t.Errorf("ledger %+v", next)
	}
}

// TestLedgerForgets checks that entries without a match are dropped after forgetRuns runs
// and not before.
func TestLedgerForgets(t *testing.T) {
	l := NewLedger([]Counted{{Size: 1, Head: [32]byte{1}}})
	for range forgetRuns {
		l = l.Next(nil, nil)
	}
	if len(l.Contents()) != 1 {
		t.Error("it is forgotten too early")
	}
	if l = l.Next(nil, nil); len(l.Contents()) != 0 {
		t.Error("it is not forgotten")
	}
	lots := make([]Counted, maxContents)
	for i := range lots {
		lots[i] = Counted{Size: int64(i) + 1}
	}
	l = NewLedger(lots).Next([]Counted{{Size: 5, Head: [32]byte{7}}}, nil)
	if n := len(l.Contents()); n != maxContents || !slices.ContainsFunc(l.Contents(), func(c Counted) bool { return c.Head[0] == 7 }) {
		t.Errorf("%d contents", n)
	}
}
