package main

import (
	"logscan/report"
)

type showCmd struct {
	Dir     string `arg:"" name:"dir" help:"Output directory of a finished run."`
	Finding string `arg:"" name:"finding-id" optional:"" help:"Show this finding with its evidence lines."`
}

// Help is shown below the command's flags.
func (showCmd) Help() string {
	return `Without an id, lists the findings, most severe first. With one, tells it in full: what happened, since when, sample lines, what to do.`
}

// Run prints the findings of a finished run.
func (c *showCmd) Run(std *streams) error {
	r, err := report.Open(c.Dir)
	if err != nil {
		return usagef("logscan scan -o "+c.Dir+" INPUT... makes one", "show %s: %w", c.Dir, err)
	}
	if c.Finding == "" {
		return report.ShowFindings(std.stdout, r)
	}
	if _, err := r.Finding(c.Finding); err != nil {
		return &usageError{err, "logscan show " + c.Dir + " lists them"}
	}
	return report.ShowFinding(std.stdout, r, c.Finding)
}
