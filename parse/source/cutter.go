package source

import (
	"bytes"
	"context"
	"io"
	"math"
)

// sizes holds the sizes of the package, which tests make smaller. A block is never larger
// than a line may be.
type sizes struct{ block, maxLine, rng, sample int }

func defaultSizes() sizes {
	return sizes{block: BlockSize, maxLine: MaxLine, rng: RangeSize, sample: SampleSize}
}

// buffer returns the size of a cutter's buffer: the longest line and one byte that shows
// that a line is longer. Memory that no line needs is never touched.
func (s sizes) buffer() int { return s.maxLine + 1 }

const (
	// toEnd is the limit of a cutter that owns all lines of its input.
	toEnd = math.MaxInt64
	// rangeSlack is how many bytes beyond its end a range reads at first, for the rest of
	// its last line. Most lines are shorter.
	rangeSlack = 4 << 10
)

// cutter cuts what it reads into blocks of whole lines. It needs the memory of one buffer.
// A byte is copied at most once, and only if it belongs to the line that the end of a block
// cuts.
type cutter struct {
	sizes
	src   io.Reader
	limit int64 // offset in the input from which lines belong to another cutter
	// emit hands over b and returns the buffer to continue with, which must begin with
	// rest. Both alias the current buffer.
	emit func(b Block, rest []byte) []byte
	// first is called once, before the first block, with the first bytes; complete means
	// that there are no more. It returns the plan. May be nil.
	first func(data []byte, complete bool) Plan
	plan  Plan
	// skipped returns the value of from, once something was read. May be nil.
	skipped func() int64

	buf   []byte
	n     int   // bytes in buf
	off   int64 // offset of buf[0] in the input
	from  int64 // lines that begin before this offset are neither handed over nor counted
	clean int   // buf[:clean] holds no newline
	err   error // of src
	bytes int64 // handed over

	directive []byte // the last one before the next block, in memory of its own
}

// run cuts up to the limit or the end of src. It returns the error that ended src (what
// came before is handed over, its last line perhaps cut off) or that of ctx.
func (c *cutter) run(ctx context.Context) error {
	for c.off < c.limit {
		target := c.block
		if left := c.limit - c.off; left < int64(c.block)-rangeSlack {
			target = int(left) + rangeSlack
		}
		cut := 0
		for {
			if err := ctx.Err(); err != nil {
				return err
			}
			c.fill(min(target, len(c.buf)))
			if c.skipped != nil {
				c.from, c.skipped = c.skipped(), nil
			}
			if c.first != nil && c.showsLine() {
				c.plan = c.first(c.buf[:c.n], c.err != nil)
				c.first = nil
				if c.plan.Skip && c.n > 0 {
					return nil
				}
			}
			if cut = c.search(); cut > 0 && c.plan.Whole != nil {
				cut = c.plan.Whole(c.buf[:cut])
			}
			if cut > 0 || c.n > c.maxLine || c.err != nil {
				break
			}
			target = 2*c.n + rangeSlack
		}
		switch {
		case cut > 0:
			c.handOver(cut)
		case c.n > c.maxLine && c.plan.Whole != nil && bytes.IndexByte(c.buf[:c.n], '\n') >= 0:
			c.handOver(bytes.LastIndexByte(c.buf[:c.n], '\n') + 1)
		case c.n > c.maxLine:
			if err := c.handOverTooLong(ctx); err != nil {
				return err
			}
		case c.n > 0:
			c.handOver(c.n) // the end, without a newline
		default:
			return c.end()
		}
	}
	return nil
}

// showsLine reports whether there is as much as first can be given: a whole line, or all
// of a line that is too long, or the end.
func (c *cutter) showsLine() bool {
	return c.err != nil || c.n > c.maxLine || bytes.IndexByte(c.buf[:c.n], '\n') >= 0
}

// skipLine discards everything up to the next newline: the rest of a line that begins
// before the range. If the limit comes first, run has nothing to do.
func (c *cutter) skipLine(ctx context.Context) error {
	for c.off < c.limit {
		if err := ctx.Err(); err != nil {
			return err
		}
		c.fill(c.block)
		if c.n == 0 {
			return c.end()
		}
		i := bytes.IndexByte(c.buf[:c.n], '\n')
		if i < 0 {
			c.off, c.n = c.off+int64(c.n), 0
			continue
		}
		c.off += int64(i + 1)
		c.n = copy(c.buf, c.buf[i+1:c.n])
		return nil
	}
	return nil
}

// fill reads until the buffer holds target bytes or src ends.
func (c *cutter) fill(target int) {
	if c.n < target && c.err == nil {
		var m int
		m, c.err = fill(c.src, c.buf[c.n:target])
		c.n += m
	}
}

