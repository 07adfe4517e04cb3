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

// Format proposes a format string for the lines of a sample.
func Format(sample []byte) Proposal {
	p := Proposal{}
	groups := map[string][][]infer.Column{}
	var lines [][]byte
	for line := range bytes.Lines(sample) {
		if len(lines) == mostLines {
			break
		}
		if line = bytes.TrimRight(line, "\r\n"); len(bytes.TrimSpace(line)) == 0 || line[0] == '#' || line[0] == '{' {
			continue
		}
		lines = append(lines, line)
		if columns, shape, ok := infer.Split(line); ok && len(columns) >= fewestColumns {
			groups[shape] = append(groups[shape], columns)
		}
	}
	p.Lines = len(lines)
	if len(groups) == 0 {
		return p
	}
	shape := slices.MaxFunc(slices.Sorted(maps.Keys(groups)), func(a, b string) int { return cmp.Compare(len(groups[a]), len(groups[b])) })
	m := newMeanings(groups[shape], lines)
	if !m.has["%>s"] || !m.timed {
		return p
	}
	spec := m.compose()
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
