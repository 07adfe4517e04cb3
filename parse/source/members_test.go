package source

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"logscan/parse/source/archive"
	"logscan/parse/source/compress/compresstest"
)

var written = time.Date(2026, 3, 9, 14, 5, 6, 0, time.UTC)

// packed is a file to put in an archive.
type packed struct{ name, content string }

func tarOf(t testing.TB, files ...packed) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Size: int64(len(f.content)), Mode: 0o600, ModTime: written}
		if target, ok := strings.CutPrefix(f.content, "-> "); ok {
			h.Typeflag, h.Linkname, h.Size, f.content = tar.TypeSymlink, target, 0, ""
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, f.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipOf(t testing.TB, method uint16, files ...packed) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name, Method: method, Modified: written}
		var z io.Writer
		var err error
		if method == zip.Store { // with the size before the content, as most archivers do
			h.UncompressedSize64, h.CompressedSize64 = uint64(len(f.content)), uint64(len(f.content))
			h.CRC32 = crc32.ChecksumIEEE([]byte(f.content))
			h.Extra = binary.LittleEndian.AppendUint32([]byte("UT\x05\x00\x01"), uint32(written.Unix()))
			z, err = w.CreateRaw(h)
		} else {
			z, err = w.CreateHeader(h)
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(z, f.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// archives returns all kinds of archive of the same files, by how they are stored.
func archives(t testing.TB, files ...packed) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for comp, data := range compresstest.StoreAll(t, string(tarOf(t, files...))) {
		if comp == "none" {
			all["tar"] = data
		} else {
			all[comp+"+tar"] = data
		}
	}
	all["zip"] = zipOf(t, zip.Store, files...)
	all["zip+deflate"] = zipOf(t, zip.Deflate, files...)
	return all
}

func unfold(t testing.TB, inputs []Input, workers int) ([]Input, []Note) {
	t.Helper()
	inputs, notes, err := Members(t.Context(), inputs, workers)
	if err != nil {
		t.Fatal(err)
	}
	return inputs, notes
}

// TestMembers checks that every file of every kind of archive is an input, and that its
// content depends neither on the archive nor on the workers.
func TestMembers(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var files []packed
	for i := range 6 {
		files = append(files, packed{fmt.Sprintf("logs/access.log.%d", 5-i), randomText(random, small)})
	}
	files = append(files, packed{"empty", ""})
	for comp, stored := range compresstest.StoreAll(t, "in itself\ncompressed\n") {
		files = append(files, packed{"packed/" + comp, string(stored)})
	}
	content := map[string]string{}
	for _, f := range files {
		content[f.name] = f.content
		if strings.HasPrefix(f.name, "packed/") {
			content[f.name] = "in itself\ncompressed\n"
		}
	}
	for stored, data := range archives(t, files...) {
		t.Run(stored, func(t *testing.T) {
			path := write(t, "no-extension", data)
			var first []Result
			for _, workers := range []int{1, 2, 8} {
				inputs, notes := unfold(t, expand(t, nil, path), workers)
				if len(inputs) != len(files) || len(notes) != 0 {
					t.Fatalf("%d inputs, notes %v", len(inputs), notes)
				}
				if !slices.IsSortedFunc(inputs, byPath) {
					t.Error("not sorted")
				}
				c, results := readAll(t, inputs, workers, small)
				for i, in := range inputs {
					name := strings.TrimPrefix(in.Path, path+"!")
					text, ok := content[name]
					if !ok {
						t.Fatalf("input %q", in.Path)
					}
					if got, _ := c.content(i, small); got != shown(text, small) {
						t.Errorf("%d workers, %s: read %q, want %q", workers, name, got, shown(text, small))
					}
					checkSample(t, c.opened[i], text, small.sample)
					want := stored
					if comp, ok := strings.CutPrefix(name, "packed/"); ok && comp != "none" {
						want += "+" + comp
					}
					if r := results[i]; r.Err != nil || r.Bytes != int64(len(text)) || r.Compression != want {
						t.Errorf("%s: %+v, want %s", name, r, want)
					}
					if !in.Modified().Equal(written) {
						t.Errorf("%s: modified %v", name, in.Modified())
					}
				}
				if first == nil {
					first = results
				} else if !slices.Equal(results, first) {
					t.Errorf("%d workers: %+v, with one %+v", workers, results, first)
				}
			}
		})
	}
}

// TestMembersOneByOne reads each file of an archive alone, and some of them without the
// others.
func TestMembersOneByOne(t *testing.T) {
	files := []packed{{"c", "one\n"}, {"a", "two\n"}, {"b", "three\n"}}
	for stored, data := range archives(t, files...) {
		inputs, _ := unfold(t, expand(t, nil, write(t, "x", data)), 1)
		got := ""
		for i := range inputs {
			c, _ := readAll(t, inputs[i:i+1], 2, small)
			text, _ := c.content(0, small)
			got += text
		}
		if got != "two\nthree\none\n" {
			t.Errorf("%s: one by one %q", stored, got)
		}
		runs := Together(inputs)
		if want := strings.Contains(stored, "+tar"); want != (len(runs) == 1) || !want && len(runs) != 3 {
			t.Errorf("%s: %d runs", stored, len(runs))
		}
		c, _ := readAll(t, inputs[1:], 2, small)
		b, _ := c.content(0, small)
		last, _ := c.content(1, small)
		if b != "three\n" || last != "one\n" {
			t.Errorf("%s: without the first: %q, %q", stored, b, last)
		}
	}
}

func TestMembersLabels(t *testing.T) {
	t.Chdir(t.TempDir())
	inner := string(tarOf(t, packed{"x", "x"}))
	data := tarOf(t,
		packed{"a.log", "1"}, packed{"./a.log", "2"}, packed{"/a.log", "3"}, packed{"a.log#2", "4"}, packed{"../../etc/passwd", "5"},
		packed{"\x1b[2Jname", "6"}, packed{".hidden", "7"}, packed{"d/.git/x", "8"}, packed{"link", "-> /etc/passwd"},
		packed{"b.tar", inner}, packed{"c.tgz", string(compresstest.Store(t, "gzip", inner))},
		packed{"d.zip", string(zipOf(t, zip.Store, packed{"x", "x"}))}, packed{"e.7z", "7z\xbc\xaf\x27\x1c"}, packed{"f.rar", "Rar!\x1a\x07"})
	for name, content := range map[string][]byte{"logs.tar": data, "logs.tar!b": []byte("a file\n")} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	inputs, notes := unfold(t, expand(t, nil, "."), 1)
	want := []string{"logs.tar!a.log", "logs.tar!a.log#2", "logs.tar!a.log#2#2", "logs.tar!a.log#3", "logs.tar!b", "logs.tar!etc/passwd", "logs.tar!\uFFFD[2Jname"}
	if got := paths(inputs); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	note := "logs.tar: skipped: 1 link, 5 nested archives (unpack them first): b.tar, c.tgz, d.zip, ..."
	if got := texted(notes); len(got) != 1 || got[0] != note {
		t.Errorf("notes %q, want %q", got, note)
	}
	c, _ := readAll(t, inputs, 2, small)
	for i, want := range []string{"1", "2", "4", "3", "a file\n", "5", "6"} {
		if got, _ := c.content(i, small); got != want {
			t.Errorf("%s: %q, want %q", inputs[i].Path, got, want)
		}
	}
	entries, err := os.ReadDir(".")
	if err != nil || len(entries) != 2 {
		t.Errorf("files were made: %v, %v", entries, err)
	}
}

// TestNoMembers checks that what cannot be listed stays an input, so that Read reports the
// error.
func TestNoMembers(t *testing.T) {
	inner := tarOf(t, packed{"x", "x"})
	links := tarOf(t, packed{"link", "-> x"})
	tests := []struct {
		name, stored string
		data         []byte
		err, note    string
	}{
		{"7-Zip", "7-zip", []byte("7z\xbc\xaf\x27\x1c\x00\x04"), "7-Zip archives are not supported: unpack it", ""},
		{"RAR", "rar", []byte("Rar!\x1a\x07\x00"), "RAR archives are not supported: unpack it", ""},
		{"zip within gzip", "gzip+zip", compresstest.Store(t, "gzip", string(zipOf(t, zip.Store, packed{"x", "x"}))),
			"is a zip archive in a stream or another archive: unpack it, or save it as a file", ""},
		{"empty zip", "zip", zipOf(t, zip.Store), "", "the archive contains no readable files"},
		{"empty tar", "tar", make([]byte, 10240), "", "the archive contains no readable files"},
		{"empty tar within zstd", "zstd+tar", compresstest.Store(t, "zstd", string(make([]byte, 1024))), "", "the archive contains no readable files"},
		{"links alone", "tar", links, "", "the archive contains no readable files; skipped: 1 link"},
		{"links alone, compressed", "gzip+tar", compresstest.Store(t, "gzip", string(links)), "", "the archive contains no readable files; skipped: 1 link"},
		{"archive alone", "tar", tarOf(t, packed{"x.tar", string(inner)}), "",
			"the archive contains no readable files; skipped: 1 nested archive (unpack it first): x.tar"},
		{"cut zip", "zip", zipOf(t, zip.Store, packed{"x", "x"})[:20], "archive is truncated, at byte 0", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := write(t, "x", test.data)
			inputs, notes := unfold(t, expand(t, nil, path), 2)
			if len(inputs) != 1 || inputs[0].Path != path {
				t.Fatalf("inputs %v", paths(inputs))
			}
			if got := strings.TrimPrefix(strings.Join(texted(notes), "; "), path+": "); got != test.note {
				t.Errorf("note %q, want %q", got, test.note)
			}
			_, results := readAll(t, inputs, 2, small)
			r, message := results[0], ""
			if r.Err != nil {
				message = r.Err.Error()
			}
			if r.Compression != test.stored || r.Bytes != 0 || message != test.err {
				t.Errorf("%+v, want %s, %q", r, test.stored, test.err)
			}
		})
	}
}

