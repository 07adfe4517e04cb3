package main

import (
	"logscan/report/document"
	"logscan/report/terminal"
)

type showCmd struct {
	Dir     string `arg:"" predictor:"dir" name:"dir" help:"Output directory of a finished run."`
	Finding string `arg:"" predictor:"finding" name:"finding-id" optional:"" help:"Show this finding with its evidence lines."`

	JSON bool `name:"json" help:"Print JSON, as findings.json has it."`
}

// Help is shown below the command's flags.
func (showCmd) Help() string {
	return `Without an id, lists the findings, most severe first. With one, tells it in full: what happened, since when, sample lines, what to do.`
}

// Run prints the findings of a finished run.
func (c *showCmd) Run(std *streams) error {
	r, err := open(c.Dir)
	if err != nil {
		return err
	}
	if c.Finding == "" {
		if c.JSON {
			return document.Write(std.stdout, document.NewFindings(r.Findings, r.Resolved))
		}
		return terminal.ShowFindings(std.stdout, r, paintFor(std.stdout))
	}
	f, err := r.Finding(c.Finding)
	if err != nil {
		return &usageError{err, "logscan show " + c.Dir + " lists them"}
	}
	if c.JSON {
		return document.Write(std.stdout, f)
	}
	return terminal.ShowFinding(std.stdout, r, c.Finding, paintFor(std.stdout))
}
