package timeline

import (
	"cmp"
	"sort"

	"logscan/analyze/spill"
)

// SignIn is an accepted request to a sign-in or token route, or one that brought a ticket.
type SignIn struct {
	Client uint64 // see clientHash
	// Moment is twice its time in Unix milliseconds, plus one if an earlier run has counted it.
	Moment int64
}

// newSignIn returns a sign-in at a time in Unix milliseconds.
func newSignIn(client uint64, ms int64, earlier bool) SignIn {
	if earlier {
		return SignIn{client, 2*ms + 1}
	}
	return SignIn{client, 2 * ms}
}

func compareSignIns(a, b *SignIn) int {
	if a.Client != b.Client {
		return cmp.Compare(a.Client, b.Client)
	}
	return cmp.Compare(a.Moment, b.Moment)
}

const signInSize = 16 // bytes, encoded

var signInCodec = spill.FixedCodec(compareSignIns)

// signInIndex finds the sign-ins of a client. They are sorted and cut into pieces,
// in memory or in a file.
type signInIndex struct {
	pieces []signInPiece
	file   *spill.File
}

type signInPiece struct {
	first SignIn
	data  []byte // encoded; nil if spilled
	place spill.Place
}

// signInPieceSize is the size of a piece in bytes, all of which a search reads.
const signInPieceSize = 4 << 10

// newSignInIndex returns an index of sorted sign-ins. It is in file, or in memory
// if file is nil.
func newSignInIndex(sources []spill.Source[SignIn], file *spill.File) (*signInIndex, error) {
	x := &signInIndex{file: file}
	var p signInPiece
	flush := func() (err error) {
		if len(p.data) == 0 {
			return nil
		}
		if file != nil {
			p.place, err = file.Append(p.data)
			p.data = nil
		}
		x.pieces = append(x.pieces, p)
		p = signInPiece{}
		return err
	}
	for s, err := range spill.Merge(sources, compareSignIns) {
		if err != nil {
			return nil, err
		}
		if len(p.data) == 0 {
			p.first = *s
			p.data = make([]byte, 0, signInPieceSize)
		}
		if p.data = signInCodec.Append(p.data, s); len(p.data) == signInPieceSize {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
	return x, flush()
}

// last returns the last sign-in of a client at or before a time.
func (x *signInIndex) last(client uint64, until int64) (SignIn, bool, error) {
	after := newSignIn(client, until+1, false)
	i := sort.Search(len(x.pieces), func(i int) bool { return compareSignIns(&x.pieces[i].first, &after) >= 0 })
	if i == 0 {
		return SignIn{}, false, nil
	}
	p := &x.pieces[i-1]
	data := p.data
	if data == nil {
		var err error
		if data, err = x.file.Read(p.place, nil); err != nil {
			return SignIn{}, false, err
		}
	}
	at := func(i int) (s SignIn) {
		signInCodec.Read(&s, data[i*signInSize:])
		return s
	}
	n := sort.Search(len(data)/signInSize, func(i int) bool { s := at(i); return compareSignIns(&s, &after) >= 0 })
	s := at(n - 1) // n > 0: the first sign-in of the piece is before after
	return s, s.Client == client, nil
}

// SignedIn returns when a client was last accepted at a sign-in or token route in
// [from, to], in Unix milliseconds, whether it was, and whether this run is the first that
// counts it. The sign-ins of clients that are not listed by name are unknown.
func (s *State) SignedIn(c Client, from, to int64) (at int64, ok, isNew bool, err error) {
	key := clientKey([]byte(s.Addresses[c.Address]), []byte(s.Agents[c.Agent]), s.seed)
	last, ok, err := s.signIns.last(key.clientHash(), to)
	return last.Moment >> 1, ok && last.Moment>>1 >= from, last.Moment&1 == 0, err
}
