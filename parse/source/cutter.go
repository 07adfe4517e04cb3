package source

import (
	"bytes"
	"context"
	"io"
	"math"
)

// sizes are the constants of the package, smaller in tests. A block is never
// larger than a line may be.
type sizes struct{ block, maxLine, rng, sample int }

func defaultSizes() sizes {
	return sizes{block: BlockSize, maxLine: MaxLine, rng: RangeSize, sample: SampleSize}
}

// buffer is how long a cutter's buffer is: one byte more than the longest line
// shows that a line is too long. What no line needs is never touched.
func (s sizes) buffer() int { return s.maxLine + 1 }

const (
	// toEnd is the limit of a cutter that owns all lines of its input.
	toEnd = math.MaxInt64
	// rangeSlack is how many bytes behind its end a range reads at first, for
	// the rest of its last line: more than most lines have.
	rangeSlack = 4 << 10
	// maxEmptyReads is how often in turn a reader may give neither bytes nor
	// an error.
	maxEmptyReads = 100
)

// cutter cuts what it reads into blocks of whole lines. Memory is one buffer.
// A byte is copied once at most, and then only as part of the line that a
// block's end cuts.
type cutter struct {
	sizes
	src   io.Reader
	limit int64 // offset in the input; lines that begin there or behind are another's
	// emit hands b over and gives the buffer to go on with, which holds rest at
	// its beginning. Both alias the buffer in use.
	emit func(b Block, rest []byte) []byte
	// first is called once, before the first block, with the first bytes;
	// complete says that there are no more; it gives the plan. May be nil.
	first func(data []byte, complete bool) Plan
	plan  Plan
	// skipped tells what from is, once something was read. May be nil.
	skipped func() int64

	buf   []byte
	n     int   // bytes in buf
	off   int64 // offset in the input of buf[0]
	from  int64 // lines that begin before it are not handed over, nor counted
	clean int   // buf[:clean] is known to hold no newline
	err   error // of src
	bytes int64 // handed over

	directive []byte // last one that was handed over, in memory of its own
}

// run cuts to the limit or the end of src. It returns why src ended before
// that (what came before is handed over, the last line perhaps cut), or the
// error of ctx.
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
			if c.first != nil {
				c.plan = c.first(c.buf[:c.n], c.err != nil)
				c.first = nil
				if c.plan.Skip && c.n > 0 {
					return nil
				}
			}
			if cut = c.search(); cut > 0 && c.plan.Continues != nil {
				cut = c.uncontinued(cut)
			}
			if cut > 0 || c.n > c.maxLine || c.err != nil {
				break
			}
			target = 2*c.n + rangeSlack
		}
		switch {
		case cut > 0:
			c.hand(cut)
		case c.n > c.maxLine && c.plan.Continues != nil && bytes.IndexByte(c.buf[:c.n], '\n') >= 0:
			c.hand(bytes.LastIndexByte(c.buf[:c.n], '\n') + 1)
		case c.n > c.maxLine:
			if err := c.tooLong(ctx); err != nil {
				return err
			}
		case c.n > 0:
			c.hand(c.n) // the end, without a newline
		default:
			return c.end()
		}
	}
	return nil
}

// skipLine drops everything up to the next newline: the end of a line that
// begins before the range. Where the limit comes first nothing is left to run.
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

// fill reads until there are target bytes in the buffer or src ends.
func (c *cutter) fill(target int) {
	for empty := 0; c.n < target && c.err == nil; {
		var m int
		m, c.err = c.src.Read(c.buf[c.n:target])
		c.n += m
		if m > 0 {
			empty = 0
		} else if empty++; empty == maxEmptyReads && c.err == nil {
			c.err = io.ErrNoProgress
		}
	}
}

// search finds where the next block ends: behind the last line that is whole
// and ours, 0 when there is none.
func (c *cutter) search() int {
	m := min(c.n, c.maxLine)
	owned := m // our lines begin before it and, but for the last, end before it
	if last := c.limit - 1 - c.off; last < int64(m) {
		// The line that holds the byte before the limit is our last one.
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

// hand hands over the first cut bytes, or drops those of them that are before
// where the input goes on.
func (c *cutter) hand(cut int) {
	dropped := c.off < c.from
	if dropped {
		cut = int(min(int64(cut), c.from-c.off))
	}
	rest := c.buf[cut:c.n]
	b := Block{Seq: c.off, Data: c.buf[:cut:cut], Directive: c.directive}
	if len(c.plan.Directive) > 0 {
		c.direct(b.Data)
	}
	c.off += int64(cut)
	c.clean = max(c.clean-cut, 0)
	c.n = len(rest)
	if dropped {
		copy(c.buf, rest)
		return
	}
	c.bytes += int64(cut)
	c.buf = c.emit(b, rest)
}

// uncontinued gives where the last line before cut ends that the next one does
// not continue; 0 where all are continued.
func (c *cutter) uncontinued(cut int) int {
	for cut > 0 {
		start := bytes.LastIndexByte(c.buf[:cut-1], '\n') + 1
		if !c.plan.Continues(c.buf[start : cut-1]) {
			break
		}
		cut = start
	}
	return cut
}

// direct remembers the last directive in data.
func (c *cutter) direct(data []byte) {
	last := -1
	for at := 0; at < len(data); {
		if bytes.HasPrefix(data[at:], c.plan.Directive) {
			last = at
		}
		// Lines that begin with the first byte of a directive are few.
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

// tooLong hands over the first half of the buffer as the beginning of a line
// that does not fit, and reads over the rest of it in the other half.
func (c *cutter) tooLong(ctx context.Context) error {
	half := len(c.buf) / 2
	size, rest := int64(c.n), []byte(nil)
	if c.buf[c.n-1] != '\n' { // earlier ones are none, or it would not be too long
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
	b := Block{Seq: c.off, Data: c.buf[:half:half], TooLong: true, LineSize: size, Directive: c.directive}
	dropped := c.off < c.from
	c.off += size
	c.clean, c.n = 0, len(rest)
	if dropped {
		copy(c.buf, rest)
		return nil
	}
	c.bytes += size
	c.buf = c.emit(b, rest)
	return nil
}

// end is why src ended: nil at its proper end.
func (c *cutter) end() error {
	if c.err == io.EOF {
		return nil
	}
	return c.err
}

// sampleLines gives whole lines from data, at most size bytes: from the first
// line where start says that data begins with one, else from the second. A
// line that is longer than that is left out with what is before it. The last
// bytes are a line without a newline where end says so.
func sampleLines(data []byte, size int, start, end bool) []byte {
	for {
		if !start {
			i := bytes.IndexByte(data, '\n')
			if i < 0 {
				return nil
			}
			data = data[i+1:]
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
		start = false
	}
}
