package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"logscan/analyze"
	"logscan/analyze/spill"
	"logscan/parse/source"
	"logscan/parse/source/object"
)

// planCmd divides the inputs of a run into tasks.
type planCmd struct {
	Inputs []string `arg:"" predictor:"file" name:"input" help:"File, directory, glob or URL (s3://BUCKET/KEY, https://) that all machines can read. Compression and format are detected."`

	formatFlags
	lineFlags
	Workers workers `placeholder:"N" group:"input" help:"Number of worker goroutines (default: the number of CPUs)."`
	policyFlags
	privacyFlags

	TaskSize taskSize `placeholder:"SIZE" group:"output" help:"Size of a task in bytes of plain logs, at least 64MiB; compressed bytes count eightfold (default: 1/32 of the logs, from 128MiB to 1GiB)."`
	Tasks    int      `placeholder:"N" group:"output" help:"Number of tasks, whatever their size, for job arrays of a fixed size."`
	Out      string   `short:"o" predictor:"file" default:"plan.json" placeholder:"FILE" group:"output" help:"File or s3:// URL for the plan, which contains a secret (default: ${default})."`
	State    string   `predictor:"file" placeholder:"FILE" group:"output" help:"State file of earlier runs: only what they have not counted is planned. Give it to logscan reduce, too."`
	Quiet    bool     `short:"q" group:"messages" help:"Print no notes."`
}

// Help returns the text that kong prints before the flags.
func (planCmd) Help() string {
	return `Selects the inputs, detects their formats and divides them into tasks, for logscan map and logscan reduce. Prints the number of tasks, which count from 0. All flags that change what is read belong to the plan. With --pseudonymize, so do --monitor, --shared-address and --service-account: only the tasks see names.`
}

// taskSize is a size of tasks in bytes.
type taskSize int64

// UnmarshalText parses a size with a unit.
func (s *taskSize) UnmarshalText(text []byte) error {
	n, err := humanize.ParseBytes(string(text))
	if err != nil || n < analyze.MinTaskSize || n > 1<<50 {
		return fmt.Errorf("%q is not a size of 64MiB or more, such as 1GiB", text)
	}
	*s = taskSize(n)
	return nil
}

// Run writes the plan.
func (c *planCmd) Run(ctx context.Context, std *streams) error {
	if err := checkWritable(c.Out, writableFile); err != nil {
		return err
	}
	if err := checkLocal("--state", c.State); err != nil {
		return err
	}
	o, err := c.formatFlags.options(std, c.Quiet)
	if err != nil {
		return err
	}
	if o.Parse, o.Since, o.Until, err = c.lineFlags.options(time.Now()); err != nil {
		return err
	}
	if o.Parse.Privacy, err = c.privacyFlags.options(); err != nil {
		return err
	}
	if o.Policy = c.policy(); o.Parse.Privacy.Key == nil && c.policyFlags.given() || len(c.Mute) > 0 {
		return usagef("give it to logscan reduce", "the site policy does not change what is read without --pseudonymize")
	}
	o.Workers = int(c.Workers)
	inputs, err := c.expand(ctx, c.Inputs, std, c.Quiet, &o)
	if err != nil {
		return err
	}
	var notes []source.Note
	if o.Inputs, notes, err = expandArchives(ctx, inputs, int(c.Workers), std, c.Quiet); err != nil {
		return err
	}
	o.Notes = append(o.Notes, notes...)
	var made map[string]string
	if c.State != "" {
		if err := c.wholeRange(); err != nil {
			return err
		}
		made = settings(&o, c.Format)
		state, err := claimState(c.State, c.Out, &o, made)
		if err != nil {
			return err
		}
		defer state.Release()
		o.Inputs = slices.DeleteFunc(o.Inputs, func(in source.Input) bool { return state.Holds(in.Path) })
	}
	p, err := analyze.NewPlan(ctx, o, toolVersion(), analyze.Division{TaskSize: int64(c.TaskSize), Tasks: c.Tasks}, made)
	if errors.Is(err, source.ErrOnce) {
		return &usageError{err, "a plan is for files that every task can read"}
	}
	if err != nil {
		return rangeError(err)
	}
	if err := writeNamed(ctx, c.Out, p.Encoded(), "application/json"); err != nil {
		return err
	}
	if !c.Quiet {
		note(std.stderr, "plan: %s: %d inputs in %d tasks; the file contains the key of the parts", c.Out, len(p.Inputs), len(p.Tasks))
	}
	_, err = fmt.Fprintln(std.stdout, len(p.Tasks))
	return err
}

// toolVersion identifies the program in plans.
func toolVersion() string {
	version, commit := buildVersion()
	return version + " " + commit
}

// maxPlan bounds the size of a plan in bytes: ten million inputs.
const maxPlan = 4 << 30

