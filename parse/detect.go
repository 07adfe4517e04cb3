package parse

import (
	"cmp"
	"slices"
	"sync"

	"logscan/parse/carrier"
	"logscan/parse/events"
)

// Detection is the result of Detect.
type Detection struct {
	Format    *Format   // the first of Formats; nil if none explains enough
	Formats   []*Format // those that explain the lines, in the order to try them
	Best      *Format   // Format, or the format that explains most lines but not enough
	Lines     int       // lines examined, without blank ones and comments
	Explained int       // lines that Best explains
	Tied      []*Format // other formats that explain as many
	UTF16     bool      // the sample is UTF-16 text, which must be converted first

	requests int // lines that Formats read as requests with a status
}

const (
	// detectLines is how many lines of a sample are examined.
	detectLines = 200
	// detectShare is the least share of them that the formats must explain. The rest
	// may be junk, or the format may change within the file.
	detectShare = 0.2
	// detectFormats is the most formats that one input may mix.
	detectFormats = 4
	// detectPicks is how many formats are compared in order: one that is picked for
	// many lines may lose them all to those picked after it.
	detectPicks = 2 * detectFormats
	// namedValues is how many values it counts for that a line is of a log without
	// requests: its keys or its header name the program that writes it, whereas an access
	// log of JSON lines is any object with a time.
	namedValues = 4
	// detectRest is the reciprocal of the least share of the lines that a further
	// format must explain, or explain better.
	detectRest = 100
)

// Detect determines the formats of a sample, and the carrier of its lines. What counts
// is how much of a line a format reads: one that leaves out the rest of a line takes
// only lines that no other format reads as much of, however many it could. A format
// whose values are not what its fields should hold is not taken at all. The lines
// examined are spread evenly over the sample. If no format explains them, those with
// further columns are tried that most of the lines may have.
func Detect(text []byte, formats []*Format) Detection {
	s := newSample(text, carrier.Carriers())
	d := s.detect(text, formats)
	if s.carrier != nil && d.requests == 0 {
		if c := s.carrier.WithLogger(); c != nil {
			if behind := newSample(text, []*carrier.Carrier{c}).detect(text, formats); behind.requests > 0 {
				return behind
			}
		}
	}
	if d.Format == nil && d.Lines > 0 && len(formats) > 1 {
		if longer := s.detect(text, withMore(formats)); 2*longer.Explained > longer.Lines {
			return longer
		}
	}
	return d
}

// detect determines the formats of the sample, which is that of text.
func (s *sample) detect(text []byte, formats []*Format) Detection {
	d := Detection{Lines: s.requests.count(), UTF16: isUTF16(text)}
	list := s.candidates(formats)
	if len(list) == 0 {
		return d
	}
	picked := pick(list, d.Lines)
	total := lineSet{}
	for _, c := range picked {
		for i := range total {
			total[i] |= c.explained[i]
			if c.carried {
				total[i] |= s.messages[i] & s.requests[i]
			}
		}
	}
	best := mostLines(list)
	if float64(total.count()) >= detectShare*float64(d.Lines) && len(picked) > 0 {
		best = picked[0]
		for i, c := range picked {
			f := c.format
			d.requests += c.requests
			if 2*c.explained.count() >= d.Lines {
				f = f.learn(func() [][]byte { return s.all(text, c.carried) })
				if i == 0 {
					f = f.withRest()
				}
			}
			f = s.format(f, c.carried)
			d.Formats = append(d.Formats, f)
		}
		d.Format = d.Formats[0]
	}
	d.Best, d.Explained = s.format(best.format, best.carried), best.explained.count()
	for _, c := range list {
		if c != best && d.Explained > 0 && c.explained.count() == d.Explained {
			d.Tied = append(d.Tied, s.format(c.format, c.carried))
		}
	}
	return d
}

// candidate is a format and what it reads of the lines.
type candidate struct {
	format  *Format
	carried bool // it is tried with the texts of carried lines
	parser  *Parser

	tried     lineSet
	explained lineSet
	notices   lineSet            // messages of the server about itself
	fields    [detectLines]uint8 // values read of each line; 0 for one that is doubtful
	total     int                // sum of fields
	requests  int                // lines that it reads as requests with a status
	doubts    doubts
}

