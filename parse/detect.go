package parse

import (
	"bytes"
	"math/bits"
	"slices"
	"sync"

	"logscan/parse/wrap"
)

// Detection says which formats explain a sample, and how well.
type Detection struct {
	Format    *Format   // nil when none explains enough
	Formats   []*Format // Format, and those for the lines it does not explain, in the order they are to be tried
	Best      *Format   // the one that explains most, even where it is not enough
	Lines     int       // lines looked at, blank ones and comments left out
	Explained int       // lines that Best explains
	Tied      []*Format // others that explain as many
	UTF16     bool      // the sample is text in UTF-16, which has to be converted
}

const (
	// detectLines is how many lines of a sample are looked at.
	detectLines = 200
	// detectShare is the least share of them that a format must explain: junk,
	// and a format that changes within the file, take the rest.
	detectShare = 0.2
	// detectFormats is the most formats that one input may mix.
	detectFormats = 4
	// detectRest is one over the least share of the lines that a further format
	// must explain.
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

// common gives the lines in both sets.
func (s lineSet) common(t lineSet) lineSet {
	for i := range s {
		s[i] &= t[i]
	}
	return s
}

// candidate is a format and the lines that it explains.
type candidate struct {
	format    *Format
	explained lineSet
	notices   lineSet // what its server says of itself
}

// Detect finds the format that explains most lines of a sample, then the one
// that explains most of the rest, and so on; of those that explain as many, the
// one that comes first. The lines looked at are spread evenly over the sample.
// What carries the lines is found out too.
func Detect(sample []byte, formats []*Format) Detection {
	s := newSampled(sample)
	d := Detection{Lines: s.requests.count(), UTF16: isUTF16(sample)}
	candidates, carriers := s.candidates(formats)
	if len(candidates) == 0 {
		return d
	}
	explains := func(c candidate) bool { return c.explained != lineSet{} }
	for i := range candidates[:carriers] {
		if slices.ContainsFunc(candidates, explains) {
			break
		}
		// Nothing but what a server says of itself, under the name of a program.
		candidates[i].explained = candidates[i].notices
	}
	rest := s.requests
	first := -1
	for len(d.Formats) < detectFormats {
		best, most := -1, 0
		for i := range candidates {
			e := candidates[i].explained.common(rest)
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
		d.Formats = append(d.Formats, s.carry(candidates[best].format, best < carriers))
		for i := range rest {
			rest[i] &^= candidates[best].explained[i]
		}
	}
	d.Best = s.carry(candidates[first].format, first < carriers)
	if len(d.Formats) > 0 {
		d.Best = d.Formats[0]
		d.Format = d.Best
	}
	for i := range candidates {
		if i != first && d.Explained > 0 && candidates[i].explained.count() == d.Explained {
			d.Tied = append(d.Tied, s.carry(candidates[i].format, i < carriers))
		}
	}
	return d
}

// candidates tries all formats, side by side: nothing can be read before it is
// known how. The first ones are tried with what carries the lines taken off.
func (s *sampled) candidates(formats []*Format) (list []candidate, carriers int) {
	if s.wrapper != nil {
		for _, f := range formats {
			if f.wrapper == nil {
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
			if s.wrapper != nil && s.wrapper.JSON && c.format.wrapper == nil {
				for i := range c.explained {
					c.explained[i] &^= s.carried[i] // what carries a line is not the line
				}
			}
		})
	}
	g.Wait()
	return list, carriers
}

// sampled is a sample as detection looks at it.
type sampled struct {
	lines     [][]byte
	requests  lineSet // neither blank nor comments
	directive []byte  // the first that names columns

	wrapper *wrap.Wrapper // that carries the lines; nil where none does
	texts   [][]byte      // what the lines carry; nil where it is nothing
	carried lineSet
}

func newSampled(sample []byte) *sampled {
	s := &sampled{lines: spreadLines(sample, detectLines)}
	s.unwrap()
	for i, line := range s.lines {
		if s.wrapper != nil && s.carried.has(i) {
			if line = s.texts[i]; line == nil {
				continue // the beginning of another
			}
		}
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			s.requests.add(i)
		}
	}
	for line := range bytes.Lines(sample) {
		if bytes.HasPrefix(line, fieldsDirective) {
			s.directive = bytes.TrimRight(line, "\r\n")
			break
		}
	}
	return s
}

// unwrap finds out what carries the lines.
func (s *sampled) unwrap() {
	most := 0
	for _, w := range wrap.Wrappers() {
		peeled, whole := 0, 0
		for _, line := range s.lines {
			if t, ok := w.Peel(bytes.TrimSuffix(line, []byte("\r"))); ok {
				peeled++
				if !t.Partial {
					whole++
				}
			}
		}
		if peeled > most && float64(peeled) >= detectShare*float64(len(s.lines)) && float64(whole) >= detectShare*float64(peeled) {
			s.wrapper, most = w, peeled
		}
	}
	if s.wrapper == nil {
		return
	}
	s.texts = make([][]byte, len(s.lines))
	for i, line := range s.lines {
		line = bytes.TrimSuffix(line, []byte("\r"))
		t, ok := s.wrapper.Peel(line)
		if !ok {
			continue
		}
		s.carried.add(i)
		if !t.Partial {
			var c carrier
			s.texts[i] = append([]byte{}, bytes.TrimRight(c.decode(line, t), "\r\n")...)
		}
	}
}

// try notes the lines that the format explains. What a server says of itself
// counts where it logs requests as well.
func (c *candidate) try(s *sampled, lines [][]byte) {
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

// carry gives the format as the sample carries it.
func (s *sampled) carry(f *Format, carried bool) *Format {
	if !carried {
		return f
	}
	return f.carriedBy(s.wrapper)
}

// carriedBy gives the format of lines that carry lines of f.
func (f *Format) carriedBy(w *wrap.Wrapper) *Format {
	g := *f
	g.wrapper, g.Name = w, w.Name+"+"+f.Name
	return &g
}

// spreadLines picks up to n lines evenly over a sample.
func spreadLines(sample []byte, n int) [][]byte {
	total := bytes.Count(sample, newline)
	if !bytes.HasSuffix(sample, newline) {
		total++
	}
	var lines [][]byte
	for i := 0; len(sample) > 0; i++ {
		line := sample
		if j := bytes.IndexByte(sample, '\n'); j >= 0 {
			line, sample = sample[:j], sample[j+1:]
		} else {
			sample = nil
		}
		if total <= n || i*n/total != (i+1)*n/total {
			lines = append(lines, line)
		}
	}
	return lines
}

var newline = []byte("\n")
