package inflate

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"
)

// zeros returns n zero bytes in hexadecimal.
func zeros(n int) string { return strings.Repeat("00", n) }

// vectors are published streams with their content in hexadecimal, or the error. All were
// compared with zlib.
var vectors = []struct {
	name, stream, want string
	err                error
}{
	// zlib, test/infcover.c, cover_inflate.
	{"stored lengths", "0000000000", "", ErrStoredLength},
	{"fixed", "0300", "", nil},
	{"block type", "06", "", ErrBlockType},
	{"stored", "010100feff00", "00", nil},
	{"too many symbols", "fc0000", "", ErrSymbols},
	{"code lengths set", "0400feff", "", ErrPrecodeSet},
	{"repetition of nothing", "0400244900", "", ErrRepeat},
	{"repetition too long", "040024e9ffff", "", ErrRepeat},
	{"no end of block", "040024e9ff6d", "", ErrNoEnd},
	{"literal and length set", "048049922449922471ffff931100", "", ErrLitlenSet},
	{"distances set", "04804992244992240fb4ffffc384", "", ErrDistanceSet},
	{"literal or length code", "04c0810800000000207feb0b0000", "", ErrLitlenCode},
	{"distance code", "027effff", "", ErrDistanceCode},
	{"distance too far back", "0cc081000000000090ff6b0400", "", ErrDistance},
	{"pull 17", "05c0210d00000080b0fe6d2f916c", "", nil},
	{"long code", "05e0819124cbb22c49e20f2e8b9a47569ffbfeecd2ff1f", "", nil},
	{"length extra", "edc001010000004020ff571b422c4f", zeros(516), nil},
	{"long distance and extra", "edcfc1b12c4710c430fa6f351d0182593dfbbe2e2afc0f0c", zeros(518), nil},
	{"window end", "edc0810000000080a0fda917a9" + zeros(27) + "06", zeros(27865), nil},
	{"type return", "02082080000300", "", nil},
	{"window wrap", "631805400c00", zeros(262), nil},

	// The same file, cover_support and cover_fast, with the default window.
	{"window allocation", "6300", "00", io.ErrUnexpectedEOF},
	{"window replacement", "631805", zeros(259), io.ErrUnexpectedEOF},
	{"split window update", "63186830d00000", zeros(257), nil},
	{"fast length extra bits", "e5e081ad6dcbb22cc9011e5963ae7deefb4dfdb5354168ff7f0f000000000000", "", ErrDistance},
	{"fast distance extra bits", "25fd81b56d59b66a49eaaf350634eb8cb9f6b91eef674950feffff3f000000000000", "", ErrDistance},
	{"fast distance code", "037e0000000000", "", ErrDistanceCode},
	{"fast literal or length code", "1b070000000000", "", ErrLitlenCode},
	{"second level codes and too far back", "0dc701aeeb380c0441a08772dedffb1fb836b1385dffff00000000", "", ErrDistance},
	{"very common case", "6318058c100800000000", zeros(259) + "01000100010001", nil},
	{"around the window", "63606018c9000818181826c028002900000000000000", zeros(261) + "900000000000009000", nil},
	{"from the output", "6300030000000000", zeros(6), nil},

	// Go, compress/flate, TestStreams. HCLen, HLit and HDist are the codes of code
	// lengths, of literals and lengths, and of distances.
	{"degenerate HCLen", "05e001000000000010" + zeros(32) + "04", "", ErrPrecodeSet},
	{"HCLen of a single code", "05e00104" + zeros(37) + "10", "", ErrPrecodeSet},
	{"empty HCLen", "05e001" + zeros(38) + "10", "", ErrPrecodeSet}, // zlib accepts the code, but then misses the end of the block
	{"empty HDist used", "000100feff000de001040000000010" + zeros(32) + "2c", "00", ErrDistanceCode},
	{"degenerate HDist, no end of block", "000100feff000de001" + zeros(31) + "0610000000004070", "00", ErrPrecodeSet}, // the same
	{"empty HLit", "05e00104000000001004" + zeros(35) + "08", "", ErrNoEnd},
	{"empty HLit, degenerate HDist", "05e00104000000001004" + zeros(31) + "0800000008", "", ErrNoEnd},
	{"degenerate HLit, other bit", "05e001040000000010" + zeros(32) + "1c", "", ErrLitlenCode},
	{"HDist too large", "edff8705000000002004" + zeros(31) + "080000000000000004", "", ErrSymbols},
	{"excessive repetition", "edfd8705000000002004" + zeros(31) + "e8b100", "", ErrRepeat},
	{"HDist of 30", "05fd01240000000000f8" + strings.Repeat("ff", 31) + "07000000fe01", "", nil},
	{"HDist of 31", "05fe01240000000000f8" + strings.Repeat("ff", 31) + "07000000fc03", "", ErrSymbols},
	{"HLit over-subscribed", "05e001240000000000fc" + strings.Repeat("ff", 31) + "07f00f", "", ErrLitlenSet},
	{"HLit incomplete", "05e001240000000000fc" + strings.Repeat("ff", 26) + "fcffffffff07f00f", "", ErrLitlenSet},
	{"HLit with a single code", "05e001240000000000f8" + strings.Repeat("ff", 31) + "07f00f", "01", nil},
	{"HLit with several codes", "05e301240000000000f8" + strings.Repeat("ff", 31) + "07807f", "01", nil},
	{"degenerate HDist", "000100feff000de001040000000010" + zeros(32) + "3c", zeros(4), nil},
	{"degenerate HLit and HDist", "05e001040000000010" + zeros(32) + "0c", "", nil},
	{"degenerate HLit, empty HDist", "05e001040000000010" + zeros(32) + "04", "", nil},
	{"repetition over both", "edfd8705000000002004" + zeros(31) + "e8b000", "", nil},
	{"HCLen with lengths", "ede001040000000010" + zeros(32) + "0400004000", "", nil},
	{"length 284 with 31", "000100feff00ede001040000000010" + zeros(32) + "040000407f00", zeros(259), nil},
	{"valid symbols", "0cc2010d00000082b0ac4aff0eb07d27060000ffff", "616263616263", nil},
	{"reserved symbol 287", "33180700", "30", ErrLitlenCode},
	{"raw block", "010100feff11", "11", nil},
	{"HCLen over-subscribed (issue 10426)", "344c4a4e494d4b070000ff2e2eff2e2e2e2e2eff", "", ErrPrecodeSet},
	{"empty HDist (issue 11030)", "05c0070600000080400fff37a0ca", "", nil},
	{"empty HDist (issue 11033)", "050fb109c020cca5d017dcbca044881ee1034ec149c8980bbc413c2ab35be9dc" +
		"b1473449922449922411202306ee97b0383a521b4ffdcf3217f9f7d3adb701", "3130303634342068652e706870005d05355f7ed957ff084a90925d19e3ebc6d0c6d7", nil},
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	data, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			stream, want := unhex(t, v.stream), unhex(t, v.want)
			for _, how := range readings {
				got, _, err := how.inflate(stream)
				if !bytes.Equal(got, want) || !errors.Is(err, v.err) {
					t.Errorf("%s: %x, %v; want %x, %v", how.name, got, err, want, v.err)
				}
			}
			sameAsFlate(t, stream)
		})
	}
}

