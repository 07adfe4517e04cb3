package object

import (
	"context"
	"fmt"
	"io"
	"sync"
)

const (
	// blockSize is the size of a request where nothing is known of what is read next.
	blockSize = 1 << 20
	// runBlocks is the number of blocks that one request asks for where a file is read from
	// one end to the other: 8 MiB, of which a request takes longer than its answer is on
	// its way.
	runBlocks = 8
	// runsAhead is the number of such requests that are made before they are needed. A
	// connection to a store delivers a tenth of what logscan reads.
	runsAhead = 3
	// maxUnread is the number of blocks that may wait to be read: 64 MiB for each file.
	maxUnread = 64
	// keptBlocks is the number of blocks that are kept after they were read, for readers
	// that follow each other closely.
	keptBlocks = 8
)

// File is an open object. ReadAt may be called concurrently.
type File struct {
	*Object
	ctx  context.Context
	stop context.CancelFunc

	mu     sync.Mutex
	blocks map[int64]*block // by number
	asked  []bool           // by number: the block was asked for at some time
	end    int64            // number of the block from which on none is asked for before it is read
	unread int              // of blocks
	read   []int64          // blocks that were read and are kept, oldest first
}

// block is a part of a file that was asked for.
type block struct {
	data []byte
	err  error
	done chan struct{} // closed when data or err is set
	read bool
}

// Open returns the content of an object. The caller closes it. No request is made.
func (o *Object) Open() *File {
	f := &File{Object: o, blocks: map[int64]*block{}}
	f.end = f.numBlocks()
	f.asked = make([]bool, f.end)
	f.ctx, f.stop = context.WithCancel(o.ctx)
	if data := o.small.Load(); data != nil {
		f.asked[0] = true
		f.blocks[0] = &block{data: *data, done: make(chan struct{}), read: true}
		close(f.blocks[0].done)
	}
	return f
}

// Prefetch begins to read the content of a small object, which is kept until Release. Later
// calls do nothing.
func (o *Object) Prefetch() {
	if o.Size == 0 || o.Size > blockSize || !o.prefetched.CompareAndSwap(false, true) || o.small.Load() != nil {
		return
	}
	go func() {
		f := o.Open()
		defer f.Close()
		_, _ = f.ReadAt(make([]byte, 1), 0) // who reads it gets the error
	}()
}

// Release forgets the content of an object that will not be read again.
func (o *Object) Release() {
	if data := o.small.Swap(nil); data != nil {
		o.cache.bytes.Add(-int64(len(*data)))
	}
}

// Close ends all requests of the file.
func (f *File) Close() error {
	f.stop()
	return nil
}

// ReadAt implements io.ReaderAt. Its error is ErrChanged if the object was replaced since
// it was listed.
func (f *File) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fmt.Errorf("read %s: negative offset", f.Path)
	}
	for n < len(p) && off < f.Size {
		b := f.block(off / blockSize)
		select {
		case <-b.done:
		case <-f.ctx.Done():
			return n, f.ctx.Err()
		}
		if b.err != nil {
			return n, b.err
		}
		m := copy(p[n:], b.data[min(off%blockSize, int64(len(b.data))):])
		n, off = n+m, off+int64(m)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// ReadTo says that little behind an offset will be read: it is not asked for in advance.
func (f *File) ReadTo(off int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.end = min(f.end, (off+blockSize-1)/blockSize)
}

// numBlocks returns the number of blocks of the file.
func (f *File) numBlocks() int64 { return (f.Size + blockSize - 1) / blockSize }

// block returns a block that was asked for, perhaps just now, and asks for those that are
// likely to be read after it.
func (f *File) block(i int64) *block {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, follows := f.blocks[i-1]
	if f.blocks[i] == nil {
		n := int64(1)
		if follows {
			n = runBlocks
		}
		f.fetch(i, n)
	}
	b := f.blocks[i]
	if !b.read {
		b.read = true
		f.unread--
		f.keep(i)
	}
	if follows {
		f.fetchAhead(i)
	}
	return b
}

// fetchAhead asks for blocks behind i, if fewer were asked for than are wanted. Where another
// reader has read before, it asks for none: each reads a part of its own.
func (f *File) fetchAhead(i int64) {
	next := i + 1
	for next <= i+runsAhead*runBlocks && f.blocks[next] != nil {
		next++
	}
	if next <= i+(runsAhead-1)*runBlocks && next < f.end && !f.asked[next] && f.unread < maxUnread {
		f.fetch(next, runBlocks)
	}
}

// keep notes that a block was read, and forgets those that were read long before.
func (f *File) keep(i int64) {
	f.read = append(f.read, i)
	if len(f.read) > keptBlocks {
		delete(f.blocks, f.read[0])
		f.read = f.read[1:]
	}
}

// fetch asks for a block and those behind it, at most n, up to f.end and to the next one that
// was asked for before.
func (f *File) fetch(first, n int64) {
	var list []*block
	for i := first; i == first || i < min(first+n, f.end) && !f.asked[i]; i++ {
		b := &block{done: make(chan struct{})}
		f.blocks[i], f.asked[i] = b, true
		f.unread++
		list = append(list, b)
	}
	go f.receive(first*blockSize, list)
}

// receive reads blocks from the store, from an offset on.
func (f *File) receive(off int64, list []*block) {
	r := &ranged{f: f, off: off, end: min(off+int64(len(list))*blockSize, f.Size)}
	defer r.close()
	var err error
	for _, b := range list {
		if err == nil {
			b.data = make([]byte, min(blockSize, r.end-r.off))
			err = r.fill(b.data)
		}
		b.err = err
		close(b.done)
	}
	if err == nil && f.numBlocks() == 1 {
		f.put(list[0].data)
	}
}

// ranged reads a range of an object. A connection that breaks is continued where it broke.
type ranged struct {
	f        *File
	off, end int64
	body     io.ReadCloser // nil before the first request and after a failure
}

// fill fills p.
func (r *ranged) fill(p []byte) (err error) {
	for try := 1; ; try++ {
		if r.body == nil {
			if r.body, err = r.f.store.get(r.f.ctx, r.f.Object, r.off, r.end); err != nil {
				return err // the store has tried several times
			}
		}
		n, err := io.ReadFull(r.body, p)
		r.off += int64(n)
		if p = p[n:]; len(p) == 0 {
			return nil
		}
		r.close()
		if n > 0 {
			try = 1
		}
		if try == tries {
			return withoutURL(err)
		}
		if err := pause(r.f.ctx, try); err != nil {
			return err
		}
	}
}

func (r *ranged) close() {
	if r.body != nil {
		r.body.Close() // it was only read
		r.body = nil
	}
}
