package main

import (
	"logscan/report/document"
	"logscan/report/outdir"
	"logscan/report/terminal"
)

type diffCmd struct {
	Old string `arg:"" predictor:"dir" name:"old-dir" help:"Output directory of the earlier run."`
	New string `arg:"" predictor:"dir" name:"new-dir" help:"Output directory of the later run."`

	JSON bool `name:"json" help:"Print JSON."`
}

// Help is shown below the command's flags.
func (diffCmd) Help() string {
	return `Tells which findings are new, worse, better, resolved and persisting. Worse and better are a change of the severity, or of the 401s a request that is too large for chance.`
}

// Run compares the findings of two finished runs.
func (c *diffCmd) Run(std *streams) error {
	before, err := open(c.Old)
	if err != nil {
		return err
	}
	now, err := open(c.New)
	if err != nil {
		return err
	}
	if !outdir.SameNames(before, now) {
		note(std.stderr, "note: %s and %s: %v", c.Old, c.New, errOtherNames)
	}
	d, err := terminal.Diff(before, now)
	if err != nil {
		return err
	}
	if c.JSON {
		return document.Write(std.stdout, d)
	}
	return terminal.ShowDiff(std.stdout, d, paintFor(std.stdout))
}

// open reads the output of a finished run.
func open(dir string) (*outdir.Report, error) {
	r, err := outdir.Open(dir)
	if err != nil {
		return nil, usagef("logscan scan -o "+dir+" INPUT... makes one", "read %s: %w", dir, err)
	}
	return r, nil
}
