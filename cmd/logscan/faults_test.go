package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"logscan/fixtures/trials"
)

// fault is a faulty input with the expected result.
type fault struct {
	name  string
	make  func(f *faulty)
	exit  int
	lines int64  // of all inputs except good.log
	says  string // pattern of a line on standard error, without the prefix "logscan: "; empty for none
}

const (
	partly   = -1 // some of the lines of the log, but not all
	whatever = -2 // any number: depends on the decoder
)

// damaged holds the result of each damage to each container. The messages end with
// an offset.
var damaged = []struct {
	container, damage string
	exit              int
	lines             int64
	says              string
}{
	{"gzip", "whole", 0, manyLines, ``},
	{"gzip", "cut in the header", 4, 0, `bad: gzip data is truncated: unexpected EOF`},
	{"gzip", "cut in the middle", 4, partly, `bad: gzip data is truncated: unexpected EOF`},
	{"gzip", "cut in the trailer", 4, manyLines, `bad: gzip data is truncated: unexpected EOF`},
	{"gzip", "flipped in the header", 4, 0, `bad: gzip data is corrupt: .*`},
	{"gzip", "flipped in the data", 4, whatever, `bad: gzip data is corrupt: .*`},
	{"gzip", "flipped in the checksum", 4, manyLines, `bad: gzip data is corrupt: .*`},
	{"gzip", "twice", 0, 2 * manyLines, ``},
	{"gzip", "and garbage", 4, manyLines, `bad: gzip data is corrupt: .*`},
	{"gzip", "and a cut one", 4, partly, `bad: gzip data is truncated: unexpected EOF`},
	{"zstd", "whole", 0, manyLines, ``},
	{"zstd", "cut in the header", 4, 0, `bad: zstd data is truncated: unexpected EOF`},
	{"zstd", "cut in the middle", 4, partly, `bad: zstd data is truncated: unexpected EOF`},
	{"zstd", "cut in the trailer", 4, partly, `bad: zstd data is truncated: unexpected EOF`},
	{"zstd", "flipped in the header", 4, 0, `bad: zstd data is corrupt: .*`},
	{"zstd", "flipped in the data", 4, whatever, `bad: zstd data is corrupt: .*`},
	{"zstd", "flipped in the checksum", 4, partly, `bad: zstd data is corrupt: .*`},
	{"zstd", "twice", 0, 2 * manyLines, ``},
	{"zstd", "and garbage", 4, manyLines, `bad: zstd data is corrupt: .*`},
	{"zstd", "and a cut one", 4, partly, `bad: zstd data is truncated: unexpected EOF`},
	{"bzip2", "whole", 0, manyLines, ``},
	{"bzip2", "cut in the header", 4, 0, `bad: bzip2 data is truncated: unexpected EOF`},
	{"bzip2", "cut in the middle", 4, partly, `bad: bzip2 data is truncated: unexpected EOF`},
	{"bzip2", "cut in the trailer", 4, manyLines, `bad: bzip2 data is truncated: unexpected EOF`},
	{"bzip2", "flipped in the header", 4, partly, `bad: bzip2 data is corrupt: .*`},
	{"bzip2", "flipped in the data", 4, whatever, `bad: bzip2 data is corrupt: .*`},
	{"bzip2", "flipped in the checksum", 4, manyLines, `bad: bzip2 data is corrupt: .*`},
	{"bzip2", "twice", 0, 2 * manyLines, ``},
	{"bzip2", "and garbage", 4, manyLines, `bad: bzip2 data is corrupt: .*`},
	{"bzip2", "and a cut one", 4, partly, `bad: bzip2 data is truncated: unexpected EOF`},
	{"xz", "whole", 0, manyLines, ``},
	{"xz", "cut in the header", 4, 0, `bad: xz data is truncated: unexpected EOF`},
	{"xz", "cut in the middle", 4, partly, `bad: xz data is truncated: unexpected EOF`},
	{"xz", "cut in the trailer", 4, manyLines, `bad: xz data is truncated: unexpected EOF`},
	{"xz", "flipped in the header", 4, 0, `bad: xz data is corrupt: .*`},
	{"xz", "flipped in the data", 4, whatever, `bad: xz data is corrupt: .*`},
	{"xz", "flipped in the checksum", 4, manyLines, `bad: xz data is corrupt: .*`},
	{"xz", "twice", 0, 2 * manyLines, ``},
	{"xz", "and garbage", 4, manyLines, `bad: xz data is corrupt: .*`},
	{"xz", "and a cut one", 4, partly, `bad: xz data is truncated: unexpected EOF`},
	{"lz4", "whole", 0, manyLines, ``},
	{"lz4", "cut in the header", 4, 0, `bad: lz4 data is truncated: unexpected EOF`},
	{"lz4", "cut in the middle", 4, partly, `bad: lz4 data is truncated: unexpected EOF`},
	{"lz4", "cut in the trailer", 4, manyLines, `bad: lz4 data is truncated: unexpected EOF`},
	{"lz4", "flipped in the header", 4, 0, `bad: lz4 data is corrupt: .*`},
	{"lz4", "flipped in the data", 4, whatever, `bad: lz4 data is corrupt: .*`},
	{"lz4", "flipped in the checksum", 4, manyLines, `bad: lz4 data is corrupt: .*`},
	{"lz4", "twice", 0, 2 * manyLines, ``},
	{"lz4", "and garbage", 4, manyLines, `bad: lz4 data is corrupt: .*`},
	{"lz4", "and a cut one", 4, partly, `bad: lz4 data is truncated: unexpected EOF`},
	{"tar", "whole", 0, manyLines, ``},
	{"tar", "cut in the header", 4, partly, `bad!many.log: archive is truncated`},
	{"tar", "cut in the middle", 4, partly, `bad!many.log: archive is truncated`},
	{"tar", "cut in the trailer", 4, manyLines, `bad: archive is truncated`},
	{"tar", "flipped in the header", 0, whatever, ``},
	{"tar", "flipped in the data", 0, manyLines, ``},
	{"tar", "twice", 0, manyLines, ``},
	{"tar", "and garbage", 4, manyLines, `bad: other bytes follow the archive`},
	{"tar", "and a cut one", 4, partly, `bad!many.log#2: archive is truncated`},
	{"tar.gz", "whole", 0, manyLines, ``},
	{"tar.gz", "cut in the header", 4, 0, `bad: gzip data is truncated: unexpected EOF`},
	{"tar.gz", "cut in the middle", 4, partly, `bad!many.log: gzip data is truncated: unexpected EOF`},
	{"tar.gz", "cut in the trailer", 4, manyLines, `bad: gzip data is truncated: unexpected EOF`},
	{"tar.gz", "flipped in the header", 4, 0, `bad: gzip data is corrupt: .*`},
	{"tar.gz", "flipped in the data", 4, whatever, `bad(!many.log)?: gzip data is corrupt: .*`},
	{"tar.gz", "flipped in the checksum", 4, manyLines, `bad: gzip data is corrupt: .*`},
	{"tar.gz", "twice", 0, manyLines, ``},
	{"tar.gz", "and garbage", 4, manyLines, `bad: gzip data is corrupt: .*`},
	{"tar.gz", "and a cut one", 4, partly, `bad!many.log#2: gzip data is truncated: unexpected EOF`},
	{"zip", "whole", 0, manyLines, ``},
	{"zip", "cut in the header", 4, 0, `bad: archive is truncated`},
	{"zip", "cut in the middle", 4, partly, `bad!many.log: deflate data is truncated: unexpected EOF`},
	{"zip", "cut in the trailer", 4, manyLines, `bad: archive is truncated`},
	{"zip", "flipped in the header", 0, manyLines, ``},
	{"zip", "flipped in the data", 4, whatever, `bad!many.log: deflate data is corrupt: .*`},
	{"zip", "twice", 4, manyLines, `bad: another archive precedes this one: split them into two files`},
	{"zip", "and garbage", 4, manyLines, `bad: other bytes follow the archive`},
	{"zip", "and a cut one", 4, manyLines, `bad: other bytes follow the archive`},
}

