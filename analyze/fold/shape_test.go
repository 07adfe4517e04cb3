package fold

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
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

// FuzzShape draws other digits for every number of three and more: that must
// change neither the template, whose cache goes by the shape, nor, where the
// number lies in one word, the shape.
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
		a, b := string(appendTemplate(nil, path)), string(appendTemplate(nil, other))
		if a != b {
			t.Errorf("%q gives %q, %q gives %q", path, a, other, b)
		}
		if shapeHash(path, seed) == shapeHash(append(bytes.Clone(path), 'x'), seed) {
			t.Errorf("%q has the shape of a longer path", path)
		}
	})
}
