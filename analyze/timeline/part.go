package timeline

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"logscan/analyze/spill"
)

// part is the data of a worker that grows with the number of actors, users and
// sign-ins. When it has grown too large it is spilled and a new part begins: an
// actor may have events in several parts of one worker, as it may have in those of
// several workers. A part refers to other data only by hashes and by the numbers
// of endpoints, upstreams and refusals, which are the same in all parts of a
// worker.
type part struct {
	shards  [Shards]shard
	clients clientTable
	users   userTable
	signIns []SignIn
}

func (p *part) init() {
	*p = part{clients: newClientTable(), users: userTable{dict: newDict()}}
	for i := range p.shards {
		p.shards[i].init()
	}
}

// size returns approximately how many bytes of memory the part takes.
func (p *part) size() int64 {
	n := p.clients.size() + p.users.size() + signInSize*int64(cap(p.signIns))
	for i := range p.shards {
		n += p.shards[i].size()
	}
	return n
}

// close ends the logs, counts what is not counted yet, and sorts the sign-ins.
// Afterwards actor.client is the only client of the actor, 0 if it had several.
func (p *part) close() {
	for i := range p.shards {
		s := &p.shards[i]
		s.close()
		for a := range s.each {
			several := a.counted > 0
			p.clients.countRequests(a)
			if several {
				a.client = 0
			}
		}
	}
	slices.SortFunc(p.signIns, func(a, b SignIn) int { return compareSignIns(&a, &b) })
}

// spilled is a part in the file of its worker.
type spilled struct {
	shards         [Shards]segment
	clients, users *spill.Run
	signIns        *spill.Run
}

// spillPart writes the part to disk and begins a new one.
func (w *Worker) spillPart() error {
	p := &w.part
	p.close()
	file, err := w.spillFile()
	if err != nil {
		return err
	}
	s := &spilled{}
	for i := range p.shards {
		if err := s.shards[i].write(file, &p.shards[i]); err != nil {
			return err
		}
		p.shards[i] = shard{} // frees memory before more is written
	}
	if s.clients, err = spill.WriteRun(file, clientCodec, p.clients.sorted()); err != nil {
		return err
	}
	if s.users, err = spill.WriteRun(file, userCodec, p.users.sorted()); err != nil {
		return err
	}
	if s.signIns, err = spill.WriteRun(file, signInCodec, spill.FromSlice(p.signIns)); err != nil {
		return err
	}
	w.spilled = append(w.spilled, s)
	p.init()
	return nil
}

// mergedNames is about how many bytes of memory the names of users and clients take while
// they are merged, if there are as many as are listed: two records of a user and of a client,
// their texts, and their numbers by hash.
const mergedNames = MaxNames * 512

// end ends the part. A worker that has spilled before spills the part, too, unless it leaves
// room for the names of all parts: they are merged before the timelines are read.
func (w *Worker) end(workers int) error {
	if w.part.close(); w.sealed || len(w.spilled) == 0 || w.part.size() <= w.limit-mergedNames/int64(workers) {
		return nil
	}
	return w.spillPart()
}

// spillFile returns the file for all data that the worker spills.
func (w *Worker) spillFile() (_ *spill.File, err error) {
	if w.file == nil {
		w.file, err = w.space.Create()
	}
	return w.file, err
}

// origin locates one part of a worker's state, in memory or on disk.
type origin struct {
	worker int
	part   *part
	disk   *spilled
}

// shard returns shard i of a part.
func (s *State) shard(o *origin, i int) (*shard, error) {
	if o.disk != nil {
		return o.disk.shards[i].read(s.workers[o.worker].file)
	}
	return &o.part.shards[i], nil
}

// segment is a shard on disk: a table of its actors, and the log of their events. They are
// pieces of a file, or in a bundle.
type segment struct {
	actors uint32
	table  spill.Place
	logs   []spill.Place

	bundles            *bundles
	bundle             uint32 // number of the bundle plus one; 0 for none
	tableSize, logSize uint32 // in bytes
	at                 uint64 // offset in the bundle
}

// segmentPages is the number of pages of a log that are written at once, 1 MiB.
const segmentPages = 128

// appendTable appends the table of the actors.
func (s *shard) appendTable(dst []byte) []byte {
	byNumber := make([]*actor, s.actors)
	for a := range s.each {
		byNumber[a.number-1] = a
	}
	for n, a := range byNumber {
		dst = binary.LittleEndian.AppendUint64(dst, a.key.hi)
		dst = binary.LittleEndian.AppendUint64(dst, a.key.lo)
		dst = binary.LittleEndian.AppendUint64(dst, a.client)
		events := uint64(a.events) << 1
		if a.refused {
			events |= 1
		}
		dst = binary.AppendUvarint(dst, events)
		dst = appendBytes(dst, s.label(uint32(n)))
	}
	return dst
}

// write writes a closed shard.
func (g *segment) write(f *spill.File, s *shard) (err error) {
	if s.actors == 0 {
		return nil
	}
	g.actors = s.actors
	if g.table, err = f.Append(s.appendTable(nil)); err != nil {
		return err
	}
	for pages := range slices.Chunk(s.pages, segmentPages) {
		place, err := f.Append(append(slices.Concat(pages...), make([]byte, eventSlack)...))
		if err != nil {
			return err
		}
		g.logs = append(g.logs, place)
	}
	return nil
}

// read reads what Shard needs of the shard, but for its log.
func (g *segment) read(f *spill.File) (*shard, error) {
	s := &shard{actors: g.actors, slots: make([]actor, g.actors)}
	if g.actors == 0 {
		return s, nil
	}
	var table []byte
	var err error
	if g.bundle > 0 {
		var log []byte
		table, log, err = g.readBundled(f)
		s.pages = [][]byte{log}
	} else {
		table, err = f.Read(g.table, nil)
	}
	if err != nil {
		return nil, err
	}
	if len(table) > math.MaxUint32 {
		return nil, fmt.Errorf("BUG: actor table of %d bytes", len(table))
	}
	// Labels are encoded in the table as they are in a shard.
	s.labels, s.labelAt = table, make([]uint32, g.actors)
	rest := table
	for n := range s.slots {
		a := &s.slots[n]
		a.key.hi, a.key.lo = binary.LittleEndian.Uint64(rest), binary.LittleEndian.Uint64(rest[8:])
		a.client = binary.LittleEndian.Uint64(rest[16:])
		events, size := binary.Uvarint(rest[24:])
		a.events, a.refused, a.number = uint32(events>>1), events&1 == 1, uint32(n)+1
		rest = rest[24+size:]
		at := len(table) - len(rest)
		var label []byte
		if label, rest = cutBytes(rest); len(label) > 0 {
			s.labelAt[n] = uint32(at) + 1
		}
	}
	s.disk, s.file = g.logs, f
	return s, nil
}
