package notify

import (
	"errors"
	"os"
	"path/filepath"

	"logscan/analyze/result"
	"logscan/report/document"
)

// WriteMetrics writes the result of a run as a file for node_exporter's textfile
// collector, whole or not at all. It has a series for every cause and every kind that
// was found. A run that fails writes nothing, so an alert on the age of
// logscan_last_run_timestamp_seconds detects that.
func WriteMetrics(path string, res *result.Result, run document.Run) error {
	return replaceFile(path, exposition(metrics(res, run)))
}

func metrics(res *result.Result, run document.Run) []*gauge {
	var all []*gauge
	add := func(name, help string, labels ...string) *gauge {
		g := newGauge(document.ToolName+"_"+name, help, labels...)
		all = append(all, g)
		return g
	}
	t := &res.Totals
	add("last_run_timestamp_seconds", "End of the last run in Unix time.").add(float64(run.Finished.UnixMilli()) / 1000)
	add("last_run_duration_seconds", "Duration of the last run.").add(document.Finite(run.WallSeconds))
	add("build_info", "Version of logscan, always 1.", "commit", "version").add(1, run.Commit, run.Version)
	add("input_bytes", "Decompressed bytes read.").add(float64(t.Bytes))

	inputs := add("inputs", "Inputs by whether they were read to their end.", "read")
	inputs.add(0, "whole")
	inputs.add(0, "in_part")
	for i := range res.Inputs {
		if res.Inputs[i].Error == "" {
			inputs.add(1, "whole")
		} else {
			inputs.add(1, "in_part")
		}
	}
	lines := add("lines", "Lines by verdict.", "verdict")
	lines.add(float64(t.Parsed), "parsed")
	lines.add(float64(t.Rejected), "rejected")
	lines.add(float64(t.Skipped), "skipped")
	causes := add("unauthorized", "401 responses by cause.", "cause")
	for cause, n := range res.Causes {
		causes.add(float64(n), cause)
	}
	findings := add("findings", "Findings by kind, severity and status compared with the baseline.", "kind", "severity", "status")
	bySeverity := add("findings_by_severity", "Findings by severity, including those without any.", "severity")
	for s := result.Info; s <= result.Critical; s++ {
		bySeverity.add(0, s.String())
	}
	for i := range res.Findings {
		f := &res.Findings[i]
		status := ""
		if f.Change != nil {
			status = string(f.Change.Status)
		}
		findings.add(float64(f.Count()), f.Kind, f.Severity.String(), status)
		bySeverity.add(float64(f.Count()), f.Severity.String())
	}
	return all
}

// replaceFile writes a file that everyone can read, whole or not at all: it writes a
// temporary file beside path and renames it.
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
		_ = os.Remove(f.Name()) // err is the better error
	}
	return err
}
