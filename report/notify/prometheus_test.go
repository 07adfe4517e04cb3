//go:build prometheus

package notify

import (
	"os"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// FuzzExposition checks that Prometheus' own parser reads back any text and value. The
// parser takes long to compile: `make test-all` and `make fuzz` set the tag of this file.
func FuzzExposition(f *testing.F) {
	f.Add("Said\nin \\ two lines.", "a\"}b\n\\", 1.5)
	f.Add("", "", 0.0)
	f.Add("é \xff", "{,}=", -1e300)
	f.Fuzz(func(t *testing.T, help, value string, v float64) {
		help, value = strings.ToValidUTF8(help, "?"), strings.ToValidUTF8(value, "?")
		g := newGauge("logscan_b", help, "kind", "status")
		g.add(v, value, "new")
		g.add(0, value+"x", "new")
		plain := newGauge("logscan_a", help)
		plain.add(v)
		data := exposition([]*gauge{g, plain})
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(strings.NewReader(string(data)))
		if err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		same := func(x float64) bool { return x == v || x != x && v != v }
		if m := families["logscan_a"].GetMetric(); len(m) != 1 || !same(m[0].GetGauge().GetValue()) {
			t.Errorf("%q is read as %v", data, m)
		}
		m := families["logscan_b"].GetMetric()
		if len(m) != 2 || !same(m[0].GetGauge().GetValue()) {
			t.Fatalf("%q is read as %v", data, m)
		}
		if labels := m[0].GetLabel(); len(labels) != 2 || labels[0].GetValue() != value || labels[1].GetValue() != "new" {
			t.Errorf("%q is read with labels %v", data, labels)
		}
	})
}

// TestMetricsAreRead checks that Prometheus' own parser reads the metrics of TestMetrics.
func TestMetricsAreRead(t *testing.T) {
	file, err := os.Open("testdata/logscan.prom")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(file)
	if err != nil || len(families) < 8 {
		t.Errorf("%d families: %v", len(families), err)
	}
}
