package timeline

import (
	"sync"

	"logscan/analyze/spill"
)

// A part of a short task has a few hundred bytes of most shards, and each piece of a file
// costs as much as thousands of bytes to encrypt, write, read and check. So small shards are
// stored together, in bundles.

// bundleSize is the size in bytes from which a bundle is written, and from which a shard is
// in none.
const bundleSize = 128 << 10

// bundler writes closed shards, in their order.
type bundler struct {
	file     *spill.File
	open     []byte // the bundle that is not written yet
	bundles  []spill.Place
	segments [Shards]segment
}

// add writes a shard, or adds it to the bundle.
func (b *bundler) add(i int, s *shard) error {
	g := &b.segments[i]
	log := 0
	for _, page := range s.pages {
		log += len(page)
	}
	if log >= bundleSize {
		return g.write(b.file, s)
	}
	if s.actors == 0 {
		return nil
	}
	*g = segment{actors: s.actors, bundle: uint32(len(b.bundles)) + 1}
	at := len(b.open)
	b.open = s.appendTable(b.open)
	g.tableSize = uint32(len(b.open) - at)
	for _, page := range s.pages {
		b.open = append(b.open, page...)
	}
	b.open = append(b.open, make([]byte, eventSlack)...)
	g.logSize = uint32(log)
	if len(b.open) < bundleSize {
		return nil
	}
	return b.flush()
}

// flush writes the bundle.
func (b *bundler) flush() error {
	if len(b.open) == 0 {
		return nil
	}
	place, err := b.file.Append(b.open)
	b.bundles, b.open = append(b.bundles, place), b.open[:0]
	return err
}

// bundles are those of a part. The last one that was read is kept: shards are read in their
// order as a rule.
type bundles struct {
	places []spill.Place

	mu   sync.Mutex
	held uint32 // number plus one of the one in data
	data []byte
}

// read returns a bundle by its number plus one.
func (b *bundles) read(f *spill.File, number uint32) (_ []byte, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held != number {
		b.held = 0
		if b.data, err = f.Read(b.places[number-1], nil); err != nil {
			return nil, err
		}
		b.held = number
	}
	return b.data, nil
}

// readBundled returns the table and the log of a segment that is in a bundle.
func (g *segment) readBundled(f *spill.File) (table, log []byte, err error) {
	data, err := g.bundles.read(f, g.bundle)
	if err != nil {
		return nil, nil, err
	}
	at, size := g.at, uint64(g.tableSize)
	end := at + size + uint64(g.logSize) + eventSlack
	if end > uint64(len(data)) {
		return nil, nil, ErrIndex
	}
	return data[at : at+size], data[at+size : end-eventSlack], nil
}
