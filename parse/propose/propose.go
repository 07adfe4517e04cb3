// Package propose finds a format string for a log whose format is not known, by the
// shape of its columns.
//
// In: lines of the log. Out: a format string in Apache's syntax, which reads most of
// them. What a column means is told from its values and its place; a column that
// could be anything is left out.
package propose

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"logscan/parse"
)

// Proposal is a format string and how much it reads.
type Proposal struct {
	Spec    string // empty if there is none
	Matched int    // lines that it reads
	Lines   int    // lines that were examined
}

const (
	// mostLines is how many lines are examined, from the beginning of the sample.
	mostLines = 500
	// mostColumns limits the columns of a line: usual formats have 9 to 30.
	mostColumns = 60
	// leastShare is the least share of the lines that a proposal must read.
	leastShare = 0.5
)

// Format proposes a format string for the lines of a sample.
func Format(sample []byte) Proposal {
	p := Proposal{}
	groups := map[string][][]column{}
	var lines [][]byte
	for line := range bytes.Lines(sample) {
		if len(lines) == mostLines {
			break
		}
		if line = bytes.TrimRight(line, "\r\n"); len(bytes.TrimSpace(line)) == 0 || line[0] == '#' || line[0] == '{' {
			continue
		}
		lines = append(lines, line)
		if columns, shape, ok := split(line); ok {
			groups[shape] = append(groups[shape], columns)
		}
	}
	p.Lines = len(lines)
	if len(groups) == 0 {
		return p
	}
	shape := slices.MaxFunc(slices.Sorted(maps.Keys(groups)), func(a, b string) int { return cmp.Compare(len(groups[a]), len(groups[b])) })
	spec, ok := compose(groups[shape])
	if !ok {
		return p
	}
	f, err := parse.Compile(spec)
	if err != nil {
		return p
	}
	reader := f.NewParser()
	var e parse.Entry
	for _, line := range lines {
		if reader.Parse(line, &e) == parse.Parsed {
			p.Matched++
		}
	}
	if float64(p.Matched) >= leastShare*float64(p.Lines) {
		p.Spec = spec
	}
	return p
}

// column is a value with what stands around it.
type column struct {
	before string // blanks or tabs before it
	open   byte   // quote or bracket around it; 0 for none
	value  []byte
}

// split divides a line into columns: words, and texts in quotes or brackets. shape
// identifies the separators.
func split(line []byte) (columns []column, shape string, ok bool) {
	var b strings.Builder
	for len(line) > 0 {
		n := len(line) - len(bytes.TrimLeft(line, " \t"))
		c := column{before: string(line[:n])}
		line = line[n:]
		if len(line) == 0 {
			break
		}
		if len(columns) == mostColumns || len(c.before) == 0 && len(columns) > 0 {
			return nil, "", false
		}
		end, size := 0, 0
		switch line[0] {
		case '"':
			c.open, end = '"', quoteEnd(line)
		case '[':
			c.open, end = '[', bytes.IndexByte(line, ']')
		}
		switch {
		case end < 0:
			return nil, "", false
		case c.open != 0:
			c.value, size = line[1:end], end+1
		default:
			if size = bytes.IndexAny(line, " \t"); size < 0 {
				size = len(line)
			}
			c.value = line[:size]
		}
		line = line[size:]
		columns = append(columns, c)
		fmt.Fprintf(&b, "%s%c", c.before, cmp.Or(c.open, 'w'))
	}
	return columns, b.String(), len(columns) > 2
}

// quoteEnd returns the offset of the quote that ends the text at the start of b.
func quoteEnd(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// compose returns the format string for lines of the same shape.
func compose(lines [][]column) (spec string, ok bool) {
	m := meanings{lines: lines, names: make([]string, len(lines[0])), prefixes: make([]string, len(lines[0]))}
	m.find()
	if !m.has["%>s"] || !m.timed {
		return "", false
	}
	var b strings.Builder
	for i, c := range lines[0] {
		before := strings.ReplaceAll(c.before, "\t", `\t`)
		name := m.names[i]
		if name == joined {
			continue
		}
		if name == "" {
			name = fmt.Sprintf("%%{column%d}n", i+1)
		}
		b.WriteString(before)
		switch {
		case name == "%t":
			b.WriteString(name)
		case c.open == '"':
			b.WriteString(`"` + m.prefixes[i] + name + `"`)
		case c.open == '[':
			b.WriteString("[" + m.prefixes[i] + name + "]")
		default:
			b.WriteString(m.prefixes[i] + name)
		}
	}
	return b.String(), true
}
