package compress

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"logscan/parse/source/compress/compresstest"
)

// decode returns the format of stored and its content.
func decode(stored []byte) (Format, string, error) {
	var d Decoders
	defer d.Close()
	in := d.Buffer(bytes.NewReader(stored))
	f := Sniff(in)
	content, err := io.ReadAll(d.Reader(f, in))
	return f, string(content), err
}

func TestForms(t *testing.T) {
	for _, form := range compresstest.Forms(t) {
		f, got, err := decode(form.Stored)
		if f.String() != form.Format || got != form.Text || err != nil {
			t.Errorf("%s: %v, %q, %v; want %s, %q", form.Name, f, got, err, form.Format, form.Text)
		}
	}
}

// TestWindow checks that a header that asks for much memory does not get it.
func TestWindow(t *testing.T) {
	// Frame header without content size; window 2^(10+exponent).
	zstdHeader := func(exponent byte) []byte {
		return []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, exponent << 3, 0x01, 0x00, 0x00}
	}
	// Single segment: the content size, 1 GiB, is the window.
	single := []byte{0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0x00, 0x00, 0x00, 0x40, 0x01, 0x00, 0x00}
	xzHeader := func(window byte) []byte {
		stored := compresstest.Store(t, "xz", "a\n")
		block := stored[12 : 12+int(stored[12]+1)*4]
		at := bytes.Index(block, []byte{xzLZMA2, 1})
		block[at+2] = window
		binary.LittleEndian.PutUint32(block[len(block)-4:], crc32.ChecksumIEEE(block[:len(block)-4]))
		return stored
	}
	tests := []struct {
		name   string
		stored []byte
		want   error
	}{
		{"zstd 128 MiB", zstdHeader(17), nil},
		{"zstd 256 MiB", zstdHeader(18), zstd.ErrWindowSizeExceeded},
		{"zstd 1 GiB in one segment", single, zstd.ErrDecoderSizeExceeded},
		{"xz 64 MiB", xzHeader(28), nil},
		{"xz 192 MiB", xzHeader(31), errXZWindow},
		{"xz 4 GiB", xzHeader(40), errXZWindow},
		{"xz more than the format allows", xzHeader(41), errXZHeader},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, _, err := decode(test.stored); !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
		})
	}
}

// TestXZRejects changes each field of the container and corrects the checksums over
// it, so that only a check of the field itself can reject it.
func TestXZRejects(t *testing.T) {
	blocks := compresstest.Unhex(t, compresstest.XZBlocks)
	const blockAt = 12
	mend := func(data []byte, from, to int) {
		binary.LittleEndian.PutUint32(data[to:], crc32.ChecksumIEEE(data[from:to]))
	}
	block := func(change func(header []byte)) []byte {
		data := bytes.Clone(blocks)
		header := data[blockAt : blockAt+12]
		change(header)
		mend(data, blockAt, blockAt+8)
		return data
	}
	index := func(change func(index []byte)) []byte {
		data := bytes.Clone(blocks)
		from := bytes.Index(data, []byte{0x00, 0x03, 0x1f, 0x0b})
		change(data[from:])
		mend(data, from, len(data)-16)
		return data
	}
	tests := []struct {
		name   string
		stored []byte
		want   error
	}{
		{"intact", block(func([]byte) {}), nil},
		{"intact index", index(func([]byte) {}), nil},
		{"reserved flag", block(func(h []byte) { h[1] |= 0x04 }), errXZHeader},
		{"two filters", block(func(h []byte) { h[1] |= 0x01 }), errXZFilter},
		{"another filter", block(func(h []byte) { h[4] = 0x03 }), errXZFilter},
		{"compressed size", block(func(h []byte) { h[2]++ }), errXZSize},
		{"uncompressed size", block(func(h []byte) { h[3]++ }), errXZSize},
		{"number of blocks", index(func(i []byte) { i[1] = 2 }), errXZIndex},
		{"size of a block", index(func(i []byte) { i[4]++ }), errXZIndex},
		{"content of a block", index(func(i []byte) { i[5]++ }), errXZIndex},
		{"block checksum", append(append(bytes.Clone(blocks[:40]), blocks[40]^1), blocks[41:]...), errXZChecksum},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, _, err := decode(test.stored); !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
		})
	}
}

// TestReuse checks that nothing of one input is left in a decoder for the next,
// however the first one ended.
func TestReuse(t *testing.T) {
	var d Decoders
	defer d.Close()
	read := func(f Format, stored []byte) (string, error) {
		data, err := io.ReadAll(d.Reader(f, d.Buffer(bytes.NewReader(stored))))
		if err != nil {
			d.Drop(f)
		}
		return string(data), err
	}
	intact := compresstest.Intact(t)
	for f := Gzip; f <= LZ4; f++ {
		form := intact[f.String()]
		for i, stored := range [][]byte{form.Stored, form.Stored, form.Stored[:len(form.Stored)/2], form.Stored, []byte("no such data"), form.Stored} {
			got, err := read(f, stored)
			if whole := len(stored) == len(form.Stored); whole != (err == nil) || whole && got != form.Text {
				t.Errorf("%v, read %d: %d bytes, %v", f, i, len(got), err)
			}
		}
	}
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("index out of range") }

func TestGuard(t *testing.T) {
	n, err := Guard(panicking{}).Read(make([]byte, 10))
	if n != 0 || !errors.Is(err, errPanic) || !strings.Contains(err.Error(), "index out of range") {
		t.Errorf("got %d, %v", n, err)
	}
}
