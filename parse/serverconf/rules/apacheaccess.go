package rules

import (
	"slices"
	"strings"

	"logscan/parse/serverconf"
)

// policy is what the merged sections say of access to a path by a method.
type policy struct {
	access   Access
	section  *section                // whose Require lines apply; nil if none has any
	requires []*serverconf.Directive // those lines
	authType *serverconf.Directive
	satisfy  *serverconf.Directive
	denied   *serverconf.Directive // by Deny from all
}

// demand is what a Require line makes of a request without a user from an address that no
// line names.
type demand uint8

const (
	neutral demand = iota
	granted
	needsUser
	refused
	undecided
)

// policyOf merges sections, the last of which has most weight.
func policyOf(applied []*section, method string) policy {
	var p policy
	merged := false
	for _, s := range applied {
		for _, d := range s.own["authtype"] {
			p.authType = d
		}
		for _, d := range s.own["satisfy"] {
			p.satisfy = d
		}
		if list := append(slices.Clone(s.own["deny"]), s.own["allow"]...); len(list) > 0 {
			p.denied = deniesAll(s.own)
		}
		requires, any := s.requires(method)
		if !any {
			continue
		}
		if m := s.own["authmerging"]; len(m) > 0 && len(m[0].Args) == 1 && !strings.EqualFold(m[0].Args[0], "off") {
			merged = true
		}
		p.section, p.requires = s, requires
	}
	p.access = p.judge(merged, method)
	return p
}

// requires returns the Require lines of a section for a method. any reports whether it has
// some for any method.
func (s *section) requires(method string) (list []*serverconf.Directive, any bool) {
	list = slices.Clone(s.own["require"])
	any = len(list) > 0
	for _, limit := range s.own["<limit"] {
		applies := limits(limit, method)
		for i := range limit.Block {
			d := &limit.Block[i]
			if d.Name != "require" && !strings.HasPrefix(d.Name, "<require") {
				continue
			}
			any = true
			if applies {
				list = append(list, d)
			}
		}
	}
	return list, any
}

// limits reports whether a Limit or LimitExcept applies to a method.
func limits(limit *serverconf.Directive, method string) bool {
	in := slices.ContainsFunc(limit.Args, func(m string) bool { return m == method || m == "GET" && method == "HEAD" })
	return in == (limit.Name == "<limit")
}

// deniesAll returns the directive of mod_access_compat that refuses all addresses but those
// it allows; nil if none does.
func deniesAll(own map[string][]*serverconf.Directive) *serverconf.Directive {
	for _, d := range own["allow"] {
		if slices.ContainsFunc(d.Args, func(s string) bool { return strings.EqualFold(s, "all") }) {
			return nil
		}
	}
	for _, d := range own["deny"] {
		if slices.ContainsFunc(d.Args, func(s string) bool { return strings.EqualFold(s, "all") }) {
			return d
		}
	}
	return nil
}

func (p *policy) judge(merged bool, method string) Access {
	if merged {
		return Unknown
	}
	either := p.satisfy != nil && len(p.satisfy.Args) == 1 && strings.EqualFold(p.satisfy.Args[0], "any")
	needs := granted
	if p.section != nil && len(p.requires) > 0 {
		needs = anyOf(p.requires, method)
	}
	switch {
	case needs == undecided:
		return Unknown
	case either && p.denied == nil && needs == needsUser:
		return Open
	case needs == refused || p.denied != nil && !either:
		return Forbidden
	case needs == needsUser:
		return Protected
	}
	return Open
}

// anyOf returns what Require lines of which one must hold demand.
func anyOf(list []*serverconf.Directive, method string) demand {
	return firstOf(demands(list, method), granted, undecided, needsUser, refused)
}

// allOf returns what Require lines that must all hold demand.
func allOf(list []*serverconf.Directive, method string) demand {
	return firstOf(demands(list, method), refused, undecided, needsUser, granted)
}

// firstOf returns the first of a ranking that is among all, its last if none is.
func firstOf(all []demand, ranking ...demand) demand {
	last := len(ranking) - 1
	for _, d := range ranking[:last] {
		if slices.Contains(all, d) {
			return d
		}
	}
	return ranking[last]
}

func demands(list []*serverconf.Directive, method string) (all []demand) {
	for _, d := range list {
		all = append(all, demandOf(d, method))
	}
	return all
}

// demandOf returns what a Require line or container demands.
func demandOf(d *serverconf.Directive, method string) demand {
	if d.IsBlock {
		var inner []*serverconf.Directive
		for i := range d.Block {
			inner = append(inner, &d.Block[i])
		}
		switch d.Name {
		case "<requireall":
			return allOf(inner, method)
		case "<requirenone":
			return neutral
		}
		return anyOf(inner, method)
	}
	args := d.Args
	if len(args) == 0 {
		return undecided
	}
	if strings.EqualFold(args[0], "not") {
		return neutral // it can only refuse
	}
	switch strings.ToLower(args[0]) {
	case "all":
		if len(args) > 1 && strings.EqualFold(args[1], "granted") {
			return granted
		}
		return refused
	case "ip", "host", "local", "forward-dns":
		return refused
	case "method":
		if slices.Contains(args[1:], method) {
			return granted
		}
		return refused
	case "env", "expr":
		return undecided
	}
	return needsUser
}

// lines returns the directives that decide.
func (p *policy) lines() []Line {
	list := slices.Clone(p.requires)
	if p.access == Protected && p.authType != nil {
		list = append([]*serverconf.Directive{p.authType}, list...)
	}
	if p.denied != nil {
		list = append(list, p.denied)
	}
	return linesOf(list...)
}
