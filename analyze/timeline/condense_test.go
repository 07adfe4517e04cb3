package timeline

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"logscan/analyze/spill"
	auth "logscan/parse/events"
	"logscan/parse/privacy"
)

// memory is a file in memory.
type memory struct{ b []byte }

func (m *memory) ReadAt(p []byte, off int64) (int, error) {
	if off >= int64(len(m.b)) {
		return 0, io.EOF
	}
	n := copy(p, m.b[off:])
	if n < len(p) {
		return n, io.ErrUnexpectedEOF
	}
	return n, nil
}

func (m *memory) WriteAt(p []byte, off int64) (int, error) {
	if off != int64(len(m.b)) {
		return 0, errors.New("not at the end")
	}
	m.b = append(m.b, p...)
	return len(p), nil
}

// written is a part that was written.
type written struct {
	memory
	index []byte
	file  *spill.File
}

func (p *written) open(t *testing.T, seed uint64) *Worker {
	t.Helper()
	w, err := OpenPart(p.index, p.file, seed, 1)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// plainRecorder keeps lines as they are.
var plainRecorder = &Recorder{
	Inputs: []int{0}, All: 1,
	Refusal:  func(dst []byte, _ int, line []byte) ([]byte, error) { return append(dst, line...), nil },
	Message:  func(dst []byte, _ *auth.Texts, _, line []byte) ([]byte, error) { return append(dst, line...), nil },
	Rejected: func(*Rejected) {},
}

func writePart(t *testing.T, workers []*Worker, r *Recorder, goroutines int) *written {
	t.Helper()
	p := &written{}
	p.file = spill.NewFile(&p.memory, 0, nil)
	var err error
	if p.index, err = WritePart(workers, r, p.file, goroutines); err != nil {
		t.Fatal(err)
	}
	return p
}

// task reads the requests from one on, before another, as a task does.
func (s setup) task(t *testing.T, rs []request, from, to int) *written {
	t.Helper()
	ws := s.new(t)
	for i := from; i < to; i++ {
		e := rs[i].entry()
		ws[s.turn(i)%s.workers].Entry(0, int64(i), &e, []byte(fmt.Sprint(rs[i])))
	}
	return writePart(t, ws, plainRecorder, s.workers)
}

// hashed replaces session ids by their sums.
func hashed(list []seen) []seen {
	for i := range list {
		if id := list[i].session; id != "" {
			sum := privacy.SessionSum([]byte(id))
			list[i].session = hex.EncodeToString(sum[:])
		}
	}
	return list
}

// The state does not depend on the division into tasks, and the bytes of a part only on
// the lines.
func TestParts(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	for name, rs := range map[string][]request{"random": randomRequests(r, 2000), "distinct": distinctRequests(r, 1000)} {
		for _, names := range []int{0, 70} {
			want := setup{workers: 1, seed: 1, names: names}.merge(t, rs)
			wantEvents := hashed(events(want))
			for _, tasks := range []int{1, 6} {
				var parts []*written
				for i := range tasks {
					from, to := i*len(rs)/tasks, (i+1)*len(rs)/tasks
					one := setup{workers: 1, seed: 5, turn: func(int) int { return 0 }}.task(t, rs, from, to)
					again := setup{workers: 3, seed: 5, turn: func(int) int { return r.IntN(3) }, memory: 160 << 10}.task(t, rs, from, to)
					if !bytes.Equal(one.b, again.b) || !bytes.Equal(one.index, again.index) {
						t.Fatalf("%s: the part of task %d of %d depends on the workers", name, i, tasks)
					}
					parts = append(parts, one)
				}
				for range 2 {
					r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
					var ws []*Worker
					for group := range slices.Chunk(parts, 1+r.IntN(len(parts))) {
						var some []*Worker
						for _, p := range group {
							some = append(some, p.open(t, 5))
						}
						if r.IntN(2) == 0 {
							ws = append(ws, some...)
							continue
						}
						ws = append(ws, writePart(t, some, nil, 2).open(t, 5))
					}
					what := fmt.Sprintf("%s, %d names, %d tasks, %d parts", name, names, tasks, len(ws))
					got, err := merge(ws, cmp.Or(names, MaxNames))
					if err != nil {
						t.Fatal(err)
					}
					if r.IntN(2) == 0 {
						what += ", gathered"
						space := spill.NewSpace(filepath.Join(t.TempDir(), "gathered"))
						defer space.Close()
						got.workers[0].Limit(int64(r.IntN(2)*r.IntN(100<<10)), space)
						if r.IntN(2) == 0 {
							got.limit.pass = 4 // shards with more events stay as they are
						}
						got.Gather(1 + r.IntN(2))
						events(got) // keeps them in their order
					}
					gotEvents := events(got)
					for i := range gotEvents {
						if s := gotEvents[i].session; s != "" {
							gotEvents[i].session = hex.EncodeToString([]byte(s))
						}
					}
					if !reflect.DeepEqual(gotEvents, wantEvents) {
						t.Errorf("%s: events differ: %s", what, firstDifference(gotEvents, wantEvents))
					}
					sameButEvents(t, what, got, want)
				}
			}
		}
	}
}

// A shard with more events than are sorted in memory is that of one with fewer.
func TestSortAll(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 24))
	rs := randomRequests(r, 600)
	var ws []*Worker
	for i := range 3 {
		ws = append(ws, setup{workers: 2, seed: 5, turn: func(int) int { return r.IntN(2) }}.task(t, rs, 200*i, 200*(i+1)).open(t, 5))
	}
	s, err := Merge(ws)
	if err != nil {
		t.Fatal(err)
	}
	space := spill.NewSpace(filepath.Join(t.TempDir(), "sorted"))
	defer space.Close()
	s.workers[0].Limit(1, space)
	x := &rearranger{State: s, origins: s.parts}
	for i := range Shards {
		var built [2]plainShard
		for n := range built {
			to := &built[n]
			to.init()
			total, err := x.open(i)
			if err != nil {
				t.Fatal(err)
			}
			if to.sums = x.sums; n == 0 {
				err = x.sortActors(to, int(total))
			} else {
				err = x.sortAll(to)
			}
			if err != nil {
				t.Fatal(err)
			}
			to.end()
			to.close()
		}
		a, b := &built[0].shard, &built[1].shard
		if !bytes.Equal(a.appendTable(nil), b.appendTable(nil)) || !bytes.Equal(slices.Concat(a.pages...), slices.Concat(b.pages...)) {
			t.Fatalf("shard %d differs", i)
		}
	}
}

