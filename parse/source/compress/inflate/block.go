package inflate

// header reads the header of a block.
func (r *Reader) header() error {
	h, err := r.take(3)
	if err != nil {
		return err
	}
	r.last = h&1 != 0
	switch h >> 1 {
	case 0:
		return r.openStored()
	case 1:
		r.openFixed()
		return nil
	case 2:
		return r.openDynamic()
	}
	return ErrBlockType
}

// openStored starts a stored block, at the next byte.
func (r *Reader) openStored() error {
	r.bits, r.nbits = 0, 0 // the rest of a byte
	n, err := r.take(32)
	if err != nil {
		return err
	}
	if n&0xffff != ^n>>16&0xffff {
		return ErrStoredLength
	}
	r.stored = n & 0xffff
	r.state = inStored
	return nil
}

// copyStored copies a stored block into p from n on, and returns how much of p is filled.
func (r *Reader) copyStored(p []byte, n int) int {
	for r.stored > 0 && n < len(p) {
		m, err := r.in.Read(p[n:min(len(p), n+r.stored)])
		n += m
		r.stored -= m
		if err != nil {
			r.err = unexpected(err)
			return n
		}
	}
	if r.stored == 0 {
		r.endBlock()
	}
	return n
}

// openFixed starts a block with the fixed code.
func (r *Reader) openFixed() {
	if !r.fixed {
		lengths := r.lengths[:litlenSymbols]
		for i := range lengths {
			switch {
			case i < 144:
				lengths[i] = 8
			case i < 256:
				lengths[i] = 9
			case i < 280:
				lengths[i] = 7
			default:
				lengths[i] = 8
			}
		}
		build(r.litlen[:], litlenBits, lengths, litlens[:], true)
		lengths = r.lengths[:distanceSymbols]
		for i := range lengths {
			lengths[i] = 5
		}
		build(r.distance[:], distanceBits, lengths, distances[:], true)
		r.fixed = true
	}
	r.state = inSymbols
}

// precodeOrder is the order in which the lengths of the precode, the code of code lengths,
// are stored.
var precodeOrder = [precodeSymbols]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// openDynamic starts a block that describes its own codes.
func (r *Reader) openDynamic() error {
	counts, err := r.take(14)
	if err != nil {
		return err
	}
	litlen, distance, precode := counts&31+257, counts>>5&31+1, counts>>10+4
	if litlen > maxLitlen || distance > maxDistances {
		return ErrSymbols
	}
	var lengths [precodeSymbols]uint8
	for _, symbol := range precodeOrder[:precode] {
		n, err := r.take(3)
		if err != nil {
			return err
		}
		lengths[symbol] = uint8(n)
	}
	// The table of the precode uses the memory of the block's own table.
	r.fixed = false
	if !build(r.litlen[:], precodeBits, lengths[:], precodes[:], false) {
		return ErrPrecodeSet
	}
	if err := r.codeLengths(r.lengths[:litlen+distance]); err != nil {
		return err
	}
	switch {
	case r.lengths[endOfBlock] == 0:
		return ErrNoEnd
	case !build(r.litlen[:], litlenBits, r.lengths[:litlen], litlens[:], true):
		return ErrLitlenSet
	case !build(r.distance[:], distanceBits, r.lengths[litlen:litlen+distance], distances[:], true):
		return ErrDistanceSet
	}
	r.state = inSymbols
	return nil
}

// codeLengths reads the codeword lengths of both codes.
func (r *Reader) codeLengths(lengths []uint8) error {
	for i := 0; i < len(lengths); {
		e, err := r.lookup(r.litlen[:], precodeBits)
		if err != nil {
			return err
		}
		symbol := int(e >> valueShift)
		if symbol < 16 {
			lengths[i] = uint8(symbol)
			i++
			continue
		}
		length, least, bits := uint8(0), 3, uint(3)
		switch symbol {
		case 16:
			if i == 0 {
				return ErrRepeat
			}
			length, bits = lengths[i-1], 2
		case 18:
			least, bits = 11, 7
		}
		n, err := r.take(bits)
		if err != nil {
			return err
		}
		if n += least; n > len(lengths)-i {
			return ErrRepeat
		}
		for range n {
			lengths[i] = length
			i++
		}
	}
	return nil
}
