package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize/english"

	"logscan/parse/source/archive"
	"logscan/parse/source/compress"
)

// memberMark separates the path of an archive from the name of a file in it.
const memberMark = "!"

// Members replaces tar and zip archives among the inputs by the files in them, whatever the
// archives are called and however a tar is compressed. Their paths are ARCHIVE!NAME. As in
// a directory, only regular files that are not hidden are taken; archives within archives
// are left out with a note. Nothing is unpacked to disk.
//
// An archive that cannot be listed to its end stays among the inputs, beside the files that
// were found: Read reports the error. A compressed tar is decoded twice, to list and to
// read it, because the inputs must be known before the first one is read and no content is
// kept.
func Members(ctx context.Context, inputs []Input, workers int) ([]Input, []Note, error) {
	lists := make([]listing, len(inputs))
	err := forEach(ctx, AtOnce(inputs, workers), len(inputs), func(ctx context.Context, c *contents, i int) error {
		lists[i] = listing{archive: inputs[i]}
		return lists[i].list(ctx, c)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("list archives: %w", err)
	}
	n := names{}
	for _, in := range inputs {
		if strings.Contains(in.Path, memberMark) {
			n[in.Path] = 1
		}
	}
	all := make([]Input, 0, len(inputs))
	var notes []Note
	for i := range lists {
		l := &lists[i]
		if l.kind == archive.None || l.err != nil || len(l.members) == 0 {
			all = append(all, l.input())
		}
		for _, in := range l.members {
			in.Path = n.unique(l.archive.Path + memberMark + in.Path)
			all = append(all, in)
		}
		if text := l.note(); text != "" {
			notes = append(notes, Note{Path: l.archive.Path, Text: text})
		}
	}
	slices.SortStableFunc(all, byPath)
	return all, notes, nil
}

// names holds the paths of inputs that have been taken, and for each the next number to
// append.
type names map[string]int

// unique returns path, with a number appended if it is taken.
func (n names) unique(path string) string {
	name := path
	for n[name] > 0 {
		n[path]++
		name = path + "#" + strconv.Itoa(n[path])
	}
	n[name] = 1
	return name
}

// listing is the content of one archive.
type listing struct {
	archive Input
	kind    archive.Kind // None if it is not an archive
	stored  string       // as member.stored
	members []Input      // with the label as their Path
	skipped archive.Skipped
	nested  []string // labels of the archives in it, at most maxNested
	more    int      // number of further archives in it
	err     error    // why it could not be listed to its end
}

// maxNested is how many archives within an archive are named.
const maxNested = 3

// input returns the archive itself, which is not read any further or cannot be.
func (l *listing) input() Input {
	in := l.archive
	if l.kind != archive.None {
		in.settled = &Result{Compression: l.stored, Err: l.err}
	}
	return in
}

// note returns what the user should know of what was left out.
func (l *listing) note() string {
	if l.kind == archive.None || l.err != nil && len(l.members) == 0 {
		return ""
	}
	var left []string
	if s := l.skipped.String(); s != "" {
		left = append(left, s)
	}
	if n := len(l.nested) + l.more; n > 0 {
		s := strings.Join(l.nested, ", ")
		if l.more > 0 {
			s += ", ..."
		}
		left = append(left, english.Plural(n, "nested archive (unpack it first): ", "nested archives (unpack them first): ")+s)
	}
	var text []string
	if len(l.members) == 0 {
		text = append(text, "the archive contains no readable files")
	}
	if len(left) > 0 {
		text = append(text, "skipped: "+strings.Join(left, ", "))
	}
	return strings.Join(text, "; ")
}

// list lists an input if it is an archive. It returns only the error of ctx.
func (l *listing) list(ctx context.Context, c *contents) error {
	in := l.archive
	if in.reader != nil || in.member != nil || in.settled != nil || in.pipe() {
		return nil
	}
	if l.isSmallLog(c) {
		return ctx.Err()
	}
	f, err := openUnsniffed(0, place{in.Path, in.object})
	if err != nil {
		return nil // reading it reports the error
	}
	defer f.close()
	if f.size == 0 {
		return nil
	}
	head, all := peek(c.decoded(ctx, in, f), c.scratch())
	f.compression = c.found
	l.archive.begins = headFingerprint(head, all.err)
	l.kind = archive.Detect(head)
	if l.kind == archive.None && bytes.HasPrefix(head, []byte{0}) && archive.EmptyTar(all) {
		l.kind = archive.Tar
	}
	if l.kind == archive.None {
		return ctx.Err()
	}
	l.stored = strings.ToLower(l.kind.String())
	if f.compression != compress.None {
		l.stored = f.compression.String() + "+" + l.stored
	}
	switch {
	case l.kind == archive.Tar && f.compression != compress.None:
		err = l.listStream(ctx, c, f)
	case l.kind == archive.Tar:
		var found []archive.Member
		found, l.skipped, err = archive.ListTar(io.NewSectionReader(f.file, 0, f.size), ctx.Err)
		l.add(ctx, c, f, found)
		if n := len(l.members); n > 0 && errors.Is(err, archive.ErrTruncated) {
			if last := l.members[n-1].member; last.Stored > f.size-last.Offset {
				err = nil // reading the file that is cut off reports it
			}
		}
	case l.kind == archive.Zip && f.compression == compress.None:
		var found []archive.Member
		found, l.skipped, err = archive.ListZip(f.file, f.size, ctx.Err)
		l.add(ctx, c, f, found)
	default:
		err = &archiveError{l.kind}
	}
	if stopped := ctx.Err(); stopped != nil {
		return stopped
	}
	var where *archive.Error
	if errors.As(err, &where) {
		at := min(where.Offset, f.size) // a damaged size may lead far behind the end
		err = &ReadError{Stored: at, Decompressed: at, Err: where.Err}
	}
	if l.err == nil {
		l.err = err
	}
	return nil
}

// isSmallLog reports whether the input is a small file and certainly neither an archive nor
// compressed. There may be many thousands of them.
func (l *listing) isSmallLog(c *contents) bool {
	in := &l.archive
	if in.object != nil || in.size <= 0 || in.size > headSize {
		return false
	}
	f, ok := openIfSmall(0, in.Path, headSize)
	if !ok {
		return false
	}
	defer f.close()
	head := f.bytes(0, f.size, c.scratch())
	if len(head) == 0 || head[0] == 0 || archive.Detect(head) != archive.None {
		return false
	}
	if found, _ := compress.Detect(head); found != compress.None {
		return false
	}
	l.archive.begins = headFingerprint(head, nil)
	return true
}

// add adds the files found in an archive that can be sought.
func (l *listing) add(ctx context.Context, c *contents, f *plainFile, found []archive.Member) {
	top := l.archive.ceiling.shared(max(len(found), 1))
	for _, m := range found {
		label := archive.Label(m.Name)
		if archive.Hidden(label) {
			continue
		}
		in := Input{Path: label, size: m.Stored, ceiling: top, member: &member{Member: m, archive: place{l.archive.Path, l.archive.object}, stored: l.stored}}
		if m.Deflated {
			in.member.stored += "+deflate"
		}
		if m.Err != nil {
			in.settled = &Result{Compression: in.member.stored, Err: m.Err}
			l.members = append(l.members, in)
			continue
		}
		part := *f
		part.data, part.base, part.size = io.NewSectionReader(f.file, m.Offset, m.Stored), m.Offset, m.Stored
		if head, _ := peek(c.decoded(ctx, in, &part), make([]byte, archive.HeadSize)); archive.Detect(head) != archive.None {
			l.addNested(label)
			continue
		}
		l.members = append(l.members, in)
	}
}

// addNested counts an archive within the archive.
func (l *listing) addNested(label string) {
	if len(l.nested) < maxNested {
		l.nested = append(l.nested, label)
	} else {
		l.more++
	}
}

// listStream lists a compressed tar. It fingerprints the files on the way, since it has to
// decode them.
func (l *listing) listStream(ctx context.Context, c *contents, f *plainFile) error {
	top := l.archive.ceiling
	t := openTarStream(ctx, &c.outer, io.NewSectionReader(f.file, 0, f.size), top)
	for number := 0; ; number++ {
		m, err := t.Next()
		l.skipped = t.Skipped
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return t.failed(err)
		}
		label := archive.Label(m.Name)
		if archive.Hidden(label) {
			continue
		}
		head, content := peek(c.inside(ctx, t, top), make([]byte, archive.HeadSize))
		if archive.Detect(head) != archive.None {
			l.addNested(label)
			continue
		}
		in := Input{Path: label, size: l.archive.size, ceiling: top, member: &member{
			Member: m, archive: place{l.archive.Path, l.archive.object}, stored: l.stored, compression: f.compression, number: number,
			print: c.fingerprintOf(content),
		}}
		l.members = append(l.members, in)
		if over := (*RatioError)(nil); errors.As(t.ended, &over) {
			// Reading stops at the last input, so it might not get there.
			return t.failed(t.ended)
		}
		if t.ended != nil {
			return nil // reading the file that is cut off reports it
		}
	}
}
