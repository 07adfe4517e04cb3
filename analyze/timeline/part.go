package timeline

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"logscan/analyze/spill"
)

// part is what a worker keeps that grows with actors, users and sign-ins. When
// it has grown too large it is written to disk, and a new one is begun: an actor
// may then have events in several parts of one worker, as it may in those of
// several workers. A part refers to nothing outside but by hashes, and by the
// numbers of endpoints, upstreams and refusals, which a worker goes on with.
type part struct {
	shards  [Shards]shard
	clients clientTable
	users   userTable
	signIns []SignIn
	spare   spare // memory for the logs of the shards
}

func (p *part) init(seed uint64) {
	*p = part{clients: newClientTable(seed), users: userTable{dict: newDict(seed)}}
	for i := range p.shards {
		p.shards[i].init(&p.spare)
	}
}

// size is about how many bytes of memory the part takes.
func (p *part) size() int64 {
	n := p.clients.size() + p.users.size() + 16*int64(cap(p.signIns))
	for i := range p.shards {
		n += p.shards[i].size()
	}
	return n
}

// tallySize is how many bytes a Tally takes.
const tallySize = (int64(NumOutcomes) + 7) * 8

// end counts what was not counted yet and closes the logs, once no more is
// folded. An actor's client is the only one that it had from then on, and 0 where
// it had several.
func (p *part) end() {
	for i := range p.shards {
		s := &p.shards[i]
		s.end()
		for n := range s.slots {
			a := &s.slots[n]
			if a.number == 0 {
				continue
			}
			several := a.since > 0
			p.clients.leave(a)
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

// segment is a shard on disk: its actors, and the log of their events.
type segment struct {
	actors uint32
	table  spill.Place
	logs   []spill.Place
}

// spill writes the part to disk and begins anew.
func (w *Worker) spill() error {
	p := &w.part
	p.end()
	file, err := w.disk()
	if err != nil {
		return err
	}
	s := &spilled{}
	var buf []byte
	for i := range p.shards {
		if buf, err = s.shards[i].write(file, &p.shards[i], buf); err != nil {
			return err
		}
		p.shards[i] = shard{}
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
	p.init(w.seed)
	return nil
}

// disk gives the file for all that the worker writes.
func (w *Worker) disk() (*spill.File, error) {
	if w.file != nil {
		return w.file, nil
	}
	var err error
	w.file, err = w.space.Create()
	return w.file, err
}

// segmentPiece is how many bytes of a log are written at once.
const segmentPiece = 1 << 20

// write writes a shard whose log is closed; buf is used and given back.
func (g *segment) write(f *spill.File, s *shard, buf []byte) ([]byte, error) {
	if s.actors == 0 {
		return buf, nil
	}
	byNumber := make([]*actor, s.actors)
	for n := range s.slots {
		if a := &s.slots[n]; a.number != 0 {
			byNumber[a.number-1] = a
		}
	}
	buf = buf[:0]
	for n, a := range byNumber {
		buf = binary.LittleEndian.AppendUint64(buf, a.key.hi)
		buf = binary.LittleEndian.AppendUint64(buf, a.key.lo)
		buf = binary.LittleEndian.AppendUint64(buf, a.client)
		buf = binary.AppendUvarint(buf, uint64(a.events))
		buf = appendBytes(buf, s.session(uint32(n)))
	}
	var err error
	g.actors = s.actors
	if g.table, err = f.Append(buf); err != nil {
		return buf, err
	}
	buf = buf[:0]
	for i, page := range s.pages {
		if buf = append(buf, page...); len(buf) < segmentPiece && i+1 < len(s.pages) {
			continue
		}
		place, err := f.Append(append(buf, make([]byte, eventSlack)...))
		if err != nil {
			return buf, err
		}
		g.logs = append(g.logs, place)
		buf = buf[:0]
	}
	return buf, nil
}

// read gives the shard as far as Shard needs it.
func (g *segment) read(f *spill.File) (*shard, error) {
	s := &shard{actors: g.actors, slots: make([]actor, g.actors)}
	if g.actors == 0 {
		return s, nil
	}
	table, err := f.Read(g.table, nil)
	if err != nil {
		return nil, err
	}
	if len(table) > math.MaxUint32 {
		return nil, fmt.Errorf("BUG: a table of %d bytes", len(table))
	}
	// The ids lie in the table, each behind its length, as in a shard.
	s.ids, s.idAt = table, make([]uint32, g.actors)
	rest := table
	for n := range s.slots {
		a := &s.slots[n]
		a.key.hi, a.key.lo = binary.LittleEndian.Uint64(rest), binary.LittleEndian.Uint64(rest[8:])
		a.client = binary.LittleEndian.Uint64(rest[16:])
		events, size := binary.Uvarint(rest[24:])
		a.events, a.number = uint32(events), uint32(n)+1
		rest = rest[24+size:]
		at := len(table) - len(rest)
		var id []byte
		if id, rest = cutBytes(rest); len(id) > 0 {
			s.idAt[n] = uint32(at) + 1
		}
	}
	for _, place := range g.logs {
		page, err := f.Read(place, nil)
		if err != nil {
			return nil, err
		}
		s.pages = append(s.pages, page[:len(page)-eventSlack])
	}
	return s, nil
}