// TestArchiveOnStdin checks that an archive that cannot be sought is not read as a log.
func TestArchiveOnStdin(t *testing.T) {
	data := tarOf(t, packed{"x", "x"})
	for comp, stored := range compresstest.StoreAll(t, string(data)) {
		inputs, _ := unfold(t, expand(t, bytes.NewReader(stored), Stdin), 1)
		s := small
		s.block, s.maxLine = 1<<10, 2<<10
		_, results := readAll(t, inputs, 1, s)
		var is *archiveError
		if r := results[0]; !errors.As(r.Err, &is) || is.kind != archive.Tar || r.Bytes != 0 {
			t.Errorf("%s: %+v", comp, r)
		}
	}
}

// TestMembersTruncated truncates archives at every block of a tar: the content before is
// read, and at least one input has an error with the right offset.
func TestMembersTruncated(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	line := func() string { return fmt.Sprintf("%016x%016x\n", random.Uint64(), random.Uint64()) }
	var files []packed
	for _, name := range []string{"a", "b", "c"} {
		text := ""
		for range 40 {
			text += line()
		}
		files = append(files, packed{name, text})
	}
	s := sizes{block: 64, maxLine: 128, rng: 256, sample: 100}
	for stored, data := range archives(t, files...) {
		t.Run(stored, func(t *testing.T) {
			last := len(data) - 1
			if stored == "tar" {
				last = len(data) - 1024
			}
			before := int64(0)
			for size := 512; size <= last; size += 512 {
				path := write(t, "x", data[:size])
				var first []Result
				for _, workers := range []int{1, 3} {
					inputs, _ := unfold(t, expand(t, nil, path), workers)
					c, results := readAll(t, inputs, workers, s)
					var total int64
					failed := 0
					for i, in := range inputs {
						text, n := c.content(i, s)
						total += n
						name := strings.TrimPrefix(in.Path, path+"!")
						if at := strings.Index("abc", name); name != "" && at >= 0 && !strings.HasPrefix(files[at].content, text) {
							t.Fatalf("cut to %d: %s is another", size, name)
						}
						var where *ReadError
						if err := results[i].Err; errors.As(err, &where) {
							failed++
							if where.Stored > int64(size) {
								t.Errorf("cut to %d: %v", size, err)
							}
						} else if err != nil {
							t.Errorf("cut to %d: no offset: %v", size, err)
						}
						results[i].Err = nil
					}
					if failed == 0 {
						t.Errorf("cut to %d: no error", size)
					}
					if workers == 1 {
						if total < before {
							t.Errorf("cut to %d: %d bytes, and %d before", size, total, before)
						}
						before, first = total, results
					} else if !slices.Equal(results, first) {
						t.Errorf("cut to %d: %d workers: %+v, with one %+v", size, workers, results, first)
					}
				}
			}
			if before == 0 && stored != "lz4+tar" { // its only block is read whole or not at all
				t.Error("nothing was ever read")
			}
		})
	}
}

