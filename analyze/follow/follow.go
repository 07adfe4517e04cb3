// Package follow keeps the last lines of files that grow, so that they can be analysed
// again and again while only new bytes are read.
//
// Input: arguments as those of a scan. Output: inputs whose content is that of the files
// from the oldest line in the window on. Files that are renamed, truncated, copied or
// removed by the rotation of logs stay what they were; new ones are added. The content is
// kept compressed in temporary files.
package follow

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"logscan/analyze/spill"
	"logscan/parse"
	"logscan/parse/source"
	"logscan/parse/source/compress"
)

const (
	// maxFiles is how many files are followed: each is open.
	maxFiles = 500
	// tailSize is how many bytes of lines are looked at for the time of a piece.
	tailSize = 16 << 10
	// firstStep is how far before the end of a file the beginning of the window is first
	// looked for, in bytes. What is read too much is dropped again.
	firstStep = 64 << 20
)

// Options say what is followed and how much is kept.
type Options struct {
	Args   []string
	Window time.Duration // before the newest line
	Limit  int64         // of the temporary files, in bytes
	Space  *spill.Space
	// Latest returns the latest time in lines of an input, parse.NoTime for none.
	Latest func(in source.Input, lines []byte) (int64, error)
}

// Follower follows files. It belongs to one goroutine.
type Follower struct {
	options Options
	files   []*file
	others  []other // files that are not followed
	cache   pieceCache
	buf     []byte
	newest  int64 // time of the newest line; parse.NoTime before there is one
	dropped bool  // lines have left the window
	full    bool  // lines were dropped because of Limit
	held    bool  // see Hold
	begun   bool  // the first Poll is over
	Notes   []source.Note
}

// other is a file that is not followed.
type other struct {
	path string
	info os.FileInfo
}

// New returns a follower. Nothing is read before the first Poll.
func New(o Options) *Follower {
	return &Follower{options: o, buf: make([]byte, readSize), newest: parse.NoTime}
}

// Poll looks for new files, reads what was written since the last call, and drops what has
// left the window. It reports whether anything changed. The error is that of ctx or of
// temporary files; files that cannot be read are left out with a note.
func (f *Follower) Poll(ctx context.Context, now time.Time) (changed bool, err error) {
	added := f.list()
	if !f.begun {
		f.seek(ctx)
		f.begun = true
	}
	for _, x := range f.files {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		if !x.started {
			x.begin(0, 0, nil)
		}
		grew, err := x.grow(ctx, now, f.buf)
		var spilled *spill.Error
		switch {
		case errors.As(err, &spilled), ctx.Err() != nil:
			return false, err
		case err != nil:
			f.note(x.path, "not followed any more: "+err.Error())
			_ = x.finish() // err is the better error
		}
		if grew {
			f.look(x, x.tail())
			changed = true
		}
	}
	f.endOld(now)
	if f.held {
		return changed || added, nil
	}
	return changed || added, f.trim()
}

// Hold sets whether Poll only reads, and drops nothing: inputs that Inputs has returned
// then stay valid.
func (f *Follower) Hold(held bool) { f.held = held }

// list finds the files that the arguments name now, and reports whether some are new or
// have other names.
func (f *Follower) list() (changed bool) {
	for _, x := range f.files {
		x.listed = false
	}
	for _, arg := range f.options.Args {
		inputs, notes, err := source.Expand([]string{arg}, nil)
		var none *source.NoMatchError
		if err != nil && !errors.As(err, &none) { // what matches nothing yet may come
			f.note(arg, err.Error())
		}
		if !f.begun {
			f.Notes = append(f.Notes, notes...)
		}
		for _, in := range inputs {
			changed = f.found(in.Path) || changed
		}
	}
	f.lookFor()
	return changed
}

// found notes that the arguments name a path. It reports whether that is news.
func (f *Follower) found(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	for _, x := range f.files {
		if !x.ended && os.SameFile(x.info, info) {
			renamed := x.path != path
			x.path, x.listed = path, true
			return renamed
		}
	}
	if slices.ContainsFunc(f.others, func(o other) bool { return os.SameFile(o.info, info) }) {
		return false
	}
	if len(f.files) >= maxFiles {
		f.leave(path, info, "not followed: too many files")
		return false
	}
	return f.add(path, info)
}