// openPlan reads the plan in a file or an object.
func openPlan(ctx context.Context, name string) (*analyze.Plan, error) {
	encoded, err := readNamed(ctx, name, maxPlan)
	switch {
	case errors.Is(err, errPublic):
		return nil, usagef("chmod 600 "+name, "%s is readable by all users of this machine; it contains the key of the parts", name)
	case err != nil:
		return nil, &usageError{err, "make a plan with logscan plan"}
	}
	p, err := analyze.ReadPlan(encoded, toolVersion())
	if err != nil {
		return nil, usagef("make a plan with logscan plan", "%s: %w", object.Label(name), err)
	}
	return p, nil
}

// mapCmd does one task of a plan.
type mapCmd struct {
	Plan string `arg:"" predictor:"file" name:"plan" help:"Plan of logscan plan: a file or a URL."`
	Task int    `required:"" env:"LOGSCAN_TASK,JOB_COMPLETION_INDEX,AWS_BATCH_JOB_ARRAY_INDEX" placeholder:"N" group:"input" help:"Number of the task, from 0 (default: JOB_COMPLETION_INDEX of Kubernetes or AWS_BATCH_JOB_ARRAY_INDEX)."`
	Out  string `short:"o" required:"" predictor:"file" placeholder:"PART" group:"output" help:"File or s3:// URL for the part, written completely or not at all, or a directory or prefix for part-N, with a slash at its end (a directory is made)."`

	memoryFlags
	Workers      workers `placeholder:"N" group:"input" help:"Number of worker goroutines (default: the number of CPUs)."`
	Pseudonymize string  `predictor:"file" placeholder:"KEYFILE" group:"privacy" help:"Key of pseudonyms, if the plan was made with one."`
	Quiet        bool    `short:"q" group:"messages" help:"Print only errors."`
}

// Help returns the text that kong prints before the flags.
func (mapCmd) Help() string {
	return `Reads the inputs of one task and writes a part: what the task has counted, encrypted with the key of the plan. It holds neither session ids nor lines with credentials. A task that is done again writes the same bytes, so that it may be retried, or done twice at the same time.`
}

// Run writes the part.
func (c *mapCmd) Run(ctx context.Context, std *streams) (err error) {
	if err := checkWritable(c.Out, writablePrefix); err != nil {
		return err
	}
	p, err := openPlan(ctx, c.Plan)
	if err != nil {
		return err
	}
	o := analyze.MapOptions{Workers: int(c.Workers)}
	if c.Pseudonymize != "" {
		if o.Key, err = readKey(c.Pseudonymize); err != nil {
			return err
		}
	}
	if c.Out, err = partName(c.Out, c.Task, len(p.Tasks)); err != nil {
		return err
	}
	limitCPUs(c.Workers)
	var end func() error
	if o.Memory, end, err = c.besideFile(ctx, c.Out); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	problems, err := p.Map(ctx, c.Task, c.Out, o)
	switch {
	case errors.Is(err, analyze.ErrKey):
		return usagef("give --pseudonymize the key that the plan was made with, or none if it was made without", "%w", err)
	case errors.Is(err, source.ErrReplanned):
		return &hintedError{err, "make another plan, of logs that are not written any more"}
	case err != nil:
		return spillError(err)
	}
	if !c.Quiet {
		for _, text := range problems {
			note(std.stderr, "warning: %s", text)
		}
	}
	return nil
}

// partName returns the name of the part of a task, one of several, for a value of --out. A
// directory that ends in a slash is made. All tasks may be given the same value: a URL that
// is neither a prefix nor the name of an object for this task is an error.
func partName(out string, task, tasks int) (string, error) {
	name := fmt.Sprintf("part-%06d", task)
	if object.Scheme(out) != "" {
		if strings.HasSuffix(out, "/") {
			return out + name, nil
		}
		if tasks > 1 && !namesTask(out[strings.LastIndexByte(out, '/')+1:], task) {
			return "", usagef("end a prefix for all parts with a slash: "+object.Label(out)+"/", "%s: all tasks would write this object", object.Label(out))
		}
		return out, nil
	}
	if strings.HasSuffix(out, "/") {
		if err := os.MkdirAll(out, 0o700); err != nil {
			return "", err
		}
	}
	if info, err := os.Stat(out); err == nil && info.IsDir() {
		out = filepath.Join(out, name)
	}
	return out, nil
}

// namesTask reports whether the number of a task is in a name.
func namesTask(name string, task int) bool {
	for digits := range strings.FieldsFuncSeq(name, func(r rune) bool { return r < '0' || r > '9' }) {
		if n, err := strconv.Atoi(digits); err == nil && n == task {
			return true
		}
	}
	return false
}

// besideFile is memoryLimit for a run that writes one file, or one object.
func (m *memoryFlags) besideFile(ctx context.Context, name string) (spill.Memory, func() error, error) {
	dir := m.TmpDir
	if dir == "" && object.Scheme(name) == "" {
		dir = filepath.Dir(name)
	}
	temporary, err := os.MkdirTemp(dir, ".logscan-*") // mode 0700
	if err != nil {
		return spill.Memory{}, nil, err
	}
	space := spill.NewSpace(filepath.Join(temporary, "spill"))
	bytes := m.limit(ctx)
	return spill.Memory{Bytes: bytes, Space: space}, func() error {
		return errors.Join(space.Close(), os.RemoveAll(temporary))
	}, nil
}
