package rules

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"logscan/parse/serverconf"
)

// maxCycles is how often nginx searches the locations again for a request.
const maxCycles = 10

// step is a location that a request goes through. An internal redirect leads to the next
// one; access is checked in each.
type step struct {
	conf     *block // whose directives apply: that of the location, of a limit_except or an if
	location *block // nil if no location matches
	shadowed *block // the prefix that a regular expression keeps from being used
}

// run is a request on its way through a server.
type run struct {
	nginx  *nginx
	server *virtual
	q      Request
	uri    string
	vars   map[string]string // values of set
	groups []string          // of the last regular expression that matched
	steps  []step
	// subrequest marks a request of nginx itself, which internal locations serve.
	subrequest bool
	// unsure is set if a condition or pattern that is not known may lead the request to
	// another place, or to a 401.
	unsure bool
}

// ending is how a rewrite phase ends a request.
type ending struct {
	access Access
	at     *serverconf.Directive // nil if the request goes on
	code   int
}

// resolve implements server.
func (n *nginx) resolve(q Request) (all []Answer) {
	for _, v := range n.candidates(q) {
		all = append(all, n.answer(v, q))
	}
	return serving(all, q)
}

// answer returns what a server does with a request.
func (n *nginx) answer(v *virtual, q Request) Answer {
	merge := true
	if d, value := v.value("merge_slashes"); d != nil && value == "off" {
		merge = false
	}
	r := &run{nginx: n, server: v, q: q, uri: decode(q.Path, merge), vars: map[string]string{}}
	end := r.walk()
	a := Answer{Host: v.name(), Scope: lineOf(v.dir)}
	if len(r.steps) > 0 {
		last := &r.steps[len(r.steps)-1]
		if last.location != nil {
			a.Scope = lineOf(last.location.dir)
		}
		a.Upstream = last.handler()
	}
	r.judge(&a, end)
	if r.unsure {
		a.Access = Unknown
	}
	a.Facts = r.facts(&a, end)
	return a
}

// judge sets what a request without credentials gets.
func (r *run) judge(a *Answer, end ending) {
	a.Access = Open
	for i := range r.steps {
		s := &r.steps[i]
		if i == len(r.steps)-1 && end.at != nil { // the rewrite phase comes before access
			break
		}
		access, by := s.conf.protection()
		if a.By = append(a.By, by...); access.Refuses() || access == Unknown {
			a.Access = access
			return
		}
	}
	if end.at != nil {
		a.Access, a.By = end.access, linesOf(end.at)
	}
}

// walk leads a request through the rewrite phases and locations.
func (r *run) walk() ending {
	internal := r.subrequest
	if _, end := r.rewrite(r.server.block); end.at != nil {
		return end
	}
	for range maxCycles {
		loc, shadowed, redirects := r.find(&r.server.locations)
		if redirects != nil {
			r.steps = append(r.steps, step{redirects, redirects, nil})
			return ending{Redirected, redirects.dir, 301}
		}
		s := step{conf: r.server.block, location: loc, shadowed: shadowed}
		if loc != nil {
			s.conf = loc
			if d := loc.own["internal"]; len(d) > 0 && !internal {
				r.steps = append(r.steps, s)
				return ending{Answered, d[0], 404}
			}
		}
		again, end := false, ending{}
		if loc != nil {
			var inner *block
			before := r.uri
			inner, again, end = r.locationRewrite(loc)
			if inner != nil {
				s.conf = inner
			}
			again = again && r.uri != before
		}
		if l := s.conf.limited(r.q.Method); l != nil {
			s.conf = l
		}
		if again && end.at == nil {
			continue // the location is left before its access is checked
		}
		r.steps = append(r.steps, s)
		if end.at != nil {
			return end
		}
		if next, end := r.tryFiles(s.conf); !next {
			return end
		}
		internal = true
		if _, end := r.rewrite(r.server.block); end.at != nil {
			return end
		}
	}
	r.unsure = true
	return ending{}
}

// limited returns the block of limit_except that applies to a method; nil if none does.
func (b *block) limited(method string) *block {
	for x := b; x != nil && x.dir.Name != "server"; x = x.parent {
		if x.limit == nil {
			continue
		}
		allowed := x.limit.dir.Args
		if slices.Contains(allowed, method) || method == "HEAD" && slices.Contains(allowed, "GET") || method == "" {
			return nil
		}
		return x.limit
	}
	return nil
}

