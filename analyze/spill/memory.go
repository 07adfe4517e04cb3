package spill

// Memory bounds what a run keeps in memory of what grows with the sessions,
// users and clients of the logs.
type Memory struct {
	Bytes int64  // 0 for no bound
	Space *Space // where the rest goes
}

// Shares of the bound. The rest is for what is not spilled: the 401s, the names
// that are told, the shard that is put together, and what the collector has not
// freed yet.
const (
	foldShare   = 0.35 // the parts of all workers while the inputs are read
	recordShare = 0.02 // a list of records of all workers
)

// Part gives how many bytes the part of each worker may take. An empty one takes
// half a megabyte: many workers have a little more than their share.
func (m Memory) Part(workers int) int64 {
	least := min(2<<20, m.Bytes/8)
	return max(least, int64(foldShare*float64(m.Bytes)/float64(workers)))
}

// Records gives how many records of a size each worker may keep of a list.
func (m Memory) Records(workers, size int) int {
	const least = 1 << 10
	return max(least, int(recordShare*float64(m.Bytes)/float64(workers*size)))
}
