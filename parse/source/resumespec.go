package source

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"logscan/parse/source/object"
)

// ResumeSpec says where an input continues after what earlier runs counted of it, or what
// reading it has shown of that.
type ResumeSpec struct {
	Match  int    `json:"match"` // index in the ledger; -1 for none
	From   int64  `json:"from"`
	Until  int64  `json:"until,omitempty"`
	Plain  bool   `json:"plain,omitempty"` // it was compared; else it is while it is read
	Known  bool   `json:"known,omitempty"` // there is an entry for the next ledger
	Stored []byte `json:"stored,omitempty"`
	Now    []byte `json:"now,omitempty"` // the entry, without the lines
}

// spec returns the description of r; nil if r is nil.
func (r *resumption) spec() *ResumeSpec {
	if r == nil {
		return nil
	}
	s := &ResumeSpec{Match: r.match, From: r.from, Until: r.until, Plain: r.info != nil, Known: r.known}
	if r.stored != ([sha256.Size]byte{}) {
		s.Stored = r.stored[:]
	}
	if r.now != (Counted{}) {
		s.Now = appendCounted(nil, &r.now)
	}
	return s
}

// errResume is the error for a ResumeSpec that belongs to another ledger.
var errResume = errors.New("what was counted is not in the state")

// resumption returns what is described; nil if s is nil.
func (s *ResumeSpec) resumption(l *Ledger) (*resumption, error) {
	if s == nil {
		return nil, nil
	}
	if l == nil || s.Match < -1 || s.Match >= len(l.contents) {
		return nil, errResume
	}
	r := &resumption{ledger: l, match: s.Match, from: s.From, until: s.Until, known: s.Known}
	copy(r.stored[:], s.Stored)
	if len(s.Now) > 0 {
		if rest := readCounted(s.Now, &r.now); rest == nil || len(rest) > 0 {
			return nil, errResume
		}
	}
	return r, nil
}

// Resume returns what reading the input has shown of where it continues, nil if it was not
// asked for.
func (in *Input) Resume() *ResumeSpec { return in.resume.spec() }

// Start returns the offset of the first byte of a plain file that was not counted.
func (in *Input) Start() int64 {
	if in.resume == nil || in.resume.info == nil {
		return 0
	}
	return in.resume.from
}

// Resumed returns an input of which nothing is left to count, as Resume has returned it.
func (s *Spec) Resumed(l *Ledger) (d Resumed, err error) {
	in, err := s.Input(l)
	if err != nil || in.resume == nil {
		return d, errors.Join(err, errResume)
	}
	d = Resumed{in, in.resume.match, in.resume.now}
	_, d.now.Lines, _ = in.Before()
	return d, nil
}

// Reopen returns the input for reading. The error is ErrReplanned if its file or object has
// changed.
func (s *Spec) Reopen(stores *object.Stores, l *Ledger) (in Input, err error) {
	if in, err = s.Input(l); err != nil || s.Error != "" {
		return in, err
	}
	if s.URL != "" {
		err = s.restore(&in, stores)
		return in, err
	}
	if err := s.check(); err != nil || s.Resume == nil || !s.Resume.Plain {
		return in, err
	}
	in.resume.info, err = os.Stat(string(s.Path))
	return in, err
}

// restore sets the object of an input.
func (s *Spec) restore(in *Input, stores *object.Stores) error {
	o, err := stores.Restore(s.URL, s.Size, s.ETag, s.modified())
	if err == nil {
		err = o.Check()
	}
	switch {
	case errors.Is(err, object.ErrChanged):
		return fmt.Errorf("%s %w", in.Path, ErrReplanned)
	case err != nil:
		return fmt.Errorf("%s: %w", in.Path, err)
	case in.member != nil:
		in.member.archive.object = o
	default:
		in.object = o
	}
	return nil
}

// countedSize is the size of an encoded Counted in bytes.
const countedSize = 4*8 + 4*sha256.Size

func (c *Counted) sums() [4]*[sha256.Size]byte {
	return [...]*[sha256.Size]byte{&c.Head, &c.Tail, &c.LeftSum, &c.Stored}
}

func appendCounted(dst []byte, c *Counted) []byte {
	for _, n := range [...]int64{c.Size, c.Lines, c.Left, int64(c.Missed)} {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(n))
	}
	for _, sum := range c.sums() {
		dst = append(dst, sum[:]...)
	}
	return dst
}

// readCounted decodes what appendCounted appended and returns the rest; nil if it is damaged.
func readCounted(src []byte, c *Counted) []byte {
	if len(src) < countedSize {
		return nil
	}
	n := func(i int) int64 { return int64(binary.LittleEndian.Uint64(src[8*i:])) }
	c.Size, c.Lines, c.Left, c.Missed = n(0), n(1), n(2), int(n(3))
	if min(c.Size, c.Lines, c.Left, n(3)) < 0 {
		return nil
	}
	src = src[32:]
	for _, sum := range c.sums() {
		src = src[copy(sum[:], src):]
	}
	return src
}

// Encoded returns the ledger as bytes. It may be called on a nil Ledger.
func (l *Ledger) Encoded() (b []byte) {
	if l == nil {
		return nil
	}
	for i := range l.contents {
		b = appendCounted(b, &l.contents[i])
	}
	return b
}

// DecodeLedger returns the ledger of Encoded.
func DecodeLedger(b []byte) (*Ledger, error) {
	contents := make([]Counted, len(b)/countedSize)
	rest := b
	for i := range contents {
		if rest = readCounted(rest, &contents[i]); rest == nil {
			break
		}
	}
	l := NewLedger(contents)
	if !bytes.Equal(l.Encoded(), b) {
		return nil, fmt.Errorf("decode what was counted: %w", errResume)
	}
	return l, nil
}