// offset matches the end of the message of a truncated or corrupt container.
const offset = `, at byte \d+( \(byte \d+ of the decompressed content\))?`

// TestFaults scans a faulty input beside a good one. It checks the exit code and
// message, that every line is counted, that the good input is read completely, and
// that no files are left behind except the output.
func TestFaults(t *testing.T) {
	all := append(slices.Clone(faults), unixFaults()...)
	for _, d := range trials.Some(damaged, 3) {
		f := fault{name: d.container + " " + d.damage, exit: d.exit, lines: d.lines, says: d.says}
		if f.says != "" {
			f.says = "error: " + f.says + offset
		}
		f.make = func(f *faulty) { f.put("bad", string(damage(f.t, d.container, d.damage))) }
		all = append(all, f)
	}
	for _, f := range all {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			f.check(t)
		})
	}
}

func (f *fault) check(t *testing.T) {
	d := &faulty{t: t, dir: t.TempDir(), stdin: strings.NewReader("")}
	d.write("good.log", goodText)
	f.make(d)
	before := names(t, d.dir)
	var stdout, stderr bytes.Buffer
	out := d.path("out")
	args := append([]string{"scan", "-o", out, d.path("good.log")}, d.args...)
	if code := run(&streams{d.stdin, &stdout, &stderr, args}); code != f.exit {
		t.Errorf("exit code %d, want %d", code, f.exit)
	}
	f.checkMessages(t, strings.ReplaceAll(stderr.String(), d.dir+string(filepath.Separator), ""))
	if stdout.Len() > 0 {
		t.Errorf("standard output: %q", stdout.String())
	}
	if after := names(t, d.dir); !slices.Equal(slices.DeleteFunc(after, func(s string) bool { return s == "out" }), before) {
		t.Errorf("directory holds %q, want %q", after, before)
	}
	if written := names(t, out); !slices.Equal(written, outputs) {
		t.Errorf("the output directory holds %q", written)
	}
	f.checkLedger(t, out, d.path("good.log"))
}

