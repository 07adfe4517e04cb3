package stats

import "testing"

// The references are counted by hand.
func TestBinomialTail(t *testing.T) {
	near(t, "BinomialTail(8, 10, 0.5)", BinomialTail(8, 10, 0.5), 56.0/1024, 1e-12)
	near(t, "BinomialTail(10, 10, 0.25)", BinomialTail(10, 10, 0.25), 1.0/(1<<20), 1e-15)
	near(t, "BinomialTail(1, 3, 0.1)", BinomialTail(1, 3, 0.1), 1-0.9*0.9*0.9, 1e-12)
	near(t, "BinomialTail(0, 5, 0.1)", BinomialTail(0, 5, 0.1), 1, 0)
	near(t, "BinomialTail(6, 5, 0.1)", BinomialTail(6, 5, 0.1), 0, 0)
	near(t, "BinomialTail(2, 5, 0)", BinomialTail(2, 5, 0), 0, 0)
	near(t, "BinomialTail(2, 5, 1)", BinomialTail(2, 5, 1), 1, 0)
}
