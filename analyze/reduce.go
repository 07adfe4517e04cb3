package analyze

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"logscan/analyze/part"
	"logscan/analyze/policy"
	"logscan/analyze/result"
	"logscan/analyze/spill"
	"logscan/analyze/timeline"
	"logscan/parse/source"
)

// maxMerged is the maximum number of parts that are merged at once. Of each, the names of
// its routes, hosts and minutes are in memory. More parts are merged in groups first.
const maxMerged = 32

// PartError is an error of a part.
type PartError struct {
	Path string
	Err  error // a *part.TaskError if the tasks of the part are known
}

func (e *PartError) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap returns e.Err.
func (e *PartError) Unwrap() error { return e.Err }

// MissingError reports tasks without a part.
type MissingError struct{ Tasks []int }

func (e *MissingError) Error() string { return "no part of " + part.TasksText(e.Tasks) }

// DuplicateError reports a task that several parts hold, which are not identical.
type DuplicateError struct {
	Task  int
	Paths [2]string
}

func (e *DuplicateError) Error() string {
	return fmt.Sprintf("task %d is in both %s and %s, which differ", e.Task, e.Paths[0], e.Paths[1])
}

// foundPart is a part that was checked.
type foundPart struct {
	path  string
	tasks []int
	sum   [32]byte
}