// search returns where the next block ends: behind the last line that is whole and belongs
// to this cutter. It returns 0 if there is none.
func (c *cutter) search() int {
	m := min(c.n, c.maxLine)
	owned := m // our lines begin before it and, except for the last, end before it
	if last := c.limit - 1 - c.off; last < int64(m) {
		// The line with the byte before the limit is our last one.
		owned = int(last)
		from := max(owned, c.clean)
		if from < m {
			if i := bytes.IndexByte(c.buf[from:m], '\n'); i >= 0 {
				return from + i + 1
			}
		}
	}
	cut := 0
	if c.clean < owned {
		cut = bytes.LastIndexByte(c.buf[c.clean:owned], '\n') + 1
		if cut > 0 {
			cut += c.clean
		}
	}
	c.clean = m
	return cut
}

// handOver hands over the first cut bytes, or discards those of them that are before from.
func (c *cutter) handOver(cut int) {
	if c.off < c.from {
		cut = int(min(int64(cut), c.from-c.off))
	}
	b := Block{Seq: c.off, Data: c.buf[:cut:cut], Directive: c.directive}
	if len(c.plan.Directive) > 0 {
		c.noteDirective(b.Data)
	}
	c.clean = max(c.clean-cut, 0)
	c.pass(b, int64(cut), c.buf[cut:c.n])
}

// pass hands over b, which stands for size bytes of the input and is followed by rest. It
// only removes a block before from.
func (c *cutter) pass(b Block, size int64, rest []byte) {
	c.off += size
	c.n = len(rest)
	if b.Seq < c.from {
		copy(c.buf, rest)
		return
	}
	c.bytes += size
	c.buf = c.emit(b, rest)
}

// noteDirective remembers the last directive in data.
func (c *cutter) noteDirective(data []byte) {
	last := -1
	for at := 0; at < len(data); {
		if bytes.HasPrefix(data[at:], c.plan.Directive) {
			last = at
		}
		// Few lines begin with the first byte of a directive.
		i := bytes.Index(data[at:], []byte{'\n', c.plan.Directive[0]})
		if i < 0 {
			break
		}
		at += i + 1
	}
	if last < 0 {
		return
	}
	line, _, _ := bytes.Cut(data[last:], newline)
	if line = bytes.TrimSuffix(line, []byte("\r")); !bytes.Equal(line, c.directive) {
		c.directive = bytes.Clone(line)
	}
}

var newline = []byte("\n")

// handOverTooLong hands over the first half of the buffer as the beginning of a line that
// does not fit, and reads past the rest of it in the other half.
func (c *cutter) handOverTooLong(ctx context.Context) error {
	half := len(c.buf) / 2
	size, rest := int64(c.n), []byte(nil)
	if c.buf[c.n-1] != '\n' { // there is no earlier newline, or the line would not be too long
		for {
			if err := ctx.Err(); err != nil {
				return err
			}
			c.n = half
			c.fill(len(c.buf))
			i := bytes.IndexByte(c.buf[half:c.n], '\n')
			if i >= 0 {
				size += int64(i + 1)
				rest = c.buf[half+i+1 : c.n]
				break
			}
			size += int64(c.n - half)
			if c.err != nil {
				break
			}
		}
	}
	c.clean = 0
	c.pass(Block{Seq: c.off, Data: c.buf[:half:half], TooLong: true, LineSize: size, Directive: c.directive}, size, rest)
	return nil
}

// end returns the error that ended src, nil at its regular end.
func (c *cutter) end() error {
	if c.err == io.EOF {
		return nil
	}
	return c.err
}

// sampleLines returns whole lines from data, at most size bytes. It starts with the first
// line if start says that data begins with one, else with the second. A line longer than
// size is left out together with what is before it. If end says so, the last bytes are a
// line without a newline.
func sampleLines(data []byte, size int, start, end bool) []byte {
	for ; ; start = false {
		if !start {
			_, rest, found := bytes.Cut(data, newline)
			if !found {
				return nil
			}
			data = rest
		}
		if end && len(data) <= size {
			return data
		}
		if i := bytes.LastIndexByte(data[:min(size, len(data))], '\n'); i >= 0 {
			return data[:i+1]
		}
		if len(data) <= size {
			return nil
		}
	}
}

// firstLine returns the first line of data, which begins with one, if that is whole and
// not too long: all there is of a sample if its lines are longer than a sample should be.
func firstLine(data []byte, maxLine int, end bool) []byte {
	i := bytes.IndexByte(data, '\n') + 1
	if i == 0 && end {
		i = len(data)
	}
	if i > maxLine {
		return nil
	}
	return data[:i]
}