// find returns the location of the URI: an exact one, else the longest prefix and what is
// nested in it, unless a regular expression matches. shadowed is the prefix that a regular
// expression overrides. redirects is the location to which a slash is missing.
func (r *run) find(l *locations) (found, shadowed, redirects *block) {
	if b := l.exact[r.uri]; b != nil {
		return b, nil, nil
	}
	var prefix *block
	for _, n := range l.lengths {
		if n <= len(r.uri) {
			if prefix = l.prefixes[r.uri[:n]]; prefix != nil {
				break
			}
		}
	}
	if b := cmp.Or(l.exact[r.uri+"/"], l.prefixes[r.uri+"/"]); b != nil && l.prefixes[r.uri] == nil && b.passes() != nil {
		return nil, nil, b
	}
	if prefix != nil {
		inner, shadow, redirects := r.find(&prefix.locations)
		if redirects != nil {
			return nil, nil, redirects
		}
		if inner != nil {
			if how, _ := modifier(inner.dir.Args); how == "=" || how == "~" || how == "~*" {
				return inner, shadow, nil
			}
			found, shadowed = inner, shadow
		} else {
			found = prefix
		}
		if how, _ := modifier(prefix.dir.Args); how == "^~" {
			return found, shadowed, nil
		}
	}
	for i := range l.regexes {
		x := &l.regexes[i]
		groups, matches, known := x.match(r.uri)
		if !known {
			r.unsure = true
			continue
		}
		if !matches {
			continue
		}
		r.groups = groups
		if inner, shadow, _ := r.find(&x.block.locations); inner != nil {
			return inner, shadow, nil
		}
		return x.block, found, nil
	}
	return found, shadowed, nil
}

// passing are the directives that pass requests to a backend.
var passing = []string{"proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass"}

// passes returns the directive that passes the requests of a block to a backend. Only the
// blocks of if and limit_except inherit it.
func (b *block) passes() *serverconf.Directive {
	for x := b; x != nil; x = x.parent {
		for _, name := range passing {
			if list := x.own[name]; len(list) > 0 && len(list[0].Args) > 0 {
				return list[0]
			}
		}
		if x.dir.Name != "if" && x.dir.Name != "limit_except" {
			return nil
		}
	}
	return nil
}

// handler returns where a step passes requests to; empty if nginx answers itself.
func (s *step) handler() string {
	if d := s.conf.passes(); d != nil {
		return d.Args[0]
	}
	return ""
}

// tryFiles follows try_files to its last argument, which is taken if no file is there: routes
// of applications are no files. next reports whether there is another location to search;
// a named one is walked through at once.
func (r *run) tryFiles(b *block) (next bool, end ending) {
	if len(b.own["try_files"]) == 0 { // it is not inherited
		return false, ending{}
	}
	d := b.own["try_files"][0]
	if len(d.Args) < 2 {
		return false, ending{}
	}
	last := d.Args[len(d.Args)-1]
	switch {
	case strings.HasPrefix(last, "="):
		return false, ending{}
	case strings.HasPrefix(last, "@"):
		named := r.server.named[last[1:]]
		if named == nil {
			return false, ending{}
		}
		s := step{conf: named, location: named}
		inner, _, end := r.locationRewrite(named)
		if inner != nil {
			s.conf = inner
		}
		r.steps = append(r.steps, s)
		return false, end
	}
	target, ok := r.expand(last)
	if !ok || !strings.HasPrefix(target, "/") {
		r.unsure = true
		return false, ending{}
	}
	target, _, _ = strings.Cut(target, "?")
	if target == r.uri {
		return false, ending{}
	}
	r.uri = target
	return true, ending{}
}

// locationRewrite runs the rewrite directives of a location. inner is the if block whose
// directives apply; again reports whether the locations are searched again.
func (r *run) locationRewrite(b *block) (inner *block, again bool, end ending) {
	before := r.uri
	inner, end = r.rewrite(b)
	return inner, before != r.uri && !r.stays(b), end
}

// stays reports whether a rewrite of a block says break, which keeps the location.
func (r *run) stays(b *block) bool {
	for _, s := range b.script {
		if s.inner != nil && r.stays(s.inner) {
			return true
		}
		if s.Name == "rewrite" && len(s.Args) > 2 && s.Args[2] == "break" || s.Name == "break" {
			return true
		}
	}
	return false
}

// rewrite runs the directives of the rewrite module in a block.
func (r *run) rewrite(b *block) (inner *block, end ending) {
	for _, s := range b.script {
		switch s.Name {
		case "set":
			r.set(s.Args)
		case "break":
			return inner, ending{}
		case "return":
			return inner, returned(s.Directive)
		case "rewrite":
			stop, end := r.rewriteURI(s.Directive)
			if stop || end.at != nil {
				return inner, end
			}
		case "if":
			holds, known := r.condition(s.Args)
			if !known {
				r.unsure = r.unsure || s.inner.deflects()
				continue
			}
			if !holds {
				continue
			}
			inner = s.inner
			if deeper, end := r.rewrite(s.inner); end.at != nil {
				return inner, end
			} else if deeper != nil {
				inner = deeper
			}
			if slices.ContainsFunc(s.inner.script, func(x statement) bool { return x.Name == "break" }) {
				return inner, ending{}
			}
		}
	}
	return inner, ending{}
}

// deflects reports whether the block of an if changes who is refused: a condition that is
// not known may then hold for the requests that were. Answers that are no 401 do not matter
// to requests that got one.
func (b *block) deflects() bool {
	for _, s := range b.script {
		switch s.Name {
		case "return":
			if returned(s.Directive).code == 401 {
				return true
			}
		case "rewrite":
			if len(s.Args) < 3 || s.Args[2] != "redirect" && s.Args[2] != "permanent" {
				return true
			}
		case "if":
			if s.inner.deflects() {
				return true
			}
		}
	}
	for name := range b.own {
		if strings.HasPrefix(name, "auth_") || strings.HasPrefix(name, "proxy_") || strings.HasPrefix(name, "fastcgi_") {
			return true
		}
	}
	return len(b.access) > 0
}

