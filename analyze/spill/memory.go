package spill

// Memory limits how much memory a run uses for data that grows with the sessions,
// users and clients of the logs.
type Memory struct {
	Bytes int64  // 0 for no limit
	Space *Space // where the rest is spilled to
}

// Shares of the limit. The remainder is for what is not spilled: the 401s, the names
// that are listed, the shard that is being put together, and garbage.
const (
	partShare   = 0.35 // the parts of all workers while the inputs are read
	recordShare = 0.02 // a list of records of all workers
	factShare   = 0.1  // what is kept of the 401s in memory
)

// Part returns how many bytes the part of each worker may take. An empty part takes
// half a megabyte, so many workers get a little more than their share.
func (m Memory) Part(workers int) int64 {
	least := min(2<<20, m.Bytes/8)
	return max(least, int64(partShare*float64(m.Bytes)/float64(workers)))
}

// Records returns how many records of a size in bytes each worker may keep of a
// list.
func (m Memory) Records(workers, size int) int {
	const least = 1 << 10
	return max(least, int(recordShare*float64(m.Bytes)/float64(workers*size)))
}

// Refusals returns how many records of a size in bytes may be kept in memory, of those
// that there are for each 401.
func (m Memory) Refusals(size int) int { return int(factShare * float64(m.Bytes) / float64(size)) }