// TestGzipVectors uses zlib, test/infcover.c, cover_wrap and cover_inflate.
func TestGzipVectors(t *testing.T) {
	const fixed, data = "00000000000000", "0300" // of a header; empty data
	tests := []struct {
		name, stream string
		err          error
	}{
		{"method", "1f8b0000" + fixed, ErrHeader},
		{"header checksum", "1f8b081e000000000000" + "0100" + "00" + "00" + "00" + "0000", ErrHeader},
		{"header checksum, right", "1f8b0802000000000000" + "1d26" + data + zeros(8), nil},
		{"checksum", "1f8b0800000000000000" + data + "00000001" + zeros(4), ErrChecksum},
		{"length", "1f8b0800000000000000" + data + zeros(4) + "00000001", ErrLength},
		{"no header", "", io.EOF},
		{"part of a header", "1f8b08", io.ErrUnexpectedEOF},
		{"name without an end", "1f8b0808000000000000" + "6161", io.ErrUnexpectedEOF},
		{"extra field without an end", "1f8b0804000000000000" + "0300" + "6161", io.ErrUnexpectedEOF},
		{"long name and comment", "1f8b0818000000000000" + strings.Repeat("61", 5000) + "00" + strings.Repeat("62", 5000) + "00" + data + zeros(8), nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, how := range readings {
				if got, _, err := how.gunzip(unhex(t, test.stream)); !errors.Is(err, test.err) || len(got) > 0 {
					t.Errorf("%s: %x, %v; want %v", how.name, got, err, test.err)
				}
			}
		})
	}
}
