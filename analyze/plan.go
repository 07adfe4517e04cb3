package analyze

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/klauspost/compress/s2"

	"logscan/analyze/part"
	"logscan/analyze/policy"
	"logscan/parse"
	"logscan/parse/privacy"
	"logscan/parse/source"
)

// PlanVersion is the version of plans. The tasks and the reduce of a plan are those of the
// program that made it.
const PlanVersion = 2

// Plan divides the inputs of a run into tasks that other processes can do: Map reads the
// inputs of a task and writes a part, and Reduce makes the result of all parts. It holds all
// that what is read depends on. Its secret keeps what the parts hold from those who do not
// have the plan.
type Plan struct {
	Version int          `json:"version"`
	Tool    string       `json:"tool"` // version of the program
	Secret  []byte       `json:"secret"`
	Options PlanOptions  `json:"options"`
	Formats []planFormat `json:"formats"`
	Inputs  []planInput  `json:"inputs"`
	// Samples is the encoding of what samples of the inputs hold, which only Reduce needs:
	// an inputSample of each, as JSON, compressed. Tasks need not decode it.
	Samples []byte      `json:"samples"`
	Skipped planSkipped `json:"skipped"`
	// Counted is the ledger of the state that the run continues; nil without one. Settings
	// are the flags that a state is made with.
	Counted  []byte            `json:"counted,omitempty"`
	Resumes  bool              `json:"resumes,omitempty"`
	Settings map[string]string `json:"settings,omitempty"`
	Tasks    [][]Piece         `json:"tasks"`

	key     *part.Key
	ledger  *source.Ledger
	encoded []byte
}

// PlanOptions are the options of a run that change what is read.
type PlanOptions struct {
	Since     time.Time         `json:"since,omitzero"`
	Until     time.Time         `json:"until,omitzero"`
	Reference time.Time         `json:"reference,omitzero"` // of inputs without a time of modification
	Timezone  string            `json:"timezone,omitempty"`
	Statuses  []int32           `json:"statuses,omitempty"`
	Trusted   []netip.Prefix    `json:"trusted_proxies,omitempty"`
	Fields    map[string]string `json:"fields,omitempty"`
	Emails    bool              `json:"redact_emails,omitempty"`
	// Pseudonyms is the ID of the key of pseudonyms, which is not in the plan. Policy is what
	// the tasks compare with names before they replace them.
	Pseudonyms string     `json:"pseudonym_key,omitempty"`
	Policy     planPolicy `json:"policy,omitzero"`
}

// planPolicy is the part of a policy that names people and addresses.
type planPolicy struct {
	Monitors []policy.Pattern `json:"monitors,omitempty"`
	Shared   []netip.Prefix   `json:"shared,omitempty"`
	Services []string         `json:"services,omitempty"`
}

// planFormat is what was detected of inputs.
type planFormat struct {
	Formats  []parse.Recipe `json:"formats"`
	Name     string         `json:"name"`
	Proposed bool           `json:"proposed,omitempty"`
	UTF16    bool           `json:"utf16,omitempty"`
	Closest  string         `json:"closest,omitempty"`
}

// inputSample is what a sample of an input holds.
type inputSample struct {
	Explained int            `json:"explained,omitempty"`
	Lines     int            `json:"lines,omitempty"`
	Presence  parse.Presence `json:"presence"`
}

type planInput struct {
	source.Spec
	Format int `json:"format"` // index into Plan.Formats
}

// planSkipped are the inputs that are not read, and what is to be said of others.
type planSkipped struct {
	Early      []source.Name   `json:"early,omitempty"`
	Duplicates []planDuplicate `json:"duplicates,omitempty"`
	Done       []source.Spec   `json:"done,omitempty"` // earlier runs read them to their end
	Notes      []source.Note   `json:"notes,omitempty"`
}

type planDuplicate struct {
	Path source.Name `json:"path"`
	Of   source.Name `json:"of"`
}

// Piece is what a task reads of an input: all of it if To is 0, else the lines that begin
// in a range of bytes.
type Piece struct {
	Input int   `json:"input"`
	From  int64 `json:"from,omitempty"`
	To    int64 `json:"to,omitempty"`
}

