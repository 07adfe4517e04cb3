package session

import (
	"encoding/binary"

	"logscan/analyze/spill"
	"logscan/analyze/timeline"
)

// The walk meets refusals by actor, what reads them wants them by time. If they are more
// than fit in memory, each goroutine of the walk writes what it finds out to a file, into
// the drawer of a range of refusals; afterwards one drawer after the other is put in
// order and added to the table.

const (
	// drawerSize is the number of refusals of a drawer.
	drawerSize = 1 << 16
	// drawerBuffer is the number of bytes of a drawer that are written together.
	drawerBuffer = 8 << 10
	// refusalSize is the size of a Refusal in memory, in bytes.
	refusalSize = 72
)

// drawers are the refusals that a goroutine has met.
type drawers struct {
	list []Refusal // of all goroutines, if they fit in memory; else nil
	file *spill.File
	all  []drawer
}

type drawer struct {
	buf    []byte // refusals, each after its index
	places []spill.Place
}

// makeDrawers returns the drawers of each goroutine.
func (ev *Evidence) makeDrawers() ([]drawers, error) {
	parts := make([]drawers, ev.Workers)
	n := ev.State.Refusals.Len()
	if ev.memory.Space == nil || n <= ev.memory.Refusals(refusalSize) {
		list := make([]Refusal, n)
		for i := range list {
			list[i].Cause = Unexplained
		}
		for i := range parts {
			parts[i].list = list
		}
		return parts, nil
	}
	for i := range parts {
		file, err := ev.memory.Space.Create()
		if err != nil {
			return nil, err
		}
		parts[i] = drawers{file: file, all: make([]drawer, (n+drawerSize-1)/drawerSize)}
	}
	return parts, nil
}

// put adds the refusal with an index.
func (d *drawers) put(index uint32, r *Refusal) error {
	if d.list != nil {
		d.list[index] = *r
		return nil
	}
	to := &d.all[index/drawerSize]
	to.buf = r.append(binary.LittleEndian.AppendUint32(to.buf, index))
	if len(to.buf) < drawerBuffer {
		return nil
	}
	place, err := d.file.Append(to.buf)
	to.places, to.buf = append(to.places, place), to.buf[:0]
	return err
}

// fill puts the refusals of drawer n into a list that begins with the first of them.
func (d *drawers) fill(list []Refusal, n int) error {
	from := &d.all[n]
	fill := func(buf []byte) {
		for len(buf) > 0 {
			i := binary.LittleEndian.Uint32(buf)
			buf = list[i%drawerSize].read(buf[4:])
		}
	}
	fill(from.buf)
	var buf []byte
	var err error
	for _, place := range from.places {
		if buf, err = d.file.Read(place, buf); err != nil {
			return err
		}
		fill(buf)
	}
	*from = drawer{}
	return nil
}

// setRefusals makes the table of what all goroutines have met. challenges are those that
// turned out to be challenges afterwards, risen those that are none; see risenChallenges.
func (ev *Evidence) setRefusals(parts []drawers, challenges, risen Bits) error {
	n := ev.State.Refusals.Len()
	if list := parts[0].list; list != nil || n == 0 {
		ev.Refusals = spill.TableOf(list)
		applyChallenges(list, 0, challenges, risen)
		return nil
	}
	file, err := ev.memory.Space.Create()
	if err != nil {
		return err
	}
	ev.Refusals = spill.NewTable(spill.Codec[Refusal]{Append: func(dst []byte, r *Refusal) []byte { return r.append(dst) }, Read: (*Refusal).read},
		file, ev.memory.Refusals(refusalSize))
	list := make([]Refusal, drawerSize)
	for from := 0; from < n; from += drawerSize {
		list = list[:min(drawerSize, n-from)]
		for i := range list {
			list[i] = Refusal{Cause: Unexplained}
		}
		for i := range parts {
			if err := parts[i].fill(list, from/drawerSize); err != nil {
				return err
			}
		}
		applyChallenges(list, from, challenges, risen)
		for i := range list {
			if err := ev.Refusals.Append(&list[i]); err != nil {
				return err
			}
		}
	}
	return ev.Refusals.Finish()
}

