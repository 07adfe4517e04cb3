package source

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"logscan/parse/source/archive"
	"logscan/parse/source/compress/compresstest"
)

// bombSize is the size of content that every format makes very small.
const bombSize = 4 << 20

var bombText = strings.Repeat("0123456789abcde\n", bombSize/16)

// tight is a ceiling that logs stay below and bombText exceeds.
var tight = ceiling{ratio: 50, free: 64 << 10}

// TestRatio checks that a decompression bomb ends at the ceiling, whatever contains it,
// that what was read counts, and that the file beside it is read in full.
func TestRatio(t *testing.T) {
	plain := packed{"plain.log", "one\ntwo\n"}
	for comp, stored := range compresstest.StoreAll(t, bombText) {
		if comp == "none" {
			continue
		}
		bomb := packed{"bomb", string(stored)}
		whole := packed{"bomb.log", bombText}
		for _, c := range []struct {
			name   string
			stored []byte
			bomb   string // the input that exceeds the ceiling
		}{
			{"file", stored, ""},
			{"tar", tarOf(t, bomb, plain), "!bomb"},
			{"zip", zipOf(t, zip.Store, bomb, plain), "!bomb"},
			{"deflated in zip", zipOf(t, zip.Deflate, packed{"bomb", bombText}, plain), "!bomb"},
			{"twice in zip", zipOf(t, zip.Deflate, bomb, plain), "!bomb"},
			{"twice in tar", compresstest.Store(t, "gzip", string(tarOf(t, bomb, plain))), "!bomb"},
			{"compressed tar", compresstest.Store(t, comp, string(tarOf(t, plain, whole))), "!bomb.log"},
			{"skipped in a compressed tar", compresstest.Store(t, comp, string(tarOf(t, plain, packed{".hidden", bombText}))), ""},
		} {
			t.Run(comp+"/"+c.name, func(t *testing.T) {
				path, good := write(t, "in", c.stored), write(t, "good", []byte("a\nb\n"))
				inputs := expand(t, nil, path, good)
				for i := range inputs {
					inputs[i].ceiling = tight
				}
				inputs, _ = unfold(t, inputs, 1)
				for _, workers := range []int{1, 2} {
					got, results := readAll(t, inputs, workers, defaultSizes())
					for i, in := range inputs {
						var over *RatioError
						var at *ReadError
						switch content, n := got.content(i, defaultSizes()); {
						case in.Path == path+c.bomb, in.Path == path && errors.As(results[i].Err, &at):
							if !errors.As(results[i].Err, &over) || !errors.As(results[i].Err, &at) || over.Max != tight.ratio {
								t.Fatalf("%s: %v", in.Path, results[i].Err)
							}
							if in.Path == path && c.name != "file" {
								break // the archive itself
							}
							if n != at.Decompressed || n < tight.free/4 || n > bombSize/2 || !strings.HasPrefix(bombText, content) {
								t.Errorf("%d bytes were read, the error says %v", n, at)
							}
						case results[i].Err != nil:
							t.Errorf("%s: %v", in.Path, results[i].Err)
						case in.Path == good && content != "a\nb\n", strings.HasSuffix(in.Path, "plain.log") && content != "one\ntwo\n":
							t.Errorf("%s: read %q", in.Path, content)
						}
					}
				}
			})
		}
	}
}

// TestRatioMessage checks the error for the user.
func TestRatioMessage(t *testing.T) {
	inputs := expand(t, bytes.NewReader(compresstest.Store(t, "gzip", bombText)), Stdin)
	inputs[0].ceiling.free = 1 << 20
	Limit(inputs, 50)
	_, results := readAll(t, inputs, 1, defaultSizes())
	want := fmt.Sprintf("decompresses to more than 50 times its size (limit set by --max-ratio), at byte %d (byte %d of the decompressed content)",
		results[0].StoredBytes, results[0].Bytes)
	if err := results[0].Err; err == nil || err.Error() != want {
		t.Errorf("the error is %v, want %s", err, want)
	}
}

// TestRatioDefault checks that small inputs, and text as repetitive as logs, stay below the
// default.
func TestRatioDefault(t *testing.T) {
	for comp, stored := range compresstest.StoreAll(t, bombText) {
		_, results := readAll(t, expand(t, bytes.NewReader(stored), Stdin), 1, defaultSizes())
		if results[0].Err != nil || results[0].Bytes != bombSize {
			t.Errorf("%s: %d bytes, %v", comp, results[0].Bytes, results[0].Err)
		}
	}
	top := ceiling{}.withDefaults()
	if top.ratio <= 1032 {
		t.Errorf("gzip can reach the default of %d by itself", top.ratio)
	}
}

// TestRatioShared checks that the files of an archive together are allowed no more than a
// single file, and that each file of a full archive is still allowed more than any line of
// text compresses to.
func TestRatioShared(t *testing.T) {
	many := ceiling{}.shared(archive.MaxMembers)
	if many.free*archive.MaxMembers > freeContent {
		t.Errorf("%d files have %d bytes each", archive.MaxMembers, many.free)
	}
	text := strings.Repeat("a\n", int(many.free))
	for comp, stored := range compresstest.StoreAll(t, text) {
		l := many.limit(strings.NewReader(text), func() int64 { return int64(len(stored)) }, &spent{})
		if n, err := io.Copy(io.Discard, l); err != nil || n != int64(len(text)) {
			t.Errorf("%s: %d bytes of %d, %v", comp, n, len(text), err)
		}
	}
}

// TestRatioOfManyArchived checks that compressed files in a compressed tar share one
// ceiling.
func TestRatioOfManyArchived(t *testing.T) {
	var files []packed
	part := string(compresstest.Store(t, "gzip", bombText[:tight.free/2]))
	for i := range 100 {
		files = append(files, packed{fmt.Sprintf("%03d.gz", i), part})
	}
	inputs := expand(t, nil, write(t, "tar", compresstest.Store(t, "zstd", string(tarOf(t, files...)))))
	inputs[0].ceiling = tight
	inputs, _ = unfold(t, inputs, 1)
	got, results := readAll(t, inputs, 1, defaultSizes())
	sum, over := int64(0), 0
	for i := range inputs {
		_, n := got.content(i, defaultSizes())
		sum += n
		if ratio := (*RatioError)(nil); errors.As(results[i].Err, &ratio) {
			over++
		}
	}
	if over == 0 || over == len(inputs) || sum > 1<<20 {
		t.Errorf("%d bytes of %d files, %d of them too much", sum, len(inputs), over)
	}
}
