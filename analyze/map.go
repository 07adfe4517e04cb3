package analyze

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"logscan/analyze/authevents"
	"logscan/analyze/part"
	"logscan/analyze/policy"
	"logscan/analyze/spill"
	"logscan/analyze/timeline"
	"logscan/parse/privacy"
	"logscan/parse/source"
	"logscan/parse/source/object"
)

// MapOptions are the options of a task. None of them changes its part.
type MapOptions struct {
	Workers int // as in Options
	Memory  spill.Memory
	Key     *privacy.Key // of pseudonyms, if the plan has one
}

// ErrKey is the error for a key of pseudonyms that is not that of the plan.
var ErrKey = errors.New("the key of pseudonyms is not that of the plan")

// Map reads the inputs of a task and writes its part, which appears whole or not at all, to
// a name: the path of a file, or the s3 URL of an object, which is made in o.Memory.Space.
// The part is the same, byte for byte, whenever a task is done again. It returns the
// problems with inputs, which the part holds too.
func (p *Plan) Map(ctx context.Context, task int, name string, o MapOptions) (problems []string, err error) {
	if task < 0 || task >= len(p.Tasks) {
		return nil, fmt.Errorf("there is no task %d: the plan has tasks 0 to %d", task, len(p.Tasks)-1)
	}
	id := ""
	if o.Key != nil {
		id = o.Key.ID()
	}
	if id != p.Options.Pseudonyms {
		return nil, ErrKey
	}
	r, inputs, events, err := p.taskReader(ctx, p.Tasks[task], o)
	if err != nil {
		return nil, err
	}
	read, err := r.read(ctx)
	if err != nil {
		return nil, err
	}
	found := partFacts{Matched: r.options.Policy.Matched()}
	for i := range read {
		f := newInputFact(inputs[i], &read[i])
		if s := p.Inputs[inputs[i]].Resume; s != nil && !s.Plain {
			f.Resume = r.inputs[i].Resume()
		}
		if found.Inputs = append(found.Inputs, f); f.Error != "" {
			problems = append(problems, r.inputs[i].Path+": "+f.Error)
		}
	}
	keyer := authevents.Keyer{Hash: p.key.Hasher(), Pseudonyms: o.Key != nil}
	if o.Key != nil {
		keyer.Hash = o.Key.Hasher() // the plan must not be enough to confirm a name
	}
	recorder, err := r.newRecorder(keyer, events)
	if err != nil {
		return nil, err
	}
	recorder.Inputs, recorder.All = inputs, len(p.Inputs)
	return problems, p.write(ctx, destination{name, o.Memory.Space}, []int{task}, &found, func(f *spill.File) ([]byte, error) {
		return timeline.WritePart(r.workers, recorder, f, r.options.Workers)
	})
}

// taskReader returns the reader of what a task reads, and by input of the reader that of
// the plan. events reports whether an input of the plan may hold events.
func (p *Plan) taskReader(ctx context.Context, task []Piece, o MapOptions) (r *reader, inputs []int, events bool, err error) {
	all, err := p.detected(func(int) bool { return true })
	if err != nil {
		return nil, nil, false, err
	}
	options := Options{
		Policy: policy.Policy{Monitors: p.Options.Policy.Monitors, Shared: p.Options.Policy.Shared, Services: p.Options.Policy.Services},
		Fields: p.Options.Fields, Workers: o.Workers, Memory: o.Memory,
	}
	if options.Parse, err = p.parseOptions(o.Key); err != nil {
		return nil, nil, false, err
	}
	r = &reader{planned: true}
	whole, err := p.sourceInputs()
	if err != nil {
		return nil, nil, false, err
	}
	stores := object.NewStores(ctx)
	servers, serverOf := listServers(whole)
	var serverOfPiece []uint8
	for _, x := range task {
		spec := &p.Inputs[x.Input]
		in, err := spec.Reopen(stores, p.ledger)
		if err != nil {
			return nil, nil, false, err
		}
		if x.To > 0 {
			in = in.Within(source.Span{From: x.From, To: x.To})
		}
		options.Inputs = append(options.Inputs, in)
		r.chosen = append(r.chosen, all[spec.Format])
		inputs = append(inputs, x.Input)
		if len(servers) > 0 {
			serverOfPiece = append(serverOfPiece, serverOf[x.Input])
		}
	}
	options.prepare()
	r.options, r.inputs = options, options.Inputs
	r.makeWorkers(p.seed(), servers, serverOfPiece)
	return r, inputs, p.hasEvents(all), nil
}