// add begins to follow a file, and reports whether it does.
func (f *Follower) add(path string, info os.FileInfo) bool {
	opened, err := os.Open(path)
	if err != nil {
		f.leave(path, info, "not followed: "+err.Error())
		return false
	}
	head := make([]byte, headSize)
	n, _ := opened.ReadAt(head, 0)
	head = head[:n]
	if n == 0 && f.begun {
		_ = opened.Close() // what it is shows when it has content
		return false
	}
	leave := ""
	if format, _ := compress.Detect(head[:min(n, compress.MagicSize)]); format != compress.None {
		leave = "not followed: it is compressed, so it does not grow"
	}
	for _, x := range f.files {
		if f.begun && x.copyOf(head) {
			x.copied, leave = path, "not followed: a copy of "+x.path
		}
	}
	if leave != "" {
		f.leave(path, info, leave)
		_ = opened.Close() // it was only read
		return false
	}
	x := &file{path: path, os: opened, info: info, listed: true, latest: parse.NoTime}
	x.space, x.cache = f.options.Space, &f.cache
	f.files = append(f.files, x)
	return true
}

// leave notes that a file is not followed.
func (f *Follower) leave(path string, info os.FileInfo, why string) {
	f.others = append(f.others, other{path, info})
	f.note(path, why)
}

func (f *Follower) note(path, text string) {
	n := source.Note{Path: path, Text: text}
	if !slices.Contains(f.Notes, n) {
		f.Notes = append(f.Notes, n)
	}
}

// lookFor finds the new names of files that the arguments do not name any more: a rotated
// log mostly stays in its directory.
func (f *Follower) lookFor() {
	for _, x := range f.files {
		if x.listed || x.ended {
			continue
		}
		entries, err := os.ReadDir(filepath.Dir(x.path))
		if err != nil {
			continue
		}
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), filepath.Base(x.path)) && !strings.HasPrefix(x.path, e.Name()) {
				continue
			}
			if info, err := e.Info(); err == nil && os.SameFile(info, x.info) {
				x.path = filepath.Join(filepath.Dir(x.path), e.Name())
			}
		}
	}
}

// endOld names files that were truncated by the copies that were made before, and forgets
// files of which nothing is kept and no argument names.
func (f *Follower) endOld(now time.Time) {
	for _, x := range f.files {
		if x.ended && x.copied != "" {
			x.path = x.copied
		}
		if !x.ended && x.left() && x.quiet(now) {
			_ = x.finish() // it was only read
		}
	}
	f.files = slices.DeleteFunc(f.files, func(x *file) bool { return x.ended && x.kept() == 0 })
}

// seek sets where the files begin that are there at the start: of a large one, only the
// lines in the window are read.
func (f *Follower) seek(ctx context.Context) {
	for _, x := range f.files {
		at := max(0, x.info.Size()-tailSize)
		_, lines := lineAt(x.os, at, f.buf[:tailSize])
		f.look(x, lines)
	}
	for _, x := range f.files {
		if ctx.Err() != nil {
			return
		}
		from := int64(0)
		for step := int64(firstStep); step < x.info.Size() && f.newest != parse.NoTime; step *= 2 {
			at, lines := lineAt(x.os, x.info.Size()-step, f.buf[:tailSize])
			if latest := f.latest(x.path, x.info.ModTime(), lines); latest != parse.NoTime && latest < f.cut() {
				from = at
				break
			}
		}
		if from == 0 {
			continue
		}
		lines, err := countLines(x.os, from, f.buf)
		if err != nil {
			continue // reading it from the beginning reports the error
		}
		x.head = make([]byte, headSize)
		n, _ := x.os.ReadAt(x.head, 0)
		x.head = x.head[:n]
		var header store
		header.addHeader(x.head[:bytes.LastIndexByte(x.head, '\n')+1])
		x.begin(from, lines, header.header)
		f.dropped = true
	}
}

// cut returns the time at which the window begins.
func (f *Follower) cut() int64 { return f.newest - f.options.Window.Microseconds() }

// late is the maximum time by which a line may be later than the modification of its file:
// one line with an absurd time must not move the window.
const late = 24 * time.Hour

// look sets the time of the last lines of a file.
func (f *Follower) look(x *file, lines []byte) {
	modified := x.info.ModTime()
	x.latest = f.latest(x.path, modified, lines)
	if x.latest <= modified.Add(late).UnixMicro() {
		f.newest = max(f.newest, x.latest)
	}
}

// latest returns the latest time in lines.
func (f *Follower) latest(path string, modified time.Time, lines []byte) int64 {
	if len(lines) == 0 {
		return parse.NoTime
	}
	at, err := f.options.Latest(source.NewKept(path, source.Kept{Modified: modified}), lines)
	if err != nil {
		return parse.NoTime
	}
	return at
}

