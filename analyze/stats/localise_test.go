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
		// After table 4 of the paper, but with a rise.
		{"one element causes it", []Part{{1, 94, 50}, {2, 52, 50}, {3, 9, 10}}, "[1]", true},
		{"two elements cause it", []Part{{1, 50, 10}, {2, 49, 10}, {3, 40, 40}, {4, 41, 40}}, "[1 2]", true},
		{"all rise alike", []Part{{1, 20, 10}, {2, 20, 10}, {3, 20, 10}, {4, 20, 10}, {5, 20, 10}, {6, 20, 10}, {7, 20, 10}, {8, 20, 10}}, "", false},
		{"a new element", []Part{{1, 10, 10}, {2, 100, 0}}, "[2]", true},
		{"a fall", []Part{{1, 5, 10}}, "", false},
		{"no parts", nil, "", false},
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