// mostLines returns the candidate that explains most lines.
func mostLines(list []*candidate) *candidate {
	return slices.MaxFunc(list, func(a, b *candidate) int { return cmp.Compare(a.explained.count(), b.explained.count()) })
}

// pick returns the candidates that explain the lines, in the order to try them.
func pick(list []*candidate, lines int) []*candidate {
	var best [detectLines]uint8 // what has been read of each line so far
	var picked []*candidate
	for len(picked) < detectPicks {
		next, most := (*candidate)(nil), 0
		for _, c := range list {
			gain := c.gain(&best)
			if gain*detectRest < lines || gain == 0 {
				continue
			}
			if next == nil || c.better(next, gain, most) {
				next, most = c, gain
			}
		}
		if next == nil {
			break
		}
		picked = append(picked, next)
		for i := range next.fields {
			best[i] = max(best[i], next.reads(i))
		}
	}
	sortByReading(picked)
	return firstReaders(picked, lines)
}

// gain returns how many lines c reads more of than best.
func (c *candidate) gain(best *[detectLines]uint8) (n int) {
	for i := range c.explained.all {
		if c.reads(i) > best[i] {
			n++
		}
	}
	return n
}

// reads returns how much c reads of a line. Of two formats that read as many fields, one of
// a log without requests reads more: it names what it skips.
func (c *candidate) reads(line int) uint8 {
	n := 2 * c.fields[line]
	if n > 0 && !c.format.HasRequests() {
		n++
	}
	return n
}

// better reports whether c, which reads more of gain lines, is to be picked before
// other, which does so with most lines and stands before c in the table.
func (c *candidate) better(other *candidate, gain, most int) bool {
	if closed := !c.format.openEnd; closed != !other.format.openEnd {
		return closed
	}
	if gain != most || c.total != other.total {
		return gain > most || gain == most && c.total > other.total
	}
	return !c.format.HasRequests() && other.format.HasRequests()
}

// sortByReading puts a candidate before another if it reads more of most lines that
// both read. Candidates that read no lines in common stay in the order they were picked,
// that of most lines.
func sortByReading(picked []*candidate) {
	for range picked { // each pass puts one candidate at its place at least
		for i := len(picked) - 1; i > 0; i-- {
			if picked[i].readsMore(picked[i-1]) {
				picked[i-1], picked[i] = picked[i], picked[i-1]
			}
		}
	}
}

// readsMore reports whether c reads more than other of most lines that they read
// differently much of.
func (c *candidate) readsMore(other *candidate) bool {
	more, less := 0, 0
	for i := range c.explained.all {
		switch {
		case !other.explained.has(i):
		case c.reads(i) > other.reads(i):
			more++
		case c.reads(i) < other.reads(i):
			less++
		}
	}
	return more > less
}

// firstReaders removes the candidates that are the first to read so few lines that they
// are not worth to be tried.
func firstReaders(picked []*candidate, lines int) (kept []*candidate) {
	var read lineSet
	for _, c := range picked {
		n := 0
		for i := range c.explained.all {
			if !read.has(i) {
				read.add(i)
				n++
			}
		}
		if n > 0 && n*detectRest >= lines && len(kept) < detectFormats {
			kept = append(kept, c)
		}
	}
	return kept
}

// candidates tries the formats. Most logs have one format, which explains every line,
// so all are first tried with few lines, and those that explain these with the others:
// a format that explains every line explains the few. If there is none, all formats are
// tried with all lines. Formats that take any keys explain the odd lines among those of
// another format, too: then those that explain one of the few are tried as well.
func (s *sample) candidates(formats []*Format) (list []*candidate) {
	if s.carrier != nil {
		for _, f := range formats {
			if f.carrier == nil {
				list = append(list, &candidate{format: f, carried: true})
			}
		}
	}
	for _, f := range formats {
		list = append(list, &candidate{format: f.describedBy(s.directive)})
	}
	if s.carrier != nil && s.carrier.Optional { // its lines may be read as they are
		slices.SortStableFunc(list, func(a, b *candidate) int { return compareBool(a.carried, b.carried) })
	}
	probes := s.probes()
	some := slices.DeleteFunc(slices.Clone(list), func(c *candidate) bool { return !c.explains(s, probes) })
	if tryAll(s, some) {
		if !slices.ContainsFunc(some, func(c *candidate) bool { return c.format.keys == nil && c.whole(s) }) {
			some = slices.DeleteFunc(slices.Clone(list), func(c *candidate) bool { return !c.explainsAny(s, probes) })
			tryAll(s, some)
		}
		return trusted(some)
	}
	tryAll(s, slices.DeleteFunc(slices.Clone(list), func(c *candidate) bool { return slices.Contains(some, c) }))
	list = trusted(list)
	if slices.ContainsFunc(list, func(c *candidate) bool { return c.explained != lineSet{} }) {
		return list
	}
	for _, c := range list {
		if c.carried && !s.carrier.Optional { // there are only messages of a server about itself, with its name in front
			c.explained = c.notices
			c.count()
		}
	}
	return list
}