// checkMessages checks that the expected message is printed, and nothing that acts
// on a terminal.
func (f *fault) checkMessages(t *testing.T, stderr string) {
	t.Helper()
	for _, r := range stderr {
		if r == utf8.RuneError && !strings.Contains(f.name, "of a tar") || r != '\n' && !strconv.IsPrint(r) {
			t.Errorf("%q on standard error", r)
		}
	}
	messages := regexp.MustCompile(`(?m)^logscan: ((error|note): .*)$`).FindAllStringSubmatch(stderr, -1)
	if f.says == "" && len(messages) > 0 {
		t.Errorf("unexpected messages %q", messages)
	}
	says := regexp.MustCompile("^(?:" + f.says + ")$")
	if f.says != "" && !slices.ContainsFunc(messages, func(m []string) bool { return says.MatchString(m[1]) }) {
		t.Errorf("stderr %q, want %s", stderr, f.says)
	}
}

// checkLedger checks that the manifest adds up, that the good input is complete, and
// the number of the other lines.
func (f *fault) checkLedger(t *testing.T, out, good string) {
	t.Helper()
	m, err := ledgerOf(contentOf(t, filepath.Join(out, "manifest.json")))
	if err != nil {
		t.Error(err)
	}
	found := false
	for _, in := range m.Inputs {
		if in.Path != good {
			continue
		}
		found = true
		if want := (counts{Lines: goodLines, Parsed: goodLines, Unauthorized: goodLines}); in.counts != want || in.Error != nil {
			t.Errorf("%+v of the good input, want %+v", in, want)
		}
	}
	lines := m.Totals.Lines - goodLines
	if !found || f.lines >= 0 && lines != f.lines || f.lines == partly && (lines <= 0 || lines%manyLines == 0) {
		t.Errorf("%d lines except the good ones (found: %v), want %d", lines, found, f.lines)
	}
	for line := range bytes.Lines(contentOf(t, filepath.Join(out, "rejects.ndjson"))) {
		if !json.Valid(line) || !utf8.Valid(line) {
			t.Errorf("a rejected line is not JSON: %q", line)
		}
	}
}

// outputs lists the files of an output directory.
var outputs = []string{
	"accounts.parquet", "auth_events.parquet", "clients.parquet", "endpoints.parquet", "findings.json", "findings.parquet", "inputs.parquet",
	"manifest.json", "rejects.ndjson", "report.html", "sessions.parquet", "timeline.parquet", "unauthorized.parquet",
}

// names returns the sorted file names in a directory.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

