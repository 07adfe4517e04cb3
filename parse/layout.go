package parse

import (
	"fmt"
	"strings"

	"logscan/parse/dialect"
)

// Compile makes a format of a format string, verbatim and perhaps with the
// directive around it: nginx's log_format, Apache's LogFormat, HAProxy's
// log-format, Envoy's, uWSGI's, Gunicorn's or GoAccess's. Errors name the byte
// offset.
func Compile(spec string) (*Format, error) {
	f := &Format{Name: spec, Doc: "given as a format string", Native: spec}
	if err := f.compile(nil); err != nil {
		return nil, err
	}
	return f, nil
}

// meanings are the fields of what format strings mean.
var meanings = map[dialect.Meaning]field{
	dialect.Time: fieldTime, dialect.TimePart: fieldTimePart, dialect.Request: fieldRequest,
	dialect.Target: fieldTarget, dialect.Path: fieldPath, dialect.Query: fieldQuery, dialect.Method: fieldMethod,
	dialect.Protocol: fieldProtocol, dialect.Scheme: fieldScheme, dialect.Host: fieldHost, dialect.ServerName: fieldHost,
	dialect.Status: fieldStatus, dialect.StatusOriginal: fieldStatus, dialect.Bytes: fieldBytes,
	dialect.Seconds: fieldSeconds, dialect.Millis: fieldMillis, dialect.Micros: fieldMicros, dialect.Nanos: fieldNanos,
	dialect.Referrer: fieldReferrer, dialect.Agent: fieldAgent, dialect.User: fieldUser, dialect.Cookie: fieldCookie,
	dialect.Client: fieldClient, dialect.ClientPort: fieldClientPort, dialect.Forwarded: fieldForwarded,
	dialect.ForwardedHeader: fieldForwardedHeader, dialect.RealIP: fieldRealIP, dialect.Proxied: fieldProxied,
	dialect.Authorization: fieldAuthorization, dialect.Session: fieldSession,
	dialect.Peer: fieldPeer, dialect.Upstream: fieldUpstream, dialect.UpstreamStatus: fieldUpstreamStatus,
	dialect.Server: fieldServer, dialect.Reason: fieldReason, dialect.State: fieldState, dialect.Count: fieldCount, dialect.Word: fieldWord,
}

// compile makes what reads the lines of f, with the names of fields that the
// user assigned.
func (f *Format) compile(assigned map[string]field) error {
	f.programs, f.tables, f.keys, f.prefixed = nil, nil, nil, false
	switch {
	case f.kind == kindJSON && f.Native == "":
		f.keys = newKeyTable(jsonAliases, assigned)
		return nil
	case f.kind == kindLTSV:
		f.keys = newKeyTable(ltsvAliases, assigned)
		return nil
	case f.kind == kindColumns || f.kind == kindW3C:
		for _, names := range append([]string{f.Native}, f.Shapes...) {
			f.tables = append(f.tables, newColumns(names, f.separator, f.dialect, assigned))
		}
		return nil
	}
	for _, native := range append([]string{f.Native}, f.Shapes...) {
		spec, err := f.spec(native)
		if err != nil {
			return fmt.Errorf("format %q: %w", native, err)
		}
		if spec.Name != "" && f.Name == native {
			f.Name = spec.Name
		}
		if spec.Object != nil {
			f.kind = kindJSON
			return f.compileObject(spec, assigned)
		}
		f.hashes = spec.Dialect == "haproxy"
		g, err := newProgram(spec, assigned, f.openEnd)
		if err != nil {
			return fmt.Errorf("format %q: %w", native, err)
		}
		if f.hashes {
			g.prefix = prefix{} // it looks for backslashes
		}
		f.programs = append(f.programs, g)
	}
	f.prefixed = f.programs[0].prefix.steps > 0
	return nil
}

// spec takes a format string apart.
func (f *Format) spec(native string) (*dialect.Spec, error) {
	if f.server != "" {
		return dialect.ParseAs(f.server, native, f.raw)
	}
	return dialect.Parse(native)
}

// compileObject makes the keys of a JSON format carry what its format string
// says they do. Keys that it does not name keep their usual meaning.
func (f *Format) compileObject(spec *dialect.Spec, assigned map[string]field) error {
	named := map[string]field{}
	f.keys = newKeyTable(nil, nil)
	for _, m := range spec.Object {
		path := strings.ToLower(m.Path)
		if to, ok := assigned[path]; ok {
			f.keys.add(path, to, 0, nil)
			continue
		}
		if len(m.Pieces) == 1 && m.Pieces[0].Name != "" {
			p := m.Pieces[0]
			to, ok := assigned[canonicalName(p.Name)]
			if !ok {
				to = fieldOf(p)
			}
			if to != fieldTimePart {
				if to != fieldIgnored {
					named[path] = to
				}
				f.keys.add(path, to, 0, nil)
				continue
			}
		}
		g, err := newProgram(&dialect.Spec{Pieces: m.Pieces}, assigned, false)
		if err != nil { // a literal, or fields that mean nothing
			f.keys.add(path, fieldIgnored, 0, nil)
			continue
		}
		f.keys.add(path, fieldComposed, 0, g)
		named[path] = fieldComposed
	}
	if len(named) == 0 {
		return fmt.Errorf("format %q: no field that is known in any key", f.Native)
	}
	f.keys.addAll(jsonAliases, assigned)
	return nil
}