// FuzzIndex opens the index of a part that anybody may have written.
func FuzzIndex(f *testing.F) {
	rs := randomRequests(rand.New(rand.NewPCG(1, 1)), 200)
	ws := setup{workers: 1, seed: 5}.newFor(f)
	for i := range rs {
		e := rs[i].entry()
		ws[0].Entry(0, int64(i), &e, []byte(fmt.Sprint(rs[i])))
	}
	file := spill.NewFile(&memory{}, 0, nil)
	index, err := WritePart(ws, plainRecorder, file, 1)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(index)
	f.Add(index[:len(index)/2])
	f.Add([]byte{1, 1, 1, 1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, b []byte) {
		if w, err := OpenPart(b, file, 5, 1); err == nil && len(w.spilled) != 1 {
			t.Error("no part, and no error")
		}
	})
}

func (s setup) new(t *testing.T) []*Worker {
	ws := s.newFor(t)
	if s.memory > 0 {
		for _, w := range ws {
			space := spill.NewSpace(filepath.Join(t.TempDir(), "spill"))
			t.Cleanup(func() { space.Close() })
			w.Limit(w.part.size()+s.memory, space)
		}
	}
	return ws
}

func (s setup) newFor(testing.TB) []*Worker {
	ws := make([]*Worker, s.workers)
	for i := range ws {
		ws[i] = NewWorker(s.seed, 1)
	}
	return ws
}
