package source

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"logscan/parse/source/archive"
)

// packed is a file that is put into an archive.
type packed struct {
	name, content string
	kind          byte // tar.TypeReg when it is 0
}

var changed = time.Date(2026, 3, 9, 10, 0, 0, 0, time.UTC)

func tarOf(t testing.TB, files ...packed) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Typeflag: f.kind, Mode: 0o600, Size: int64(len(f.content)), ModTime: changed}
		switch f.kind {
		case 0:
			h.Typeflag = tar.TypeReg
		case tar.TypeLink, tar.TypeSymlink:
			h.Linkname = "elsewhere"
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
		h := &zip.FileHeader{Name: f.name, Method: method, Modified: changed}
		if f.kind == tar.TypeSymlink {
			h.SetMode(os.ModeSymlink | 0o777)
		}
		e, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(e, f.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// archives gives files as every archive that is read holds them, by the name
// that Result.Compression has for it.
func archives(t testing.TB, files ...packed) map[string][]byte {
	t.Helper()
	plain := tarOf(t, files...)
	all := map[string][]byte{
		"tar": plain, "zip": zipOf(t, zip.Store, files...), "zip+deflate": zipOf(t, zip.Deflate, files...),
	}
	for name, stored := range stores(t, string(plain)) {
		if name != "none" {
			all[name+"+tar"] = stored
		}
	}
	return all
}

// members lists what is in the inputs that args name.
func members(t testing.TB, workers int, args ...string) ([]Input, []Note) {
	t.Helper()
	inputs, notes, err := Members(t.Context(), expand(t, nil, args...), workers)
	if err != nil {
		t.Fatal(err)
	}
	return inputs, notes
}

// logOf is a text of many lines that no other name has.
func logOf(name string, lines int) string {
	var b strings.Builder
	for n := range lines {
		fmt.Fprintf(&b, "%s: line %d\n", name, n)
	}
	return b.String()
}

// sizes with which a block is long enough to tell an archive by.
var medium = sizes{block: 1 << 10, maxLine: 2 << 10, rng: 4 << 10, sample: 512}

// read1 is what became of one input.
type read1 struct {
	Path, content, compression string
	failed                     string
}

// readMembers reads what is in the inputs that args name.
func readMembers(t testing.TB, workers int, args ...string) (all []read1, notes []Note) {
	t.Helper()
	inputs, notes := members(t, workers, args...)
	c, results := readAll(t, inputs, workers, medium)
	for i, in := range inputs {
		got, total := c.content(i, medium)
		if total != results[i].Bytes {
			t.Errorf("%s: %d bytes handed over, result %+v", in.Path, total, results[i])
		}
		r := read1{Path: filepath.Base(in.Path), content: got, compression: results[i].Compression}
		if i := strings.IndexByte(in.Path, '!'); i >= 0 {
			r.Path = filepath.Base(in.Path[:i]) + in.Path[i:]
		}
		if results[i].Err != nil {
			r.failed = results[i].Err.Error()
		}
		all = append(all, r)
	}
	return all, notes
}

// Every file of every kind of archive is read whole, whether it is compressed
// itself or not, and whatever the number of workers is.
func TestMembers(t *testing.T) {
	long := logOf("long", 3000) // many ranges of medium
	files := []packed{
		{name: "var/log/b.log", content: long},
		{name: "var/log/a.log", content: logOf("a", 3)},
		{name: "empty.log"},
		{name: "no newline", content: "x"},
		{name: strings.Repeat("deep/", 60) + "long name.log", content: logOf("deep", 5)},
	}
	want := map[string]string{}
	inner := map[string]string{}
	for _, f := range files {
		want[f.name] = f.content
	}
	for comp, stored := range stores(t, long) {
		if comp != "none" {
			files = append(files, packed{name: "packed." + comp, content: string(stored)})
			want["packed."+comp], inner["packed."+comp] = long, comp
		}
	}
	for kind, stored := range archives(t, files...) {
		t.Run(kind, func(t *testing.T) {
			path := write(t, "logs", stored) // the name does not tell what it is
			for _, workers := range []int{1, 2, 8} {
				all, notes := readMembers(t, workers, path)
				if len(all) != len(want) || len(notes) != 0 {
					t.Fatalf("%d workers: %d inputs and notes %v, want %d and none", workers, len(all), notes, len(want))
				}
				for i, r := range all {
					name := strings.TrimPrefix(r.Path, "logs!")
					text, ok := want[name]
					comp := kind
					if inner[name] != "" {
						comp += "+" + inner[name]
					}
					if !ok || r.content != text || r.compression != comp || r.failed != "" {
						t.Errorf("%d workers: %s has %d bytes as %s (%s), want %d as %s", workers, r.Path, len(r.content), r.compression, r.failed, len(text), comp)
					}
					if i > 0 && r.Path <= all[i-1].Path {
						t.Errorf("%s comes after %s", r.Path, all[i-1].Path)
					}
				}
			}
		})
	}
}

// The time of a file, and its first and last lines, are those that are in the
// archive.
func TestMembersEnds(t *testing.T) {
	long := logOf("long", 2*endSize/10)
	files := []packed{{name: "long.log", content: long}, {name: "short.log", content: logOf("short", 2)}}
	for kind, stored := range archives(t, files...) {
		inputs, _ := members(t, 1, write(t, "logs", stored))
		err := Ends(t.Context(), inputs, 1, func(i int, got []byte, err error) error {
			in := inputs[i]
			if err != nil || !in.Modified().Equal(changed) {
				t.Errorf("%s: %s was changed at %v, want %v (%v)", kind, in.Path, in.Modified(), changed, err)
			}
			first, last := "long: line 0\n", fmt.Sprintf("long: line %d\n", 2*endSize/10-1)
			if i == 1 {
				first, last = "short: line 0\n", "short: line 1\n"
			}
			if !strings.HasPrefix(string(got), first) || !strings.HasSuffix(string(got), last) || len(got) > 2*endSize {
				t.Errorf("%s: the ends of %s are %.20q ... in %d bytes", kind, in.Path, got, len(got))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// What is no log in an archive is left out, and what is said of it.
func TestMembersLeftOut(t *testing.T) {
	within := string(tarOf(t, packed{name: "x", content: "x\n"}))
	files := []packed{
		{name: "dir/", kind: tar.TypeDir},
		{name: "dir/a.log", content: "a\n"},
		{name: "dir/link", kind: tar.TypeSymlink},
		{name: "hard", kind: tar.TypeLink},
		{name: "tty", kind: tar.TypeChar},
		{name: "fifo", kind: tar.TypeFifo},
		{name: ".hidden", content: "h\n"},
		{name: "__MACOSX/a.log", content: "m\n"},
		{name: "in.tar", content: within},
		{name: "in.tgz", content: string(stores(t, within)["gzip"])},
		{name: "in.zip", content: string(zipOf(t, zip.Deflate, packed{name: "x", content: "x\n"}))},
		{name: "in.7z", content: "7z\xbc\xaf\x27\x1c" + within},
	}
	const note = "skipped in it: 2 links, 2 devices, 4 archives within it, which have to be unpacked first: in.tar, in.tgz, in.zip, ..."
	plain := tarOf(t, files...)
	for _, stored := range [][]byte{plain, stores(t, string(plain))["zstd"]} {
		all, notes := readMembers(t, 2, write(t, "logs.tar", stored))
		if len(all) != 1 || all[0].Path != "logs.tar!dir/a.log" || all[0].content != "a\n" {
			t.Errorf("read %+v", all)
		}
		if len(notes) != 1 || notes[0].Text != note {
			t.Errorf("notes %+v, want %q", notes, note)
		}
	}
	all, notes := readMembers(t, 2, write(t, "logs.zip", zipOf(t, zip.Store,
		packed{name: "dir/"}, packed{name: "dir/a.log", content: "a\n"}, packed{name: "link", content: "a.log", kind: tar.TypeSymlink})))
	if len(all) != 1 || all[0].content != "a\n" || len(notes) != 1 || notes[0].Text != "skipped in it: 1 link" {
		t.Errorf("read %+v, notes %+v", all, notes)
	}
}

// Names are labels, each another one, and none can be mistaken for a path.
func TestMembersNames(t *testing.T) {
	files := []packed{
		{name: "x", content: "1\n"}, {name: "x", content: "2\n"}, {name: "./x", content: "3\n"}, {name: "x#2", content: "4\n"},
		{name: "../../etc/passwd", content: "5\n"}, {name: "/etc/passwd", content: "6\n"}, {name: "a/../../b", content: "7\n"},
		{name: "esc\x1b[2Jape\n\u202e", content: "8\n"}, {name: "..", content: "9\n"},
	}
	want := map[string]string{
		"logs!x": "1\n", "logs!x#2": "2\n", "logs!x#3": "3\n", "logs!x#2#2": "4\n", "logs!etc/passwd": "5\n",
		"logs!etc/passwd#2": "6\n", "logs!b": "7\n", "logs!esc\ufffd[2Jape\ufffd\ufffd": "8\n", "logs!unnamed": "9\n",
	}
	for kind, stored := range archives(t, files...) {
		all, _ := readMembers(t, 2, write(t, "logs", stored))
		got := map[string]string{}
		for _, r := range all {
			got[r.Path] = r.content
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s: %q, want %q", kind, got, want)
		}
	}
	// A file on the disk keeps its name.
	dir := t.TempDir()
	for name, data := range map[string][]byte{"logs": tarOf(t, packed{name: "x", content: "in\n"}), "logs!x": []byte("out\n")} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	inputs, _ := members(t, 1, dir)
	if len(inputs) != 2 || filepath.Base(inputs[0].Path) != "logs!x" || filepath.Base(inputs[1].Path) != "logs!x#2" || inputs[0].member != nil {
		t.Errorf("inputs %+v", inputs)
	}
}

// What cannot be read says so, once, and says what to do.
func TestMembersTrouble(t *testing.T) {
	encrypted := zipOf(t, zip.Deflate, packed{name: "a", content: "a\n"}, packed{name: "b", content: "b\n"})
	encrypted[bytes.Index(encrypted, []byte("PK\x01\x02"))+8] |= 1
	method := zipOf(t, zip.Store, packed{name: "a", content: "a\n"})
	method[bytes.Index(method, []byte("PK\x01\x02"))+10] = 93
	sum := zipOf(t, zip.Deflate, packed{name: "a", content: "a\n"})
	sum[bytes.Index(sum, []byte("PK\x01\x02"))+16] ^= 1
	// Two names for the same bytes: how a few of them become very many.
	overlap := zipOf(t, zip.Deflate, packed{name: "a", content: logOf("a", 9)}, packed{name: "b", content: "b\n"})
	second := bytes.LastIndex(overlap, []byte("PK\x01\x02"))
	first := bytes.Index(overlap, []byte("PK\x01\x02"))
	copy(overlap[second+16:second+28], overlap[first+16:first+28])
	copy(overlap[second+42:second+46], overlap[first+42:first+46])
	damaged := tarOf(t, packed{name: "a", content: "a\n"}, packed{name: "b", content: "b\n"})
	damaged[1024+150] ^= 1
	zipped := zipOf(t, zip.Deflate, packed{name: "a", content: "a\n"})
	for _, c := range []struct {
		name   string
		stored []byte
		want   []read1 // failed is a part of it
		note   string
	}{
		{name: "7z", stored: []byte("7z\xbc\xaf\x27\x1c\x00\x04"), want: []read1{{"x", "", "7-zip", "7-Zip archives are not read: unpack it"}}},
		{name: "rar", stored: []byte("Rar!\x1a\x07\x01\x00more"), want: []read1{{"x", "", "rar", "RAR archives are not read: unpack it"}}},
		{name: "encrypted", stored: encrypted, want: []read1{
			{"x!a", "", "zip+deflate", "is encrypted: unpack the archive"}, {"x!b", "b\n", "zip+deflate", ""}}},
		{name: "method", stored: method, want: []read1{{"x!a", "", "zip", "zip method 93, which is not read: unpack"}}},
		{name: "checksum", stored: sum, want: []read1{{"x!a", "a\n", "zip+deflate", "wrong zip checksum, at byte"}}},
		{name: "overlap", stored: overlap, want: []read1{
			{"x!a", logOf("a", 9), "zip+deflate", ""}, {"x!b", "", "zip+deflate", "overlaps another file"}}},
		{name: "damaged tar", stored: damaged, want: []read1{
			{"x", "", "tar", "damaged archive header, at byte 1536"}, {"x!a", "a\n", "tar", ""}}},
		{name: "zip in gzip", stored: stores(t, string(zipped))["gzip"], want: []read1{{"x", "", "gzip+zip", "is a zip archive where none can be read"}}},
		{name: "empty zip", stored: zipOf(t, zip.Store), want: []read1{{"x", "", "zip", ""}}, note: "the archive holds no file to read"},
		{name: "empty tar", stored: make([]byte, 10240), want: []read1{{"x", "", "tar", ""}}, note: "the archive holds no file to read"},
		{name: "empty tar in xz", stored: stores(t, string(make([]byte, 1024)))["xz"], want: []read1{{"x", "", "xz+tar", ""}}, note: "the archive holds no file to read"},
		{name: "a file of NUL bytes", stored: make([]byte, 1000), want: []read1{{"x", string(make([]byte, 1000)), "none", ""}}},
		{name: "text", stored: []byte("PK is how it begins\n"), want: []read1{{"x", "PK is how it begins\n", "none", ""}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			all, notes := readMembers(t, 2, write(t, "x", c.stored))
			same := slices.EqualFunc(all, c.want, func(got, want read1) bool {
				return got.Path == want.Path && got.content == want.content && got.compression == want.compression &&
					strings.Contains(got.failed, want.failed) && (got.failed == "") == (want.failed == "")
			})
			if !same {
				t.Errorf("read %+v, want %+v", all, c.want)
			}
			if len(notes) > 1 || (len(notes) == 1) != (c.note != "") || c.note != "" && notes[0].Text != c.note {
				t.Errorf("notes %+v, want %q", notes, c.note)
			}
		})
	}
}

// An archive where only lines can be read says what it is.
func TestArchiveOnStandardInput(t *testing.T) {
	for kind, stored := range archives(t, packed{name: "a", content: logOf("a", 100)}) {
		inputs, notes, err := Members(t.Context(), expand(t, bytes.NewReader(stored), Stdin), 2)
		if err != nil || len(notes) != 0 {
			t.Fatal(err, notes)
		}
		c, results := readAll(t, inputs, 2, medium)
		if _, n := c.content(0, medium); n != 0 {
			t.Errorf("%s: %d bytes were handed over", kind, n)
		}
		if err := results[0].Err; err == nil || !strings.Contains(err.Error(), "save it as a file") || strings.Contains(err.Error(), "at byte") {
			t.Errorf("%s: error %v", kind, err)
		}
	}
}

// Wherever an archive is cut off, what came before is read, no line is another
// than it was, and the trouble is told with an offset that is there.
func TestMembersTruncated(t *testing.T) {
	files := []packed{
		{name: "a.log", content: logOf("a", 60)}, {name: "dir/", kind: tar.TypeDir}, {name: "b.log", content: logOf("b", 90)},
		{name: strings.Repeat("long/", 40) + "c.log", content: logOf("c", 40)}, {name: ".hidden", content: logOf("hidden", 50)},
	}
	want := map[string]string{}
	for _, f := range files {
		want[f.name] = f.content
	}
	for kind, stored := range archives(t, files...) {
		step := 512
		if kind != "tar" {
			step = max(len(stored)/64, 1)
		}
		for size := 0; size < len(stored); size += step {
			path := write(t, "logs", stored[:size])
			inputs, _ := members(t, 2, path)
			h := newCollector(t, 2)
			results, err := read(t.Context(), inputs, 2, h, medium)
			if err != nil {
				t.Fatal(err)
			}
			failed := 0
			for i, in := range inputs {
				got, _ := h.content(i, medium)
				if _, name, ok := strings.Cut(in.Path, "!"); ok && !strings.HasPrefix(want[name], got) {
					t.Errorf("%s cut at %d: %s has %q", kind, size, name, got)
				}
				if err := results[i].Err; err != nil {
					failed++
					var where *ReadError
					if errors.As(err, &where) && (where.Stored < 0 || where.Stored > int64(size)) {
						t.Errorf("%s cut at %d: %s: %v", kind, size, in.Path, err)
					}
				}
			}
			// A tar whose end alone is cut off may be whole, and a file of a few
			// bytes need not be an archive.
			missing := size > 512 && size < len(stored)-1024 || kind != "tar" && size > 512
			if missing && failed == 0 {
				t.Errorf("%s cut at %d of %d: no error", kind, size, len(stored))
			}
		}
	}
}

// The number of files is bounded, and that there are more is said.
func TestMembersBounded(t *testing.T) {
	header := tarOf(t, packed{name: "x"})[:512]
	many := bytes.Repeat(header, archive.MaxMembers+2)
	path := write(t, "many.tar.zst", stores(t, string(many))["zstd"])
	inputs, _ := members(t, 2, path)
	if len(inputs) != archive.MaxMembers+1 {
		t.Fatalf("%d inputs", len(inputs))
	}
	if told := inputs[0].told; told == nil || told.Err == nil || !strings.Contains(told.Err.Error(), "more than 100000 files: unpack") {
		t.Errorf("%+v", told)
	}
}

// The end of the context ends the listing.
func TestMembersCancelled(t *testing.T) {
	for kind, stored := range archives(t, packed{name: "a", content: logOf("a", 100)}) {
		inputs := expand(t, nil, write(t, "logs", stored))
		ctx, stop := context.WithCancel(t.Context())
		stop()
		if _, _, err := Members(ctx, inputs, 2); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", kind, err)
		}
		if _, _, err := Distinct(ctx, append(inputs, inputs...), 2); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: distinct: %v", kind, err)
		}
	}
}
