package spill

import (
	"bytes"
	"path/filepath"
	"testing"
)

// FuzzFile checks that pieces can be read in any order, and that reading from a
// corrupted file returns an error or as many other bytes.
func FuzzFile(f *testing.F) {
	f.Add([]byte("one"), []byte{}, uint16(0), byte(0))
	f.Add(bytes.Repeat([]byte("ab"), 5000), []byte("\x00"), uint16(3), byte(0x80))
	f.Fuzz(func(t *testing.T, a, b []byte, at uint16, flip byte) {
		space := NewSpace(filepath.Join(t.TempDir(), "spill"))
		defer space.Close()
		file, err := space.Create()
		if err != nil {
			t.Fatal(err)
		}
		pieces := [][]byte{a, b, a}
		var places []Place
		for _, piece := range pieces {
			p, err := file.Append(piece)
			if err != nil {
				t.Fatal(err)
			}
			places = append(places, p)
		}
		for _, i := range []int{2, 0, 1} {
			if got, err := file.Read(places[i], nil); err != nil || !bytes.Equal(got, pieces[i]) {
				t.Fatalf("piece %d is %q, %v; want %q", i, got, err, pieces[i])
			}
		}
		if flip == 0 {
			return
		}
		off := int64(at) % file.size
		var c [1]byte
		if _, err := file.f.ReadAt(c[:], off); err != nil {
			t.Fatal(err)
		}
		if _, err := file.f.WriteAt([]byte{c[0] ^ flip}, off); err != nil {
			t.Fatal(err)
		}
		for i, p := range places {
			if got, err := file.Read(p, nil); err == nil && len(got) != len(pieces[i]) {
				t.Errorf("piece %d of a corrupted file has %d bytes, want %d", i, len(got), len(pieces[i]))
			}
		}
	})
}