// fieldOf gives the field of a piece.
func fieldOf(p dialect.Piece) field {
	if p.Means == dialect.CookieNamed {
		if isSessionName(p.Arg) {
			return fieldSession
		}
		return fieldIgnored
	}
	return meanings[p.Means]
}

// newProgram compiles the pieces of a line of text. With open, more fields may
// follow.
func newProgram(spec *dialect.Spec, assigned map[string]field, open bool) (*program, error) {
	g := &program{open: open}
	before := "" // the literal before the field at hand
	padded := false
	fields := 0
	seen := map[dialect.Meaning]int{}
	for _, p := range spec.Pieces {
		seen[p.Means]++
	}
	parts := seen[dialect.TimePart] > 0
	finish := func(after string) {
		if n := len(g.steps) - 1; n >= 0 {
			s := &g.steps[n]
			s.end = []byte(after)
			s.quoted = !spec.Raw && quotedBy(string(s.literal), after)
			s.escaped = s.quoted || spec.Escapes() && s.field != fieldUser // setUser is more careful
			if last := len(after) - 1; last > 0 && after[last] == '"' && !s.list {
				s.dash = []byte(after[:last] + "-")
			}
			if s.field == fieldTime && s.pattern != nil && !parts && (after == "" || s.pattern.Number() || strings.IndexByte(" :-/.,+TZ", after[0]) < 0) {
				s.pattern = nil // the usual spelling, up to a literal that is not in it
			}
		}
	}
	sized := false
	for _, p := range spec.Pieces {
		switch {
		case p.Name == "":
			before += p.Literal
			continue
		case p.Means == dialect.Padding:
			padded = true
			continue
		}
		to, isAssigned := assigned[canonicalName(p.Name)]
		switch {
		case isAssigned:
		case p.Means == dialect.Bytes && sized:
			to = fieldCount // of the body's size and the whole response's the first counts
		case p.Means == dialect.ServerName && seen[dialect.Host] > 0:
			to = fieldServerName // the host that was asked counts, where there is one
		case p.Means == dialect.StatusOriginal && seen[dialect.Status] > 0:
			to = fieldIgnored // the final one counts
		default:
			to = fieldOf(p)
		}
		sized = sized || to == fieldBytes
		if n := len(g.steps); n > 0 && before == "" && g.steps[n-1].pattern == nil {
			return nil, fmt.Errorf("at byte %d: nothing stands between %s and the field before it", p.At, p.Name)
		}
		finish(before)
		s := step{
			literal: []byte(before), field: to, pad: padded,
			list: to == fieldUpstream || to == fieldUpstreamStatus || strings.Contains(p.Name, "upstream"),
		}
		if to == fieldTime || to == fieldTimePart {
			s.pattern = p.Time
		}
		g.steps = append(g.steps, s)
		if to != fieldIgnored {
			g.reads[to] = true
			fields++
		}
		before, padded = "", false
	}
	if fields == 0 {
		return nil, fmt.Errorf("no field that is known: use nginx's $names or Apache's %%directives")
	}
	finish(before)
	g.tail = []byte(before)
	if g.open {
		// More fields may follow: the last one ends at a space.
		g.tail = append(g.tail, ' ')
		g.steps[len(g.steps)-1].end = g.tail
	}
	for i := range g.steps {
		s := &g.steps[i]
		// What is not quoted may hold blanks, and the field behind it tells where
		// it ends.
		if !s.quoted && string(s.end) == " " && i+1 < len(g.steps) {
			next := &g.steps[i+1]
			switch header := s.field == fieldIgnored || s.field == fieldCookie; {
			case header && next.field == fieldStatus && (len(next.end) == 0 || next.end[0] == ' '),
				(s.field == fieldTarget || s.field == fieldPath) && next.field == fieldProtocol:
				s.until = next.field
			}
		}
		g.loose = g.loose || s.pattern != nil || s.pad || s.until != fieldIgnored
	}
	if !g.loose {
		g.prefix = prefixOf(g.steps)
		g.whole = g.more && g.prefix.steps == len(g.steps) && string(g.tail) == `"`
	}
	g.reads[fieldTime] = g.reads[fieldTime] || g.reads[fieldTimePart]
	return g, nil
}

func quotedBy(before, after string) bool {
	return strings.HasSuffix(before, `"`) && strings.HasPrefix(after, `"`)
}

// canonicalName makes the spellings of a variable one: $cookie_SID, cookie_sid
// and %{SID}C each stand for themselves, without the $ and without case.
func canonicalName(name string) string {
	name = strings.TrimPrefix(name, "$")
	name = strings.TrimSuffix(strings.TrimPrefix(name, "{"), "}")
	return strings.ToLower(name)
}
