package inflate

import "encoding/binary"

const (
	// inputStep is how many bytes a step of fast may read: a refill that uses seven, and
	// the eight of another.
	inputStep = 7 + 8
	// inputSlack is how many bytes fast needs to make a step: it begins with a refill.
	inputSlack = 7 + inputStep
	// outputSlack is how many bytes a step of fast may write: literals, the longest match,
	// and the surplus of copying it in words.
	outputSlack = 4 + maxMatch + matchStep
	// matchStep is how many bytes of a match are copied at once. Mispredicted branches cost
	// most: 64 bytes cover most matches in logs, which measured 8 % faster than 32.
	matchStep = 64
	// minStepped is the minimum distance of a match that is copied in words of 8 bytes:
	// each word reads only what was written before it.
	minStepped = 8
)

// fast decodes symbols of a block from in into p from n on, as long as a step can read and
// write without checking for the ends, or until the block ends. At first in must hold
// inputSlack bytes and p outputSlack bytes behind n. It returns how many bytes of in were
// used and how much of p is filled.
//
// This is where the time goes. The bit buffer holds up to 63 bits and is refilled eight
// bytes at a time without a branch: all bytes that fit are used, and the rest of the eight
// is read again by the next refill. Only the lowest byte of nbits counts, so that an entry,
// whose lowest byte is the number of its bits, can be subtracted as it is. After a refill
// there are 56 bits or more: four entries of the main table, or three and a length of 20
// bits. The next entry is looked up before a match is copied, so that neither waits for the
// other. Bounds checks cost nothing measurable here.
func (r *Reader) fast(in, p []byte, n int) (used, size int, err error) {
	litlen, distances := &r.litlen, &r.distance
	bits, nbits := r.bits, uint32(r.nbits)
	at, lastIn, lastOut := 0, len(in)-inputStep, len(p)-outputSlack

	bits, nbits, at = refill(bits, nbits, in, at)
	e := litlen[bits&(1<<litlenBits-1)]
symbols:
	for at <= lastIn && n <= lastOut {
		before := bits // includes the extra bits of e
		bits >>= e & 63
		nbits -= e
		for literals := 1; e&literalFlag != 0; literals++ {
			p[n] = byte(e >> valueShift)
			n++
			if literals == 4 {
				bits, nbits, at = refill(bits, nbits, in, at)
				e = litlen[bits&(1<<litlenBits-1)]
				continue symbols
			}
			e = litlen[bits&(1<<litlenBits-1)]
			before = bits
			bits >>= e & 63
			nbits -= e
		}
		if e&exceptional != 0 {
			if e&subtableFlag != 0 {
				e = litlen[inSubtable(e, bits)&(litlenTableSize-1)]
				before = bits
				bits >>= e & 63
				nbits -= e
				if e&literalFlag != 0 {
					p[n] = byte(e >> valueShift)
					n++
					bits, nbits, at = refill(bits, nbits, in, at)
					e = litlen[bits&(1<<litlenBits-1)]
					continue
				}
			}
			if e&endFlag != 0 {
				r.endBlock()
				break
			}
			if e&exceptional != 0 {
				err = ErrLitlenCode
				break
			}
		}
		length := valueOf(e, before)

		// A distance takes at most 28 bits.
		if uint8(nbits) < 28 {
			bits, nbits, at = refill(bits, nbits, in, at)
		}
		e = distances[bits&(1<<distanceBits-1)]
		if e&exceptional != 0 && e&subtableFlag != 0 {
			bits >>= distanceBits
			nbits -= distanceBits
			e = distances[inSubtable(e, bits)&(distanceTableSize-1)]
		}
		if e&exceptional != 0 {
			err = ErrDistanceCode
			break
		}
		distance := valueOf(e, bits)
		bits >>= e & 63
		nbits -= e

		bits, nbits, at = refill(bits, nbits, in, at)
		e = litlen[bits&(1<<litlenBits-1)]

		end := n + length
		switch {
		case distance > n:
			if distance > n+r.window.n {
				err = ErrDistance
				goto out
			}
			r.window.repeat(p, n, length, distance)
		case distance < minStepped:
			r.window.repeat(p, n, length, distance)
		default:
			for from := n - distance; n < end; {
				copyStep((*[matchStep]byte)(p[n:n+matchStep:n+matchStep]), (*[matchStep]byte)(p[from:from+matchStep:from+matchStep]))
				from += matchStep
				n += matchStep
			}
		}
		n = end
	}
out:
	// Return whole bytes that were not used.
	nbits &= 63
	at -= int(nbits >> 3)
	r.nbits = uint(nbits & 7)
	r.bits = bits & (1<<r.nbits - 1)
	return at, n, err
}

// refill adds as many bytes of in as fit to bits.
func refill(bits uint64, nbits uint32, in []byte, at int) (uint64, uint32, int) {
	bits |= binary.LittleEndian.Uint64(in[at:at+8:at+8]) << (nbits & 63)
	return bits, nbits | 56, at + 7 - int(nbits>>3&7)
}

// inSubtable returns the index of the entry that the pointer e and the next bits select.
func inSubtable(e entry, bits uint64) uint64 {
	return uint64(e>>valueShift) + bits&(1<<(e>>codeShift&codeMask)-1)
}

// valueOf returns the length or distance of e, whose codeword bits begins with.
func valueOf(e entry, bits uint64) int {
	return int(e>>valueShift) + int(bits&(1<<(e&63)-1)>>(e>>codeShift&codeMask))
}

// copyStep copies word by word, so that it may read what it has just written.
func copyStep(to, from *[matchStep]byte) {
	binary.LittleEndian.PutUint64(to[0:], binary.LittleEndian.Uint64(from[0:]))
	binary.LittleEndian.PutUint64(to[8:], binary.LittleEndian.Uint64(from[8:]))
	binary.LittleEndian.PutUint64(to[16:], binary.LittleEndian.Uint64(from[16:]))
	binary.LittleEndian.PutUint64(to[24:], binary.LittleEndian.Uint64(from[24:]))
	binary.LittleEndian.PutUint64(to[32:], binary.LittleEndian.Uint64(from[32:]))
	binary.LittleEndian.PutUint64(to[40:], binary.LittleEndian.Uint64(from[40:]))
	binary.LittleEndian.PutUint64(to[48:], binary.LittleEndian.Uint64(from[48:]))
	binary.LittleEndian.PutUint64(to[56:], binary.LittleEndian.Uint64(from[56:]))
}