// tail returns the last lines of what is kept.
func (x *file) tail() []byte { return linesBefore(x.view(), x.view().size) }

// linesBefore returns whole lines that end before an offset of a view.
func linesBefore(v *view, end int64) []byte {
	b := make([]byte, min(tailSize, end))
	n, _ := v.ReadAt(b, end-int64(len(b)))
	b = b[:n]
	if n == tailSize {
		b = b[bytes.IndexByte(b, '\n')+1:]
	}
	return b[:bytes.LastIndexByte(b, '\n')+1]
}

// trim drops pieces whose last lines have left the window, and the oldest ones beyond the
// limit.
func (f *Follower) trim() error {
	if f.newest == parse.NoTime {
		return nil
	}
	total := int64(0)
	for _, x := range f.files {
		for len(x.pieces) > 0 {
			if at := f.firstPiece(x); at == parse.NoTime || at >= f.cut() {
				break
			}
			if err := x.drop(); err != nil {
				return err
			}
			f.dropped = true
		}
		if len(x.pieces) == 0 && x.latest != parse.NoTime && x.latest < f.cut() && x.kept() > 0 {
			if err := x.dropAll(); err != nil {
				return err
			}
			f.dropped = true
		}
		total += x.stored
	}
	for total > f.options.Limit {
		largest := slices.MaxFunc(f.files, func(a, b *file) int { return cmp.Compare(a.stored, b.stored) })
		before := largest.stored
		if err := largest.drop(); err != nil {
			return err
		}
		total += largest.stored - before
		f.dropped, f.full = true, true
	}
	return nil
}

// firstPiece returns the time of the last lines of the first piece of a file.
func (f *Follower) firstPiece(x *file) int64 {
	p := &x.pieces[0]
	if p.latest == nil {
		v := x.view()
		at := f.latest(x.path, x.info.ModTime(), linesBefore(v, int64(len(v.header)+p.size)))
		p.latest = &at
	}
	return *p.latest
}

// Inputs returns the files with what is kept of them, ordered by path. They are valid until
// the next Poll that drops something, and may be read while Poll runs.
func (f *Follower) Inputs() []source.Input {
	files := slices.Clone(f.files)
	slices.SortStableFunc(files, func(a, b *file) int { // those that have their names come first
		switch {
		case a.listed == b.listed:
			return 0
		case a.listed:
			return -1
		}
		return 1
	})
	var inputs []source.Input
	names := map[string]bool{}
	for _, x := range files {
		if x.left() {
			continue
		}
		path := x.path
		for names[path] { // another file has its name now
			path += " (rotated)"
		}
		names[path] = true
		v := x.view()
		k := source.Kept{Data: v, Size: v.size, Bytes: x.dropped - int64(len(v.header)), Lines: x.lines, Modified: x.info.ModTime()}
		if len(v.header) > 0 {
			k.Lines -= x.headerLines
		}
		inputs = append(inputs, source.NewKept(path, k))
	}
	slices.SortFunc(inputs, func(a, b source.Input) int { return strings.Compare(a.Path, b.Path) })
	return inputs
}

// Since returns when the window begins: the zero time while it is longer than the logs.
func (f *Follower) Since() time.Time {
	if f.newest == parse.NoTime {
		return time.Time{}
	}
	cut := f.cut()
	if !f.dropped && !slices.ContainsFunc(f.files, func(x *file) bool { return f.oldest(x) < cut }) {
		return time.Time{}
	}
	return time.UnixMicro(cut).UTC()
}

// oldest returns the time of the first lines that are kept of a file, the newest time if
// they have none.
func (f *Follower) oldest(x *file) int64 {
	v := x.view()
	b := make([]byte, min(tailSize, v.size))
	n, _ := v.ReadAt(b, 0)
	line := b[:n]
	for range 3 { // the first lines may be comments, the first one cut
		i := bytes.IndexByte(line, '\n')
		if i < 0 {
			break
		}
		if at := f.latest(x.path, x.info.ModTime(), line[:i+1]); at != parse.NoTime {
			return at
		}
		line = line[i+1:]
	}
	return f.newest
}

// Full reports whether lines in the window were dropped because the temporary files have
// reached their limit.
func (f *Follower) Full() bool { return f.full }

// Close closes the files that are followed.
func (f *Follower) Close() error {
	var errs []error
	for _, x := range f.files {
		if !x.ended {
			errs = append(errs, x.os.Close())
		}
	}
	f.files = nil
	return errors.Join(errs...)
}
