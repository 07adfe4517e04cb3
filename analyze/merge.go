package analyze

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"

	"logscan/analyze/part"
	"logscan/analyze/spill"
	"logscan/analyze/timeline"
	"logscan/parse/source/object"
)

const (
	// fewestMerged and mostMerged bound the number of parts that are merged at once, as
	// many as memory allows. More parts are merged in groups first, which costs as much as
	// most of a task. A file is open for each.
	fewestMerged, mostMerged = 32, 512
	// mergedMemory is the memory in bytes for a part that is merged: the names of its
	// routes, hosts and minutes, and what is read of it. 0.7 MB measured.
	mergedMemory = 2 << 20
)

// merging is a number of parts that are merged.
type merging struct {
	plan    *Plan
	limit   int64 // memory of a worker; see timeline.Worker.Limit
	space   *spill.Space
	workers int // goroutines
	atOnce  int // most parts that are merged at once
}

func (p *Plan) merging(m spill.Memory, workers int) *merging {
	g := &merging{plan: p, space: m.Space, workers: workers, atOnce: mostMerged}
	if m.Bytes > 0 {
		g.limit = m.Part(workers)
		g.atOnce = int(max(fewestMerged, min(mostMerged, m.Bytes/mergedMemory)))
	}
	return g
}

// foundPart is a part that was checked.
type foundPart struct {
	name  string // a path or a URL, for messages
	path  string // of the file
	tasks []int
	sum   [32]byte
	// temporary says that the file is removed once it was merged into another.
	temporary bool
}

// remove removes the file of a part that is not needed any more, if it is temporary.
func (x *foundPart) remove() error {
	if !x.temporary {
		return nil
	}
	return os.Remove(x.path)
}

// check checks all parts, some at a time, and returns them in the same order. Parts in
// stores are copied to the space.
func (m *merging) check(ctx context.Context, names []string) ([]foundPart, error) {
	all := make([]foundPart, len(names))
	errs := make([]error, len(names))
	g, ctx := errgroup.WithContext(ctx)
	stores := object.NewStores(ctx)
	g.SetLimit(fetchedAtOnce)
	for i, name := range names {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			if all[i], errs[i] = m.checkOne(stores, name, i); errs[i] != nil {
				errs[i] = &PartError{object.Label(name), errs[i]}
			}
			return errs[i]
		})
	}
	if err := g.Wait(); err != nil {
		for _, first := range errs { // the same, whichever was found first
			if first != nil && !errors.Is(first, context.Canceled) {
				return nil, first
			}
		}
		return nil, err
	}
	return all, nil
}

// checkOne checks the part with a name, the number of which is n.
func (m *merging) checkOne(stores *object.Stores, name string, n int) (x foundPart, err error) {
	x = foundPart{name: name, path: name}
	if object.Scheme(name) != "" {
		if x.path, err = m.fetch(stores, name, n); err != nil {
			return x, err
		}
		x.temporary = true
	}
	r, err := part.Open(x.path, m.plan.key)
	if err != nil {
		return x, err
	}
	x.tasks, x.sum = r.Tasks, r.Sum
	if err := r.Close(); err != nil {
		return x, err
	}
	if last := x.tasks[len(x.tasks)-1]; last >= len(m.plan.Tasks) {
		return x, part.ErrForeign
	}
	return x, nil
}

// find checks parts, and returns them in the order of their tasks. Of identical ones it
// returns the first.
func (m *merging) find(ctx context.Context, names []string) (found []foundPart, missing []int, err error) {
	all, err := m.check(ctx, names)
	if err != nil {
		return nil, nil, err
	}
	owner := make([]int, len(m.plan.Tasks)) // index in found plus one
	for i := range all {
		x := &all[i]
		same := false
		for _, t := range x.tasks {
			if n := owner[t]; n != 0 {
				if found[n-1].sum != x.sum {
					return nil, nil, &DuplicateError{t, [2]string{found[n-1].name, x.name}}
				}
				same = true
			}
		}
		if same {
			if err := x.remove(); err != nil {
				return nil, nil, err
			}
			continue
		}
		found = append(found, *x)
		for _, t := range x.tasks {
			owner[t] = len(found)
		}
	}
	for t, n := range owner {
		if n == 0 {
			missing = append(missing, t)
		}
	}
	slices.SortFunc(found, func(a, b foundPart) int { return a.tasks[0] - b.tasks[0] })
	return found, missing, nil
}

// opened are open parts.
type opened struct {
	workers []*timeline.Worker
	facts   partFacts
	files   []*part.Reader
}

// Close closes the files of the parts.
func (o *opened) Close() error {
	var errs []error
	for _, f := range o.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// open opens parts.
func (m *merging) open(parts []foundPart) (_ *opened, err error) {
	o := &opened{}
	var facts []partFacts
	defer func() {
		if err != nil {
			o.Close() // they were only read
		}
	}()
	for _, x := range parts {
		r, err := part.OpenAgain(x.path, m.plan.key)
		if err != nil {
			return nil, &PartError{x.name, err}
		}
		o.files = append(o.files, r)
		found, state, err := m.plan.readIndex(r.Index)
		var w *timeline.Worker
		if err == nil {
			w, err = timeline.OpenPart(state, r.File, m.plan.seed(), len(m.plan.Inputs))
		}
		if err != nil {
			return nil, &PartError{x.name, &part.TaskError{Tasks: x.tasks, Err: err}}
		}
		if m.limit > 0 {
			w.Limit(m.limit, m.space)
		}
		r.Index = nil
		o.workers = append(o.workers, w)
		facts = append(facts, found)
	}
	o.facts = mergeFacts(facts)
	return o, nil
}

// combine merges parts into one, which has a name: a path, or a URL in a store.
func (m *merging) combine(ctx context.Context, parts []foundPart, name string) (all foundPart, err error) {
	o, err := m.open(parts)
	if err != nil {
		return all, err
	}
	all.name, all.path = name, name
	for _, x := range parts {
		all.tasks = append(all.tasks, x.tasks...)
	}
	slices.Sort(all.tasks)
	err = m.plan.write(ctx, destination{name, m.space}, all.tasks, &o.facts, func(f *spill.File) ([]byte, error) {
		return timeline.WritePart(o.workers, nil, f, m.workers)
	})
	if err = errors.Join(err, o.Close()); err != nil {
		return all, err
	}
	for i := range parts {
		if err := parts[i].remove(); err != nil {
			return all, err
		}
	}
	return all, nil
}

// few merges parts, in files of the space, until they can be merged at once.
func (m *merging) few(ctx context.Context, parts []foundPart) ([]foundPart, error) {
	if m.space == nil {
		return parts, nil
	}
	for made := 0; len(parts) > m.atOnce; made++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		dir, err := m.space.Dir()
		if err != nil {
			return nil, err
		}
		n := min(m.atOnce, len(parts)-m.atOnce+1) // no more than need be
		one, err := m.combine(ctx, parts[:n], filepath.Join(dir, fmt.Sprintf("merged-%d", made)))
		if err != nil {
			return nil, err
		}
		one.temporary = true
		parts = append(slices.Clone(parts[n:]), one) // at the end: none is merged again before all others
	}
	return parts, nil
}