// TestMembersCutHidden checks that the archive itself has the error if it is truncated in a
// file that is not an input.
func TestMembersCutHidden(t *testing.T) {
	for _, name := range []string{".hidden", "inner.tar"} {
		text := strings.Repeat("x", 2000)
		if name == "inner.tar" {
			text = string(tarOf(t, packed{"x", text}))
		}
		for comp, data := range compresstest.StoreAll(t, string(tarOf(t, packed{"a", "one\n"}, packed{name, text})[:2048])) {
			path := write(t, "x", data)
			inputs, _ := unfold(t, expand(t, nil, path), 1)
			if want := []string{path, path + "!a"}; !slices.Equal(paths(inputs), want) {
				t.Fatalf("%s in %s: %q", name, comp, paths(inputs))
			}
			_, results := readAll(t, inputs, 1, small)
			if !errors.Is(results[0].Err, archive.ErrTruncated) || results[1].Err != nil {
				t.Errorf("%s in %s: %+v", name, comp, results)
			}
		}
	}
}

// TestMembersCorrupt checks that a damaged file does not affect others.
func TestMembersCorrupt(t *testing.T) {
	text := strings.Repeat("a line of it\n", 100)
	broken := compresstest.Store(t, "gzip", text)
	broken[len(broken)/2] ^= 0xff
	for stored, data := range archives(t, packed{"a", text}, packed{"b.gz", string(broken)}, packed{"c", text}) {
		inputs, _ := unfold(t, expand(t, nil, write(t, "x", data)), 2)
		c, results := readAll(t, inputs, 2, small)
		var where *ReadError
		if !errors.As(results[1].Err, &where) || where.Stored < 1 || where.Stored > int64(len(data)) {
			t.Errorf("%s: damaged file: %v", stored, results[1].Err)
		}
		for _, i := range []int{0, 2} {
			if got, _ := c.content(i, small); got != text || results[i].Err != nil {
				t.Errorf("%s: %s: %v", stored, inputs[i].Path, results[i].Err)
			}
		}
	}
}

