package authevents

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"

	"logscan/analyze/spill"
)

// said is what events are joined by, by number, in memory or on disk.
type said struct {
	list    []texts
	labels  labelled[eventLabels] // by index of list
	spilled *spill.Table[spilledEvent]
	adopted []adopted // by number of the event
}

// adopted is what an event has of the request that follows it in its log.
type adopted struct {
	event            int32
	client, user, id uint64
}

// spilledEvent is what an event on disk is joined by.
type spilledEvent struct {
	texts
	eventLabels
}

var spilledEventCodec = spill.Codec[spilledEvent]{
	Append: func(dst []byte, x *spilledEvent) []byte {
		return binary.LittleEndian.AppendUint64(appendHashes(dst, &x.texts, &x.eventLabels.labels), x.id)
	},
	Read: func(x *spilledEvent, src []byte) []byte {
		src = readHashes(src, &x.texts, &x.eventLabels.labels)
		x.id = binary.LittleEndian.Uint64(src)
		return src[8:]
	},
}

// heldEvent is the size of what an event is joined by in memory, in bytes.
const heldEvent = 40

// saidReader returns a function that returns the texts and labels of an event, until the next
// call. It belongs to one goroutine, which reads them in order.
func (j *joiner) saidReader() func(event int32) (*texts, *eventLabels) {
	s := &j.said
	at := s.spilled.Reader()
	var own spilledEvent
	return func(event int32) (t *texts, l *eventLabels) {
		switch {
		case s.spilled != nil:
			x := at(int(event))
			t, l = &x.texts, &x.eventLabels
		case s.labels.list != nil:
			t, l = &s.list[event], &s.labels.list[event]
		default:
			t, l = &s.list[event], &s.labels.none
		}
		if !j.events[event].follows {
			return t, l
		}
		i, adopts := slices.BinarySearchFunc(s.adopted, event, func(a adopted, event int32) int { return cmp.Compare(a.event, event) })
		if !adopts {
			return t, l
		}
		own = spilledEvent{*t, *l}
		own.client, own.user, own.id = s.adopted[i].client, s.adopted[i].user, s.adopted[i].id
		return &own.texts, &own.eventLabels
	}
}

// readEvents reads the lines of all events.
func (j *joiner) readEvents(ctx context.Context) error {
	n := j.State.Messages.Len()
	j.events = make([]Event, n)
	s := &j.said
	if j.Memory.Space != nil && n > j.Memory.Refusals(heldEvent) {
		var err error
		s.spilled, err = spilledTable(ctx, j, spilledEventCodec, n, func() func(int, *spilledEvent) error {
			read := j.eventReader()
			return func(i int, x *spilledEvent) error {
				k, err := read(i)
				if err == nil {
					*x = spilledEvent{k.texts, k.eventLabels}
				}
				return err
			}
		})
		return err
	}
	s.list = make([]texts, n)
	return j.readEach(ctx, n, func() func(int) error {
		read := j.eventReader()
		return func(i int) error {
			k, err := read(i)
			if err != nil {
				return err
			}
			s.list[i] = k.texts
			if k.eventLabels != (eventLabels{}) {
				s.labels.all(n)[i] = k.eventLabels
			}
			return nil
		}
	})
}

// eventReader returns a function that sets an event and returns its keys, until the next call.
// Its labels are left out if no refusal has any. It belongs to one goroutine.
func (j *joiner) eventReader() func(int) (*EventKeys, error) {
	keyer := j.newKeyer()
	keyer.unlabelled = !j.requests.labelled
	read, names := j.Events(keyer), recentNames{names: &j.names}
	var k EventKeys
	return func(i int) (*EventKeys, error) {
		err := read(i, &k)
		if err == nil {
			j.setEvent(i, &k, &names)
			if keyer.unlabelled {
				k.id = 0
			}
		}
		return &k, err
	}
}

// spilledTable returns a table on disk of n records, which are set by the functions that
// newReader returns, each in one goroutine.
func spilledTable[T any](ctx context.Context, j *joiner, c spill.Codec[T], n int, newReader func() func(i int, x *T) error) (*spill.Table[T], error) {
	file, err := j.Memory.Space.Create()
	if err != nil {
		return nil, err
	}
	table := spill.NewTable(c, file, 0)
	list := make([]T, spilledAtOnce)
	for from := 0; from < n; from += len(list) {
		list = list[:min(len(list), n-from)]
		err := j.readEach(ctx, len(list), func() func(int) error {
			read := newReader()
			return func(i int) error { return read(from+i, &list[i]) }
		})
		if err != nil {
			return nil, err
		}
		for i := range list {
			if err := table.Append(&list[i]); err != nil {
				return nil, err
			}
		}
	}
	return table, table.Finish()
}
