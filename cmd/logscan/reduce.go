package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"logscan/analyze"
	"logscan/analyze/part"
	"logscan/analyze/result"
	"logscan/analyze/spill"
	"logscan/parse/source/object"
	"logscan/report"
	"logscan/report/outdir"
)

// reduceCmd merges the parts of a plan.
type reduceCmd struct {
	Plan  string   `arg:"" predictor:"file" name:"plan" help:"Plan of logscan plan: a file or a URL."`
	Parts []string `arg:"" optional:"" predictor:"file" name:"part" help:"Parts of logscan map, or directories of them: paths, or s3:// URLs as of inputs."`

	Config configFlag `predictor:"file" default:"auto" placeholder:"FILE" group:"input" help:"YAML file with flag values (default: ~/.config/logscan/config.yaml and /etc/logscan/config.yaml, if present)."`
	serverFlags
	appFlags
	memoryFlags
	Workers workers `placeholder:"N" group:"input" help:"Number of worker goroutines (default: the number of CPUs)."`
	policyFlags
	Partial bool `group:"output" help:"Merge the parts, of any tasks, into one part at --out, and write no report."`
	reportFlags
}

// Help returns the text that kong prints before the flags.
func (reduceCmd) Help() string {
	return `Writes what a scan of all inputs of the plan would have written. Each task needs one part; identical copies of a part are read once. What changes conclusions, such as --baseline and the site policy, is given here, what changes reading to logscan plan.`
}

// Run merges the parts and writes the output directory, or with --partial a part.
func (c *reduceCmd) Run(ctx context.Context, std *streams) (err error) {
	started := time.Now()
	if c.LogFormat == "json" {
		std.stderr = newLogWriter(std.stderr)
	}
	if err := c.checkPlaces(c.Partial); err != nil {
		return err
	}
	plan, err := openPlan(ctx, c.Plan)
	if err != nil {
		return err
	}
	parts, err := expandParts(ctx, c.Parts)
	if err != nil {
		return err
	}
	limitCPUs(c.Workers)
	if c.Partial {
		return c.combine(ctx, plan, parts)
	}
	if plan.Options.Pseudonyms != "" && c.policyFlags.given() {
		return usagef("give it to logscan plan", "the names that the site policy compares are pseudonyms in parts")
	}
	zone, err := plan.Zone()
	if err != nil {
		return err
	}
	if err := c.setPlace(started, zone); err != nil {
		return err
	}
	if err := c.checkAddresses(); err != nil {
		return err
	}
	var watch stopwatch
	options := analyze.Options{Policy: c.policy(), Workers: int(c.Workers), Phase: func(p analyze.Phase) { watch.begin(string(p)) }}
	options.Parse.Refusals = plan.Options.Statuses
	if options.Configuration, err = c.configuration(&c.appFlags, std.stderr, c.Quiet); err != nil {
		return err
	}
	place, err := report.Claim(ctx, c.Out)
	if err != nil {
		return claimError(err)
	}
	defer place.Release()
	var state *outdir.State
	if c.State != "" {
		if state, err = claimState(c.State, c.Out, &options, plan.Settings); err != nil {
			return err
		}
		defer state.Release()
	}
	var space *spill.Space
	if options.Memory, space, err = c.memoryLimit(ctx, place); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, space.Close()) }()
	if options.Memory.Space == nil {
		options.Memory = spill.Memory{Bytes: unlimited, Space: space} // for parts in stores
	}
	if err := c.readBaseline(ctx, &options); err != nil {
		return err
	}
	p := provenance{started: started, watch: &watch, space: space, arguments: withoutSecrets(std.args, confidentialFlags), baseline: c.Baseline}
	run := reportedRun{options: &options, place: place, state: state, provenance: &p, events: c.events(zone)}
	closing := func() error { return nil }
	err = c.report(ctx, std, &run, func() (res *result.Result, err error) {
		var opened func() error
		if res, opened, err = plan.Reduce(ctx, options, parts); err == nil {
			closing = opened
		}
		return res, c.partError(err)
	})
	return errors.Join(err, closing())
}

// unlimited is a limit of memory in bytes that no machine reaches.
const unlimited = 1 << 50

// combine merges parts into one.
func (c *reduceCmd) combine(ctx context.Context, plan *analyze.Plan, parts []string) (err error) {
	if c.Out == "" || len(parts) == 0 {
		return usagef("logscan reduce PLAN --partial -o PART PART...", "--partial merges the parts that are named into a part at --out")
	}
	o := analyze.MapOptions{Workers: max(1, int(c.Workers))}
	var end func() error
	if o.Memory, end, err = c.besideFile(ctx, c.Out); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	return spillError(c.partError(plan.Combine(ctx, parts, c.Out, o)))
}

// partError adds a hint to an error of a part.
func (c *reduceCmd) partError(err error) error {
	var missing *analyze.MissingError
	var damaged *analyze.PartError
	var task *part.TaskError
	again := func(tasks []int, out string) string {
		if len(tasks) != 1 {
			return fmt.Sprintf("write them with logscan map %s --task N -o %s", c.Plan, out)
		}
		return fmt.Sprintf("write it with logscan map %s --task %d -o %s", c.Plan, tasks[0], out)
	}
	switch {
	case errors.Is(err, analyze.ErrState):
		return usagef("give --state the file that the plan was made with, or make another plan, after each run", "%w", err)
	case errors.As(err, &missing):
		return &hintedError{err, again(missing.Tasks, c.partsAt())}
	case errors.As(err, &task) && errors.As(err, &damaged):
		return &hintedError{err, again(task.Tasks, damaged.Path)}
	case errors.Is(err, part.ErrForeign), errors.Is(err, part.ErrNoPart):
		return &hintedError{err, "name the plan that the part was written for"}
	case errors.Is(err, object.ErrChanged):
		return &hintedError{err, "wait until all tasks are done, and reduce again"}
	}
	return err
}

// partsAt returns where parts that are missing belong, as far as the arguments say so.
func (c *reduceCmd) partsAt() string {
	if len(c.Parts) == 1 && strings.HasSuffix(c.Parts[0], "/") {
		return c.Parts[0]
	}
	return "PART"
}

// expandParts returns the parts that arguments name: files and objects, and those in
// directories and below prefixes.
func expandParts(ctx context.Context, args []string) (parts []string, err error) {
	stores := object.NewStores(ctx)
	for _, arg := range args {
		if object.Scheme(arg) != "" {
			list, err := stores.List(arg)
			if err == nil && len(list) == 0 && !strings.HasSuffix(arg, "/") {
				err = object.ErrNoObject
			}
			if err != nil {
				return nil, &usageError{fmt.Errorf("%s: %w", object.Label(arg), err), "name the parts of logscan map"}
			}
			for _, o := range list {
				parts = append(parts, o.URL())
			}
			continue
		}
		info, err := os.Stat(arg)
		if err != nil {
			return nil, &usageError{err, "name the parts of logscan map"}
		}
		if !info.IsDir() {
			parts = append(parts, arg)
			continue
		}
		entries, err := os.ReadDir(arg)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if !e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
				parts = append(parts, filepath.Join(arg, e.Name()))
			}
		}
	}
	return parts, nil
}
