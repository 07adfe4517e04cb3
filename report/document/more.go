package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"

	"logscan/analyze/result"
)

// More sums up the findings that are not listed one by one.
type More struct {
	Findings     int64      `json:"findings"`
	Unauthorized int64      `json:"unauthorized"` // 401s that they explain
	Kinds        []MoreKind `json:"kinds"`        // most severe first
}

// MoreKind sums up those of one kind.
type MoreKind struct {
	ID           string `json:"id"` // finding_id of their 401s
	Kind         string `json:"kind"`
	Category     string `json:"category"`
	Severity     string `json:"severity"` // of the most severe
	Title        string `json:"title"`
	Findings     int64  `json:"findings"`
	Unauthorized int64  `json:"unauthorized"`
	Actors       int64  `json:"actors"`
	Users        int64  `json:"users"`
}

// NewMore sums up what the last findings of a list stand for, nil if there are none.
// count returns the number of findings that each stands for.
func NewMore(rest []Finding, count func(i int) int64) *More {
	if len(rest) == 0 {
		return nil
	}
	m := &More{}
	for i := range rest {
		f := &rest[i]
		k := MoreKind{f.ID, f.Kind, f.Category, f.Severity, f.Title, count(i), f.Unauthorized, f.Actors, f.Users}
		m.Findings += k.Findings
		m.Unauthorized += k.Unauthorized
		m.Kinds = append(m.Kinds, k)
	}
	return m
}

// Result returns k as a finding of a result, as far as later runs compare it.
func (k *MoreKind) Result() (result.Finding, error) {
	severity, err := result.ParseSeverity(k.Severity)
	if err != nil {
		return result.Finding{}, fmt.Errorf("more %q: %w", k.ID, err)
	}
	return result.Finding{
		ID: k.ID, Kind: k.Kind, Category: k.Category, Severity: severity, Text: result.Text{Title: k.Title},
		Unauthorized: k.Unauthorized, Actors: k.Actors, Users: k.Users, Subject: result.Subject{Type: "several"},
		Fold: &result.Fold{By: result.FoldedByLimit, Members: int(k.Findings)},
	}, nil
}

// Bound shortens findings so that together they take about limit bytes of JSON at most:
// logs determine how long lines and names are. If they take more, each that takes more
// than its share loses evidence lines first, then the ends of long texts.
func Bound(all []Finding, limit int) {
	sizes, total := make([]int, len(all)), 0
	for i := range all {
		sizes[i] = size(&all[i])
		total += sizes[i]
	}
	if total <= limit {
		return
	}
	share := limit / len(all)
	for i := range all {
		for level := 0; sizes[i] > share && level < len(shorter); level++ {
			shorter[level].apply(&all[i])
			sizes[i] = size(&all[i])
		}
	}
}

// brevity is how much of a finding is left.
type brevity struct {
	lines int // of evidence and configuration
	raw   int // bytes of such a line
	names int // of a list in the details
	text  int // bytes of any other text
}

// shorter are the steps by which findings are shortened. After the last, one takes less
// than 6 KB, which is the share of each of 523 in 3 MiB, even if each character is
// escaped.
var shorter = [...]brevity{
	{10, 4 << 10, 20, 4 << 10},
	{5, 1000, 20, 2000},
	{3, 500, 10, 1000},
	{2, 300, 5, 300},
	{1, 100, 2, 100},
	{0, 0, 1, 40},
}

func (b brevity) apply(f *Finding) {
	f.Commands = nil // a part of one is none
	f.Evidence = slices.Clone(f.Evidence[:min(len(f.Evidence), b.lines)])
	for i := range f.Evidence {
		f.Evidence[i].Raw = Cut(f.Evidence[i].Raw, b.raw)
		f.Evidence[i].Path = Cut(f.Evidence[i].Path, b.text)
	}
	f.Configuration = slices.Clone(f.Configuration[:min(len(f.Configuration), b.lines)])
	f.Title, f.Explanation = Cut(f.Title, b.text), Cut(f.Explanation, b.text)
	f.Remediation = slices.Clone(f.Remediation)
	for i := range f.Remediation {
		f.Remediation[i] = Cut(f.Remediation[i], b.text)
	}
	s := &f.Subject
	for _, t := range []*string{&s.Host, &s.Method, &s.Route, &s.User, &s.ClientAddress, &s.UserAgent, &s.Upstream, &s.Server} {
		*t = Cut(*t, b.text)
	}
	if r := f.Reason; r != nil {
		short := *r
		short.Reason = Cut(short.Reason, b.text)
		f.Reason = &short
	}
	for key, v := range f.Details {
		switch v := v.(type) {
		case string:
			f.Details[key] = Cut(v, b.text)
		case []string:
			names := slices.Clone(v[:min(len(v), b.names)])
			for i := range names {
				names[i] = Cut(names[i], b.text)
			}
			f.Details[key] = names
		}
	}
}

// Cut returns at most n bytes of s, and a mark if that is less than all.
func Cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// size returns how many bytes a finding takes in findings.json, indented by two levels.
func size(f *Finding) int {
	b, err := json.Marshal(f)
	if err != nil {
		return 0 // Write fails on it
	}
	b = escapeUnprintable(indented(b))
	return len(b) + bytes.Count(b, []byte("\n"))*len("    ") + len(",")
}
