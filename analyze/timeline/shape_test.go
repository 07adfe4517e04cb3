package timeline

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"

	"logscan/parse/scan"
)

func TestWithoutNumbers(t *testing.T) {
	for in, want := range map[string]string{
		"/v1/a/12": "/v1/a/12", "/a/12345": "/a/00000", "123/4567": "000/0000", "a99b999c": "a99b000c",
		"12345678": "00000000", "/9:/\xb1\xb2\xb39": "/9:/\xb1\xb2\xb39", "99/999/9": "99/000/9",
	} {
		var got [8]byte
		binary.LittleEndian.PutUint64(got[:], withoutNumbers(binary.LittleEndian.Uint64([]byte(in))))
		if string(got[:]) != want {
			t.Errorf("withoutNumbers(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestHexDigits(t *testing.T) {
	for c := range 256 {
		for at := range 8 {
			b := []byte("0aF9fA5c")
			b[at] = byte(c)
			want := uint64(scan.Tops)
			if !bytes.Contains([]byte("0123456789abcdefABCDEF"), []byte{byte(c)}) {
				want &^= 0x80 << (8 * at)
			}
			if got := hexDigits(binary.LittleEndian.Uint64(b)); got != want {
				t.Fatalf("hexDigits(%q) = %x, want %x", b, got, want)
			}
		}
	}
}

const aUUID = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"

// The shape of a path does not depend on which UUID is in it, but on everything that
// is not quite a UUID.
func TestShapeOfUUIDs(t *testing.T) {
	hash := func(s string) uint64 { return shapeHash([]byte(s), 1) }
	for _, format := range []string{"/%s", "/o/%s", "/o/%s/items", "/%s/" + aUUID} {
		with := func(id string) string { return strings.Replace(format, "%s", id, 1) }
		if a, b := hash(with(aUUID)), hash(with("00000000-FFFF-0000-ffff-abcdefABCDEF")); a != b {
			t.Errorf("%s: shapes of two UUIDs are %x and %x", format, a, b)
		}
		for i := range aUUID {
			id := []byte(aUUID)
			id[i] = 'g'
			if hash(with(string(id))) == hash(with(aUUID)) {
				t.Errorf("%s has the shape of a UUID", with(string(id)))
			}
		}
	}
	for _, s := range []string{"/x" + aUUID, "/" + aUUID + "x", aUUID + "/a", "/" + aUUID + ";a"} {
		other := strings.Replace(s, "3f", "af", 1)
		if hash(s) == hash(other) {
			t.Errorf("%s has the shape of %s", s, other)
		}
	}
}

// FuzzShape replaces the digits of numbers of three or more digits, and UUIDs. That
// must not change the template, because paths of the same shape share a cache entry.
func FuzzShape(f *testing.F) {
	for _, s := range []string{
		"/users/4711/orders", "/api/v1/x/2026-03-09/7", "/o/3f2504e0-4f89-11d3-9a0c-0305e82c3301/items",
		"/a/123.html", "/pkg/lodash-4.17.021.tgz", "/x;sid=12345/y", "/%201234/a@b.999", "/a/b/c/d/e/f/g/h/i/j/k/1234",
		"/how-to-2024-read-an-123-log", "/12345678", "/hash/deadbeef1234", "/t/AbCdEf123456789xyzQWERT",
	} {
		f.Add([]byte(s), uint64(1))
	}
	f.Fuzz(func(t *testing.T, path []byte, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 2))
		other := bytes.Clone(path)
		for i := 0; i < len(other); {
			j := i
			for j < len(other) && other[j]-'0' < 10 {
				j++
			}
			for k := i; j-i >= 3 && k < j; k++ {
				other[k] = '0' + byte(random.IntN(10))
			}
			i = j + 1
		}
		if len(other) > uuidLen {
			if at := uuidAt(other); at > 0 {
				for k, c := range other[at : at+uuidLen] {
					if c != '-' {
						other[at+k] = "0123456789abcdefABCDEF"[random.IntN(22)]
					}
				}
				if shapeHash(path, seed) != shapeHash(other, seed) && bytes.Equal(path[:at], other[:at]) && bytes.Equal(path[at+uuidLen:], other[at+uuidLen:]) {
					t.Errorf("%q has another shape than %q", path, other)
				}
			}
		}
		a, b := string(appendTemplate(nil, path)), string(appendTemplate(nil, other))
		if a != b {
			t.Errorf("template of %q is %q, of %q %q", path, a, other, b)
		}
		if shapeHash(path, seed) == shapeHash(append(bytes.Clone(path), 'x'), seed) {
			t.Errorf("%q has the shape of a longer path", path)
		}
	})
}