// TestArchiveChanged checks that an archive that has changed since it was listed causes an
// error.
func TestArchiveChanged(t *testing.T) {
	text := strings.Repeat("a line of it\n", 20)
	path := write(t, "x.tar.gz", compresstest.Store(t, "gzip", string(tarOf(t, packed{"a", text}, packed{"b", text}))))
	inputs, _ := unfold(t, expand(t, nil, path), 1)
	if err := os.WriteFile(path, compresstest.Store(t, "gzip", string(tarOf(t, packed{"a", text}, packed{"other", text}))), 0o600); err != nil {
		t.Fatal(err)
	}
	c, results := readAll(t, inputs, 2, small)
	if got, _ := c.content(0, small); got != text || results[0].Err != nil {
		t.Errorf("the one that is the same: %v", results[0].Err)
	}
	if !errors.Is(results[1].Err, errChanged) {
		t.Errorf("the other: %v", results[1].Err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	_, results = readAll(t, inputs, 2, small)
	for _, r := range results {
		if !errors.Is(r.Err, os.ErrNotExist) {
			t.Errorf("removed: %v", r.Err)
		}
	}
}

// TestMembersPlan checks that plans apply to archives as to files.
func TestMembersPlan(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	text := planned(random, 300)
	s := sizes{block: 128, maxLine: 512, rng: 1 << 10, sample: 256}
	for stored, data := range archives(t, packed{"a", text}, packed{"b", text}) {
		inputs, _ := unfold(t, expand(t, nil, write(t, "x", data)), 1)
		var first string
		for _, workers := range []int{1, 2, 8} {
			c := newCollector(t, workers)
			c.plan = Plan{
				Directive: []byte("#Fields:"),
				Whole:     wholeLines,
			}
			if _, err := read(t.Context(), inputs, workers, c, s); err != nil {
				t.Fatal(err)
			}
			var all []string
			for _, b := range c.blocks {
				all = append(all, fmt.Sprintf("%d %08d %q %s", b.Input, b.Seq, b.Directive, b.data))
			}
			slices.Sort(all)
			if got := strings.Join(all, "\n"); first == "" {
				first = got
			} else if got != first {
				t.Fatalf("%s: %d workers: other blocks", stored, workers)
			}
			if got, _ := c.content(1, s); got != text {
				t.Fatalf("%s: %d workers: other content", stored, workers)
			}
		}
		c := newCollector(t, 1)
		c.plan = Plan{Skip: true}
		results, err := read(t.Context(), inputs, 1, c, s)
		if err != nil || len(c.blocks) != 0 || results[0].Bytes != 0 || results[0].Err != nil || len(c.opened) != 2 {
			t.Errorf("%s: skipped: %d blocks, %+v, %v", stored, len(c.blocks), results, err)
		}
	}
}

func TestMembersEnds(t *testing.T) {
	var b strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&b, "line %08d %s\n", i, strings.Repeat("x", 80))
	}
	for stored, data := range archives(t, packed{"before", "x\n"}, packed{"log", b.String()}) {
		if stored == "xz+tar" {
			continue // takes too long
		}
		inputs, _ := unfold(t, expand(t, nil, write(t, "x", data)), 1)
		got, err := endsOf(t, inputs[1])
		if err != nil || !bytes.HasPrefix(got, []byte("line 00000000 ")) || !bytes.Contains(got, []byte("\nline 00009999 ")) {
			t.Errorf("%s: %d bytes, %v", stored, len(got), err)
		}
		lines, whole, err := Glance(t.Context(), inputs[1])
		if sequential := strings.Contains(stored, "+tar"); err != nil || sequential != (len(lines) == 0) || sequential && whole {
			t.Errorf("%s: at a glance %d bytes, %v, %v", stored, len(lines), whole, err)
		}
	}
}

