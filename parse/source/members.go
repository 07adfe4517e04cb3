package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"logscan/parse/source/archive"
	"logscan/parse/source/compress"
)

// memberMark stands between the path of an archive and the name of a file in it.
const memberMark = "!"

// Members puts the files that are in tar and zip archives in the place of the
// archives, whatever these are called and however a tar is compressed, and
// gives what there is to say of it. Paths are then ARCHIVE!NAME. What is no
// regular file is left out, and so is what is hidden, as in a directory, and an
// archive within an archive. Nothing is unpacked to the disk.
//
// An archive that cannot be listed to its end stays among the inputs, beside
// the files that were found: Read tells why. A tar that is compressed is
// decoded once to be listed and once to be read: what an input is must be known
// before the first of them is read, and no content is kept in between.
func Members(ctx context.Context, inputs []Input, workers int) ([]Input, []Note, error) {
	lists := make([]listing, len(inputs))
	err := each(ctx, workers, len(inputs), func(ctx context.Context, c *contents, i int) error {
		lists[i] = listing{archive: inputs[i]}
		return lists[i].list(ctx, c)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("list archives: %w", err)
	}
	n := names{taken: map[string]bool{}, next: map[string]int{}}
	for _, in := range inputs {
		if strings.Contains(in.Path, memberMark) {
			n.taken[in.Path] = true
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

// names makes paths that no other input has.
type names struct {
	taken map[string]bool
	next  map[string]int // by path: the next number to tell another one by
}

func (n *names) unique(path string) string {
	name := path
	for i := max(n.next[path], 2); n.taken[name]; i++ {
		name = path + "#" + strconv.Itoa(i)
		n.next[path] = i + 1
	}
	n.taken[name] = true
	return name
}

// listing is what is in one archive.
type listing struct {
	archive Input
	kind    archive.Kind // None where it is none
	stored  string       // as member.stored
	members []Input      // their Path is a label
	skipped archive.Skipped
	nested  []string // labels of archives in it, at most maxNested
	more    int      // how many others there are
	err     error    // why it could not be listed to its end
}

// maxNested is how many archives within an archive are named.
const maxNested = 3

// input is the archive itself: what is not read, or cannot be.
func (l *listing) input() Input {
	in := l.archive
	if l.kind != archive.None {
		in.told = &Result{Compression: l.stored, Err: l.err}
	}
	return in
}

// note says what is left out.
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
		if n == 1 {
			left = append(left, "1 archive within it, which has to be unpacked first: "+s)
		} else {
			left = append(left, fmt.Sprintf("%d archives within it, which have to be unpacked first: %s", n, s))
		}
	}
	text := ""
	if len(l.members) == 0 {
		text = "the archive holds no file to read"
	}
	if len(left) > 0 {
		if text != "" {
			text += "; "
		}
		text += "skipped in it: " + strings.Join(left, ", ")
	}
	return text
}

// list lists an input if it is an archive. The error is that of ctx.
func (l *listing) list(ctx context.Context, c *contents) error {
	in := l.archive
	if in.reader != nil || in.member != nil || in.told != nil || in.pipe() {
		return nil
	}
	f, err := openPlain(0, in.Path)
	if err != nil {
		return nil // reading it will say so
	}
	defer f.file.Close() // it is only read
	if f.size == 0 {
		return nil
	}
	head, all := peek(c.decoded(ctx, in, f), make([]byte, archive.HeadSize))
	l.kind = archive.Detect(head)
	if l.kind == archive.None && archive.EmptyTar(all) {
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
				err = nil // which is told of the file that is cut
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
		at := min(where.Offset, f.size) // behind a file that is said to be very long
		err = &ReadError{Stored: at, Decompressed: at, Err: where.Err}
	}
	if l.err == nil {
		l.err = err
	}
	return nil
}

// add takes the files of an archive that can be sought.
func (l *listing) add(ctx context.Context, c *contents, f *plainFile, found []archive.Member) {
	top := l.archive.ceiling.shared(max(len(found), 1))
	for _, m := range found {
		label := archive.Label(m.Name)
		if archive.Hidden(label) {
			continue
		}
		in := Input{Path: label, size: m.Stored, ceiling: top, member: &member{Member: m, file: l.archive.Path, stored: l.stored}}
		if m.Deflated {
			in.member.stored += "+deflate"
		}
		if m.Err != nil {
			in.told = &Result{Compression: in.member.stored, Err: m.Err}
			l.members = append(l.members, in)
			continue
		}
		part := *f
		part.data, part.base, part.size = io.NewSectionReader(f.file, m.Offset, m.Stored), m.Offset, m.Stored
		if head, _ := peek(c.decoded(ctx, in, &part), make([]byte, archive.HeadSize)); archive.Detect(head) != archive.None {
			l.nest(label)
			continue
		}
		l.members = append(l.members, in)
	}
}

func (l *listing) nest(label string) {
	if len(l.nested) < maxNested {
		l.nested = append(l.nested, label)
	} else {
		l.more++
	}
}

// listStream takes the files of a compressed tar. What is decoded of them is
// summed up on the way.
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
			l.nest(label)
			continue
		}
		in := Input{Path: label, size: l.archive.size, ceiling: top, member: &member{
			Member: m, file: l.archive.Path, stored: l.stored, compression: f.compression, number: number,
			print: c.printOf(content),
		}}
		l.members = append(l.members, in)
		if over := (*RatioError)(nil); errors.As(t.ended, &over) {
			// Reading skips what need not be decoded twice, and may get by.
			return t.failed(t.ended)
		}
		if t.ended != nil {
			return nil // which is told of the file that is cut
		}
	}
}
