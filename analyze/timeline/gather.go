package timeline

import (
	"encoding/binary"
	"slices"
	"sync"

	"logscan/analyze/spill"
)

// Gather makes the first visit of each shard keep its timelines in their order: visits that
// follow need not decrypt, decode, merge and sort those of all parts again, and skip actors
// that are not wanted without decoding them. What parts in memory hold of the shard is freed.
// Shards with more events than are sorted in memory stay as they are.
func (s *State) Gather(goroutines int) {
	s.gathered = &gathered{limit: s.workers[0].limit * int64(goroutines) / gatheredPart, space: s.workers[0].space}
}

// gatheredPart is the part of the memory of the workers that gathered shards take: what the
// walks find out takes the rest.
const gatheredPart = 4

// gathered holds the shards whose timelines were kept in their order.
type gathered struct {
	shards [Shards]gatheredShard

	limit int64 // bytes in memory; 0 for no limit
	space *spill.Space
	mu    sync.Mutex
	held  int64       // bytes in memory
	kept  int         // number of shards that were kept
	file  *spill.File // in space: what is more
}

// gatheredShard is a shard with the events of its actors by time, one actor after the other
// in the order of their ids. It is on disk if place is set.
type gatheredShard struct {
	state gatheredState
	place spill.Place

	actors []gatheredActor
	labels []byte
	log    []byte // eventSlack bytes follow the last event
}

type gatheredState uint8

const (
	notGathered gatheredState = iota
	tooLarge                  // it stays as it is
	inMemory
	onDisk
)

// gatheredActor describes an actor of a gatheredShard.
type gatheredActor struct {
	client       Client // if gatheredOnly
	events, size uint32 // the number of its events, and their bytes
	flags        uint8
}

// The flags of a gatheredActor. The session id and Actor.Before are in labels.
const (
	gatheredOnly = 1 << iota
	gatheredRefused
	gatheredSession
	gatheredHashed
	gatheredBefore
)

// add adds an actor.
func (g *gatheredShard) add(a *Actor) {
	x := gatheredActor{client: a.Summary.Client, events: uint32(len(a.Events))}
	set := func(is bool, f uint8) {
		if is {
			x.flags |= f
		}
	}
	set(a.Summary.Only, gatheredOnly)
	set(a.Summary.Refused, gatheredRefused)
	set(a.Session != nil, gatheredSession)
	set(a.Hashed, gatheredHashed)
	set(a.Before != nil, gatheredBefore)
	if a.Session != nil {
		g.labels = appendBytes(g.labels, a.Session)
	}
	if a.Before != nil {
		g.labels = appendBytes(g.labels, a.Before)
	}
	from := len(g.log)
	g.log = appendKept(g.log, a.Events)
	x.size = uint32(len(g.log) - from)
	g.actors = append(g.actors, x)
}

// visit calls visit for the actors that are wanted; see State.Shard.
func (g *gatheredShard) visit(i int, m *Scratch, want func(id uint32, a ActorSummary) bool, visit func(id uint32, a *Actor)) {
	labels, log := g.labels, g.log
	id := uint32(i) << (32 - shardBits)
	for n := range g.actors {
		x := &g.actors[n]
		id++
		a := Actor{
			Hashed:  x.flags&gatheredHashed != 0,
			Summary: ActorSummary{x.client, x.flags&gatheredOnly != 0, x.flags&gatheredRefused != 0},
		}
		if x.flags&gatheredSession != 0 {
			a.Session, labels = cutBytes(labels)
		}
		if x.flags&gatheredBefore != 0 {
			a.Before, labels = cutBytes(labels)
		}
		events := log
		log = log[x.size:]
		if want != nil && !want(id, a.Summary) {
			continue
		}
		m.events = resized(m.events, int(x.events))
		readKept(events, m.events)
		a.Events = m.events[:x.events:x.events]
		visit(id, &a)
	}
}

// size returns approximately how many bytes of memory the shard takes.
func (g *gatheredShard) size() int64 {
	const actor = 20
	return actor*int64(len(g.actors)) + int64(len(g.labels)) + int64(len(g.log))
}