var faults = []fault{
	{"empty", func(f *faulty) { f.put("bad", "") }, 0, 0, ``},
	{"only a byte order mark", func(f *faulty) { f.put("bad", "\xef\xbb\xbf") }, 0, 1, ``},
	{"a byte order mark first", func(f *faulty) { f.put("bad", "\xef\xbb\xbf"+manyText()) }, 0, manyLines, ``},
	{"UTF-16", func(f *faulty) { f.put("bad", "\xff\xfe"+strings.Join(strings.Split(manyText(), ""), "\x00")+"\x00") }, 4, manyLines + 1, `error: bad: unknown format, 0 of 3001 lines parsed; the text is UTF-16`},
	{"UTF-16 without a mark, compressed", func(f *faulty) {
		f.put("bad", string(containers[0].pack(f.t, "\x00"+strings.Join(strings.Split(manyText(), ""), "\x00"))))
	}, 4, manyLines, `error: bad: unknown format, 0 of 3000 lines parsed; the text is UTF-16`},
	{"CRLF", func(f *faulty) { f.put("bad", strings.ReplaceAll(manyText(), "\n", "\r\n")) }, 0, manyLines, ``},
	{"no final newline", func(f *faulty) { f.put("bad", strings.TrimSuffix(manyText(), "\n")) }, 0, manyLines, ``},
	{"newlines", func(f *faulty) { f.put("bad", strings.Repeat("\n", manyLines)) }, 0, manyLines, ``},
	{"a page of NUL bytes, as a crash leaves it", func(f *faulty) { f.put("bad", manyText()+strings.Repeat("\x00", 4096)) }, 0, manyLines + 1, ``},
	{"nothing but NUL bytes", func(f *faulty) { f.put("bad", strings.Repeat("\x00", 4096)) }, 4, 1, `error: bad: unknown format, 0 of 1 lines parsed`},
	{"a line of megabytes", func(f *faulty) { f.put("bad", manyText()+strings.Repeat("x", 5<<20)+"\n"+manyText()) }, 0, 2*manyLines + 1, ``},
	{"nothing but one long line", func(f *faulty) { f.put("bad", strings.Repeat("x", 5<<20)) }, 4, 1, `error: bad: unknown format, 0 of 1 lines parsed`},
	{"deep JSON", func(f *faulty) {
		f.put("bad", strings.Repeat(`{"time":"2026-03-09T10:00:00Z","status":200,"x":`+strings.Repeat("[", 500_000)+"\n", 2))
	}, 4, 2, `error: bad: unknown format, 0 of 2 lines parsed`},
	{"deep JSON that is closed", func(f *faulty) {
		f.put("bad", strings.Repeat(`{"time":"2026-03-09T10:00:00Z","remote_addr":"192.0.2.1","request_uri":"/a","status":200,"x":`+strings.Repeat("[", 400_000)+strings.Repeat("]", 400_000)+"}\n", 2))
	}, 4, 2, `error: bad: unknown format, 0 of 2 lines parsed`},
	{"binary", func(f *faulty) {
		data := make([]byte, 1<<20)
		rand.NewChaCha8([32]byte{}).Read(data)
		f.put("bad", string(data))
	}, 4, whatever, `error: bad: unknown format, 0 of \d+ lines parsed`},
	{"compressed twice", func(f *faulty) {
		f.put("bad", string(containers[0].pack(f.t, string(containers[0].pack(f.t, manyText())))))
	}, 4, whatever, `error: bad: unknown format, 0 of \d+ lines parsed`},
	{"a link to itself", func(f *faulty) { f.link("bad", "bad") }, 4, 0, `error: bad: open bad: too many levels of symbolic links`},
	{"a link to nothing", func(f *faulty) { f.link("gone", "bad") }, 4, 0, `error: bad: open bad: no such file or directory`},
	{"a directory that links to itself", func(f *faulty) {
		f.mkdir("logs")
		f.link("../logs", "logs/bad")
		f.put("logs/many.log", manyText())
		f.args = []string{f.path("logs")}
	}, 0, manyLines, `note: logs/bad: skipped: it is a link to a directory`},
	{"standard input that fails", func(f *faulty) {
		f.stdin, f.args = &failing{strings.NewReader(manyText()[:len(manyText())/2]), errors.New("input/output error")}, []string{"-"}
	}, 4, partly, `error: -: input/output error, at byte \d+`},
	{"standard input that is closed", func(f *faulty) { f.stdin, f.args = &failing{strings.NewReader(""), os.ErrClosed}, []string{"-"} }, 4, 0, `error: -: file already closed, at byte 0`},
	{"standard input that ends early", func(f *faulty) { f.stdin, f.args = strings.NewReader(""), []string{"-"} }, 4, 0, `error: -: standard input is empty`},
	{"standard input that may be empty", func(f *faulty) { f.stdin, f.args = strings.NewReader(""), []string{"-", "--allow-empty"} }, 0, 0, ``},
	{"a device", func(f *faulty) { f.args = []string{os.DevNull} }, 0, 0, ``},
	{"absolute path in a tar", func(f *faulty) { f.put("bad", string(tarOf(f.t, tar.Header{Name: "/etc/passwd"}, manyText()))) }, 0, manyLines, ``},
	{"a path that leads out of a tar", func(f *faulty) { f.put("bad", string(tarOf(f.t, tar.Header{Name: "../../many.log"}, manyText()))) }, 0, manyLines, ``},
	{"a path that leads out of a zip", func(f *faulty) {
		f.put("bad", string(zipOf(f.t, zip.FileHeader{Name: "../../many.log", Method: zip.Deflate}, manyText())))
	}, 0, manyLines, ``},
	{"a name of a tar with a newline and an escape", func(f *faulty) { f.put("bad", string(tarOf(f.t, tar.Header{Name: "a\n\x1b[2J"}, "junk\n"))) }, 4, 1, `error: bad!a\x{fffd}\x{fffd}\[2J: unknown format, 0 of 1 lines parsed`},
	{"a link out of a tar", func(f *faulty) {
		f.put("bad", string(tarOf(f.t, tar.Header{Typeflag: tar.TypeSymlink, Name: "many.log", Linkname: "/etc/passwd"}, "")))
	}, 0, 0, `note: bad: the archive contains no readable files; skipped: 1 link`},
	{"a device in a tar", func(f *faulty) {
		f.put("bad", string(tarOf(f.t, tar.Header{Typeflag: tar.TypeChar, Name: "many.log", Devmajor: 1, Devminor: 5}, "")))
	}, 0, 0, `note: bad: the archive contains no readable files; skipped: 1 device`},
	{"an encrypted zip", func(f *faulty) {
		f.put("bad", string(zipOf(f.t, zip.FileHeader{Name: "many.log", Method: zip.Deflate, Flags: 1}, manyText())))
	}, 4, 0, `error: bad!many.log: is encrypted: unpack the archive`},
	{"a zip within a zip", func(f *faulty) {
		f.put("bad", string(zipOf(f.t, zip.FileHeader{Name: "many.zip"}, string(zipOf(f.t, zip.FileHeader{Name: "many.log"}, manyText())))))
	}, 0, 0, `note: bad: the archive contains no readable files; skipped: 1 nested archive \(unpack it first\): many.zip`},
	{"a tar that lies about a size", func(f *faulty) {
		data := tarOf(f.t, tar.Header{Name: "many.log"}, manyText())
		copy(data[124:], "77777777777\x00") // 8 GiB
		sum := int64(0)
		copy(data[148:156], "        ")
		for _, b := range data[:512] {
			sum += int64(b)
		}
		copy(data[148:], fmt.Sprintf("%06o\x00 ", sum))
		f.put("bad", string(data))
	}, 4, manyLines + 1, `error: bad!many.log: archive is truncated` + offset},
	{"7-Zip", func(f *faulty) { f.put("bad", "7z\xbc\xaf\x27\x1c\x00\x04") }, 4, 0, `error: bad: 7-Zip archives are not supported: unpack it`},
	{"RAR", func(f *faulty) { f.put("bad", "Rar!\x1a\x07\x01\x00") }, 4, 0, `error: bad: RAR archives are not supported: unpack it`},
	{"a window of a gigabyte", func(f *faulty) { f.put("bad", "\x28\xb5\x2f\xfd\x00\xa0\x01\x00\x00") }, 4, 0, `error: bad: zstd data is corrupt: window size exceeded` + offset},
	{"a bomb", func(f *faulty) { f.put("bad", zstdBomb()) }, 4, 1, `error: bad: decompresses to more than 2000 times its size \(limit set by --max-ratio\)` + offset},
	{"a bomb in a zip", func(f *faulty) {
		f.put("bad", string(zipOf(f.t, zip.FileHeader{Name: "bomb", Method: zip.Deflate}, zstdBomb())))
	}, 4, 1, `error: bad!bomb: decompresses to more than 2000 times its size \(limit set by --max-ratio\)` + offset},
	{"a bomb that is let through", func(f *faulty) {
		f.put("bad", zstdBomb())
		f.args = append(f.args, "--max-ratio", "40000")
	}, 4, 1, `error: bad: unknown format, 0 of 1 lines parsed`},
	{"a copy", func(f *faulty) { f.put("later.log", goodText) }, 0, 0, ``},
}
