package rules

import (
	"regexp"
	"strings"
	"time"

	"github.com/dlclark/regexp2"
)

// The servers match with PCRE. Patterns that Go's regexp takes mean the same there, and
// match in linear time. Others, most often lookaheads, are left to regexp2, which
// backtracks: their size and time are bounded.
const (
	maxPattern       = 2 << 10 // bytes
	maxBacktrackPath = 1 << 10 // bytes of a text that is matched by backtracking
	backtrackLimit   = 100 * time.Millisecond
)

// pattern is a regular expression of a configuration.
type pattern struct {
	linear       *regexp.Regexp
	backtracking *regexp2.Regexp
}

// compile returns the pattern of a PCRE. One that cannot be compiled matches nothing for
// certain: match reports that it does not know.
func compile(text string, ignoreCase bool) pattern {
	if len(text) > maxPattern {
		return pattern{}
	}
	flags := ""
	if ignoreCase {
		flags = "(?i)"
	}
	// Go's \z is PCRE's; $ of Go without (?m) is \z, which differs only before a final newline.
	if re, err := regexp.Compile(flags + text); err == nil {
		return pattern{linear: re}
	}
	re, err := regexp2.Compile(flags+text, regexp2.None)
	if err != nil {
		return pattern{}
	}
	re.MatchTimeout = backtrackLimit
	return pattern{backtracking: re}
}

// patterns are the patterns of a configuration that requests are matched with, each
// compiled once. There are no more than directives.
type patterns map[patternKey]*pattern

type patternKey struct {
	text       string
	ignoreCase bool
}

// get returns the pattern of a PCRE.
func (c patterns) get(text string, ignoreCase bool) *pattern {
	key := patternKey{text, ignoreCase}
	p := c[key]
	if p == nil {
		compiled := compile(text, ignoreCase)
		p = &compiled
		c[key] = p
	}
	return p
}

// match reports whether the pattern matches, with its groups. known is false if that
// cannot be found out.
func (p *pattern) match(s string) (groups []string, matches, known bool) {
	switch {
	case p.linear != nil:
		groups = p.linear.FindStringSubmatch(s)
		return groups, groups != nil, true
	case p.backtracking == nil || len(s) > maxBacktrackPath:
		return nil, false, false
	}
	m, err := p.backtracking.FindStringMatch(s)
	if err != nil || m == nil {
		return nil, false, err == nil
	}
	for _, g := range m.Groups() {
		groups = append(groups, g.String())
	}
	return groups, true, true
}

// decode returns a path as the servers match it: percent-encoding decoded, dot segments
// resolved, slashes merged.
func decode(path string, merge bool) string {
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		path = path[:i]
	}
	var b []byte
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '%' && i+2 < len(path) {
			if high, low := unhex(path[i+1]), unhex(path[i+2]); high >= 0 && low >= 0 {
				c = byte(high<<4 | low)
				i += 2
			}
		}
		b = append(b, c)
	}
	return clean(string(b), merge)
}

// clean resolves the dot segments of a path and merges its slashes.
func clean(path string, merge bool) string {
	var out []string
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, part := range parts {
		last := i == len(parts)-1
		switch {
		case part == ".." && len(out) > 0:
			out = out[:len(out)-1]
		case part == "." || part == "..":
		case part == "" && merge && !last:
			continue
		default:
			out = append(out, part)
			continue
		}
		if last {
			out = append(out, "")
		}
	}
	return "/" + strings.Join(out, "/")
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}
