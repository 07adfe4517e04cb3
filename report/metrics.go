package report

import (
	"errors"
	"os"
	"path/filepath"

	"logscan/analyze/result"
)

// WriteMetrics writes what a run found as a file for node_exporter's textfile
// collector, whole or not at all. Every series of a cause, and of a kind that
// was found, is there; a run that fails writes nothing, so an alert on the age
// of logscan_last_run_timestamp_seconds tells that it does.
func WriteMetrics(path string, res *result.Result, run Run) error {
	return replaceFile(path, exposition(metrics(res, run)))
}

func metrics(res *result.Result, run Run) []*gauge {
	var all []*gauge
	add := func(name, help string, labels ...string) *gauge {
		g := newGauge(toolName+"_"+name, help, labels...)
		all = append(all, g)
		return g
	}
	t := &res.Totals
	add("last_run_timestamp_seconds", "When the last run ended, Unix time.").add(float64(run.Finished.UnixMilli()) / 1000)
	add("last_run_duration_seconds", "How long it took.").add(finite(run.WallSeconds))
	add("build_info", "Version of logscan, always 1.", "commit", "version").add(1, run.Commit, run.Version)
	add("input_bytes", "Decompressed bytes read.").add(float64(t.Bytes))

	inputs := add("inputs", "Inputs by whether they could be read to their end.", "read")
	inputs.add(0, "whole")
	inputs.add(0, "in_part")
	for i := range res.Inputs {
		if res.Inputs[i].Error == "" {
			inputs.add(1, "whole")
		} else {
			inputs.add(1, "in_part")
		}
	}
	lines := add("lines", "Lines by what became of them.", "verdict")
	lines.add(float64(t.Parsed), "parsed")
	lines.add(float64(t.Rejected), "rejected")
	lines.add(float64(t.Skipped), "skipped")
	causes := add("unauthorized", "Responses 401 by cause.", "cause")
	for cause, n := range res.Causes {
		causes.add(float64(n), cause)
	}
	findings := add("findings", "Findings by kind, severity and status against the baseline.", "kind", "severity", "status")
	bySeverity := add("findings_by_severity", "Findings by severity, those that there are none of too.", "severity")
	for s := result.Info; s <= result.Critical; s++ {
		bySeverity.add(0, s.String())
	}
	for i := range res.Findings {
		f := &res.Findings[i]
		status := ""
		if f.Change != nil {
			status = string(f.Change.Status)
		}
		findings.add(1, f.Kind, f.Severity.String(), status)
		bySeverity.add(1, f.Severity.String())
	}
	return all
}

// replaceFile writes a file, readable by all, whole or not at all: it is
// written beside its place and renamed.
func replaceFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path))
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // there is a better error
	}
	return err
}