// trusted removes the candidates whose values are not what their fields should hold.
func trusted(list []*candidate) []*candidate {
	return slices.DeleteFunc(list, func(c *candidate) bool { return c.doubts.distrusted() })
}

// explains reports whether the format explains some lines, the first of which most
// formats do not.
func (c *candidate) explains(s *sample, lines lineSet) bool {
	for i := range lines.all {
		var one lineSet
		one.add(i)
		if c.try(s, one); !c.explained.has(i) {
			return false
		}
	}
	return true
}

// explainsAny reports whether the format explains one of some lines at least.
func (c *candidate) explainsAny(s *sample, lines lineSet) bool {
	c.try(s, lines)
	return c.explained != lineSet{}
}

// tryAll tries candidates with all lines. It reports whether one of them leaves nothing
// for others.
func tryAll(s *sample, list []*candidate) (whole bool) {
	var g sync.WaitGroup
	for _, c := range list {
		g.Go(func() {
			c.try(s, s.requests)
			c.finish(s)
		})
	}
	g.Wait()
	return slices.ContainsFunc(list, func(c *candidate) bool { return c.whole(s) })
}

// whole reports whether the format explains every line, to its end, and there is no doubt
// about any.
func (c *candidate) whole(s *sample) bool {
	return c.explained == s.requests && !c.format.openEnd && c.doubts.none() && (c.format.HasRequests() || !s.besideMessages())
}

// besideMessages reports whether an application has logged both requests and other messages:
// a format of such messages takes its requests for one.
func (s *sample) besideMessages() bool { return s.carrier != nil && s.carrier.HasMessages() }

// try records what the format reads of those lines that it was not tried with yet.
func (c *candidate) try(s *sample, lines lineSet) {
	if c.parser == nil {
		c.parser = c.format.NewParser()
	}
	from := s.lines
	if c.carried {
		from = s.texts
	}
	var e Entry
	for i := range lines.all {
		if from[i] == nil || c.tried.has(i) {
			continue
		}
		c.tried.add(i)
		switch c.parser.Parse(from[i], &e) {
		case Parsed:
			c.explained.add(i)
			if e.Status >= 0 {
				c.requests++
			}
			if c.fields[i] = e.values(); c.doubts.add(c.format, &e, c.parser.values.hints.ForwardedFor) {
				c.fields[i] = 0
			}
		case SkipErrorLog:
			c.explained.add(i)
			c.fields[i] = 1
			if !c.format.HasRequests() && !(s.besideMessages() && c.parser.event.Outcome == events.Other) {
				c.fields[i] = namedValues + c.parser.event.Values()
			}
		case SkipNotice, SkipHeader, SkipPartial:
			c.notices.add(i)
		}
	}
}

// finish completes what try has recorded of all lines. Messages of the server about
// itself count only if it logs requests too.
func (c *candidate) finish(s *sample) {
	c.parser = nil
	if s.carrier != nil && s.carrier.JSON && !s.carrier.Optional && !c.carried && c.format.carrier == nil {
		for i := range c.explained {
			c.explained[i] &^= s.carried[i] // the carrying line is not the log
		}
	}
	if c.explained != (lineSet{}) {
		for i := range c.explained {
			c.explained[i] |= c.notices[i]
		}
	}
	c.count()
}

// count sums the fields up.
func (c *candidate) count() {
	c.total = 0
	for i := range c.explained.all {
		if c.notices.has(i) {
			c.fields[i] = max(c.fields[i], 1)
		}
		c.total += int(c.fields[i])
	}
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
