package parse

import (
	"bytes"
	"math/bits"
	"slices"
	"sync"

	"logscan/parse/carrier"
)

// Detection is the result of Detect.
type Detection struct {
	Format    *Format   // the format that explains most lines; nil if none explains enough
	Formats   []*Format // Format and those for the lines it does not explain, in the order to try them
	Best      *Format   // the format that explains most lines, even if not enough
	Lines     int       // lines examined, without blank ones and comments
	Explained int       // lines that Best explains
	Tied      []*Format // other formats that explain as many
	UTF16     bool      // the sample is UTF-16 text, which must be converted first
}

const (
	// detectLines is how many lines of a sample are examined.
	detectLines = 200
	// detectShare is the least share of them that a format must explain. The rest
	// may be junk, or the format may change within the file.
	detectShare = 0.2
	// detectFormats is the most formats that one input may mix.
	detectFormats = 4
	// detectRest is the reciprocal of the least share of the lines that a further
	// format must explain.
	detectRest = 100
)

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

// intersect returns the lines in both sets.
func (s lineSet) intersect(t lineSet) lineSet {
	for i := range s {
		s[i] &= t[i]
	}
	return s
}

// candidate is a format and the lines that it explains.
type candidate struct {
	format    *Format
	explained lineSet
	notices   lineSet // messages of the server about itself
}

// Detect determines the format that explains most lines of a sample, then the one
// that explains most of the rest, and so on; of those that explain as many, the
// first. It also determines the carrier of the lines. The lines examined are spread
// evenly over the sample.
func Detect(text []byte, formats []*Format) Detection {
	s := newSample(text)
	d := Detection{Lines: s.requests.count(), UTF16: isUTF16(text)}
	candidates, carriers := s.candidates(formats)
	if len(candidates) == 0 {
		return d
	}
	explains := func(c candidate) bool { return c.explained != lineSet{} }
	for i := range candidates[:carriers] {
		if slices.ContainsFunc(candidates, explains) {
			break
		}
		// There are only messages of a server about itself, with its name in front.
		candidates[i].explained = candidates[i].notices
	}
	rest := s.requests
	first := -1
	for len(d.Formats) < detectFormats {
		best, most := -1, 0
		for i := range candidates {
			e := candidates[i].explained.intersect(rest)
			if n := e.count(); n > most || best < 0 {
				best, most = i, n
			}
		}
		if first < 0 {
			first, d.Explained = best, most
			if float64(most) < detectShare*float64(d.Lines) {
				break
			}
		}
		if most == 0 || most*detectRest < d.Lines {
			break
		}
		d.Formats = append(d.Formats, s.format(candidates[best].format, best < carriers))
		for i := range rest {
			rest[i] &^= candidates[best].explained[i]
		}
	}
	d.Best = s.format(candidates[first].format, first < carriers)
	if len(d.Formats) > 0 {
		d.Best = d.Formats[0]
		d.Format = d.Best
	}
	for i := range candidates {
		if i != first && d.Explained > 0 && candidates[i].explained.count() == d.Explained {
			d.Tied = append(d.Tied, s.format(candidates[i].format, i < carriers))
		}
	}
	return d
}

// candidates tries all formats, concurrently because nothing can be read before the
// format is known. The first carriers of the list were tried with the texts of
// carried lines.
func (s *sample) candidates(formats []*Format) (list []candidate, carriers int) {
	if s.carrier != nil {
		for _, f := range formats {
			if f.carrier == nil {
				list = append(list, candidate{format: f})
			}
		}
	}
	carriers = len(list)
	for _, f := range formats {
		list = append(list, candidate{format: f.describedBy(s.directive)})
	}
	var g sync.WaitGroup
	for i := range list {
		c := &list[i]
		g.Go(func() {
			if i < carriers {
				c.try(s, s.texts)
				return
			}
			c.try(s, s.lines)
			if s.carrier != nil && s.carrier.JSON && c.format.carrier == nil {
				for i := range c.explained {
					c.explained[i] &^= s.carried[i] // the carrying line is not the log
				}
			}
		})
	}
	g.Wait()
	return list, carriers
}

// sample is a sample prepared for detection.
type sample struct {
	lines     [][]byte
	requests  lineSet // neither blank nor comments
	directive []byte  // the first that names columns; nil if there is none

	carrier *carrier.Carrier // of the lines; nil if they have none
	texts   [][]byte         // that the lines carry; nil elements for none
	carried lineSet
}

func newSample(text []byte) *sample {
	s := &sample{lines: spreadLines(text, detectLines)}
	s.uncarry()
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

// uncarry determines the carrier of the lines and extracts their texts.
func (s *sample) uncarry() {
	most := 0
	for _, c := range carrier.Carriers() {
		carried, whole := 0, 0
		for _, line := range s.lines {
			if _, partial, ok := c.Text(line); ok {
				carried++
				if !partial {
					whole++
				}
			}
		}
		if carried > most && float64(carried) >= detectShare*float64(len(s.lines)) && float64(whole) >= detectShare*float64(carried) {
			s.carrier, most = c, carried
		}
	}
	if s.carrier == nil {
		return
	}
	s.texts = make([][]byte, len(s.lines))
	for i, line := range s.lines {
		text, partial, ok := s.carrier.Text(line)
		if !ok {
			continue
		}
		s.carried.add(i)
		if !partial {
			s.texts[i] = append([]byte{}, text...) // not nil even if empty
		}
	}
}

// try records the lines that the format explains. Messages of the server about
// itself count only if it logs requests too.
func (c *candidate) try(s *sample, lines [][]byte) {
	p := c.format.NewParser()
	var e Entry
	for i, line := range lines {
		if line == nil || !s.requests.has(i) {
			continue
		}
		switch p.Parse(line, &e) {
		case Parsed:
			c.explained.add(i)
		case SkipNotice, SkipHeader:
			c.notices.add(i)
		}
	}
	if c.explained != (lineSet{}) {
		for i := range c.explained {
			c.explained[i] |= c.notices[i]
		}
	}
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
