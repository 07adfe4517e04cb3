package rules

import (
	"cmp"
	"regexp/syntax"
	"slices"
	"strings"
)

// Traffic is how often a route was requested.
type Traffic struct {
	Request
	Template               string // the route, whose ids Path has an example of
	Requests, Unauthorized int64
}

// Change is a route that two configurations treat differently.
type Change struct {
	Traffic
	Before, After Answer
}

// Comparison is what a changed configuration does to the requests of a run.
type Comparison struct {
	Routes, Requests int64    // that were compared
	Undecided        int64    // requests for routes that one of the configurations does not decide
	Changes          []Change // most requests first
}

// Compare resolves the same requests with two configurations.
func Compare(before, after *Rules, traffic []Traffic) *Comparison {
	c := &Comparison{}
	for _, t := range traffic {
		c.Routes++
		c.Requests += t.Requests
		x := Change{t, before.Resolve(t.Request), after.Resolve(t.Request)}
		switch {
		case x.Before.Access == Unknown || x.After.Access == Unknown:
			c.Undecided += t.Requests
		case x.Before.Access != x.After.Access:
			c.Changes = append(c.Changes, x)
		}
	}
	slices.SortStableFunc(c.Changes, func(x, y Change) int {
		return cmp.Or(cmp.Compare(y.Requests, x.Requests), cmp.Compare(x.Host, y.Host), cmp.Compare(x.Template, y.Template), cmp.Compare(x.Method, y.Method))
	})
	return c
}

// Filled returns a URL template with its ids replaced by one that most patterns of ids
// match.
func Filled(template string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(template, "{")
		_, after, closed := strings.Cut(rest, "}")
		if !ok || !closed {
			b.WriteString(template)
			return b.String()
		}
		b.WriteString(before + "1")
		template = after
	}
}

// Faults returns the facts on all routes, each once, most certain first. Those that are
// Ordinary are none.
func (r *Rules) Faults() []Fact {
	return slices.DeleteFunc(r.Everywhere(), func(f Fact) bool { return f.Kind.Ordinary() })
}

// Everywhere returns Faults, and facts that are faults only if an error log says so.
func (r *Rules) Everywhere() (list []Fact) {
	add := func(all []Fact) {
		for _, f := range all {
			if f.Kind != SlashRedirect && !slices.ContainsFunc(list, func(g Fact) bool { return g.Same(&f) }) {
				list = append(list, f)
			}
		}
	}
	for _, route := range r.Routes() {
		add(route.Facts)
		if len(list) > maxFaults {
			break
		}
	}
	if n, ok := r.server.(*nginx); ok {
		for _, v := range n.servers {
			add(shadows(&v.locations))
		}
	}
	slices.SortStableFunc(list, func(x, y Fact) int { return cmp.Compare(y.Certainty, x.Certainty) })
	return list
}

// maxFaults bounds the facts on a configuration.
const maxFaults = 1000

// shadows returns the locations with regular expressions that may be chosen over a prefix
// that is meant to be open.
func shadows(l *locations) (list []Fact) {
	for _, open := range l.all {
		how, prefix := modifier(open.dir.Args)
		off := open.opened()
		if access, _ := open.protection(); how != "" || access != Open || len(off) == 0 || len(open.own) == 0 || off[0].At.Line < open.dir.At.Line {
			continue
		}
		for i := range l.regexes {
			x := &l.regexes[i]
			_, pattern := modifier(x.dir.Args)
			if access, _ := x.block.protection(); access == Protected && mayMatchBelow(pattern, prefix) {
				list = append(list, fact(RegexShadows, Likely, "", x.dir, open.dir, off[0]))
			}
		}
	}
	for _, b := range l.all {
		list = append(list, shadows(&b.locations)...)
	}
	return list
}

// mayMatchBelow reports whether a pattern may match a path with a prefix: not if it begins
// with another text.
func mayMatchBelow(pattern, prefix string) bool {
	rest, anchored := strings.CutPrefix(pattern, "^")
	if !anchored {
		return true
	}
	re, err := syntax.Parse(rest, syntax.Perl)
	if err != nil {
		return false
	}
	literal := ""
	if re.Op == syntax.OpConcat && len(re.Sub) > 0 {
		re = re.Sub[0]
	}
	if re.Op == syntax.OpLiteral && re.Flags&syntax.FoldCase == 0 {
		literal = string(re.Rune)
	}
	return strings.HasPrefix(prefix, literal) || strings.HasPrefix(literal, prefix)
}
