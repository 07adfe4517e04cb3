package detect

import (
	"math"
	"testing"
)

func TestColumn(t *testing.T) {
	for _, n := range []int{0, 1, columnLength, 7*columnLength + 3} {
		of := func(i int) uint32 {
			switch i / columnLength {
			case 1: // as far from each other as two bytes have, and one more
				return 7 + uint32(i%2)*(1<<16-1)
			case 2:
				return 7 + uint32(i%2)*(1<<16)
			case 3:
				return math.MaxUint32 * uint32(i%2)
			case 4: // the same of three bytes
				return 7 + uint32(i%2)*(1<<24-1)
			case 5:
				return 7 + uint32(i%2)*(1<<24)
			}
			return math.MaxUint32 - uint32(i)
		}
		var c column
		for i := range n {
			c.add(of(i))
		}
		c.end()
		for i := range n {
			if got := c.at(uint32(i)); got != of(i) {
				t.Fatalf("number %d of %d is %d, want %d", i, n, got, of(i))
			}
		}
	}
}
