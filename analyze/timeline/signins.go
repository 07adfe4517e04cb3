package timeline

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"sort"

	"github.com/zeebo/xxh3"

	"logscan/analyze/spill"
)

// SignIn is an accepted request to a sign-in or token route.
type SignIn struct {
	Client uint64 // hash of address and user agent, the same in all workers of a run
	Time   int64  // Unix milliseconds
}

func compareSignIns(a, b *SignIn) int {
	if a.Client != b.Client {
		return cmp.Compare(a.Client, b.Client)
	}
	return cmp.Compare(a.Time, b.Time)
}

const signInSize = 16

var signInCodec = spill.Codec[SignIn]{
	Append: func(dst []byte, s *SignIn) []byte {
		return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(dst, s.Client), uint64(s.Time))
	},
	Read: func(s *SignIn, src []byte) []byte {
		s.Client, s.Time = binary.LittleEndian.Uint64(src), int64(binary.LittleEndian.Uint64(src[8:]))
		return src[signInSize:]
	},
	Compare: compareSignIns,
}

// signInIndex finds the sign-ins of a client. They lie in order, in pieces: in
// memory, or on disk where they were too many.
type signInIndex struct {
	pieces []signInPiece
	file   *spill.File
}

type signInPiece struct {
	first SignIn
	data  []byte // records, or nil when they lie in the file
	place spill.Place
}

// signInPieceSize is how many bytes of sign-ins lie together: what a search on
// disk reads.
const signInPieceSize = 4 << 10

// newSignInIndex makes the index of sign-ins that come in order; file is where
// they are to lie, or nil.
func newSignInIndex(sources []spill.Source[SignIn], file *spill.File) (*signInIndex, error) {
	x := &signInIndex{file: file}
	var p signInPiece
	end := func() (err error) {
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
			if err := end(); err != nil {
				return nil, err
			}
		}
	}
	return x, end()
}

// last gives the last sign-in of a client not after a time.
func (x *signInIndex) last(client uint64, until int64) (SignIn, bool, error) {
	after := SignIn{client, until + 1}
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
	s := at(n - 1) // the first of the piece comes before
	return s, s.Client == client, nil
}

// clientHash is how timelines name a client, from the seeded hashes of its
// address and user agent.
func clientHash(address, agent uint64) uint64 {
	return bits.RotateLeft64(address, 29)*0x9e3779b97f4a7c15 ^ agent
}

// SignedIn tells when the client was last accepted at a sign-in or token route
// in [from, to], Unix milliseconds. Of a client that is not told by name it is
// not known.
func (s *State) SignedIn(c Client, from, to int64) (at int64, ok bool, err error) {
	h := clientHash(xxh3.HashStringSeed(s.Addresses[c.Address], s.seed), xxh3.HashStringSeed(s.Agents[c.Agent], s.seed+1))
	last, ok, err := s.signIns.last(h, to)
	return last.Time, ok && last.Time >= from, err
}
