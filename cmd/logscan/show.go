package main

import (
	"context"

	"logscan/parse/source/object"
	"logscan/report/document"
	"logscan/report/outdir"
	"logscan/report/terminal"
)

type showCmd struct {
	Dir     string `arg:"" predictor:"dir" name:"dir" help:"Output directory of a finished run, or its URL."`
	Finding string `arg:"" predictor:"finding" name:"finding-id" optional:"" help:"Finding to show in full, with its evidence lines: its id, or its number in the list."`

	JSON bool `name:"json" help:"Print JSON, as in findings.json."`
}

// Help returns the text that kong prints before the flags.
func (showCmd) Help() string {
	return `Lists the findings, most severe first. With the id or the number of a finding, shows that finding in full: what happened, since when, sample lines, and what to do.`
}

// Run prints the findings of a finished run, or one of them.
func (c *showCmd) Run(ctx context.Context, std *streams) error {
	r, err := openRun(ctx, c.Dir)
	if err != nil {
		return err
	}
	if c.Finding == "" {
		if c.JSON {
			return document.Write(std.stdout, r.Document())
		}
		return terminal.ShowFindings(std.stdout, r, paintFor(std.stdout))
	}
	f, err := r.Finding(c.Finding)
	if err != nil {
		return &usageError{err, "list the ids with: logscan show " + c.Dir}
	}
	if c.JSON {
		return document.Write(std.stdout, f)
	}
	return terminal.ShowFinding(std.stdout, r, c.Finding, paintFor(std.stdout))
}

type diffCmd struct {
	Old string `arg:"" predictor:"dir" name:"old-dir" help:"Output directory of the earlier run."`
	New string `arg:"" predictor:"dir" name:"new-dir" help:"Output directory of the later run."`

	JSON bool `name:"json" help:"Print JSON."`
}

// Help returns the text that kong prints before the flags.
func (diffCmd) Help() string {
	return `Shows the totals of both runs, what cannot be compared (other versions, options, formats, durations or pseudonyms), and the findings that are new, worse, better, resolved or persisting. A finding is worse or better if its severity changed, or if the share of requests answered 401 changed by more than chance explains.`
}

// Run compares the findings of two finished runs.
func (c *diffCmd) Run(ctx context.Context, std *streams) error {
	before, err := openRun(ctx, c.Old)
	if err != nil {
		return err
	}
	now, err := openRun(ctx, c.New)
	if err != nil {
		return err
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

// openRun opens the output of a finished run, a directory or a URL. Its errors are usage
// errors.
func openRun(ctx context.Context, dir string) (r *outdir.Report, err error) {
	if object.Scheme(dir) != "" {
		r, err = outdir.OpenURL(ctx, dir)
	} else {
		r, err = outdir.Open(dir)
	}
	if err != nil {
		return nil, usagef("create it with: logscan scan -o "+dir+" INPUT...", "read %s: %w", dir, err)
	}
	return r, nil
}