// NewPlan selects the inputs of a run, detects their formats, and divides them. tool is the
// version of the program. The errors are those of Run; inputs that can be read only once
// are an error.
//
// With a Carryover, settings are the flags that a state is made with, for Reduce.
func NewPlan(ctx context.Context, o Options, tool string, d Division, settings map[string]string) (*Plan, error) {
	o.prepare()
	skipped, err := o.selectInputs(ctx)
	if err != nil {
		return nil, err
	}
	p := &Plan{Version: PlanVersion, Tool: tool, Secret: make([]byte, part.SecretSize), Options: o.planOptions(), Settings: settings}
	rand.Read(p.Secret) // never fails
	p.Skipped.Notes = o.Notes
	for _, in := range skipped.early {
		p.Skipped.Early = append(p.Skipped.Early, source.Name(in.Path))
	}
	for _, d := range skipped.same {
		p.Skipped.Duplicates = append(p.Skipped.Duplicates, planDuplicate{source.Name(d.Path), source.Name(d.Of)})
	}
	if o.Carryover != nil {
		p.Resumes, p.Counted = true, o.Carryover.Ledger().Encoded()
	}
	for i := range skipped.done {
		s, err := skipped.done[i].Spec()
		if err != nil {
			return nil, err
		}
		p.Skipped.Done = append(p.Skipped.Done, s)
	}
	for i := range o.Inputs {
		s, err := o.Inputs[i].Spec()
		if err != nil {
			return nil, err
		}
		p.Inputs = append(p.Inputs, planInput{Spec: s})
	}
	as, err := p.detect(ctx, o)
	if err != nil {
		return nil, err
	}
	p.Tasks = d.divide(o.Inputs, as)
	if len(p.Tasks) > part.MaxTasks {
		return nil, fmt.Errorf("%d tasks are more than the maximum of %d: make greater tasks", len(p.Tasks), part.MaxTasks)
	}
	return p, p.encode()
}

// planOptions returns the options that a plan holds.
func (o *Options) planOptions() PlanOptions {
	p := PlanOptions{
		Since: o.Parse.Since, Until: o.Parse.Until, Reference: o.Parse.Reference, Statuses: o.Parse.Refusals, Trusted: o.Parse.Trusted,
		Fields: o.Fields, Emails: o.Parse.Privacy.Emails, Pseudonyms: o.PseudonymKey,
	}
	if o.Parse.Timezone != nil {
		p.Timezone = o.Parse.Timezone.String()
	}
	if o.PseudonymKey != "" {
		p.Policy = planPolicy{o.Policy.Monitors, o.Policy.Shared, o.Policy.Services}
	}
	return p
}

// detector is a source.Handler that only detects formats.
type detector struct {
	*reader
	plans []source.Plan // by input
}

func (d *detector) Open(input int, sample []byte) source.Plan {
	d.plans[input] = d.reader.Open(input, sample)
	return source.Plan{Skip: true}
}

func (*detector) Block(int, *source.Block) {}

// detect detects the formats of the inputs, and returns how they are stored.
func (p *Plan) detect(ctx context.Context, o Options) (as []stored, err error) {
	r, err := newDetector(ctx, o)
	if err != nil {
		return nil, err
	}
	d := &detector{r, make([]source.Plan, len(o.Inputs))}
	read, err := source.Read(ctx, o.Inputs, o.Workers, d)
	if err != nil {
		return nil, err
	}
	known := map[string]int{}
	samples := make([]inputSample, len(o.Inputs))
	as = make([]stored, len(o.Inputs))
	for i := range o.Inputs {
		as[i] = stored{o.Inputs[i].Divisible(&read[i], &d.plans[i]), o.Inputs[i].StoredSize()}
		if read[i].Compressed() {
			as[i].weight *= inflation
		}
		d := &r.chosen[i]
		samples[i] = inputSample{d.Explained, d.Lines, d.presence}
		f := d.plan()
		key, err := json.Marshal(f)
		if err != nil {
			return nil, err
		}
		n, ok := known[string(key)]
		if !ok {
			n = len(p.Formats)
			known[string(key)] = n
			p.Formats = append(p.Formats, f)
		}
		p.Inputs[i].Format = n
	}
	encoded, err := json.Marshal(samples)
	p.Samples = s2.Encode(nil, encoded)
	return as, err
}

// samples returns what the samples of the inputs hold.
func (p *Plan) samples() (all []inputSample, err error) {
	encoded, err := s2.Decode(nil, p.Samples)
	if err == nil {
		err = json.Unmarshal(encoded, &all)
	}
	if err != nil || len(all) != len(p.Inputs) {
		return nil, ErrPlan
	}
	return all, nil
}

// plan returns what a plan holds of what was detected.
func (d *detected) plan() planFormat {
	f := planFormat{Name: d.name, Proposed: d.proposed, UTF16: d.UTF16}
	if d.Best != nil {
		f.Closest = d.Best.Name
	}
	for _, g := range d.formats {
		f.Formats = append(f.Formats, g.Recipe())
	}
	return f
}

