package rules

import (
	"slices"
	"strings"
)

// Rules of Traefik's routers: matchers such as Host(`a.test`) with &&, || and !, and
// parentheses. https://doc.traefik.io/traefik/routing/routers/#rule

// truth is whether a rule holds for a request.
type truth uint8

const (
	fails truth = iota
	perhaps
	holds
)

// matcher reports whether a rule holds for a request.
type matcher func(Request) truth

func truthOf(ok bool) truth {
	if ok {
		return holds
	}
	return fails
}

// never is the matcher of a rule that Traefik refuses to read.
func never(Request) truth { return fails }

// maxRule bounds the size of a rule in bytes, and with it the depth of its parentheses.
const maxRule = 4 << 10

// ruleParser parses the text of a rule.
type ruleParser struct {
	text string
	bad  bool
}

// parseRule returns the matcher of a rule.
func parseRule(text string) matcher {
	if len(text) > maxRule {
		return never
	}
	p := &ruleParser{text: text}
	m := p.any()
	if p.skip(); p.bad || p.text != "" {
		return never
	}
	return m
}

func (p *ruleParser) skip() { p.text = strings.TrimLeft(p.text, " \t\r\n") }

// take removes a symbol from the front of the text, if it is there.
func (p *ruleParser) take(symbol string) bool {
	p.skip()
	rest, ok := strings.CutPrefix(p.text, symbol)
	p.text = rest
	return ok
}

// any parses alternatives.
func (p *ruleParser) any() matcher {
	m := p.all()
	for p.take("||") {
		left, right := m, p.all()
		m = func(q Request) truth { return max(left(q), right(q)) }
	}
	return m
}

// all parses what must hold together.
func (p *ruleParser) all() matcher {
	m := p.one()
	for p.take("&&") {
		left, right := m, p.one()
		m = func(q Request) truth { return min(left(q), right(q)) }
	}
	return m
}

// one parses a matcher, its negation, or a rule in parentheses.
func (p *ruleParser) one() matcher {
	switch {
	case p.bad:
		return never
	case p.take("!"):
		m := p.one()
		return func(q Request) truth { return holds - m(q) }
	case p.take("("):
		m := p.any()
		p.bad = p.bad || !p.take(")")
		return m
	}
	name, rest, ok := strings.Cut(p.text, "(")
	if p.text = rest; !ok {
		p.bad = true
		return never
	}
	values := p.values()
	return named(strings.ToLower(strings.TrimSpace(name)), values)
}

// values parses the arguments of a matcher, in back quotes or quotes, to the parenthesis that
// closes them.
func (p *ruleParser) values() (list []string) {
	for {
		p.skip()
		if p.text == "" || p.text[0] != '`' && p.text[0] != '"' && p.text[0] != '\'' {
			break
		}
		value, rest, ok := strings.Cut(p.text[1:], p.text[:1])
		if !ok {
			break
		}
		list, p.text = append(list, value), rest
		if !p.take(",") {
			break
		}
	}
	p.bad = p.bad || !p.take(")")
	return list
}

// named returns the matcher of a name and its values. What is not known of a request, such as
// its headers, may match.
func named(name string, values []string) matcher {
	if slices.ContainsFunc(values, hasVariable) {
		return withVariables(name, values)
	}
	switch name {
	case "host", "hostheader":
		return field(hostOf, func(host string) bool {
			return slices.ContainsFunc(values, func(v string) bool { return strings.EqualFold(v, host) })
		})
	case "method":
		return field(methodOf, func(method string) bool {
			return slices.ContainsFunc(values, func(v string) bool { return strings.EqualFold(v, method) })
		})
	case "path":
		return field(pathOf, func(path string) bool { return slices.Contains(values, path) })
	case "pathprefix":
		return field(pathOf, func(path string) bool {
			return slices.ContainsFunc(values, func(v string) bool { return strings.HasPrefix(path, v) })
		})
	case "pathregexp", "hostregexp":
		of := pathOf
		if name == "hostregexp" {
			of = hostOf
		}
		var patterns []pattern
		for _, v := range values {
			patterns = append(patterns, compile(v, name == "hostregexp"))
		}
		return func(q Request) truth {
			text, best := of(&q), fails
			if text == "" {
				return perhaps
			}
			for i := range patterns {
				_, matches, known := patterns[i].match(text)
				if !known {
					best = max(best, perhaps)
				}
				best = max(best, truthOf(matches))
			}
			return best
		}
	}
	return func(Request) truth { return perhaps }
}

// compared are the parts of a request with which matchers compare their values, by name.
var compared = map[string]func(*Request) string{"host": hostOf, "hostheader": hostOf, "method": methodOf, "path": pathOf, "pathprefix": pathOf}

// hasVariable reports whether a value has a variable of a Compose file.
func hasVariable(value string) bool { return strings.Contains(value, "${") }

// withVariables is named for values of which some have variables: what they leave open may match
// if the rest of the value does.
func withVariables(name string, values []string) matcher {
	of := compared[name]
	if of == nil {
		return func(Request) truth { return perhaps }
	}
	var fixed, variable []string
	for _, v := range values {
		if hasVariable(v) {
			variable = append(variable, strings.ToLower(v))
		} else {
			fixed = append(fixed, v)
		}
	}
	known := named(name, fixed)
	return func(q Request) truth {
		if t := known(q); t != fails {
			return t
		}
		text := strings.ToLower(of(&q))
		if slices.ContainsFunc(variable, func(v string) bool { return mayBe(v, text, name == "pathprefix") }) {
			return perhaps
		}
		return fails
	}
}

// mayBe reports whether a text with variables such as ${DOMAIN} may be another, or begin it if
// prefix is set.
func mayBe(pattern, text string, prefix bool) bool {
	first := true
	for {
		start := strings.Index(pattern, "${")
		if start < 0 {
			break
		}
		part := pattern[:start]
		i := strings.Index(text, part)
		if i < 0 || first && i > 0 {
			return false
		}
		text = text[i+len(part):]
		_, pattern, _ = strings.Cut(pattern[start:], "}")
		first = false
	}
	return strings.HasSuffix(text, pattern) || prefix && strings.Contains(text, pattern)
}

func hostOf(q *Request) string   { return q.Host }
func methodOf(q *Request) string { return q.Method }
func pathOf(q *Request) string   { return q.Path }

// field returns a matcher of a part of a request, which may be empty in the log.
func field(of func(*Request) string, matches func(string) bool) matcher {
	return func(q Request) truth {
		text := of(&q)
		if text == "" {
			return perhaps
		}
		return truthOf(matches(text))
	}
}
