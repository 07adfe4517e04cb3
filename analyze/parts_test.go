package analyze

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/s2"

	"logscan/analyze/authevents"
	"logscan/analyze/part"
	"logscan/analyze/spill"
	"logscan/analyze/timeline"
	"logscan/fixtures"
	corpus "logscan/fixtures/planted"
	"logscan/parse"
	"logscan/parse/source"
)

// planOf returns a plan of some logs in n tasks.
func planOf(t *testing.T, o Options, n int, paths ...string) *Plan {
	t.Helper()
	inputs, _, err := source.Expand(paths, nil)
	if err != nil {
		t.Fatal(err)
	}
	o.Inputs = inputs
	made, err := NewPlan(t.Context(), o, "test", Division{Tasks: n}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := ReadPlan(made.Encoded(), "test")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// mapAll writes the parts of all tasks.
func mapAll(t *testing.T, p *Plan) (paths []string) {
	t.Helper()
	dir := t.TempDir()
	for task := range p.Tasks {
		paths = append(paths, filepath.Join(dir, fmt.Sprint("part-", task)))
		if _, err := p.Map(t.Context(), task, paths[task], MapOptions{Workers: 2}); err != nil {
			t.Fatal(err)
		}
	}
	return paths
}

func oneLog(t *testing.T, lines int64) string {
	t.Helper()
	dir := t.TempDir()
	if _, err := fixtures.Generate(t.Context(), fixtures.Options{Scenario: "idle", Lines: lines, Seed: 3, Servers: 1, Format: "session"}, dir); err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(paths) != 1 {
		t.Fatal(paths, err)
	}
	return paths[0]
}

// A reduce needs each part of its plan once, undamaged.
func TestPartsOfPlan(t *testing.T) {
	log := oneLog(t, 3000)
	p := planOf(t, Options{}, 4, log)
	parts := mapAll(t, p)
	reduce := func(parts ...string) error {
		_, closed, err := p.Reduce(t.Context(), Options{}, parts)
		if err == nil {
			err = closed()
		}
		return err
	}
	if err := reduce(parts...); err != nil {
		t.Error(err)
	}
	if err := reduce(append(parts, parts[2])...); err != nil {
		t.Error("an identical copy:", err)
	}
	var missing *MissingError
	if err := reduce(parts[0], parts[3]); !errors.As(err, &missing) || !slices.Equal(missing.Tasks, []int{1, 2}) {
		t.Error("missing parts:", err)
	}
	other := mapAll(t, planOf(t, Options{}, 4, log))
	var damaged *PartError
	if err := reduce(append(parts[:3:3], other[3])...); !errors.As(err, &damaged) || !errors.Is(err, part.ErrForeign) {
		t.Error("a part of another plan:", err)
	}
	merged := filepath.Join(t.TempDir(), "merged")
	if err := p.Combine(t.Context(), parts[1:3], merged, MapOptions{Workers: 1}); err != nil {
		t.Fatal(err)
	}
	if err := reduce(parts[0], merged, parts[3]); err != nil {
		t.Error(err)
	}
	var duplicate *DuplicateError
	if err := reduce(append(parts, merged)...); !errors.As(err, &duplicate) || duplicate.Task != 1 {
		t.Error("a task in two parts:", err)
	}
	whole, err := os.ReadFile(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		b := bytes.Clone(whole)
		at := r.IntN(len(b))
		b[at] ^= 1 << r.IntN(8)
		bad := filepath.Join(t.TempDir(), "bad")
		if err := os.WriteFile(bad, b, 0o600); err != nil {
			t.Fatal(err)
		}
		var task *part.TaskError
		err := reduce(parts[0], bad, parts[2], parts[3])
		if err == nil || at > 200 && (!errors.As(err, &task) || task.Tasks[0] != 1) {
			t.Errorf("a change at byte %d of %d: %v", at, len(b), err)
		}
	}
	f, err := os.OpenFile(log, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = f.WriteString("more\n"); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if _, err := p.Map(t.Context(), 0, merged, MapOptions{}); !errors.Is(err, source.ErrReplanned) {
		t.Error("a log that has grown:", err)
	}
}

// plaintext is a file of pieces that keeps them as they are.
type plaintext struct {
	pieces bytes.Buffer
	size   int64
}

func (p *plaintext) ReadAt([]byte, int64) (int, error) { return 0, errors.New("not read") }

func (p *plaintext) WriteAt(b []byte, _ int64) (int, error) {
	p.size += int64(len(b))
	return len(b), nil
}

func (p *plaintext) Seal(dst, piece []byte, _ int64) []byte {
	b, err := s2.Decode(nil, piece)
	if err != nil {
		panic(err)
	}
	p.pieces.Write(b)
	return append(dst, piece...)
}

func (p *plaintext) Unseal(b []byte, _ int64) ([]byte, error) { return b, nil }

// contentOf returns what the part of a task holds before it is encrypted.
func contentOf(t *testing.T, p *Plan, task int) []byte {
	t.Helper()
	r, inputs, events, err := p.taskReader(t.Context(), p.Tasks[task], MapOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.read(t.Context()); err != nil {
		t.Fatal(err)
	}
	recorder, err := r.newRecorder(authevents.Keyer{Hash: p.key.Hasher()}, events)
	if err != nil {
		t.Fatal(err)
	}
	recorder.Inputs, recorder.All = inputs, len(p.Inputs)
	store := &plaintext{}
	index, err := timeline.WritePart(r.workers, recorder, spill.NewFile(store, 0, store), 2)
	if err != nil {
		t.Fatal(err)
	}
	return append(store.pieces.Bytes(), index...)
}

// TestPlantedInParts searches parts, as they are stored and before they are encrypted, for
// the credentials in logs.
func TestPlantedInParts(t *testing.T) {
	dir := t.TempDir()
	for _, l := range append(append(corpus.Corpus(), corpus.BrokenEndpoint()), corpus.Sessions()...) {
		path := filepath.Join(dir, l.Name+".log")
		var text strings.Builder
		if l.Name == "iis" {
			text.WriteString(corpus.Directive + "\n")
		}
		for i := range l.Lines {
			text.WriteString(l.Lines[i].Text + "\n")
		}
		if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		var o Options
		if l.Format != "" {
			var err error
			if f, ok := parse.Lookup(l.Format); ok {
				o.Format = f
			} else if o.Format, err = parse.Compile(l.Format); err != nil {
				t.Fatal(err)
			}
		}
		p := planOf(t, o, 1, path)
		stored, err := os.ReadFile(mapAll(t, p)[0])
		if err != nil {
			t.Fatal(err)
		}
		content := contentOf(t, p, 0)
		for i := range l.Lines {
			for _, needle := range l.Lines[i].Needles {
				if bytes.Contains(stored, []byte(needle)) {
					t.Errorf("%s: %s: in the part", l.Name, l.Lines[i].Kind)
				}
				if at := bytes.Index(content, []byte(needle)); at >= 0 {
					t.Errorf("%s: %s: before encryption: …%q…", l.Name, l.Lines[i].Kind, content[max(0, at-60):min(len(content), at+40)])
				}
			}
		}
	}
}
