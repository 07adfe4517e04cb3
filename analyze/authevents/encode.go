package authevents

import (
	"encoding/binary"
	"errors"

	"logscan/analyze/spill"
	"logscan/parse/events"
)

// errEncoding is the error for encoded keys that were damaged.
var errEncoding = errors.New("BUG: encoded keys are damaged")

// hashes returns the hashes that are encoded.
func hashes(t *texts, l *labels) [8]*uint64 {
	return [...]*uint64{&t.client, &t.user, &t.host, &l.connection, &l.session, &l.port, &t.request, &t.path}
}

func appendHashes(dst []byte, t *texts, l *labels) []byte {
	for _, h := range hashes(t, l) {
		dst = binary.LittleEndian.AppendUint64(dst, *h)
	}
	return dst
}

func readHashes(src []byte, t *texts, l *labels) (rest []byte) {
	for _, h := range hashes(t, l) {
		*h, src = binary.LittleEndian.Uint64(src), src[8:]
	}
	return src
}

// requestSize is the size of encoded RequestKeys in bytes.
const requestSize = (8+4+maxIDs)*8 + 4 + 1

// AppendTo appends the encoding of the keys.
func (k *RequestKeys) AppendTo(dst []byte) []byte {
	dst = appendHashes(dst, &k.texts, &k.labels)
	for _, n := range [...]uint64{uint64(k.time), uint64(k.duration), uint64(k.ordinal), k.peer, k.ids[0], k.ids[1]} {
		dst = binary.LittleEndian.AppendUint64(dst, n)
	}
	return append(binary.LittleEndian.AppendUint32(dst, uint32(k.status)), spill.Flag(k.posts))
}

// Read decodes what AppendTo appended and returns the rest of src.
func (k *RequestKeys) Read(src []byte) (rest []byte, err error) {
	if len(src) < requestSize {
		return nil, errEncoding
	}
	src = readHashes(src, &k.texts, &k.labels)
	var n [6]uint64
	for i := range n {
		n[i], src = binary.LittleEndian.Uint64(src), src[8:]
	}
	k.time, k.duration, k.ordinal, k.peer, k.ids = int64(n[0]), int64(n[1]), int64(n[2]), n[3], [maxIDs]uint64{n[4], n[5]}
	k.status, k.posts = int32(binary.LittleEndian.Uint32(src)), src[4] == 1
	return src[5:], nil
}

// AppendTo appends the encoding of the keys.
func (k *EventKeys) AppendTo(dst []byte) []byte {
	dst = appendHashes(dst, &k.texts, &k.labels)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(k.time))
	dst = binary.LittleEndian.AppendUint64(dst, k.id)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(k.status))
	dst = append(dst, byte(k.outcome), spill.Flag(k.local))
	for _, s := range [...]string{k.kind, k.reason} {
		dst = append(binary.LittleEndian.AppendUint32(dst, uint32(len(s))), s...)
	}
	return dst
}

// Read decodes what AppendTo appended and returns the rest of src.
func (k *EventKeys) Read(src []byte) (rest []byte, err error) {
	const fixed = 8*8 + 8 + 8 + 4 + 2
	if len(src) < fixed {
		return nil, errEncoding
	}
	src = readHashes(src, &k.texts, &k.labels)
	k.time, k.id = int64(binary.LittleEndian.Uint64(src)), binary.LittleEndian.Uint64(src[8:])
	k.status, k.outcome, k.local = int32(binary.LittleEndian.Uint32(src[16:])), events.Outcome(src[20]), src[21] == 1
	src = src[22:]
	for _, s := range [...]*string{&k.kind, &k.reason} {
		if len(src) < 4 || uint64(len(src)-4) < uint64(binary.LittleEndian.Uint32(src)) {
			return nil, errEncoding
		}
		n := 4 + int(binary.LittleEndian.Uint32(src))
		*s, src = string(src[4:n]), src[n:]
	}
	return src, nil
}
