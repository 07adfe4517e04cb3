package source

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"logscan/parse/source/compress/compresstest"
)

// planned returns a log of lines, directives and lines that continue in the next one.
func planned(random *rand.Rand, lines int) string {
	var b strings.Builder
	for i := range lines {
		switch random.IntN(12) {
		case 0:
			fmt.Fprintf(&b, "#Fields: %d\r\n", i)
		case 1:
			b.WriteString("#Software: x\n")
		case 2, 3, 4:
			fmt.Fprintf(&b, "P %s\n", strings.Repeat("p", random.IntN(40)))
		default:
			fmt.Fprintf(&b, "F %s\n", strings.Repeat("f", random.IntN(40)))
		}
	}
	return b.String()
}

// wholeLines is a Plan.Whole: lines that begin with "P " continue.
func wholeLines(data []byte) int {
	end := bytes.LastIndexByte(data, '\n') + 1
	for end > 0 {
		start := bytes.LastIndexByte(data[:end-1], '\n') + 1
		if !bytes.HasPrefix(data[start:], []byte("P ")) {
			break
		}
		end = start
	}
	return end
}

// TestPlan checks that every block has the last directive before it and ends where no line
// is continued, whatever the number of workers and the kind of input.
func TestPlan(t *testing.T) {
	s := sizes{block: 128, maxLine: 512, rng: 1 << 10, sample: 256}
	random := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		text := planned(random, 400)
		for name, data := range compresstest.StoreAll(t, text) {
			inputs, _, err := Expand([]string{write(t, "log", data)}, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, workers := range []int{1, 2, 8} {
				c := newCollector(t, workers)
				c.plan = Plan{
					Directive: []byte("#Fields:"),
					Whole:     wholeLines,
				}
				if _, err := read(t.Context(), inputs, workers, c, s); err != nil {
					t.Fatal(err)
				}
				if got, _ := c.content(0, s); got != text {
					t.Fatalf("%s, %d workers: the content is another", name, workers)
				}
				slices.SortFunc(c.blocks, func(a, b kept) int { return cmp.Compare(a.Seq, b.Seq) })
				for i, b := range c.blocks {
					want := ""
					if at := strings.LastIndex("\n"+text[:b.Seq], "\n#Fields:"); at >= 0 {
						want, _, _ = strings.Cut(text[at:], "\r\n")
					}
					if got := string(b.Directive); got != want {
						t.Fatalf("%s, %d workers: block at %d has directive %q, want %q", name, workers, b.Seq, got, want)
					}
					lines := strings.Split(strings.TrimSuffix(b.data, "\n"), "\n")
					if strings.HasPrefix(lines[len(lines)-1], "P ") && i < len(c.blocks)-1 {
						t.Fatalf("%s, %d workers: block at %d ends in a line that goes on", name, workers, b.Seq)
					}
				}
			}
		}
	}
}

// TestPlanBounded checks that lines that continue for ever are cut all the same.
func TestPlanBounded(t *testing.T) {
	s := sizes{block: 128, maxLine: 512, rng: 1 << 10, sample: 256}
	text := strings.Repeat("P and on\n", 1000)
	inputs, _, err := Expand([]string{write(t, "log", []byte(text))}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := newCollector(t, 2)
	c.plan = Plan{Whole: func([]byte) int { return 0 }}
	if _, err := read(t.Context(), inputs, 2, c, s); err != nil {
		t.Fatal(err)
	}
	if got, _ := c.content(0, s); got != text || len(c.blocks) < len(text)/s.buffer() {
		t.Errorf("%d bytes in %d blocks, want %d bytes in bounded ones", len(got), len(c.blocks), len(text))
	}
}
