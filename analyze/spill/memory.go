package spill

// Memory limits the memory for data that grows with the sessions, users and clients of
// the logs. The rest is written to Space.
type Memory struct {
	Bytes int64  // 0 for no limit
	Space *Space // temporary files; must be set if Bytes is
}

// Shares of the limit. The remainder is for data that is never spilled: the 401s, the
// named users and clients, the shard being merged, and garbage not yet collected.
const (
	foldShare   = 0.35 // the parts of all workers, while the inputs are read
	recordShare = 0.02 // one list of records, of all workers
)

// Part returns the maximum size of each worker's part, in bytes. An empty part takes
// half a megabyte, so many workers together may exceed their share a little.
func (m Memory) Part(workers int) int64 {
	least := min(2<<20, m.Bytes/8)
	return max(least, int64(foldShare*float64(m.Bytes)/float64(workers)))
}

// Records returns the maximum number of records, of size bytes each, that each worker
// keeps of one list in memory.
func (m Memory) Records(workers, size int) int {
	const least = 1 << 10
	return max(least, int(recordShare*float64(m.Bytes)/float64(workers*size)))
}
