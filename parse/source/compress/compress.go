// Package compress detects how data is compressed and decodes it: gzip, zstd,
// bzip2, xz and LZ4 frames.
//
// Input is a stream of bytes that may hold anything; output is its content, with
// all members, frames or streams joined. Decoding takes a bounded amount of memory
// whatever a header asks for, and never panics. The package knows neither files nor
// archives, and sets no limit on how much data may come of a few bytes.
package compress

import (
	"bufio"
	"bytes"
	"encoding/binary"
)

// Format is a compression format.
type Format uint8

// The formats. None stands for data that is not compressed.
const (
	None Format = iota
	Gzip
	Zstd
	Bzip2
	XZ
	LZ4
)

func (f Format) String() string {
	return [...]string{"none", "gzip", "zstd", "bzip2", "xz", "lz4"}[f]
}

// MagicSize is how many bytes Detect needs of most inputs.
const MagicSize = 10

// Detect returns the format of data by its first bytes. sure is false if more of
// them could change the answer.
func Detect(data []byte) (f Format, sure bool) {
	// Skippable frames may precede the first frame of zstd and of LZ4.
	for len(data) >= 4 && data[0]&0xf0 == 0x50 && string(data[1:4]) == "\x2a\x4d\x18" {
		if len(data) < 8 {
			return Zstd, false
		}
		size := 8 + int64(binary.LittleEndian.Uint32(data[4:]))
		if size+4 > int64(len(data)) {
			return Zstd, false
		}
		data = data[size:]
		f = Zstd // if nothing follows
	}
	switch {
	case bytes.HasPrefix(data, []byte("\x1f\x8b\x08")):
		return Gzip, true
	case bytes.HasPrefix(data, []byte("\x28\xb5\x2f\xfd")):
		return Zstd, true
	case bytes.HasPrefix(data, []byte(xzMagic)):
		return XZ, true
	case bytes.HasPrefix(data, []byte("\x04\x22\x4d\x18")), bytes.HasPrefix(data, []byte("\x02\x21\x4c\x18")):
		return LZ4, true
	case len(data) >= MagicSize && string(data[:3]) == "BZh" && '1' <= data[3] && data[3] <= '9':
		// Text may begin like this, so the magic of a block, or of the end of an
		// empty file, has to follow.
		if m := string(data[4:10]); m == "\x31\x41\x59\x26\x53\x59" || m == "\x17\x72\x45\x38\x50\x90" {
			return Bzip2, true
		}
	}
	return f, true
}

// Sniff returns the format of what in holds next, without consuming it.
func Sniff(in *bufio.Reader) Format {
	data, _ := in.Peek(MagicSize) // the next read returns the error again
	f, sure := Detect(data)
	if !sure {
		data, _ = in.Peek(in.Size())
		f, _ = Detect(data)
	}
	return f
}