// TestMembersShared checks that a large file in an uncompressed tar is read by all workers.
func TestMembersShared(t *testing.T) {
	text := strings.Repeat("a line of it\n", 200)
	for _, stored := range []string{"tar", "zip"} {
		inputs, _ := unfold(t, expand(t, nil, write(t, "x", archives(t, packed{"log", text})[stored])), 1)
		q := newQueue(inputs, 1, small)
		w := &worker{sizes: small, inputs: inputs, handler: newCollector(t, 1), queue: q, buf: make([]byte, small.buffer())}
		if _, ok := q.take(w.id); !ok {
			t.Fatal("nothing to do")
		}
		w.open(t.Context(), 0)
		if len(q.shared) != 1 || q.shared[0].file.size != int64(len(text)) {
			t.Errorf("%s: not shared", stored)
		}
		q.closeFiles()
	}
}

// TestMembersMany reads an archive of many files in a directory with others.
func TestMembersMany(t *testing.T) {
	dir := t.TempDir()
	var files []packed
	for i := range 300 {
		files = append(files, packed{fmt.Sprintf("%03d", i), fmt.Sprintf("line of %d\n", i)})
	}
	for stored, data := range archives(t, files...) {
		if err := os.WriteFile(filepath.Join(dir, stored), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before := 0
	for _, workers := range []int{1, 4} {
		inputs, _ := unfold(t, expand(t, nil, dir), workers)
		c, results := readAll(t, inputs, workers, small)
		n := 0
		for i, in := range inputs {
			text, _ := c.content(i, small)
			number := strings.TrimLeft(in.Path[strings.LastIndex(in.Path, "!")+1:], "0")
			if number == "" {
				number = "0"
			}
			if text != "line of "+number+"\n" || results[i].Err != nil {
				t.Fatalf("%s: %q, %v", in.Path, text, results[i].Err)
			}
			n++
		}
		if n == 0 || before != 0 && n != before {
			t.Errorf("%d inputs, %d before", n, before)
		}
		before = n
	}
}