// applyChallenges makes challenges of some of the refusals of a list, the first of which
// has an index, and makes others that are challenges unexplained.
func applyChallenges(list []Refusal, first int, challenges, risen Bits) {
	for i := range list {
		if risen.Has(first + i) {
			list[i].Cause, list[i].Settled = Unexplained, true
		}
		if challenges.Has(first + i) {
			r := &list[i]
			r.Cause, r.Alive, r.Proven, r.Returned, r.Fatal, r.Dead = Challenge, false, false, false, false, false
		}
	}
}

// The fields of a Refusal that are true or false, as bits; its cause, scheme and door follow.
const (
	movedBit = 1 << iota
	namedBit
	sessionBit
	sharedBit
	signInBit
	renewalBit
	racedBit
	aliveBit
	provenBit
	deniedBit
	knownBit
	goodBit
	backBit
	arrivalBit
	resumedBit
	fatalBit
	deadBit
	entryBit
	returnedBit
	settledBit
	leftBit
	vainBit

	causeAt, causeMask   = 22, 7
	schemeAt, schemeMask = 25, 3
	doorAt, doorMask     = 27, 15
	visitAt              = 31
)

func (r *Refusal) append(dst []byte) []byte {
	set := uint64(r.Visit)<<visitAt | uint64(r.Door)<<doorAt | uint64(r.Scheme)<<schemeAt | uint64(r.Cause)<<causeAt
	for i, is := range [...]bool{
		r.Moved, r.Named, r.Session, r.Shared, r.SignIn, r.Renewal, r.Raced, r.Alive, r.Proven,
		r.Denied, r.Known, r.Good, r.Back, r.Arrival, r.Resumed, r.Fatal, r.Dead,
		r.Entry, r.Returned, r.Settled, r.Left, r.Vain,
	} {
		if is {
			set |= 1 << i
		}
	}
	dst = binary.LittleEndian.AppendUint64(dst, uint64(r.Time))
	dst = binary.LittleEndian.AppendUint64(dst, set)
	for _, x := range [...]uint32{r.Actor, r.Endpoint, r.User, r.Address, r.Agent, r.Redirect, uint32(r.gap), uint32(r.gapAny), uint32(r.age)} {
		dst = binary.LittleEndian.AppendUint32(dst, x)
	}
	return binary.LittleEndian.AppendUint16(dst, r.Upstream)
}

func (r *Refusal) read(src []byte) (rest []byte) {
	const size = 54
	b := (*[size]byte)(src)
	number := func(at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }
	set := binary.LittleEndian.Uint64(b[8:])
	*r = Refusal{
		Time: int64(binary.LittleEndian.Uint64(b[:])), Actor: number(16), Endpoint: number(20), User: number(24), Address: number(28), Agent: number(32),
		Redirect: number(36), gap: span(number(40)), gapAny: span(number(44)), age: span(number(48)), Upstream: binary.LittleEndian.Uint16(b[52:]),
		Scheme: timeline.Scheme(set >> schemeAt & schemeMask), Door: uint8(set >> doorAt & doorMask), Visit: Visit(set >> visitAt), Cause: Cause(set >> causeAt & causeMask),
		Moved: set&movedBit != 0, Named: set&namedBit != 0, Session: set&sessionBit != 0, Shared: set&sharedBit != 0, SignIn: set&signInBit != 0,
		Renewal: set&renewalBit != 0, Raced: set&racedBit != 0, Alive: set&aliveBit != 0, Proven: set&provenBit != 0, Denied: set&deniedBit != 0,
		Known: set&knownBit != 0, Good: set&goodBit != 0, Back: set&backBit != 0, Arrival: set&arrivalBit != 0, Resumed: set&resumedBit != 0,
		Fatal: set&fatalBit != 0, Dead: set&deadBit != 0, Entry: set&entryBit != 0, Returned: set&returnedBit != 0,
		Settled: set&settledBit != 0, Left: set&leftBit != 0, Vain: set&vainBit != 0,
	}
	return src[size:]
}
