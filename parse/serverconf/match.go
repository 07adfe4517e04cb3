package serverconf

import (
	"cmp"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Match is the result of Config.For: the logs that an input may be.
type Match struct {
	// Logs are the candidates, most specific first. There is at least one.
	Logs []*Log
	// Exact means that the whole path matches, not only its end.
	Exact bool
}

// Formats returns the formats of the candidates in order, each once. Formats that the
// configuration does not define are left out.
func (m Match) Formats() []Format {
	var list []Format
	known := map[Format]bool{}
	for _, l := range m.Logs {
		f := l.Format()
		how := Format{Spec: f.Spec, Escape: f.Escape}
		if f.Spec != "" && !known[how] {
			known[how] = true
			list = append(list, f)
		}
	}
	return list
}

// writesLike reports whether two formats write the same lines, whatever their names.
func (f Format) writesLike(g Format) bool { return f.Spec == g.Spec && f.Escape == g.Escape }

// Host returns the virtual host of all lines if they have format f: that of the candidates
// with this format, if they agree on one.
func (m Match) Host(f Format) (string, bool) {
	host := ""
	for _, l := range m.Logs {
		if !f.writesLike(l.Format()) {
			continue
		}
		h, ok := l.Host()
		if !ok || host != "" && !strings.EqualFold(h, host) {
			return "", false
		}
		host = h
	}
	return host, host != ""
}

// For finds the logs that an input belongs to: by its whole path, else by its name, each
// with and without the suffixes of rotation and compression. Of a file in an archive
// (x.tar.gz!var/log/access.log) the path within the archive counts. If only names match
// there may be several candidates: those that share most of the end of the path come first,
// and the lines have to decide.
//
// For does not access the file system. A relative path can only match at its end.
func (c *Config) For(input string) (Match, bool) {
	in := newInputPath(input)
	c.indexed.Do(c.index)
	var found []candidate
	try := func(logs []int) {
		for _, i := range logs {
			if m, ok := in.match(&c.Logs[i]); ok {
				found = append(found, m)
			}
		}
	}
	for _, name := range in.names {
		try(c.byName[name])
	}
	try(c.patterns)
	if len(found) == 0 {
		return Match{}, false
	}
	slices.SortStableFunc(found, candidate.compare)
	m := Match{Exact: found[0].whole}
	for _, f := range found {
		if f.whole == m.Exact {
			m.Logs = append(m.Logs, f.log)
		}
	}
	return m, true
}

// index finds logs by name: there may be as many as virtual hosts, and as many inputs.
func (c *Config) index() {
	c.byName = map[string][]int{}
	for i, l := range c.Logs {
		switch {
		case l.Pattern != "":
			c.patterns = append(c.patterns, i)
		case l.Path != "":
			c.byName[path.Base(l.Path)] = append(c.byName[path.Base(l.Path)], i)
		}
	}
}

// candidate is a log whose name matches, and how well.
type candidate struct {
	log      *Log
	whole    bool // the whole path matches
	shared   int  // number of directories at the end of the path that match, without stars
	stripped int  // number of suffixes that were removed
	literal  int  // bytes of the name that are not a pattern
}

// compare orders the more specific candidate first.
func (a candidate) compare(b candidate) int {
	switch {
	case a.whole && !b.whole:
		return -1
	case b.whole && !a.whole:
		return 1
	}
	return cmp.Or(cmp.Compare(b.shared, a.shared), cmp.Compare(a.stripped, b.stripped), cmp.Compare(b.literal, a.literal))
}

// inputPath is the path of an input, split.
type inputPath struct {
	dirs  []string // from the root
	names []string // the file's name, then with more and more suffixes removed
	full  bool     // the path is absolute
}

func newInputPath(input string) inputPath {
	p := filepath.ToSlash(input)
	member := false
	if i := strings.LastIndexByte(p, '!'); i >= 0 && i+1 < len(p) {
		p, member = p[i+1:], true
	}
	p = path.Clean(p)
	parts := strings.Split(strings.TrimPrefix(p, "/"), "/")
	// The path of a file in an archive is absolute, without its leading slash.
	return inputPath{parts[:len(parts)-1], stripped(parts[len(parts)-1]), member || isAbsolute(p)}
}

// match reports whether a log has the name of the input, and how well they match.
func (in inputPath) match(l *Log) (candidate, bool) {
	text := l.Pattern
	if text == "" {
		text = globQuoter.Replace(l.Path)
	}
	parts := strings.Split(strings.TrimPrefix(text, "/"), "/")
	dirs, name := parts[:len(parts)-1], parts[len(parts)-1]
	if name == "*" { // the name may be anything, so the directories must match
		c := candidate{log: l}
		c.shared, c.whole = in.above(dirs, 0)
		return c, c.whole
	}
	for n, have := range in.names {
		if ok, err := path.Match(name, have); err != nil || !ok {
			continue
		}
		c := candidate{log: l, stripped: n, literal: literalBytes(name)}
		c.shared, c.whole = in.above(dirs, 1)
		c.whole = c.whole && isAbsolute(l.Path)
		return c, true
	}
	return candidate{}, false
}

// above compares the directories from the last one upwards.
func (in inputPath) above(dirs []string, shared int) (n int, whole bool) {
	for i := 1; i <= min(len(dirs), len(in.dirs)); i++ {
		want, have := dirs[len(dirs)-i], in.dirs[len(in.dirs)-i]
		if ok, err := path.Match(want, have); err != nil || !ok {
			return shared, false
		}
		if want != "*" {
			shared++
		}
	}
	return shared, in.full && len(dirs) == len(in.dirs)
}

func literalBytes(pattern string) int {
	return len(strings.NewReplacer("[0-9]", "", "*", "", `\`, "").Replace(pattern))
}

// suffixes are the endings of names of logs.
type suffixes struct {
	compressed *regexp.Regexp // added by compression
	rotated    *regexp.Regexp // added by rotation: .1, a date with or without a time, Unix seconds, .old
	extension  *regexp.Regexp // logrotate can insert a date before it
}

// knownSuffixes are compiled on first use.
var knownSuffixes = sync.OnceValue(func() *suffixes {
	return &suffixes{
		compressed: regexp.MustCompile(`(?i)\.(gz|z|bz2|xz|zst|zstd|lz4|lzma|br)$`),
		rotated:    regexp.MustCompile(`(?i)(\.\d{1,5}|[-._](19|20)\d\d[-._]?[01]\d([-._]?[0-3]\d([-._T]?[0-2]\d([-.:_]?[0-5]\d){0,2}Z?)?)?|[-._]\d{9,10}|\.(old|bak|save))$`),
		extension:  regexp.MustCompile(`\.[A-Za-z]{1,8}$`),
	}
})

// maxStripped is how many variants of a name are tried. Real names have two or three
// suffixes.
const maxStripped = 8

// stripped returns a name, then the name with one suffix of rotation or compression after
// the other removed.
func stripped(name string) []string {
	suffix := knownSuffixes()
	names := []string{name}
	for len(names) < maxStripped {
		next := suffix.compressed.ReplaceAllString(name, "")
		if next == name {
			next = suffix.rotated.ReplaceAllString(name, "")
		}
		if next == name {
			if ext := suffix.extension.FindString(name); ext != "" {
				next = suffix.rotated.ReplaceAllString(strings.TrimSuffix(name, ext), "") + ext
			}
		}
		// A name that is only a date, such as 2026-03-09.log, keeps it.
		if next == name || next == "" || next[0] == '.' && name[0] != '.' {
			break
		}
		names, name = append(names, next), next
	}
	return names
}
