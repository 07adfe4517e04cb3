package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"logscan/analyze"
	"logscan/analyze/result"
	"logscan/analyze/spill"
	"logscan/parse/source"
	"logscan/report"
)

type scanCmd struct {
	Inputs []string `arg:"" predictor:"file" name:"input" help:"File, directory, glob, URL (s3://BUCKET/KEY, https://), or - for standard input. Compression and format are detected."`

	formatFlags
	appFlags
	lineFlags
	memoryFlags
	Workers workers `placeholder:"N" group:"input" help:"Number of worker goroutines (default: the number of CPUs)."`

	policyFlags
	privacyFlags

	reportFlags
	Requests   bool `group:"output" help:"Also write requests.parquet: every request, for SQL. All lines are kept in temporary files, compressed, until the end."`
	AllowEmpty bool `group:"input" help:"Accept standard input that is empty or closed."`
}

// Help returns the text that kong prints before the flags.
func (scanCmd) Help() string {
	return `Reads each line once, follows sessions and accounts across all inputs, and reports which faults explain the 401s. Writes report.html, findings.json, manifest.json, rejects.ndjson, and Parquet tables for SQL.`
}

// Run reads the inputs, finds the causes of 401s and writes the output
// directory.
func (c *scanCmd) Run(ctx context.Context, std *streams) (err error) {
	started := time.Now()
	if c.LogFormat == "json" {
		std.stderr = newLogWriter(std.stderr)
	}
	if err := c.checkPlaces(false); err != nil {
		return err
	}
	if err := c.setPlace(started, c.Timezone.zone()); err != nil {
		return err
	}
	var watch stopwatch
	options, err := c.options(std, started, &watch)
	if err != nil {
		return err
	}
	inputs, err := c.inputs(ctx, std, &options)
	if err != nil {
		return err
	}
	place, err := report.Claim(ctx, c.Out)
	if err != nil {
		return claimError(err)
	}
	defer place.Release()
	state, err := c.claimState(std, &options)
	if err != nil {
		return err
	}
	if state != nil {
		defer state.Release()
		inputs = slices.DeleteFunc(inputs, func(in source.Input) bool { return state.Holds(in.Path) })
		if len(inputs) == 0 {
			return usagef("name the logs to scan", "the only input is the state file %s", c.State)
		}
	}
	var space *spill.Space
	if options.Memory, space, err = c.memoryLimit(ctx, place); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, space.Close()) }()
	if c.Requests {
		options.Requests = space
	}
	if err := c.readBaseline(ctx, &options); err != nil {
		return err
	}

	limitCPUs(c.Workers)
	var notes []source.Note
	if options.Inputs, notes, err = expandArchives(ctx, inputs, int(c.Workers), std, c.Quiet); err != nil {
		return err
	}
	options.Notes = append(options.Notes, notes...)
	c.acceptEmpty = c.AllowEmpty
	p := provenance{started: started, watch: &watch, space: space, arguments: withoutSecrets(std.args, c.secretFlags()), baseline: c.Baseline}
	run := reportedRun{options: &options, place: place, state: state, provenance: &p, events: c.events(c.Timezone.zone())}
	return c.report(ctx, std, &run, func() (*result.Result, error) {
		res, err := analyze.Run(ctx, options)
		return res, rangeError(err)
	})
}

// options returns the analysis options of the flags. watch times the phases.
func (c *scanCmd) options(std *streams, started time.Time, watch *stopwatch) (analyze.Options, error) {
	options, err := c.formatFlags.options(std, c.Quiet)
	if err != nil {
		return options, err
	}
	if options.Configuration, err = c.configuration(&c.appFlags, std.stderr, c.Quiet); err != nil {
		return options, err
	}
	options.Policy = c.policy()
	options.Workers = int(c.Workers)
	options.Phase = func(p analyze.Phase) { watch.begin(string(p)) }
	if options.Parse, options.Since, options.Until, err = c.lineFlags.options(started); err != nil {
		return options, err
	}
	if options.Parse.Privacy, err = c.privacyFlags.options(); err != nil {
		return options, err
	}
	return options, c.checkAddresses()
}

// inputs returns the inputs of the arguments that are outside the output
// directory.
func (c *scanCmd) inputs(ctx context.Context, std *streams, o *analyze.Options) ([]source.Input, error) {
	inputs, err := c.expand(ctx, c.Inputs, std, c.Quiet, o)
	if err != nil {
		return nil, err
	}
	inputs, dropped := outside(inputs, c.Out)
	switch {
	case len(inputs) == 0:
		return nil, usagef("choose another --out", "all inputs are in the output directory %s, which the run replaces", c.Out)
	case dropped > 0 && !c.Quiet:
		note(std.stderr, "note: %s: output directory skipped (%d files)", c.Out, dropped)
	}
	return inputs, nil
}
