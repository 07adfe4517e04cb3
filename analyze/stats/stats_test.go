package stats

import (
	"math"
	"testing"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance || math.IsNaN(got) {
		t.Errorf("%s = %v, want %v ± %v", what, got, want, tolerance)
	}
}

// The expected values are from R: prop.test(8, 10, correct=FALSE), ppois(9, 4,
// lower.tail=FALSE), pchisq(10, 2, lower.tail=FALSE).
func TestTails(t *testing.T) {
	near(t, "WilsonLower(8, 10)", WilsonLower(8, 10, Z95), 0.4901625, 1e-6)
	near(t, "WilsonLower(0, 0)", WilsonLower(0, 0, Z95), 0, 0)
	near(t, "WilsonLower(0, 5)", WilsonLower(0, 5, Z95), 0, 1e-12)
	near(t, "PoissonTail(10, 4)", PoissonTail(10, 4), 0.008132243, 1e-8)
	near(t, "PoissonTail(0, 4)", PoissonTail(0, 4), 1, 0)
	near(t, "PoissonTail(3, 0)", PoissonTail(3, 0), 0, 0)
	near(t, "ChiSquareTail(10, 2)", ChiSquareTail(10, 2), math.Exp(-5), 1e-12)
	near(t, "log likelihood of 5 in 10", Cell{5, 10}.logLikelihood(), 10*math.Log(0.5), 1e-9)
}

func TestBinomialTail(t *testing.T) {
	for _, tt := range []struct {
		k, n    int64
		p, want float64
	}{
		{0, 10, 0.3, 1},
		{10, 10, 0.5, 1.0 / 1024},
		{8, 10, 0.5, 56.0 / 1024},
		{11, 10, 0.5, 0},
		{1, 1, 0.25, 0.25},
		{3, 5, 0, 0},
		{3, 5, 1, 1},
	} {
		near(t, "tail", BinomialTail(tt.k, tt.n, tt.p), tt.want, 1e-12)
	}
}

func TestBenjaminiHochberg(t *testing.T) {
	got := BenjaminiHochberg([]float64{0.01, 0.04, 0.03, 0.005})
	for i, want := range []float64{0.02, 0.04, 0.04, 0.02} { // R: p.adjust(…, "BH")
		near(t, "adjusted", got[i], want, 1e-12)
	}
	if got := BenjaminiHochberg(nil); len(got) != 0 {
		t.Errorf("BenjaminiHochberg(nil) = %v", got)
	}
}
