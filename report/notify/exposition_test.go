package notify

import (
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// FuzzExposition checks that Prometheus' own parser reads back any text and value.
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

func TestExpositionIsSorted(t *testing.T) {
	b := newGauge("b", "Second.", "kind")
	b.add(1, "y")
	b.add(2, "x")
	b.add(3, "y")
	a := newGauge("a", `First \ of
all.`)
	a.add(0.25)
	const want = "# HELP a First \\\\ of\\nall.\n# TYPE a gauge\na 0.25\n" +
		"# HELP b Second.\n# TYPE b gauge\nb{kind=\"x\"} 2\nb{kind=\"y\"} 4\n"
	if got := string(exposition([]*gauge{b, newGauge("none", "Without series."), a})); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}
