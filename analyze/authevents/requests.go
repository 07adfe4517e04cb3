package authevents

import (
	"cmp"
	"context"
	"encoding/binary"
	"math"
	"sync/atomic"

	"logscan/analyze/spill"
)

// request is a refusal while events are joined: what it is joined by.
type request struct {
	texts
	time     int64
	duration uint32 // microseconds
	labelled uint32 // index in requests.labels plus one; 0 for none
	input    int32
	status   int16
	posts    bool
}

const (
	// heldRequest is the size of a request in memory, in bytes.
	heldRequest = 64
	// spilledAtOnce is the number of records that are read before they are written to disk.
	spilledAtOnce = 1 << 17
)

// requests are the refusals by number, in memory or on disk. They are gone over in order for
// each key; what is found has a hit.
type requests struct {
	list     []request
	labels   labelled[requestLabels] // by index of list
	spilled  *spill.Table[spilledRequest]
	labelled bool   // one of them has labels
	taken    []bool // by an event of the kind that is being joined
}

// spilledRequest is a refusal on disk.
type spilledRequest struct {
	RequestKeys
	input int32
}

var spilledRequestCodec = spill.Codec[spilledRequest]{
	Append: func(dst []byte, x *spilledRequest) []byte {
		return binary.LittleEndian.AppendUint32(x.RequestKeys.AppendTo(dst), uint32(x.input))
	},
	Read: func(x *spilledRequest, src []byte) []byte {
		src, _ = x.RequestKeys.Read(src) // records have their size
		x.input = int32(binary.LittleEndian.Uint32(src))
		return src[4:]
	},
}

// newRequest returns the request of an input with keys, but for labels.
func newRequest(k *RequestKeys, input int32) request {
	return request{texts: k.texts, time: k.time, duration: uint32(k.duration), status: int16(min(k.status, math.MaxInt16)), posts: k.posts, input: input}
}

// reader returns a function that returns a refusal and its labels, until the next call. It
// belongs to one goroutine, which reads most of them in order.
func (q *requests) reader() func(i int) (*request, *requestLabels) {
	if q.spilled == nil {
		return func(i int) (*request, *requestLabels) {
			r := &q.list[i]
			return r, q.labels.of(r.labelled)
		}
	}
	at := q.spilled.Reader()
	var r request
	return func(i int) (*request, *requestLabels) {
		x := at(i)
		r = newRequest(&x.RequestKeys, x.input)
		return &r, &x.requestLabels
	}
}

// readRequests reads the lines of all refusals.
func (j *joiner) readRequests(ctx context.Context) error {
	n := j.State.Refusals.Len()
	j.requests.taken = make([]bool, n)
	if j.Memory.Space != nil && n > j.Memory.Refusals(heldRequest) {
		return j.spillRequests(ctx, n)
	}
	j.requests.list = make([]request, n)
	err := j.readEach(ctx, n, func() func(int) error {
		read, refusal := j.Requests(j.newKeyer()), j.State.Refusals.Reader()
		var k RequestKeys
		return func(i int) error {
			err := read(i, &k)
			if err == nil {
				j.setRequest(i, &k, refusal(i).Input)
			}
			return err
		}
	})
	j.requests.labelled = j.requests.labels.list != nil
	return err
}

// setRequest sets request i.
func (j *joiner) setRequest(i int, k *RequestKeys, input int32) {
	q := &j.requests
	q.list[i] = newRequest(k, input)
	if k.requestLabels != (requestLabels{}) {
		q.labels.all(len(q.list))[i] = k.requestLabels
		q.list[i].labelled = uint32(i) + 1
	}
}

// spillRequests is readRequests for n refusals that do not fit in memory.
func (j *joiner) spillRequests(ctx context.Context, n int) (err error) {
	q := &j.requests
	var labelled atomic.Bool
	q.spilled, err = spilledTable(ctx, j, spilledRequestCodec, n, func() func(int, *spilledRequest) error {
		read, refusal := j.Requests(j.newKeyer()), j.State.Refusals.Reader()
		return func(i int, x *spilledRequest) error {
			x.input = refusal(i).Input
			err := read(i, &x.RequestKeys)
			if x.requestLabels != (requestLabels{}) {
				labelled.Store(true)
			}
			return err
		}
	})
	q.labelled = labelled.Load()
	return err
}

// close frees what events and refusals were joined by.
func (j *joiner) close() error {
	err := cmp.Or(j.requests.spilled.Drop(), j.said.spilled.Drop())
	j.requests, j.said, j.matches = requests{}, said{}, matches{}
	return err
}