// sourceInputs returns the inputs of the plan.
func (p *Plan) sourceInputs() (all []source.Input, err error) {
	all = make([]source.Input, len(p.Inputs))
	for i := range all {
		if all[i], err = p.Inputs[i].Input(p.ledger); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// partFacts is what a part holds of inputs and names beside the state of the workers.
type partFacts struct {
	Inputs  []inputFact    `json:"inputs"` // ascending
	Matched policy.Matched `json:"matched,omitzero"`
}

// inputFact is the outcome of reading an input, or a range of it.
type inputFact struct {
	Input       int    `json:"input"`
	Compression string `json:"compression"`
	Bytes       int64  `json:"bytes"`
	Error       string `json:"error,omitempty"`
	At          int64  `json:"at,omitempty"` // offset of the error
	// Resume is what reading a stream has shown of what earlier runs counted.
	Resume *source.ResumeSpec `json:"resume,omitempty"`
}

func newInputFact(input int, r *source.Result) inputFact {
	f := inputFact{Input: input, Compression: r.Compression, Bytes: r.Bytes}
	if r.Err != nil {
		f.Error = r.Err.Error()
		if at := (*source.ReadError)(nil); errors.As(r.Err, &at) {
			f.At = at.Stored
		}
	}
	return f
}

// add adds the outcome of another range of the same input.
func (f *inputFact) add(g *inputFact) {
	f.Bytes += g.Bytes
	if g.Error != "" && (f.Error == "" || g.At < f.At) {
		f.Error, f.At = g.Error, g.At
	}
}

// mergeFacts returns what some parts have found.
func mergeFacts(parts []partFacts) (all partFacts) {
	var matched policy.Policy
	for i := range parts {
		all.Inputs = append(all.Inputs, parts[i].Inputs...)
		matched.Match(&parts[i].Matched)
	}
	all.Matched = matched.Matched()
	slices.SortStableFunc(all.Inputs, func(a, b inputFact) int { return a.Input - b.Input })
	kept := all.Inputs[:0]
	for i := range all.Inputs {
		if n := len(kept); n > 0 && kept[n-1].Input == all.Inputs[i].Input {
			kept[n-1].add(&all.Inputs[i])
		} else {
			kept = append(kept, all.Inputs[i])
		}
	}
	all.Inputs = kept
	return all
}

// write writes a part of some tasks.
func (p *Plan) write(ctx context.Context, to destination, tasks []int, found *partFacts, state func(*spill.File) ([]byte, error)) error {
	path, err := to.path()
	if err != nil {
		return err
	}
	w, err := part.Create(path, p.key, tasks)
	if err != nil {
		return err
	}
	defer w.Abort()
	w.Temporary = path != to.name
	index, err := state(w.File)
	if err != nil {
		return err
	}
	facts, err := json.Marshal(found)
	if err != nil {
		return err
	}
	if err := w.Finish(slices.Concat(binary.AppendUvarint(nil, uint64(len(facts))), facts, index)); err != nil {
		return err
	}
	return to.deliver(ctx, path)
}

// readIndex returns the facts in the index of a part, and the index of its state.
func (p *Plan) readIndex(index []byte) (found partFacts, state []byte, err error) {
	n, size := binary.Uvarint(index)
	if size <= 0 || n > uint64(len(index)-size) {
		return found, nil, timeline.ErrIndex
	}
	state = index[size+int(n):]
	if json.Unmarshal(index[size:size+int(n)], &found) != nil {
		return found, nil, timeline.ErrIndex
	}
	for i := range found.Inputs {
		if n := found.Inputs[i].Input; n < 0 || n >= len(p.Inputs) {
			return found, nil, timeline.ErrIndex
		}
	}
	return found, state, nil
}
