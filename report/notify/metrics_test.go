package notify

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"logscan/fixtures/golden"
	"logscan/report/reporttest"
)

func TestMetrics(t *testing.T) {
	path := filepath.Join(t.TempDir(), "logscan.prom")
	if err := WriteMetrics(path, reporttest.Result(), reporttest.Run()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "testdata/logscan.prom", data)
	for _, s := range reporttest.Hostile {
		if strings.Contains(string(data), s) {
			t.Errorf("text of a log is in the metrics: %q", s)
		}
	}
	// An unwritable path is an error.
	if err := WriteMetrics(filepath.Join(t.TempDir(), "no", "such.prom"), reporttest.Result(), reporttest.Run()); err == nil {
		t.Error("no error")
	}
}