// returned returns the answer of a return directive.
func returned(d *serverconf.Directive) ending {
	e := ending{at: d, access: Redirected, code: 302} // return URL
	if len(d.Args) > 0 {
		if code, err := strconv.Atoi(d.Args[0]); err == nil {
			e.code = code
		}
	}
	switch {
	case e.code == 401 || e.code == 403:
		e.access = Forbidden
	case e.code < 300 || e.code >= 400:
		e.access = Answered
	}
	return e
}

// set processes set $name value.
func (r *run) set(args []string) {
	if len(args) != 2 || !strings.HasPrefix(args[0], "$") {
		return
	}
	if value, ok := r.expand(args[1]); ok {
		r.vars[args[0][1:]] = value
	} else {
		delete(r.vars, args[0][1:])
	}
}

// rewriteURI processes rewrite regex replacement [flag]. stop reports that no further
// directives of the phase are processed.
func (r *run) rewriteURI(d *serverconf.Directive) (stop bool, end ending) {
	if len(d.Args) < 2 {
		return false, ending{}
	}
	groups, matches, known := r.nginx.patterns.get(d.Args[0], false).match(r.uri)
	if !known {
		r.unsure = true
		return false, ending{}
	}
	if !matches {
		return false, ending{}
	}
	flag := ""
	if len(d.Args) > 2 {
		flag = d.Args[2]
	}
	to := d.Args[1]
	if flag == "redirect" || flag == "permanent" || strings.HasPrefix(to, "http://") || strings.HasPrefix(to, "https://") || strings.HasPrefix(to, "$scheme") {
		return true, ending{Redirected, d, 302}
	}
	r.groups = groups
	path, _, _ := strings.Cut(to, "?")
	uri, ok := r.expand(path)
	if !ok {
		r.unsure = true
		return true, ending{}
	}
	r.uri = uri
	return flag == "last" || flag == "break", ending{}
}

// expand replaces the variables of a text. ok is false if one is not known.
func (r *run) expand(s string) (text string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '$' {
			b.WriteByte(s[i])
			continue
		}
		rest := s[i+1:]
		name := ""
		if inner, ok := strings.CutPrefix(rest, "{"); ok {
			name, _, _ = strings.Cut(inner, "}")
			i += len(name) + 2
		} else {
			n := 0
			for n < len(rest) && (rest[n] == '_' || rest[n] >= '0' && rest[n] <= '9' || rest[n]|0x20 >= 'a' && rest[n]|0x20 <= 'z') {
				n++
			}
			if n > 0 && rest[0] >= '1' && rest[0] <= '9' {
				n = 1
			}
			name = rest[:n]
			i += n
		}
		value, known := r.variable(name)
		if !known {
			return "", false
		}
		b.WriteString(value)
		if b.Len() > maxPath {
			return "", false
		}
	}
	return b.String(), true
}

// variable returns the value of a variable, if it is known.
func (r *run) variable(name string) (string, bool) {
	if value, ok := r.vars[name]; ok {
		return value, true
	}
	if n, err := strconv.Atoi(name); err == nil {
		if n < len(r.groups) {
			return r.groups[n], true
		}
		return "", true
	}
	switch name {
	case "uri", "document_uri":
		return r.uri, true
	case "request_method":
		return r.q.Method, r.q.Method != ""
	case "host", "http_host":
		return r.q.Host, r.q.Host != ""
	case "scheme":
		return r.q.Scheme, r.q.Scheme != ""
	case "query_string", "args", "is_args":
		return "", true // a path is rewritten, and its query does not choose a location
	}
	return "", false
}

// condition evaluates the condition of an if.
func (r *run) condition(args []string) (holds, known bool) {
	args = slices.Clone(args)
	if len(args) == 0 {
		return false, false
	}
	args[0] = strings.TrimPrefix(args[0], "(")
	args[len(args)-1] = strings.TrimSuffix(args[len(args)-1], ")")
	args = slices.DeleteFunc(args, func(s string) bool { return s == "" })
	if len(args) == 0 || !strings.HasPrefix(args[0], "$") || args[0] == "$args" || args[0] == "$query_string" || args[0] == "$is_args" {
		return false, false
	}
	value, known := r.expand(args[0])
	if !known {
		return false, false
	}
	if len(args) == 1 {
		return value != "" && value != "0", true
	}
	operator, want := args[1], strings.Join(args[2:], " ")
	switch operator {
	case "=", "!=":
		if want, known = r.expand(want); !known {
			return false, false
		}
		return (value == want) == (operator == "="), true
	case "~", "~*", "!~", "!~*":
		groups, matches, known := r.nginx.patterns.get(want, strings.HasSuffix(operator, "*")).match(value)
		if matches {
			r.groups = groups
		}
		return matches != strings.HasPrefix(operator, "!"), known
	}
	return false, false
}
