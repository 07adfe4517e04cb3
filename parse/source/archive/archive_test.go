package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

var modified = time.Date(2026, 3, 9, 14, 5, 6, 0, time.UTC)

// tarOf makes a tar archive. Headers without a size get that of their content.
func tarOf(t testing.TB, entries ...tarEntry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := e.Header
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		h.Size, h.Mode = int64(len(e.content)), 0o600
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type tarEntry struct {
	tar.Header
	content string
}

func file(name, content string) tarEntry {
	return tarEntry{tar.Header{Name: name, ModTime: modified}, content}
}

// zipOf makes a zip archive of alternating names and contents. A file is deflated if its
// name says so.
func zipOf(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		h := zip.FileHeader{Name: files[i], Modified: modified}
		if strings.HasPrefix(files[i], "deflated") {
			h.Method = zip.Deflate
		}
		f, err := w.CreateHeader(&h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, files[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func never() error { return nil }

func list(t testing.TB, data []byte) ([]Member, Skipped, error) {
	t.Helper()
	switch kind := Detect(data[:min(len(data), HeadSize)]); kind {
	case Tar:
		return ListTar(bytes.NewReader(data), never)
	case Zip:
		return ListZip(bytes.NewReader(data), int64(len(data)), never)
	default:
		t.Fatalf("detected as %v", kind)
		return nil, Skipped{}, nil
	}
}

// content reads a listed file as package source does.
func content(data []byte, m Member) (string, error) {
	if m.Err != nil {
		return "", m.Err
	}
	r := bytes.NewReader(data)
	var src io.Reader = io.NewSectionReader(r, m.Offset, m.Stored)
	if m.Deflated {
		src = Inflate(r, &m)
	}
	all, err := io.ReadAll(src)
	return string(all), err
}

// shown lists the content of an archive: "name=content" or "name: error".
func shown(data []byte, members []Member) string {
	var all []string
	for _, m := range members {
		text, err := content(data, m)
		if err != nil {
			all = append(all, m.Name+": "+err.Error())
		} else {
			all = append(all, m.Name+"="+text)
		}
	}
	return strings.Join(all, " ")
}

func TestList(t *testing.T) {
	long := strings.Repeat("d/", 80) + "access.log"
	huge := strings.Repeat("n", 5000)
	header := func(typ byte, name string) tarEntry {
		return tarEntry{tar.Header{Typeflag: typ, Name: name, Linkname: "/etc/passwd"}, ""}
	}
	pax := file("a", "1")
	pax.PAXRecords = map[string]string{"VENDOR.key": "v"}
	a, b := tarOf(t, file("a", "one")), tarOf(t, file("b", "two"))
	deflated := strings.Repeat("much of the same ", 1000)
	small := zipOf(t, "a", "1", "b", "2")
	large := zip64(t, small)                                    // as Info-ZIP writes to a pipe, except for its last record
	prefixed := append([]byte(zipLocal), zipOf(t, "a", "1")...) // offsets are 4 too small
	tests := []struct {
		name    string
		data    []byte
		want    string
		skipped string
	}{
		{"tar", tarOf(t, file("a", "one"), file("dir/b", ""), file("c", strings.Repeat("x", 600))), "a=one dir/b= c=" + strings.Repeat("x", 600), ""},
		{"names", tarOf(t, file("../../etc/passwd", "1"), file("/abs", "2"), file("ü", "3")), "../../etc/passwd=1 /abs=2 ü=3", ""},
		{"long name", tarOf(t, file(long, "x")), long + "=x", ""},
		{"name cut", tarOf(t, file(huge, "x")), huge[:maxName] + "=x", ""},
		{"GNU", tarOf(t, tarEntry{tar.Header{Name: long, Format: tar.FormatGNU}, "x"}), long + "=x", ""},
		{"PAX", tarOf(t, pax), "a=1", ""},
		{"nothing but files", tarOf(t, header(tar.TypeDir, "d/"), header(tar.TypeSymlink, "s"), header(tar.TypeLink, "l"),
			header(tar.TypeFifo, "f"), header(tar.TypeChar, "c"), header(tar.TypeBlock, "b"), file("a", "1")), "a=1", "2 links, 3 devices"},
		{"concatenated", slices.Concat(a, b), "a=one b=two", ""},
		{"concatenated with padding", slices.Concat(a, make([]byte, 300<<10), b, make([]byte, 512)), "a=one b=two", ""},
		{"without padding", a[:blockSize*3], "a=one", ""},
		{"zip", zipOf(t, "a", "one", "d/", "", "d/b", "", "deflated.log", deflated), "a=one d/b= deflated.log=" + deflated, ""},
		{"empty zip", zipOf(t), "", ""},
		{"zip with something before it", prefixed, "a=1", ""},
		{"zip with a comment", append(zipOf(t, "a", "1")[:len(zipOf(t, "a", "1"))-2], "\x03\x00PK\x05"...), "a=1", ""},
		{"zip64", zip64(t, zipOf(t, "a", "1", "deflated", "2")), "a=1 deflated=2", ""},
		{"zip64 that need not be", slices.Concat(large[:len(large)-endSize], small[len(small)-endSize:]), "a=1 b=2", ""},
		{"zip of a pipe", piped(t, "a log\n"), "-=a log\n", ""},
		{"zip with a FIFO", piped(t, ""), "", "1 device"},
		{"sparse", slices.Concat(sparse(t), tarOf(t, file("a", "1"))), "a=1", "1 sparse file"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			members, skipped, err := list(t, test.data)
			if err != nil {
				t.Fatal(err)
			}
			if got := shown(test.data, members); got != test.want {
				t.Errorf("got %.200q, want %.200q", got, test.want)
			}
			if skipped.String() != test.skipped {
				t.Errorf("skipped %q, want %q", skipped, test.skipped)
			}
		})
	}
}

// zip64 gives a zip archive the final records of a large one.
func zip64(t testing.TB, data []byte) []byte {
	t.Helper()
	at := len(data) - endSize
	end := data[at:]
	le := func(n int, v uint64) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(v >> (8 * i))
		}
		return b
	}
	records, size, offset := uint64(u16(end[10:])), uint64(u32(end[12:])), uint64(u32(end[16:]))
	return slices.Concat(data[:at],
		[]byte(zip64End), le(8, zip64EndSize-12), le(2, 45), le(2, 45), le(4, 0), le(4, 0), le(8, records), le(8, records), le(8, size), le(8, offset),
		[]byte(zip64Locator), le(4, 0), le(8, uint64(at)), le(4, 1),
		[]byte(zipEnd), le(2, 0), le(2, 0), le(2, 1<<16-1), le(2, 1<<16-1), le(4, zip64Is), le(4, zip64Is), le(2, 0))
}

// piped returns an archive as Info-ZIP stores its standard input: a FIFO with content.
func piped(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	h := zip.FileHeader{
		Name: "-", CompressedSize64: uint64(len(text)), UncompressedSize64: uint64(len(text)), CRC32: crc32.ChecksumIEEE([]byte(text)),
	}
	h.SetMode(fs.ModeNamedPipe | 0o600)
	f, err := w.CreateRaw(&h)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(f, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// sparse returns a file with a hole before its only block, as old GNU tar stores it.
func sparse(t testing.TB) []byte {
	t.Helper()
	data := tarOf(t, tarEntry{tar.Header{Name: "s", Format: tar.FormatGNU}, strings.Repeat("x", blockSize)})
	data[156] = tar.TypeGNUSparse
	const mapAt, sizeAt, sumAt = 386, 483, 148
	copy(data[mapAt:], fmt.Sprintf("%011o\x00%011o\x00", 1<<20, blockSize))
	copy(data[sizeAt:], fmt.Sprintf("%011o\x00", 1<<20+blockSize))
	copy(data[sumAt:], "        ")
	sum := 0
	for _, b := range data[:blockSize] {
		sum += int(b)
	}
	copy(data[sumAt:], fmt.Sprintf("%06o\x00 ", sum))
	return data
}

func TestModified(t *testing.T) {
	dos := zipOf(t, "a", "1")
	// Without the UTC time that the writer adds only the DOS time is left.
	dos = bytes.ReplaceAll(dos, []byte("UT\x05\x00"), []byte("XX\x05\x00"))
	for name, data := range map[string][]byte{
		"tar": tarOf(t, file("a", "1")), "zip": zipOf(t, "a", "1"), "zip of DOS": dos,
	} {
		members, _, err := list(t, data)
		if err != nil || len(members) != 1 || !members[0].Modified.Equal(modified) {
			t.Errorf("%s: %+v, %v", name, members, err)
		}
	}
	members, _, _ := list(t, tarOf(t, tarEntry{tar.Header{Name: "a"}, "1"}))
	if !members[0].Modified.IsZero() {
		t.Errorf("no time: %v", members[0].Modified)
	}
}

// edit changes a copy of data.
func edit(data []byte, change func(b []byte)) []byte {
	data = bytes.Clone(data)
	change(data)
	return data
}

// TestUnreadable checks that files that cannot be read are listed with the reason and do
// not hide others.
func TestUnreadable(t *testing.T) {
	two := zipOf(t, "a", "one", "b", "two")
	central := bytes.Index(two, []byte(zipCentral))
	second := central + 4 + bytes.Index(two[central+4:], []byte(zipCentral))
	deflated := zipOf(t, "deflated", strings.Repeat("a line\n", 100))
	tests := []struct {
		name string
		data []byte
		want string
		err  error // of the list
	}{
		{"encrypted", edit(two, func(b []byte) { b[central+8] |= flagEncrypted }), "a: " + errEncrypted.Error() + " b=two", nil},
		{"method", edit(two, func(b []byte) { b[central+10] = 14 }),
			"a: zip method 14 is not supported: unpack the archive b=two", nil},
		{"overlap", edit(two, func(b []byte) { copy(b[second+42:], b[central+42:central+46]) }), "a=one b: " + errOverlap.Error(), nil},
		{"no header", edit(two, func(b []byte) { b[0] = 'X' }), "a: damaged archive header, at byte 0 b=two", nil},
		{"longer than the archive", edit(two, func(b []byte) { b[central+22], b[central+26] = 1, 1 }), "a: damaged archive header, at byte 0 b=two", nil},
		{"behind the archive", edit(two, func(b []byte) { b[central+44] = 1 }), "a: damaged zip directory, at byte " + fmt.Sprint(central) + " b=two", nil},
		{"checksum", edit(deflated, func(b []byte) { b[bytes.Index(b, []byte(zipCentral))+16]++ }), "deflated: wrong zip checksum", nil},
		{"directory", edit(two, func(b []byte) { b[second] = 'X' }), "a=one", errDirectory},
		{"number of files", edit(two, func(b []byte) { b[len(b)-endSize+10]++ }), "a=one b=two", errDirectory},
		{"parts", edit(two, func(b []byte) { b[len(b)-endSize+4]++ }), "", errMultiple},
		{"place of the directory", edit(two, func(b []byte) { b[len(b)-1-2] = 0x7f }), "", errDirectory},
		{"another one before", slices.Concat(deflated, two), "a=one b=two", errBefore},
		{"a cut one behind", slices.Concat(two, deflated[:len(deflated)/2]), "a=one b=two", errBehind},
		{"zeros behind", slices.Concat(two, make([]byte, 1000)), "a=one b=two", nil},
		{"behind a tar", slices.Concat(tarOf(t, file("a", "one")), []byte("something else")), "a=one", errBehind},
		{"tar header", edit(tarOf(t, file("a", "one"), file("b", "two")), func(b []byte) { b[2*blockSize+150]++ }), "a=one", errHeader},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			list := list
			if test.name == "no header" { // Detect needs the header
				list = func(_ testing.TB, data []byte) ([]Member, Skipped, error) {
					return ListZip(bytes.NewReader(data), int64(len(data)), never)
				}
			}
			members, _, err := list(t, test.data)
			if got := shown(test.data, members); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			var where *Error
			if !errors.Is(err, test.err) || err != nil && !errors.As(err, &where) {
				t.Errorf("error %v, want %v", err, test.err)
			}
		})
	}
}

// TestTruncated truncates archives anywhere: all files before that are listed, and the
// missing end is reported.
func TestTruncated(t *testing.T) {
	text := strings.Repeat("a line of it\n", 100)
	archives := map[string][]byte{
		"tar":              tarOf(t, file("a", text), file("b", text), file("c", text)),
		"zip":              zipOf(t, "a", text, "b", text, "c", text),
		"zip deflated":     zipOf(t, "deflated-a", text, "deflated-b", text, "deflated-c", text),
		"zip without ends": withSizes(t, text),
	}
	for name, data := range archives {
		whole, _, err := list(t, data)
		if err != nil || len(whole) != 3 {
			t.Fatalf("%s: %d files, %v", name, len(whole), err)
		}
		end := len(data)
		if name == "tar" {
			end = len(data) - 2*blockSize + 1
		}
		for size := blockSize; size < end; size += 7 {
			cut := data[:size]
			members, _, err := list(t, cut)
			if !errors.Is(err, ErrTruncated) && !errors.Is(err, errHeader) && !errors.Is(err, errDirectory) {
				t.Fatalf("%s cut to %d: %v", name, size, err)
			}
			for i, m := range whole {
				// If the size follows the data, the end of a file can only be found by
				// inflating it, and a stored file has no end.
				if m.Offset+m.Stored+24 > int64(size) || name == "zip" {
					break
				}
				if i >= len(members) {
					t.Fatalf("%s cut to %d: %s is missing", name, size, m.Name)
				}
				if got, err := content(cut, members[i]); got != text || err != nil {
					t.Fatalf("%s cut to %d: %s: %q, %v", name, size, m.Name, got, err)
				}
			}
		}
	}
}

// withSizes returns a zip archive whose sizes precede the files, as archivers write that
// can seek.
func withSizes(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range []string{"a", "b", "c"} {
		f, err := w.CreateRaw(&zip.FileHeader{
			Name: name, CompressedSize64: uint64(len(text)), UncompressedSize64: uint64(len(text)), CRC32: 1,
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestDetect(t *testing.T) {
	a := tarOf(t, file("a", "1"))
	tests := []struct {
		name string
		head string
		want Kind
	}{
		{"tar", string(a), Tar},
		{"short tar", string(a[:blockSize-1]), None},
		{"old tar", string(edit(a, func(b []byte) {
			var sum int
			clear(b[257:])
			copy(b[148:], "        ")
			for _, c := range b[:blockSize] {
				sum += int(c)
			}
			copy(b[148:], fmt.Sprintf("%06o\x00 ", sum))
		})), Tar},
		{"wrong checksum", string(edit(a, func(b []byte) { b[0]++ })), None},
		{"NUL bytes", string(make([]byte, 1024)), None},
		{"zip", "PK\x03\x04", Zip},
		{"empty zip", "PK\x05\x06", Zip},
		{"7-Zip", "7z\xbc\xaf\x27\x1c\x00\x04", SevenZip},
		{"RAR", "Rar!\x1a\x07\x01\x00", Rar},
		{"text", strings.Repeat("192.0.2.1 - - PK\n", 100), None},
		{"text that sums up", summed(t), None},
		{"nothing", "", None},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Detect([]byte(test.head)); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// summed returns a line with the checksum of a tar header: a client could send it to hide a
// log.
func summed(t testing.TB) string {
	t.Helper()
	line := bytes.Repeat([]byte("x"), blockSize)
	sum := (blockSize-8)*'x' + 8*' '
	copy(line[148:], fmt.Sprintf("%07o ", sum))
	return string(line)
}

func TestEmptyTar(t *testing.T) {
	for n, want := range map[int]bool{0: false, 512: false, 1023: false, 1024: true, 1025: false, 4096: false, 10240: true, 10241: false, 1 << 20: false} {
		data := make([]byte, n)
		if got := EmptyTar(bytes.NewReader(data)); got != want {
			t.Errorf("%d NUL bytes: %v", n, got)
		}
		if n > 0 {
			data[n-1] = 'x'
			if EmptyTar(bytes.NewReader(data)) {
				t.Errorf("%d bytes, the last no NUL: taken for an archive", n)
			}
		}
	}
	if EmptyTar(iotest.TimeoutReader(bytes.NewReader(make([]byte, 1024)))) {
		t.Error("an error is taken for the end")
	}
}

func TestLabel(t *testing.T) {
	tests := []struct {
		name, want string
		hidden     bool
	}{
		{"access.log", "access.log", false},
		{"./var/log//access.log", "var/log/access.log", false},
		{"../../etc/passwd", "etc/passwd", false},
		{"/etc/../../x", "x", false},
		{"", "unnamed", false},
		{"..", "unnamed", false},
		{"a\x1b[2J\nb", "a\uFFFD[2J\uFFFDb", false},
		{"a\u202egol.b\xff", "a\uFFFDgol.b\uFFFD", false},
		{".hidden", ".hidden", true},
		{"d/.git/config", "d/.git/config", true},
		{"__MACOSX/._a.log", "__MACOSX/._a.log", true},
		{"a.b/c", "a.b/c", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := Label(test.name)
			if got != test.want || Hidden(got) != test.hidden {
				t.Errorf("got %q, hidden: %v; want %q, %v", got, Hidden(got), test.want, test.hidden)
			}
		})
	}
}

// TestMaxMembers checks that more files than may be listed end the list.
func TestMaxMembers(t *testing.T) {
	if testing.Short() {
		t.Skip("writes a hundred thousand files")
	}
	var files []string
	var z bytes.Buffer
	w := tar.NewWriter(&z)
	for i := range MaxMembers + 1 {
		name := fmt.Sprint(i)
		files = append(files, name, "")
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	for name, data := range map[string][]byte{"tar": z.Bytes(), "zip": zipOf(t, files...)} {
		members, _, err := list(t, data)
		if !errors.Is(err, errMembers) || len(members) != MaxMembers {
			t.Errorf("%s: %d files, %v", name, len(members), err)
		}
	}
}

// FuzzArchive checks for arbitrary bytes that listing ends, that no file lies outside of
// them, and that the files of a tar are together not larger than it.
func FuzzArchive(f *testing.F) {
	text := strings.Repeat("a line of it\n", 20)
	for _, data := range [][]byte{
		tarOf(f, file("a", text), file("b", text)),
		tarOf(f, tarEntry{tar.Header{Name: strings.Repeat("n", 300), Format: tar.FormatGNU}, text}),
		tarOf(f, tarEntry{tar.Header{Name: "s", Typeflag: tar.TypeSymlink, Linkname: strings.Repeat("l", 200)}, ""}),
		zipOf(f, "a", text, "deflated", text), zip64(f, zipOf(f, "a", text)), withSizes(f, text),
	} {
		f.Add(data)
		f.Add(data[:len(data)*2/3])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		stream, errStream := sequential(data)
		seeking, _, errSeeking := ListTar(bytes.NewReader(data), never)
		if fmt.Sprint(stream) != fmt.Sprint(seeking) || fmt.Sprint(errStream) != fmt.Sprint(errSeeking) {
			var a, b *Error
			if !errors.As(errStream, &a) || !errors.As(errSeeking, &b) || a.Err != b.Err {
				t.Fatalf("read: %v, %v; sought: %v, %v", stream, errStream, seeking, errSeeking)
			}
		}
		for i, m := range seeking {
			if m.Offset < 0 || m.Offset > int64(len(data)) || m.Stored < 0 || i > 0 && m.Offset < seeking[i-1].Offset+seeking[i-1].Stored {
				t.Fatalf("tar: %+v in %d bytes", m, len(data))
			}
		}
		members, _, _ := ListZip(bytes.NewReader(data), int64(len(data)), never)
		end := int64(0)
		for _, m := range members {
			if m.Err != nil {
				continue
			}
			if m.Offset < 0 || m.Stored < 0 || m.Offset+m.Stored > int64(len(data)) || m.Stored > 0 && m.Offset < end {
				t.Fatalf("zip: %+v in %d bytes, before it are %d", m, len(data), end)
			}
			end = max(end, m.Offset+m.Stored)
			if m.Deflated {
				z := Inflate(bytes.NewReader(data), &m)
				n, err := io.Copy(io.Discard, io.LimitReader(z, 1<<20))
				if err == nil && n < 1<<20 && m.Size >= 0 && n != m.Size {
					t.Fatalf("zip: %d bytes of %+v", n, m)
				}
				if z.Used() > m.Stored {
					t.Fatalf("zip: %d bytes used of %+v", z.Used(), m)
				}
			}
		}
	})
}

// sequential lists a tar without seeking.
func sequential(data []byte) (all []Member, err error) {
	t := NewTar(struct{ io.Reader }{bytes.NewReader(data)})
	for {
		m, err := t.Next()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, m)
	}
}
