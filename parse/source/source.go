// Package source finds the inputs of a run and cuts them into blocks of whole
// lines.
//
// In: paths, directories, globs or "-". Out: Blocks, handed to a Handler by one
// goroutine per worker. It finds out compression and archives by magic bytes,
// leaves out copies, and does not look into the lines: that is package parse's
// work.
package source

// Sizes, in one place.
const (
	// BlockSize is the usual size of a block in bytes. A block that stays in
	// the second-level cache is parsed from there: 256 KiB to 1 MiB measured
	// equal, 4 MiB slower.
	BlockSize = 512 << 10
	// MaxLine is the longest line in bytes that is handed over whole. A longer
	// one is handed over cut, with Block.TooLong set.
	MaxLine = 1 << 20
	// RangeSize is the size in bytes of the parts of a plain file that workers
	// take in turn, but for the last ones, which are smaller.
	RangeSize = 16 << 20
	// SampleSize is the most bytes a sample of one input holds.
	SampleSize = 256 << 10
)

// Block is a run of whole lines of one input.
type Block struct {
	Input int   // index of the input in the slice given to Read
	Seq   int64 // blocks of one input in the order of the input: ascending, not dense
	Data  []byte
	// Data holds whole lines; each ends in '\n' but perhaps the last of the
	// input. It is valid until Handler.Block returns.

	// TooLong says that Data is the beginning of one single line of LineSize
	// bytes (terminator included), more than MaxLine.
	TooLong  bool
	LineSize int64

	// Directive is the last line before the block that begins as
	// Plan.Directive says, without its end; nil where there is none. It does
	// not change any more and may be kept.
	Directive []byte
}

// Plan says how an input is to be cut. The zero value is the usual way; with
// any other, the input is read by one worker from beginning to end, though all
// take its blocks.
type Plan struct {
	// Skip says that the input is not to be read any further: no block of it is
	// handed over, and its Result tells of no error behind the sample.
	Skip bool
	// Directive is how lines begin that describe those after them, such as
	// "#Fields:"; empty where there are none. See Block.Directive.
	Directive []byte
	// Continues tells whether the text of a line goes on in a later one: a
	// block is not cut behind it, unless it would be longer than MaxLine. nil
	// is never. It is called by the goroutine that called Open.
	Continues func(line []byte) bool
}

func (p *Plan) usual() bool { return !p.Skip && len(p.Directive) == 0 && p.Continues == nil }

// Handler takes what Read reads.
type Handler interface {
	// Open is called once per input, before its first block, with a sample of
	// its lines: whole lines from the beginning, the middle and the end where
	// the input can be sought, from its beginning where it cannot. The sample
	// of an input that is empty or cannot be read is empty. It is valid until
	// Open returns. Inputs may be opened at the same time by different
	// goroutines.
	Open(input int, sample []byte) Plan
	// Block is called for every block, with worker in [0, workers). Calls with
	// the same worker never overlap; blocks of one input may go to different
	// workers and in any order.
	Block(worker int, b *Block)
}

// Result is what became of one input.
type Result struct {
	Compression string // none, gzip, zstd, bzip2, xz, lz4; in archives also what is around, such as gzip+tar
	Bytes       int64  // decompressed bytes handed over in blocks
	StoredBytes int64  // bytes read from the file or stream
	Err         error  // why it could not be read to its end; names the byte offset
}

// Watcher is a Handler that wants to know how reading goes on.
type Watcher interface {
	// Took is called now and then, at most once a block, with bytes of an
	// input that were taken from its file or stream, as they are stored. It is
	// called by many goroutines at a time.
	Took(input int, stored int64)
}
