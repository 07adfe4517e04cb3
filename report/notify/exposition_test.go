package notify

import "testing"

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
