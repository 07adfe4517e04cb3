package parse

import (
	"bytes"
	"math/bits"

	"logscan/parse/carrier"
)

// sample is a sample prepared for detection.
type sample struct {
	lines     [][]byte
	requests  lineSet // neither blank nor comments
	directive []byte  // the first that names columns; nil if there is none

	carrier *carrier.Carrier // of the lines; nil if they have none
	texts   [][]byte         // that the lines carry; nil elements for none
	carried lineSet
	// messages are those of an application beside requests; formats may read more of them
	messages lineSet
}

// lineSet is a set of the lines of a sample.
type lineSet [(detectLines + 63) / 64]uint64

func (s *lineSet) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s *lineSet) has(i int) bool { return s[i/64]>>(i%64)&1 != 0 }

func (s *lineSet) count() (n int) {
	for _, x := range s {
		n += bits.OnesCount64(x)
	}
	return n
}

// all yields the lines of the set in order.
func (s *lineSet) all(yield func(i int) bool) {
	for w, x := range s {
		for ; x != 0; x &= x - 1 {
			if !yield(w*64 + bits.TrailingZeros64(x)) {
				return
			}
		}
	}
}

// newSample prepares a sample, whose lines may have one of the carriers.
func newSample(text []byte, carriers []*carrier.Carrier) *sample {
	s := &sample{lines: spreadLines(text, detectLines)}
	s.uncarry(text, carriers)
	for i, line := range s.lines {
		if s.carrier != nil && s.carried.has(i) {
			if line = s.texts[i]; line == nil {
				continue // a part of another
			}
		}
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			s.requests.add(i)
		}
	}
	for line := range bytes.Lines(text) {
		if bytes.HasPrefix(line, fieldsDirective) {
			s.directive = bytes.TrimRight(line, "\r\n")
			break
		}
	}
	return s
}

// probes returns the first, the middle and the last line of the requests.
func (s *sample) probes() (p lineSet) {
	n, i := s.requests.count(), 0
	for line := range s.requests.all {
		if i == 0 || i == n/2 || i == n-1 {
			p.add(line)
		}
		i++
	}
	return p
}

// uncarry determines which of the carriers the lines of text have, and extracts their texts.
func (s *sample) uncarry(text []byte, carriers []*carrier.Carrier) {
	most := 0
	for _, c := range carriers {
		if c.Optional && s.carrier != nil {
			break
		}
		carried, whole, messages := 0, 0, 0
		for _, line := range s.lines {
			if _, partial, ok := c.Text(line); ok {
				carried++
				if !partial {
					whole++
				}
			} else if c.Message(line) {
				messages++
			}
		}
		if c.Spread { // a whole text alone needs no carrier
			whole = carried - whole
		}
		if carried > most && float64(carried+messages) >= detectShare*float64(len(s.lines)) && float64(whole) >= detectShare*float64(carried) {
			s.carrier, most = c, carried
		}
	}
	if s.carrier == nil {
		return
	}
	if s.carrier.Spread {
		s.lines = firstLines(text, detectLines)
	}
	var joined carrier.Reader
	s.texts = make([][]byte, len(s.lines))
	for i, line := range s.lines {
		if s.carrier.Message(line) {
			s.messages.add(i)
		}
		text, partial, ok := s.carrier.Text(line)
		if !ok {
			continue
		}
		s.carried.add(i)
		switch {
		case s.carrier.Spread:
			if text, result := joined.Read(s.carrier, bytes.TrimRight(line, "\r\n")); result == carrier.Whole {
				s.texts[i] = bytes.Clone(text)
			}
		case !partial:
			s.texts[i] = append([]byte{}, text...) // not nil even if empty
		}
	}
}

// all returns lines that are spread evenly over the text of the sample, or the texts that
// they carry.
func (s *sample) all(text []byte, carried bool) [][]byte {
	lines := spreadLines(text, surveyed)
	if !carried {
		return lines
	}
	var texts [][]byte
	for _, line := range lines {
		if text, partial, ok := s.carrier.Text(line); ok && !partial {
			texts = append(texts, bytes.Clone(text))
		}
	}
	return texts
}

// firstLines returns up to n lines from the beginning of a text.
func firstLines(text []byte, n int) (lines [][]byte) {
	for line := range bytes.Lines(text) {
		if len(lines) == n {
			break
		}
		lines = append(lines, bytes.TrimSuffix(line, newline))
	}
	return lines
}

// format returns f, with the carrier of the sample if it was tried with that.
func (s *sample) format(f *Format, carried bool) *Format {
	if !carried {
		return f
	}
	return f.carriedBy(s.carrier)
}

// carriedBy returns the format of lines of c that carry lines of f.
func (f *Format) carriedBy(c *carrier.Carrier) *Format {
	g := *f
	g.carrier, g.Name = c, c.Name+"+"+f.Name
	return &g
}

// spreadLines returns up to n lines that are spread evenly over a text.
func spreadLines(text []byte, n int) [][]byte {
	total := bytes.Count(text, newline)
	if !bytes.HasSuffix(text, newline) {
		total++
	}
	var lines [][]byte
	for i := 0; len(text) > 0; i++ {
		line := text
		if j := bytes.IndexByte(text, '\n'); j >= 0 {
			line, text = text[:j], text[j+1:]
		} else {
			text = nil
		}
		if total <= n || i*n/total != (i+1)*n/total {
			lines = append(lines, line)
		}
	}
	return lines
}

var newline = []byte("\n")

// byteOrderMark begins UTF-8 text of some Windows programs, and a line where files
// were concatenated.
const byteOrderMark = "\xef\xbb\xbf"

// utf16Units is how many characters of a sample are examined for UTF-16 without a
// byte order mark.
const utf16Units = 32

// isUTF16 reports whether text is UTF-16, as PowerShell writes it: it has a byte
// order mark, or every second byte is NUL, as for most characters in logs.
func isUTF16(text []byte) bool {
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		return true
	}
	text = text[:min(len(text), 2*utf16Units)]
	if len(text) < 4 {
		return false
	}
	little, big := true, true
	for i, b := range text {
		if (b == 0) != (i%2 == 1) {
			little = false
		}
		if (b == 0) != (i%2 == 0) {
			big = false
		}
	}
	return little || big
}
