package tables

import (
	"encoding/binary"
	"math/bits"
)

// The encodings of Parquet that chunks use; see Encodings.md of the format's documentation.

// appendUvarint and appendZigzag append integers as Parquet, and the compact protocol of
// Thrift, have them.
func appendUvarint[N ~int | ~int32 | ~int64 | ~uint64](dst []byte, n N) []byte {
	return binary.AppendUvarint(dst, uint64(n))
}

func appendZigzag[N ~int | ~int32 | ~int64](dst []byte, n N) []byte {
	return binary.AppendVarint(dst, int64(n))
}

// bitPacker appends numbers of a few bits each, the lowest bit first.
type bitPacker struct {
	dst  []byte
	bits uint64 // that are not in dst yet
	n    int    // their number, less than 32
}

// add appends the lowest bits of v. The others are zero.
func (p *bitPacker) add(v uint64, width int) {
	if width > 32 {
		p.add(v&(1<<32-1), 32)
		v, width = v>>32, width-32
	}
	p.bits |= v << p.n
	if p.n += width; p.n >= 32 {
		p.dst = binary.LittleEndian.AppendUint32(p.dst, uint32(p.bits))
		p.bits, p.n = p.bits>>32, p.n-32
	}
}

// end fills up the last byte and returns dst.
func (p *bitPacker) end() []byte {
	for ; p.n > 0; p.n -= 8 {
		p.dst, p.bits = append(p.dst, byte(p.bits)), p.bits>>8
	}
	p.n = 0
	return p.dst
}

// appendHybrid appends numbers of a width in bits, runs of one number by their length. It is
// the encoding RLE.
func appendHybrid[N int16 | int32](dst []byte, numbers []N, width int) []byte {
	const group = 8 // of numbers that are packed together
	from := 0       // first number that is to be written
	for i := 0; i < len(numbers); {
		end := i + 1
		for end < len(numbers) && numbers[end] == numbers[i] {
			end++
		}
		start := from + (i-from+group-1)/group*group // groups before the run are filled up by it
		if end-start < group {
			i = end
			continue
		}
		dst = appendPacked(dst, numbers[from:start], width)
		dst = appendUvarint(dst, (end-start)<<1)
		for n := 0; n < width; n += 8 {
			dst = append(dst, byte(numbers[i]>>n))
		}
		from, i = end, end
	}
	return appendPacked(dst, numbers[from:], width)
}

// appendPacked appends numbers in groups of eight.
func appendPacked[N int16 | int32](dst []byte, numbers []N, width int) []byte {
	if len(numbers) == 0 {
		return dst
	}
	groups := (len(numbers) + 7) / 8
	p := bitPacker{dst: appendUvarint(dst, groups<<1|1)}
	for _, v := range numbers {
		p.add(uint64(v), width)
	}
	for range groups*8 - len(numbers) {
		p.add(0, width)
	}
	return p.end()
}

// appendDeltas appends numbers as their differences: the encoding DELTA_BINARY_PACKED.
func appendDeltas(dst []byte, numbers []int64) []byte {
	const (
		blockSize = 128 // differences
		miniSize  = 32
	)
	dst = appendUvarint(appendUvarint(appendUvarint(dst, blockSize), blockSize/miniSize), len(numbers))
	if len(numbers) == 0 {
		return appendZigzag(dst, 0)
	}
	last := numbers[0]
	dst = appendZigzag(dst, last)
	var deltas [blockSize]int64
	for numbers = numbers[1:]; len(numbers) > 0; {
		n := min(blockSize, len(numbers))
		least := numbers[0] - last
		for i, v := range numbers[:n] {
			deltas[i], last = v-last, v
			least = min(least, deltas[i])
		}
		numbers = numbers[n:]
		dst = appendZigzag(dst, least)
		widths := len(dst)
		dst = append(dst, make([]byte, blockSize/miniSize)...)
		for from := 0; from < n; from += miniSize {
			mini := deltas[from:min(from+miniSize, n)]
			all := uint64(0)
			for i := range mini {
				mini[i] -= least // wraps like the differences
				all |= uint64(mini[i])
			}
			width := bits.Len64(all)
			dst[widths+from/miniSize] = byte(width)
			p := bitPacker{dst: dst}
			for _, v := range mini {
				p.add(uint64(v), width)
			}
			for range miniSize - len(mini) {
				p.add(0, width)
			}
			dst = p.end()
		}
	}
	return dst
}
