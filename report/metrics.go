package report

import (
	"github.com/prometheus/client_golang/prometheus"

	"logscan/analyze"
)

// WriteMetrics writes what a run found as a file for node_exporter's textfile
// collector, whole or not at all. Every series of a cause, and of a kind that
// was found, is there; a run that fails writes nothing, so an alert on the age
// of logscan_last_run_timestamp_seconds tells that it does.
func WriteMetrics(path string, res *analyze.Result, run Run) error {
	reg := prometheus.NewRegistry()
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: toolName, Name: name, Help: help}, labels)
		reg.MustRegister(g)
		return g
	}
	t := &res.Totals
	gauge("last_run_timestamp_seconds", "When the last run ended, Unix time.").WithLabelValues().Set(float64(run.Finished.UnixMilli()) / 1000)
	gauge("last_run_duration_seconds", "How long it took.").WithLabelValues().Set(finite(run.WallSeconds))
	gauge("build_info", "Version of logscan, always 1.", "version", "commit").WithLabelValues(run.Version, run.Commit).Set(1)
	gauge("input_bytes", "Decompressed bytes read.").WithLabelValues().Set(float64(t.Bytes))

	inputs := gauge("inputs", "Inputs by whether they could be read to their end.", "read")
	inputs.WithLabelValues("whole").Set(0)
	inputs.WithLabelValues("in_part").Set(0)
	for i := range res.Inputs {
		if res.Inputs[i].Error == "" {
			inputs.WithLabelValues("whole").Inc()
		} else {
			inputs.WithLabelValues("in_part").Inc()
		}
	}
	lines := gauge("lines", "Lines by what became of them.", "verdict")
	lines.WithLabelValues("parsed").Set(float64(t.Parsed))
	lines.WithLabelValues("rejected").Set(float64(t.Rejected))
	lines.WithLabelValues("skipped").Set(float64(t.Skipped))
	causes := gauge("unauthorized", "Responses 401 by cause.", "cause")
	for cause, n := range res.Causes {
		causes.WithLabelValues(cause).Set(float64(n))
	}
	findings := gauge("findings", "Findings by kind, severity and status against the baseline.", "kind", "severity", "status")
	for i := range res.Findings {
		f := &res.Findings[i]
		status := ""
		if f.Change != nil {
			status = string(f.Change.Status)
		}
		findings.WithLabelValues(f.Kind, f.Severity.String(), status).Inc()
	}
	bySeverity := gauge("findings_by_severity", "Findings by severity, those that there are none of too.", "severity")
	for s := analyze.Info; s <= analyze.Critical; s++ {
		bySeverity.WithLabelValues(s.String()).Set(0)
	}
	for i := range res.Findings {
		bySeverity.WithLabelValues(res.Findings[i].Severity.String()).Inc()
	}
	return prometheus.WriteToTextfile(path, reg)
}