// detected returns what was detected, as far as it is needed after detection.
func (f *planFormat) detected(fields map[string]string) (d detected, err error) {
	d = detected{name: f.Name, proposed: f.Proposed}
	d.UTF16 = f.UTF16
	if f.Closest != "" {
		d.Best = &parse.Format{Name: f.Closest}
	}
	for i := range f.Formats {
		g, err := f.Formats[i].Format(fields)
		if err != nil {
			return d, err
		}
		d.formats = append(d.formats, g)
		d.key += g.Key() + "\n"
	}
	return d, nil
}

// encode sets the encoding, from which the key is derived: parts belong to exactly this
// plan.
func (p *Plan) encode() (err error) {
	if p.encoded, err = json.Marshal(p); err != nil {
		return err
	}
	p.encoded = append(p.encoded, '\n')
	sum := sha256.Sum256(p.encoded)
	p.key, err = part.NewKey(p.Secret, part.ID(sum[:]))
	return err
}

// Encoded returns the encoding of the plan, which contains its secret.
func (p *Plan) Encoded() []byte { return p.encoded }

// ErrPlan is the error for what is no plan.
var ErrPlan = errors.New("is no plan of logscan")

// PlanVersionError is the error for a plan of another version of the program.
type PlanVersionError struct{ Tool string }

func (e *PlanVersionError) Error() string {
	return "was made by logscan " + e.Tool + ": use that version, or make another plan"
}

// ReadPlan decodes a plan. tool is the version of the program.
func ReadPlan(encoded []byte, tool string) (*Plan, error) {
	p := &Plan{}
	d := json.NewDecoder(bytes.NewReader(encoded))
	if err := d.Decode(p); err != nil || p.Version == 0 {
		return nil, ErrPlan
	}
	if p.Version != PlanVersion || p.Tool != tool {
		return nil, &PlanVersionError{p.Tool}
	}
	if len(p.Tasks) > part.MaxTasks {
		return nil, ErrPlan
	}
	for i := range p.Inputs {
		if f := p.Inputs[i].Format; f < 0 || f >= len(p.Formats) {
			return nil, ErrPlan
		}
	}
	for _, task := range p.Tasks {
		last := -1
		for _, x := range task {
			if x.Input <= last || x.Input >= len(p.Inputs) || x.From < 0 || x.To < x.From {
				return nil, ErrPlan
			}
			last = x.Input
		}
	}
	var err error
	if p.Resumes {
		if p.ledger, err = source.DecodeLedger(p.Counted); err != nil {
			return nil, ErrPlan
		}
	}
	sum := sha256.Sum256(encoded)
	p.encoded = encoded
	p.key, err = part.NewKey(p.Secret, part.ID(sum[:]))
	return p, err
}

// seed returns the seed of the workers.
func (p *Plan) seed() uint64 {
	sum := sha256.Sum256(append([]byte("logscan seed"), p.Secret...))
	return binary.LittleEndian.Uint64(sum[:])
}

// Zone returns the time zone of times without an offset.
func (p *Plan) Zone() (*time.Location, error) {
	return time.LoadLocation(cmp.Or(p.Options.Timezone, "UTC"))
}

// parseOptions returns the options of the parsers.
func (p *Plan) parseOptions(key *privacy.Key) (o parse.Options, err error) {
	x := &p.Options
	o = parse.Options{
		Since: x.Since, Until: x.Until, Reference: x.Reference, Refusals: x.Statuses, Trusted: x.Trusted,
		Privacy: privacy.Options{Key: key, Emails: x.Emails},
	}
	if x.Timezone != "" {
		o.Timezone, err = p.Zone()
	}
	return o, err
}

// detected returns what was detected of the inputs, by format.
func (p *Plan) detected(wanted func(format int) bool) ([]detected, error) {
	all := make([]detected, len(p.Formats))
	for i := range all {
		if !wanted(i) {
			continue
		}
		d, err := p.Formats[i].detected(p.Options.Fields)
		if err != nil {
			return nil, err
		}
		all[i] = d
	}
	return all, nil
}

// hasEvents reports whether an input may hold events of authentication.
func (p *Plan) hasEvents(all []detected) bool {
	for i := range all {
		for _, f := range all[i].formats {
			if !f.HasRequests() {
				return true
			}
		}
	}
	return false
}

// skipped returns the inputs that are not read.
func (p *Plan) skipped() (s skippedInputs, err error) {
	for _, path := range p.Skipped.Early {
		s.early = append(s.early, source.Input{Path: string(path)})
	}
	for _, d := range p.Skipped.Duplicates {
		s.same = append(s.same, source.Duplicate{Input: source.Input{Path: string(d.Path)}, Of: string(d.Of)})
	}
	for i := range p.Skipped.Done {
		d, err := p.Skipped.Done[i].Resumed(p.ledger)
		if err != nil {
			return s, err
		}
		s.done = append(s.done, d)
	}
	return s, nil
}
