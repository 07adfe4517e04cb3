package analyze

import (
	"reflect"
	"testing"
)

func TestDivide(t *testing.T) {
	const mb = 1 << 20
	plain := func(i int, size int64) unit { return unit{first: i, n: 1, size: size, divisible: true} }
	packed := func(i int, size int64) unit { return unit{first: i, n: 1, size: size} }
	whole := func(input int) Piece { return Piece{Input: input} }
	tests := []struct {
		name  string
		units []unit
		size  int64
		want  [][]Piece
	}{
		{"small ones together", []unit{plain(0, 10*mb), packed(1, 60*mb), plain(2, 20*mb)}, 100 * mb, [][]Piece{{whole(0), whole(1), whole(2)}}},
		{"a large one in ranges", []unit{plain(0, 210*mb)}, 100 * mb, [][]Piece{{{0, 0, 105 * mb}}, {{0, 105 * mb, 210 * mb}}}},
		{"what is no range alone", []unit{packed(0, 300*mb), packed(1, 10*mb)}, 100 * mb, [][]Piece{{whole(0)}, {whole(1)}}},
	}
	for _, tt := range tests {
		if got := divideBySize(tt.units, tt.size); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// The greatest tasks come first, and those of the usual size follow from how much there is.
func TestDivideOrder(t *testing.T) {
	const mb = 1 << 20
	o := planOf(t, Options{}, 1, oneLog(t, 100), oneLog(t, 200), oneLog(t, 300))
	inputs, err := o.sourceInputs()
	if err != nil {
		t.Fatal(err)
	}
	as := []stored{{weight: 100 * mb}, {weight: 300 * mb}, {weight: 60 * mb}}
	got := Division{}.divide(inputs, as)
	if want := [][]Piece{{{Input: 1}}, {{Input: 0}}, {{Input: 2}}}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for i := range as {
		as[i].weight *= 1000
		as[i].divisible = true
	}
	if got := (Division{}).divide(inputs, as); len(got) != 98+293+59 { // of 1 GiB
		t.Errorf("%d tasks", len(got))
	}
}
