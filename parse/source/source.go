// Package source finds the inputs of a run and cuts them into blocks of whole
// lines.
//
// Input are paths, directories, globs or "-"; output are Blocks, handed to a
// Handler by one goroutine per worker. Compression and archives are detected by
// their content. Distinct leaves out copies, and Resume what earlier runs have
// counted. The package does not look into lines: package parse does.
package source

// Sizes.
const (
	// BlockSize is the usual size of a block in bytes. A block that stays in the
	// second-level cache is parsed from there: 256 KiB to 1 MiB measured equal, 4 MiB
	// slower.
	BlockSize = 512 << 10
	// MaxLine is the longest line in bytes that is handed over whole. Of a longer one only
	// the beginning is, with Block.TooLong set.
	MaxLine = 1 << 20
	// RangeSize is the size in bytes of the ranges of a plain file that workers take. It is
	// also the most by which one reaches the end of the last file before the others.
	RangeSize = 2 << 20
	// SampleSize is the maximum size in bytes of the sample of an input.
	SampleSize = 256 << 10
)

// Block holds consecutive whole lines of one input.
type Block struct {
	Input int   // index of the input in the slice given to Read
	Seq   int64 // orders the blocks of an input; ascending, but not dense
	// Data holds whole lines. Each ends in '\n', except perhaps the last line of the
	// input. It is valid until Handler.Block returns.
	Data []byte

	// Again means that Seq is the offset of Data in the input, of which Input.LineAt reads a
	// line again.
	Again bool

	// TooLong means that Data is the beginning of a single line of LineSize bytes
	// (terminator included), more than MaxLine.
	TooLong  bool
	LineSize int64

	// Directive is the last line before the block that begins with Plan.Directive, without
	// its terminator; nil if there is none. It does not change any more and may be kept.
	Directive []byte
}

// Plan says how an input is cut. The zero value is the default. With any other plan the
// input is read by one worker from beginning to end, though all workers may handle its
// blocks.
type Plan struct {
	// Skip ends the input after its sample: no block of it is handed over, and errors
	// behind the sample go unnoticed.
	Skip bool
	// Directive is the prefix of lines that describe the lines after them, such as
	// "#Fields:"; empty if there are none. See Block.Directive.
	Directive []byte
	// Whole returns where the last line of data ends whose text does not go on in a later
	// one, 0 if there is none. data are whole lines, the first of which begins a text. A
	// block ends there unless it would become longer than MaxLine. nil means that every
	// text has one line. It is called by the goroutine that called Open.
	Whole func(data []byte) int
}

func (p *Plan) isDefault() bool { return !p.Skip && len(p.Directive) == 0 && p.Whole == nil }

// Handler receives what Read reads.
type Handler interface {
	// Open is called once for each input, before its first block, with a sample of whole
	// lines: from the beginning, the middle and the end if the input can be sought, else
	// from the beginning. The sample is empty if the input is empty or cannot be read. It
	// is valid until Open returns. Different goroutines may open inputs at the same time.
	Open(input int, sample []byte) Plan
	// Block is called for every block, with worker in [0, workers). Calls with the same
	// worker never overlap. Blocks of one input may go to different workers, in any order.
	Block(worker int, b *Block)
}

// Result is the outcome of one input.
type Result struct {
	Compression string // none, gzip, zstd, bzip2, xz, lz4; for a file in an archive also the archive's, such as gzip+tar
	Bytes       int64  // decompressed bytes handed over in blocks
	StoredBytes int64  // bytes read from the file or stream
	Err         error  // why it could not be read to its end, with the byte offset
}

// Compressed reports whether what is stored is compressed, or in an archive that usually is.
func (r *Result) Compressed() bool { return r.Compression != "none" && r.Compression != "tar" }

// Watcher is a Handler that follows the progress of reading.
type Watcher interface {
	// Took is called at most once per block with the number of bytes, as they are stored,
	// that were read from an input since the last call. Different goroutines may call it at
	// the same time.
	Took(input int, stored int64)
}