// find checks parts, and returns them in the order of their tasks. Of identical ones it
// returns the first.
func (p *Plan) find(ctx context.Context, paths []string) (found []foundPart, missing []int, err error) {
	owner := make([]int, len(p.Tasks)) // index in found plus one
	for _, path := range paths {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		r, err := part.Open(path, p.key)
		if err != nil {
			return nil, nil, &PartError{path, err}
		}
		x := foundPart{path, r.Tasks, r.Sum}
		if err := r.Close(); err != nil {
			return nil, nil, &PartError{path, err}
		}
		if last := x.tasks[len(x.tasks)-1]; last >= len(p.Tasks) {
			return nil, nil, &PartError{path, part.ErrForeign}
		}
		same := false
		for _, t := range x.tasks {
			if n := owner[t]; n != 0 {
				if found[n-1].sum != x.sum {
					return nil, nil, &DuplicateError{t, [2]string{found[n-1].path, path}}
				}
				same = true
			}
		}
		if same {
			continue
		}
		found = append(found, x)
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

// merging is a number of parts that are merged.
type merging struct {
	plan    *Plan
	limit   int64 // memory of a worker; see timeline.Worker.Limit
	space   *spill.Space
	workers int // goroutines
}

func (p *Plan) merging(m spill.Memory, workers int) *merging {
	g := &merging{plan: p, space: m.Space, workers: workers}
	if m.Bytes > 0 {
		g.limit = m.Part(workers)
	}
	return g
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
	defer func() {
		if err != nil {
			o.Close() // they were only read
		}
	}()
	for _, x := range parts {
		r, err := part.OpenAgain(x.path, m.plan.key)
		if err != nil {
			return nil, &PartError{x.path, err}
		}
		o.files = append(o.files, r)
		found, state, err := m.plan.readIndex(r.Index)
		var w *timeline.Worker
		if err == nil {
			w, err = timeline.OpenPart(state, r.File, m.plan.seed(), len(m.plan.Inputs))
		}
		if err != nil {
			return nil, &PartError{x.path, &part.TaskError{Tasks: x.tasks, Err: err}}
		}
		if m.limit > 0 {
			w.Limit(m.limit, m.space)
		}
		r.Index = nil
		o.workers = append(o.workers, w)
		o.facts.add(&found)
	}
	return o, nil
}

// combine merges parts into one.
func (m *merging) combine(parts []foundPart, path string) (all foundPart, err error) {
	o, err := m.open(parts)
	if err != nil {
		return all, err
	}
	defer o.Close() // they are only read
	all.path = path
	for _, x := range parts {
		all.tasks = append(all.tasks, x.tasks...)
	}
	slices.Sort(all.tasks)
	return all, m.plan.write(path, all.tasks, &o.facts, func(f *spill.File) ([]byte, error) {
		return timeline.WritePart(o.workers, nil, f, m.workers)
	})
}

// atMost merges parts, in files of the space, until there are at most n.
func (m *merging) atMost(ctx context.Context, parts []foundPart, n int) ([]foundPart, error) {
	if m.space == nil {
		return parts, nil
	}
	for round := 0; len(parts) > n; round++ {
		dir, err := m.space.Dir()
		if err != nil {
			return nil, err
		}
		var fewer []foundPart
		for group := range slices.Chunk(parts, maxMerged) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if len(group) == 1 {
				fewer = append(fewer, group[0])
				continue
			}
			one, err := m.combine(group, filepath.Join(dir, fmt.Sprintf("part-%d-%d", round, len(fewer))))
			if err != nil {
				return nil, err
			}
			fewer = append(fewer, one)
		}
		parts = fewer
	}
	return parts, nil
}

// Combine merges some parts of the plan into one. Parts may be merged in any order and in
// any number of steps.
func (p *Plan) Combine(ctx context.Context, parts []string, path string, o MapOptions) error {
	found, _, err := p.find(ctx, parts)
	if err != nil {
		return err
	}
	m := p.merging(o.Memory, o.Workers)
	if found, err = m.atMost(ctx, found, maxMerged); err != nil {
		return err
	}
	_, err = m.combine(found, path)
	return err
}

// ErrState is the error for a state that is not the one that the plan was made with.
var ErrState = errors.New("the state is not the one that the plan was made with")

// Reduce returns what Run would have returned, from the parts of all tasks. Of the options
// it takes those that change conclusions, not reading: Policy, Configuration, Baseline,
// Phase, Progress, Memory, Workers, and the Carryover that the plan was made with. Close must be called when the Result is not needed any
// more.
func (p *Plan) Reduce(ctx context.Context, o Options, parts []string) (res *result.Result, closed func() error, err error) {
	o.prepare()
	o.begin(PhaseRead)
	if (o.Carryover != nil) != p.Resumes || p.Resumes && !bytes.Equal(o.Carryover.Ledger().Encoded(), p.Counted) {
		return nil, nil, ErrState
	}
	found, missing, err := p.find(ctx, parts)
	if err != nil {
		return nil, nil, err
	}
	if len(missing) > 0 {
		return nil, nil, &MissingError{missing}
	}
	m := p.merging(o.Memory, o.Workers)
	if found, err = m.atMost(ctx, found, maxMerged); err != nil {
		return nil, nil, err
	}
	all, err := m.open(found)
	if err != nil {
		return nil, nil, err
	}
	r, err := p.reduceReader(o, all)
	if err == nil {
		res, err = p.conclude(ctx, r, all.facts.Inputs)
	}
	if err != nil {
		all.Close() // they were only read
		return nil, nil, err
	}
	return res, all.Close, nil
}

// conclude diagnoses what all tasks have read.
func (p *Plan) conclude(ctx context.Context, r *reader, facts []inputFact) (*result.Result, error) {
	skipped, err := p.skipped()
	if err != nil {
		return nil, err
	}
	if err := r.resume(); err != nil {
		return nil, err
	}
	return r.conclude(ctx, p.results(r.inputs, facts), skipped)
}

// reduceReader returns a reader that has read all tasks.
func (p *Plan) reduceReader(o Options, all *opened) (r *reader, err error) {
	for i := range all.facts.Inputs {
		if f := &all.facts.Inputs[i]; f.Resume != nil {
			p.Inputs[f.Input].Resume = f.Resume
		}
	}
	if o.Inputs, err = p.sourceInputs(); err != nil {
		return nil, err
	}
	o.Notes, o.Fields, o.PseudonymKey = p.Skipped.Notes, p.Options.Fields, p.Options.Pseudonyms
	if o.Parse, err = p.parseOptions(nil); err != nil {
		return nil, err
	}
	if o.PseudonymKey != "" {
		x := &p.Options.Policy
		o.Policy = policy.Policy{Monitors: x.Monitors, Shared: x.Shared, Services: x.Services, Mutes: o.Policy.Mutes}
		o.Policy.Match(&all.facts.Matched)
	}
	formats, err := p.detected(func(int) bool { return true })
	if err != nil {
		return nil, err
	}
	r = &reader{options: o, inputs: o.Inputs, recorded: true, workers: all.workers}
	for i := range p.Inputs {
		r.chosen = append(r.chosen, formats[p.Inputs[i].Format])
	}
	if len(r.workers) == 0 { // a plan without tasks
		r.workers = append(r.workers, timeline.NewWorker(p.seed(), len(p.Inputs)))
	}
	servers, serverOf := listServers(o.Inputs)
	for _, w := range r.workers {
		w.SetServers(servers, serverOf)
	}
	return r, nil
}

// results returns the outcome of reading the inputs.
func (p *Plan) results(inputs []source.Input, facts []inputFact) []source.Result {
	all := make([]source.Result, len(inputs))
	for i := range inputs {
		if r := inputs[i].Settled(); r != nil {
			all[i] = *r
		}
	}
	for i := range facts {
		f := &facts[i]
		all[f.Input] = source.Result{Compression: f.Compression, Bytes: f.Bytes}
		if f.Error != "" {
			all[f.Input].Err = errors.New(f.Error)
		}
	}
	return all
}
