package source

import (
	"bufio"
	"context"
	"errors"
	"io"
	"slices"

	"logscan/parse/source/archive"
	"logscan/parse/source/compress"
)

// tarStream reads the files of a compressed tar in their order. Read returns the content of
// the current file.
type tarStream struct {
	*archive.TarReader
	stored   *counter
	in       *bufio.Reader
	comp     compress.Format
	decoders *compress.Decoders
	inner    spent // what was decompressed from files that are compressed in the tar
	ended    error // why the content of a file could not be read to its end
}

var _ layer = (*tarStream)(nil)

// openTarStream decodes src up to a ceiling. The result is valid until the next use of d.
func openTarStream(ctx context.Context, d *compress.Decoders, src io.Reader, top ceiling) *tarStream {
	t := &tarStream{stored: &counter{ctx: ctx, src: src}, decoders: d}
	t.in = d.Buffer(t.stored)
	t.comp = compress.Sniff(t.in)
	// The struct hides any Seek method: a decoder cannot be sought.
	t.TarReader = archive.NewTar(struct{ io.Reader }{top.limit(d.Reader(t.comp, t.in), t.at, &spent{})})
	return t
}

// at returns the offset in the file of what is decoded next.
func (t *tarStream) at() int64 { return t.stored.n - int64(t.in.Buffered()) }

func (t *tarStream) upper() *spent { return &t.inner }

func (t *tarStream) Read(p []byte) (int, error) {
	n, err := t.TarReader.Read(p)
	if err != nil && err != io.EOF {
		err = t.reason(err)
		t.ended = err
	}
	return n, err
}

// reason returns what is at fault: the file, its compression or the tar.
func (t *tarStream) reason(err error) error {
	var in *archive.Error
	switch {
	case t.stored.err != nil:
		return t.stored.err
	case errors.As(err, &in):
		return in.Err
	}
	t.decoders.Drop(t.comp)
	return explain(t.comp.String(), err)
}

// failed adds the offsets to an error of Next.
func (t *tarStream) failed(err error) error {
	return &ReadError{Stored: t.at(), Decompressed: t.Offset(), Err: t.reason(err)}
}

// find advances to a file that was listed. number is the index of the next file, which it
// updates.
func (t *tarStream) find(m *member, number *int) error {
	for {
		found, err := t.Next()
		if err == io.EOF || err == nil && *number == m.number && (found.Name != m.Name || found.Stored != m.Stored) {
			return &ReadError{Stored: t.at(), Decompressed: t.Offset(), Err: errChanged}
		}
		if err != nil {
			return t.failed(err)
		}
		if *number++; *number > m.number {
			return nil
		}
	}
}

// grouped divides inputs into those that are read one by one and groups that are read
// together, in the order in which they are stored. The first of each group, by which it is
// found, is also in single.
func grouped(inputs []Input) (single []int, groups map[int][]int) {
	groups = map[int][]int{}
	first := map[string]int{} // by archive
	for i := range inputs {
		if !inputs[i].sequential() {
			single = append(single, i)
			continue
		}
		file := inputs[i].member.archive.path
		if _, ok := first[file]; !ok {
			first[file] = i
			single = append(single, i)
		}
		groups[first[file]] = append(groups[first[file]], i)
	}
	for _, group := range groups {
		slices.SortFunc(group, func(a, b int) int { return inputs[a].member.number - inputs[b].member.number })
	}
	return single, groups
}

// Together divides inputs into slices that are best passed to Read at once: the files of a
// compressed tar are decoded in one go. Any other input is alone.
func Together(inputs []Input) [][]Input {
	var all [][]Input
	for start, i := 0, 1; i <= len(inputs); i++ {
		if i < len(inputs) && inputs[i].sequential() && inputs[start].sequential() && inputs[i].member.archive.path == inputs[start].member.archive.path {
			continue
		}
		all = append(all, inputs[start:i])
		start = i
	}
	return all
}

// forEachInTar opens the compressed tar of a group of inputs and calls f for each of
// them, in order, with t at its content. err is why the input cannot be read. An error
// of f ends it.
func forEachInTar(ctx context.Context, d *compress.Decoders, inputs []Input, group []int, f func(i int, t *tarStream, err error) error) error {
	first := &inputs[group[0]]
	var t *tarStream
	file, err := openUnsniffed(group[0], first.member.archive)
	if err == nil {
		defer file.close()
		t = openTarStream(ctx, d, file.stream(), first.ceiling)
	}
	number := 0
	for _, i := range group {
		if err == nil {
			err = t.find(inputs[i].member, &number)
		}
		if stop := f(i, t, err); stop != nil {
			return stop
		}
		if err == nil {
			err = t.ended // nothing can be read after an error of the decoder
		}
	}
	return nil
}

// relocated turns the result of reading a decoded stream into one of the file that it was
// decoded from, of which it took the bytes from start to end.
func relocated(r Result, stored string, start, end int64) Result {
	r.StoredBytes = end - start
	if failed := r.enclose(stored); failed != nil {
		failed.Stored = end
	}
	return r
}
