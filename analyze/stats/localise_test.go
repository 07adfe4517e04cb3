package stats

import (
	"fmt"
	"testing"
)

func TestLocalise(t *testing.T) {
	for _, tt := range []struct {
		name  string
		parts []Part
		want  string
		ok    bool
	}{
		// The example of the paper's table 4, turned round: what rises.
		{"one element makes it", []Part{{1, 94, 50}, {2, 52, 50}, {3, 9, 10}}, "[1]", true},
		{"two elements make it", []Part{{1, 50, 10}, {2, 49, 10}, {3, 40, 40}, {4, 41, 40}}, "[1 2]", true},
		{"everything rises alike", []Part{{1, 20, 10}, {2, 20, 10}, {3, 20, 10}, {4, 20, 10}, {5, 20, 10}, {6, 20, 10}, {7, 20, 10}, {8, 20, 10}}, "", false},
		{"an element that was never there", []Part{{1, 10, 10}, {2, 100, 0}}, "[2]", true},
		{"a fall", []Part{{1, 5, 10}}, "", false},
		{"nothing", nil, "", false},
	} {
		s, ok := Localise(tt.parts)
		if ok != tt.ok || ok && fmt.Sprint(s.Elements) != tt.want {
			t.Errorf("%s: %+v %v, want %s %v", tt.name, s, ok, tt.want, tt.ok)
		}
		if ok && (s.Power < enoughPower || s.Power > 1.5 || s.Surprise <= 0) {
			t.Errorf("%s: %+v", tt.name, s)
		}
	}
}

func TestMedianDeviation(t *testing.T) {
	for _, tt := range []struct {
		values            []float64
		median, deviation float64
	}{
		{nil, 0, 0},
		{[]float64{7}, 7, 0},
		{[]float64{1, 2, 3, 4, 1000}, 3, 1.4826},
		{[]float64{4, 1, 3, 2}, 2.5, 1.4826},
	} {
		m, d := MedianDeviation(tt.values)
		near(t, "median", m, tt.median, 1e-12)
		near(t, "deviation", d, tt.deviation, 1e-12)
	}
}
