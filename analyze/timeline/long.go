package timeline

import (
	"encoding/binary"
	"math"
	"sync"

	"logscan/analyze/spill"
)

// One actor may have sent most of a log: the address of a load balancer, or a client
// that somebody made for the purpose. Its events are visited in pieces, so that they
// need not be in memory at once.

const (
	// maxPiece is the maximum number of events that are visited at once: 8 MiB. It is
	// no option, because what a visit cannot see beyond its piece shows in the result.
	maxPiece = 1 << 18
	// eventSize is the size of an Event in memory, in bytes.
	eventSize = 32
	// minPass is the least number of events of a shard that are decoded at once.
	minPass = 1 << 20
)

// visitLimits bound how many events are in memory while a shard is visited.
type visitLimits struct {
	piece uint64 // of an actor; see maxPiece
	pass  uint64 // of all others
}

func newVisitLimits(w *Worker) visitLimits {
	l := visitLimits{piece: maxPiece, pass: math.MaxUint32 / 2}
	if w.limit > 0 {
		l.pass = max(minPass, uint64(w.limit)/(2*eventSize))
	}
	return l
}

// longActor holds the events of an actor that has more than maxPiece, in sorted lists.
type longActor struct {
	chunk []Event // the last ones, in the order of the log
	kept  [][]Event
	runs  []*spill.Run
	err   error // the first error of writing
}

// longActors holds the long actors by id. They are sorted when their shard is visited
// first, and kept for the visits that follow.
type longActors struct {
	mu   sync.Mutex
	byID map[uint32]*longActor
}

func (l *longActors) get(id uint32) *longActor {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byID[id]
}

func (l *longActors) set(id uint32, a *longActor) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byID == nil {
		l.byID = map[uint32]*longActor{}
	}
	l.byID[id] = a
}

// next returns the place of the next event.
func (l *longActor) next(m *Scratch) *Event {
	if len(l.chunk) == cap(l.chunk) {
		l.flush(m)
	}
	l.chunk = l.chunk[:len(l.chunk)+1]
	return &l.chunk[len(l.chunk)-1]
}

// flush sorts the last events and puts them aside: on disk, if there is space.
func (l *longActor) flush(m *Scratch) {
	m.sorter.sort(l.chunk)
	if m.space == nil {
		l.kept, l.chunk = append(l.kept, l.chunk), make([]Event, 0, cap(l.chunk))
		return
	}
	if l.err == nil && m.file == nil {
		m.file, l.err = m.space.Create()
	}
	if l.err == nil {
		var run *spill.Run
		run, l.err = spill.WriteRun(m.file, eventCodec, spill.FromSlice(l.chunk))
		l.runs = append(l.runs, run)
	}
	l.chunk = l.chunk[:0]
}

// finish ends the events.
func (l *longActor) finish(m *Scratch) error {
	l.flush(m)
	l.chunk = nil
	return l.err
}

// visit calls visit with pieces of the events, by time.
func (l *longActor) visit(limit uint64, visit func(events []Event, more bool)) error {
	var sources []spill.Source[Event]
	for _, r := range l.runs {
		sources = append(sources, spill.FromRun(r, eventCodec))
	}
	for _, events := range l.kept {
		sources = append(sources, spill.FromSlice(events))
	}
	piece := make([]Event, 0, limit)
	for e, err := range spill.Merge(sources, compareEvents) {
		if err != nil {
			return err
		}
		if uint64(len(piece)) == limit {
			visit(piece, true)
			piece = piece[:0]
		}
		piece = append(piece, *e)
	}
	visit(piece, false)
	return nil
}

var eventCodec = spill.Codec[Event]{
	Append: func(dst []byte, e *Event) []byte {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(e.Time))
		for _, n := range [...]uint32{e.Endpoint, e.User, e.Client.Address, e.Client.Agent, e.Refusal} {
			dst = binary.LittleEndian.AppendUint32(dst, n)
		}
		return append(binary.LittleEndian.AppendUint16(dst, e.Upstream), byte(e.Origin), byte(e.Outcome))
	},
	Read: func(e *Event, src []byte) []byte {
		at := func(i int) uint32 { return binary.LittleEndian.Uint32(src[i:]) }
		*e = Event{
			Time: int64(binary.LittleEndian.Uint64(src)), Endpoint: at(8), User: at(12), Client: Client{at(16), at(20)}, Refusal: at(24),
			Upstream: binary.LittleEndian.Uint16(src[28:]), Origin: Origin(src[30]), Outcome: Outcome(src[31]),
		}
		return src[eventSize:]
	},
	Compare: compareEvents,
}
