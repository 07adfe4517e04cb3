package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"
	"unicode/utf8"

	"logscan/parse/source/archive"
	"logscan/parse/source/compress"
)

// Spec describes an input, so that another process can read it: as JSON, in the plan of a
// run.
type Spec struct {
	Path     Name        `json:"path"`
	Size     int64       `json:"size"`               // of the file, in bytes
	Modified int64       `json:"modified,omitempty"` // of the file, Unix nanoseconds; 0 if unknown
	URL      string      `json:"url,omitempty"`      // of an object in a store; it may be signed
	ETag     string      `json:"etag,omitempty"`     // the same
	MaxRatio int64       `json:"max_ratio,omitempty"`
	Free     int64       `json:"free,omitempty"` // bytes allowed whatever the ratio
	Member   *memberSpec `json:"member,omitempty"`
	Resume   *ResumeSpec `json:"resume,omitempty"`
	// Compression and Error are the result of an input of which nothing can be read.
	Compression string `json:"compression,omitempty"`
	Error       string `json:"error,omitempty"`
}

// memberSpec describes a member.
type memberSpec struct {
	File        Name      `json:"file"`
	Name        Name      `json:"name"`
	Modified    time.Time `json:"modified"`
	Offset      int64     `json:"offset"`
	Stored      int64     `json:"stored"`
	Deflated    bool      `json:"deflated,omitempty"`
	Size        int64     `json:"size,omitempty"`
	CRC         uint32    `json:"crc,omitempty"`
	How         string    `json:"how"` // as member.stored
	Compression int       `json:"compression,omitempty"`
	Number      int       `json:"number,omitempty"`
}

// Name is the name of a file, which may be any bytes. In JSON it is a string, or an object
// with the bytes in base64 if it is not UTF-8.
type Name string

type nameBytes struct {
	Bytes []byte `json:"bytes"`
}

// MarshalJSON implements json.Marshaler.
func (n Name) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(n)) {
		return json.Marshal(string(n))
	}
	return json.Marshal(nameBytes{[]byte(n)})
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *Name) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		var raw nameBytes
		err := json.Unmarshal(b, &raw)
		*n = Name(raw.Bytes)
		return err
	}
	return json.Unmarshal(b, (*string)(n))
}

// Spec returns the description of an input. It returns ErrOnce for one that can be read
// only once.
func (in *Input) Spec() (s Spec, err error) {
	if in.reader != nil || in.pipe() {
		return s, fmt.Errorf("%s: %w", in.Path, ErrOnce)
	}
	s = Spec{Path: Name(in.Path), Size: in.size, MaxRatio: in.ceiling.ratio, Free: in.ceiling.free, Resume: in.resume.spec()}
	if in.resume != nil && in.resume.info != nil {
		s.Size = in.resume.info.Size()
	}
	s.Modified = nanoseconds(in.written)
	if m := in.member; m != nil {
		s.Member = &memberSpec{
			File: Name(m.archive.path), Name: Name(m.Name), Modified: m.Modified, Offset: m.Offset, Stored: m.Stored, Deflated: m.Deflated, Size: m.Size, CRC: m.CRC,
			How: m.stored, Compression: int(m.compression), Number: m.number,
		}
	}
	if in.settled != nil {
		s.Compression, s.Error = in.settled.Compression, in.settled.Err.Error()
		return s, nil
	}
	o := in.object
	if in.member != nil {
		o = in.member.archive.object
	}
	switch {
	case o != nil:
		s.URL, s.Size, s.ETag, s.Modified = o.URL(), o.Size, o.ETag, nanoseconds(o.Modified)
	case in.member != nil:
		if info, err := os.Stat(in.member.archive.path); err == nil {
			s.Size, s.Modified = info.Size(), info.ModTime().UnixNano()
		}
	}
	return s, nil
}

// nanoseconds returns a time as Spec.Modified.
func nanoseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// modified returns when the file was last changed, the zero time if that is not known.
func (s *Spec) modified() time.Time {
	if s.Modified == 0 {
		return time.Time{}
	}
	return time.Unix(0, s.Modified)
}

// Input returns the input that is described. l is the ledger that Resume was given, nil if
// it was not called. An object cannot be read from it; see Reopen.
func (s *Spec) Input(l *Ledger) (in Input, err error) {
	in = Input{Path: string(s.Path), size: s.Size, ceiling: ceiling{s.MaxRatio, s.Free}}
	if s.Member == nil {
		in.written = s.modified()
	}
	if m := s.Member; m != nil {
		in.size = m.Stored
		in.member = &member{
			Member:  archive.Member{Name: string(m.Name), Modified: m.Modified, Offset: m.Offset, Stored: m.Stored, Deflated: m.Deflated, Size: m.Size, CRC: m.CRC},
			archive: place{path: string(m.File)}, stored: m.How, compression: compress.Format(m.Compression), number: m.Number,
		}
	}
	if s.Error != "" {
		in.settled = &Result{Compression: s.Compression, Err: errors.New(s.Error)}
	}
	if in.resume, err = s.Resume.resumption(l); err == nil && s.Resume != nil && s.Resume.Plain && in.resume.known {
		in.size = in.resume.until - in.resume.from
	}
	return in, err
}

// ErrReplanned is the error for an input that is not what its Spec describes.
var ErrReplanned = errors.New("has changed since the plan was made")

// check returns an error if the file of the input cannot be found, or has changed.
func (s *Spec) check() error {
	if s.Error != "" || s.Modified == 0 {
		return nil
	}
	file := string(s.Path)
	if s.Member != nil {
		file = string(s.Member.File)
	}
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return err
	case info.Size() != s.Size || info.ModTime().UnixNano() != s.Modified:
		return fmt.Errorf("%s %w", file, ErrReplanned)
	}
	return nil
}

// Span is a range of a plain file in bytes: of the lines that begin in it.
type Span struct{ From, To int64 }

// Within returns the input of which only the lines are read that begin in a range. It must
// be a plain file whose Plan is the default.
func (in *Input) Within(s Span) Input {
	part := *in
	part.span, part.size = &s, s.To-s.From
	return part
}

// InOneGo reports whether two inputs are in one compressed archive, which is decoded once
// for both.
func InOneGo(a, b *Input) bool {
	return a.sequential() && b.sequential() && a.member.archive.path == b.member.archive.path
}

// StoredSize returns how many bytes the input has as it is stored, 0 if that is not known.
func (in *Input) StoredSize() int64 { return max(in.size, 0) }

// Settled returns the result of an input of which nothing can be read, nil for others.
func (in *Input) Settled() *Result { return in.settled }

// Divisible reports whether the ranges of an input can be read by themselves, given how it
// is stored and divided.
func (in *Input) Divisible(r *Result, p *Plan) bool {
	return in.member == nil && in.settled == nil && r.Err == nil && r.Compression == compress.None.String() && p.isDefault()
}
