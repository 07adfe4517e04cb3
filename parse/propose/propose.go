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
	"logscan/parse/infer"
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
	// fewestColumns is how many columns a line has at least.
	fewestColumns = 3
	// leastShare is the least share of the lines that a proposal must read.
	leastShare = 0.5
)

// splitters divide a line into columns: at blanks, or at what else separates them.
var splitters = [...]func(line []byte) (columns []infer.Column, shape string, ok bool){
	infer.Split, infer.SplitBy('|'), infer.SplitBy(','), infer.SplitBy(';'),
}

// Format proposes a format string for the lines of a sample.
func Format(sample []byte) (p Proposal) {
	var lines [][]byte
	for line := range bytes.Lines(sample) {
		if len(lines) == mostLines {
			break
		}
		if line = bytes.TrimRight(line, "\r\n"); len(bytes.TrimSpace(line)) > 0 && line[0] != '#' && line[0] != '{' {
			lines = append(lines, line)
		}
	}
	p.Lines = len(lines)
	most := 0 // meanings of a proposal
	for _, split := range splitters {
		groups := map[string][][]infer.Column{}
		for _, line := range lines {
			if columns, shape, ok := split(line); ok && len(columns) >= fewestColumns {
				groups[shape] = append(groups[shape], columns)
			}
		}
		if len(groups) == 0 {
			continue
		}
		shape := slices.MaxFunc(slices.Sorted(maps.Keys(groups)), func(a, b string) int { return cmp.Compare(len(groups[a]), len(groups[b])) })
		spec, matched, known := propose(groups[shape], lines)
		if float64(matched) >= leastShare*float64(p.Lines) && known > most {
			p.Spec, p.Matched, most = spec, matched, known
		}
	}
	return p
}

// propose returns a format string for columns of the same shape, how many of the lines it
// reads, none if there is no such string, and how many columns have a meaning.
func propose(columns [][]infer.Column, lines [][]byte) (spec string, matched, known int) {
	m := newMeanings(columns, lines)
	if !m.has["%>s"] || !m.timed {
		return "", 0, 0
	}
	spec = m.compose()
	f, err := parse.Compile(spec)
	if err != nil {
		return "", 0, 0
	}
	reader := f.NewParser()
	var e parse.Entry
	for _, line := range lines {
		if reader.Parse(line, &e) == parse.Parsed {
			matched++
		}
	}
	return spec, matched, len(m.has)
}

// compose returns the format string.
func (m *meanings) compose() string {
	var b strings.Builder
	for i, c := range m.lines[0] {
		before := strings.ReplaceAll(c.Before, "\t", `\t`)
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
		case c.Open == '"':
			b.WriteString(`"` + m.prefixes[i] + name + `"`)
		case c.Open == '[':
			b.WriteString("[" + m.prefixes[i] + name + "]")
		default:
			b.WriteString(m.prefixes[i] + name)
		}
	}
	return b.String()
}
