package analyze

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"logscan/analyze/part"
	"logscan/analyze/policy"
	"logscan/analyze/result"
	"logscan/analyze/timeline"
	"logscan/parse/source"
)

// PartError is an error of a part.
type PartError struct {
	Path string // or the URL
	Err  error  // a *part.TaskError if the tasks of the part are known
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

// Combine merges some parts of the plan into one. Parts may be merged in any order and in
// any number of steps. Names are as those of Map.
func (p *Plan) Combine(ctx context.Context, parts []string, name string, o MapOptions) error {
	m := p.merging(o.Memory, o.Workers)
	found, _, err := m.find(ctx, parts)
	if err != nil {
		return err
	}
	if found, err = m.few(ctx, found); err != nil {
		return err
	}
	_, err = m.combine(ctx, found, name)
	return err
}

// ErrState is the error for a state that is not the one that the plan was made with.
var ErrState = errors.New("the state is not the one that the plan was made with")

// Reduce returns what Run would have returned, from the parts of all tasks, whose names are
// as those of Map. Of the options
// it takes those that change conclusions, not reading: Policy, Configuration, Baseline,
// Phase, Progress, Memory, Workers, and the Carryover that the plan was made with. Close must be called when the Result is not needed any
// more.
func (p *Plan) Reduce(ctx context.Context, o Options, parts []string) (res *result.Result, closed func() error, err error) {
	o.prepare()
	o.begin(PhaseRead)
	if (o.Carryover != nil) != p.Resumes || p.Resumes && !bytes.Equal(o.Carryover.Ledger().Encoded(), p.Counted) {
		return nil, nil, ErrState
	}
	m := p.merging(o.Memory, o.Workers)
	found, missing, err := m.find(ctx, parts)
	if err != nil {
		return nil, nil, err
	}
	if len(missing) > 0 {
		return nil, nil, &MissingError{missing}
	}
	if found, err = m.few(ctx, found); err != nil {
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
	samples, err := p.samples()
	if err != nil {
		return nil, err
	}
	r = &reader{options: o, inputs: o.Inputs, recorded: true, workers: all.workers}
	for i := range p.Inputs {
		d := formats[p.Inputs[i].Format]
		d.Explained, d.Lines, d.presence = samples[i].Explained, samples[i].Lines, samples[i].Presence
		r.chosen = append(r.chosen, d)
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