// shard returns a shard, and reports whether it was kept in its order.
func (g *gathered) shard(i int) (_ *gatheredShard, kept bool, err error) {
	x := &g.shards[i]
	if x.state != onDisk {
		return x, x.state == inMemory, nil
	}
	b, err := g.file.Read(x.place, nil)
	if err != nil {
		return nil, false, err
	}
	read := &gatheredShard{state: inMemory}
	n, size := binary.Uvarint(b)
	b = b[size:]
	read.actors = make([]gatheredActor, n)
	for i := range read.actors {
		at := func(n int) uint32 { return binary.LittleEndian.Uint32(b[n:]) }
		read.actors[i] = gatheredActor{Client{at(0), at(4)}, at(8), at(12), b[16]}
		b = b[gatheredActorSize:]
	}
	read.labels, read.log = cutBytes(b)
	return read, true, nil
}

// gatheredActorSize is the size of an encoded gatheredActor in bytes.
const gatheredActorSize = 17

// encoded returns the shard as it is on disk.
func (g *gatheredShard) encoded() []byte {
	b := binary.AppendUvarint(make([]byte, 0, len(g.actors)*gatheredActorSize+len(g.labels)+len(g.log)+2*binary.MaxVarintLen64), uint64(len(g.actors)))
	for i := range g.actors {
		a := &g.actors[i]
		for _, n := range [...]uint32{a.client.Address, a.client.Agent, a.events, a.size} {
			b = binary.LittleEndian.AppendUint32(b, n)
		}
		b = append(b, a.flags)
	}
	return append(appendBytes(b, g.labels), g.log...)
}

// keep keeps a shard: in memory, if there is room. It reports whether it was the last one.
func (g *gathered) keep(i int, x *gatheredShard) (last bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.kept++
	if g.limit == 0 || g.held+x.size() <= g.limit {
		x.state = inMemory
		g.held += x.size()
		g.shards[i] = *x
		return g.kept == Shards, nil
	}
	if g.file == nil {
		if g.file, err = g.space.Create(); err != nil {
			return false, err
		}
	}
	place, err := g.file.Append(x.encoded())
	g.shards[i] = gatheredShard{state: onDisk, place: place}
	return g.kept == Shards, err
}

// gather keeps a shard in its order, and visits it. It reports false, and does neither, if
// the shard has too many events.
func (s *State) gather(i int, shards []*shard, m *Scratch, want func(id uint32, a ActorSummary) bool, visit func(id uint32, a *Actor)) (bool, error) {
	first := uint32(i)<<(32-shardBits) + 1
	total := uint64(0)
	for _, pieces := range actorsFrom(first, m.pieces) {
		events := uint64(0)
		for _, p := range pieces {
			events += uint64(p.events)
		}
		if total += events; events > s.limit.piece || total > min(sortedEvents, s.limit.pass) {
			s.gathered.shards[i].state = tooLarge
			return false, nil
		}
	}
	_, actors := s.layOut(first, m.pieces, m, nil)
	if err := s.decode(shards, m); err != nil {
		return false, err
	}
	g := &m.gathered
	g.actors, g.labels, g.log = g.actors[:0], g.labels[:0], g.log[:0]
	events := m.events
	for id, pieces := range actorsFrom(first, m.pieces) {
		a := Actor{Summary: s.summary(pieces)}
		n := uint32(0)
		for _, p := range pieces {
			n += p.events
			s.identify(&a, p, shards[p.part], m.origins[p.part].worker)
		}
		a.Events, events = events[:n:n], events[n:]
		m.sorter.sort(a.Events)
		g.add(&a)
		if want == nil || want(id, a.Summary) {
			visit(id, &a)
		}
	}
	g.log = append(g.log, make([]byte, eventSlack)...)
	for _, o := range m.origins {
		if o.part != nil {
			o.part.shards[i] = shard{}
		}
	}
	return true, s.keep(i, &gatheredShard{
		actors: append(make([]gatheredActor, 0, actors), g.actors...), labels: slices.Clone(g.labels), log: slices.Clone(g.log),
	})
}

// keep keeps a shard. The numbers of workers are not needed any more when all shards were
// kept.
func (s *State) keep(i int, x *gatheredShard) error {
	all, err := s.gathered.keep(i, x)
	if all {
		s.refusalOf = nil
	}
	return err
}
