package parse

import "bytes"

// Detection says which format explains a sample, and how well.
type Detection struct {
	Format    *Format   // nil when none explains enough
	Best      *Format   // the one that explains most, even where it is not enough
	Lines     int       // lines looked at, blank ones and comments left out
	Explained int       // lines that Best explains
	Tied      []*Format // others that explain as many
}

const (
	// detectLines is how many lines of a sample are looked at.
	detectLines = 200
	// detectShare is the least share of them that a format must explain: junk,
	// and a format that changes within the file, take the rest.
	detectShare = 0.2
)

// Detect finds the format that explains most lines of a sample; of those that
// explain as many, the one that comes first. The lines looked at are spread
// evenly over the sample.
func Detect(sample []byte, formats []*Format) Detection {
	lines := spreadLines(sample, detectLines)
	var d Detection
	var e Entry
	for n, f := range formats {
		p := f.NewParser()
		explained, looked := 0, 0
		for _, l := range lines {
			v := p.Parse(l, &e)
			if v.Skipped() {
				continue
			}
			looked++
			if v == Parsed {
				explained++
			}
		}
		d.Lines = looked
		switch {
		case n == 0 || explained > d.Explained:
			d.Best, d.Explained, d.Tied = f, explained, nil
		case explained == d.Explained && explained > 0:
			d.Tied = append(d.Tied, f)
		}
	}
	if d.Explained > 0 && float64(d.Explained) >= detectShare*float64(d.Lines) {
		d.Format = d.Best
	}
	return d
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
