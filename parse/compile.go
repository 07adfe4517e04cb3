package parse

import (
	"fmt"
	"slices"
	"strings"

	"logscan/parse/dialect"
	"logscan/parse/events"
	"logscan/parse/field"
	"logscan/parse/privacy"
)

// Compile compiles a format string, verbatim and optionally with the directive
// around it: nginx's log_format, Apache's LogFormat, HAProxy's log-format, Envoy's,
// uWSGI's, Gunicorn's or GoAccess's. Errors give the byte offset.
func Compile(spec string) (*Format, error) {
	f := &Format{Name: spec, Doc: "given as a format string", Native: spec}
	if err := f.compile(); err != nil {
		return nil, err
	}
	return f, nil
}

// Configured is a format in the configuration of a server.
type Configured struct {
	Server string // nginx or apache
	Name   string // empty if it has none
	Spec   string // the format string, as the server assembles it
	Raw    bool   // nginx's escape=none
	Host   string // virtual host of lines that do not name one; empty if unknown
	Errors bool   // it is the format of an error log
}

// Format compiles the format.
func (c Configured) Format() (*Format, error) {
	if c.Errors {
		log, err := events.WithErrorLogFormat(c.Spec)
		if err != nil {
			return nil, fmt.Errorf("ErrorLogFormat %q: %w", c.Spec, err)
		}
		return &Format{Name: log.Name, Doc: log.Doc, Native: c.Spec, server: c.Server, kind: kindEvents, events: log}, nil
	}
	f := &Format{
		Name: c.Name, Doc: "from the configuration of " + c.Server, Native: c.Spec,
		server: c.Server, raw: c.Raw, host: []byte(c.Host),
	}
	if f.Name == "" {
		f.Name = c.Spec
	}
	if err := f.compile(); err != nil {
		return nil, err
	}
	return f, nil
}

// meanings maps the meanings of parts of format strings to fields.
var meanings = map[dialect.Meaning]fieldID{
	dialect.Time: fieldTime, dialect.TimePart: fieldTimePart, dialect.Request: fieldRequest,
	dialect.Target: fieldTarget, dialect.Path: fieldPath, dialect.Query: fieldQuery, dialect.Method: fieldMethod,
	dialect.Protocol: fieldProtocol, dialect.Scheme: fieldScheme, dialect.Host: fieldHost, dialect.ServerName: fieldHost,
	dialect.Status: fieldStatus, dialect.StatusOriginal: fieldStatus, dialect.Bytes: fieldBytes,
	dialect.Seconds: fieldSeconds, dialect.Millis: fieldMillis, dialect.Micros: fieldMicros, dialect.Nanos: fieldNanos, dialect.Latency: fieldLatency,
	dialect.Referrer: fieldReferrer, dialect.Agent: fieldAgent, dialect.User: fieldUser, dialect.Cookie: fieldCookie,
	dialect.Client: fieldClient, dialect.ClientPort: fieldClientPort, dialect.Forwarded: fieldForwarded,
	dialect.ForwardedHeader: fieldForwardedHeader, dialect.RealIP: fieldRealIP, dialect.Proxied: fieldProxied,
	dialect.Authorization: fieldAuthorization, dialect.Session: fieldSession,
	dialect.Peer: fieldPeer, dialect.Upstream: fieldUpstream, dialect.UpstreamStatus: fieldUpstreamStatus,
	dialect.Server: fieldServer, dialect.Reason: fieldReason, dialect.Flags: fieldFlags, dialect.State: fieldState, dialect.Count: fieldCount, dialect.Word: fieldWord, dialect.Keyword: fieldKeyword,
}

// compile prepares f for reading lines.
func (f *Format) compile() error {
	assigned := f.named()
	f.programs, f.tables, f.keys, f.prefixed = nil, nil, nil, false
	switch {
	case f.kind == kindEvents:
		return nil
	case f.kind == kindLogfmt:
		f.keys = newKeyTable(append(slices.Clone(jsonAliases), logfmtAliases...), assigned)
		return nil
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
	for i, native := range append([]string{f.Native}, f.Shapes...) {
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
		f.hashEscapes = spec.Dialect == "haproxy"
		g, err := newProgram(spec, assigned, f.openEnd && !(i == 0 && f.learned.Whole))
		if err != nil {
			return fmt.Errorf("format %q: %w", native, err)
		}
		if f.hashEscapes {
			g.prefix = prefix{} // its fast path handles backslashes only
		}
		f.programs = append(f.programs, g)
	}
	f.prefixed = f.programs[0].prefix.steps > 0
	return nil
}

// spec parses a format string.
func (f *Format) spec(native string) (*dialect.Spec, error) {
	if f.server != "" {
		return dialect.ParseAs(f.server, native, f.raw)
	}
	return dialect.Parse(native)
}

// compileObject sets the meanings of the keys of a JSON format to those that its format
// string defines. Other keys keep their usual meaning.
func (f *Format) compileObject(spec *dialect.Spec, assigned map[string]fieldID) error {
	named := map[string]fieldID{}
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
				if to != fieldIgnored && to != fieldSecret && to != fieldUnread {
					named[path] = to
				}
				f.keys.add(path, to, 0, nil)
				continue
			}
		}
		g, err := newProgram(&dialect.Spec{Pieces: m.Pieces}, assigned, false)
		if err != nil { // a literal, or fields without a meaning
			to := fieldIgnored
			if slices.ContainsFunc(m.Pieces, func(p dialect.Piece) bool { return fieldOf(p) == fieldSecret }) {
				to = fieldSecret
			}
			f.keys.add(path, to, 0, nil)
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

// fieldOf returns the field of a piece.
func fieldOf(p dialect.Piece) fieldID {
	if p.Means == dialect.CookieNamed {
		if field.IsSessionName(p.Arg) {
			return fieldSession
		}
		return fieldSecret
	}
	to := meanings[p.Means]
	switch {
	case to != fieldIgnored:
	case isCapture(p.Name):
		return fieldUnread
	case privacy.SecretField(p.Name) || p.Name == "%CS":
		return fieldSecret
	}
	return to
}

// isCapture reports whether a variable of HAProxy is a list of captured headers.
func isCapture(name string) bool {
	return slices.Contains([]string{"%hr", "%hs", "%hrl", "%hsl"}, name) || strings.HasPrefix(name, "%[capture.req.hdr") || strings.HasPrefix(name, "%[capture.res.hdr")
}

// newProgram compiles the pieces of a line of text. If open, more fields may follow.
func newProgram(spec *dialect.Spec, assigned map[string]fieldID, open bool) (*program, error) {
	c := programCompiler{spec: spec, assigned: assigned, program: &program{open: open}, seen: map[dialect.Meaning]int{}}
	for _, p := range spec.Pieces {
		c.seen[p.Means]++
	}
	for _, p := range spec.Pieces {
		switch {
		case p.Name == "":
			c.literal += p.Literal
		case p.Means == dialect.Padding:
			c.padded = true
		default:
			if err := c.add(p); err != nil {
				return nil, err
			}
		}
	}
	if c.fields == 0 {
		return nil, fmt.Errorf("no field that is known: use nginx's $names or Apache's %%directives")
	}
	c.finish()
	return c.program, nil
}

// programCompiler compiles the pieces of a line of text, one after the other.
type programCompiler struct {
	*program
	spec     *dialect.Spec
	assigned map[string]fieldID
	seen     map[dialect.Meaning]int // number of pieces

	literal string // since the last field
	padded  bool   // the next field may be padded
	sized   bool   // there is a field of the size
	fields  int    // number of fields that are used
}

// add adds the step of a field.
func (c *programCompiler) add(p dialect.Piece) error {
	to := c.fieldOf(p)
	c.sized = c.sized || to == fieldBytes
	n := len(c.steps)
	if n > 0 && c.literal == "" && to == fieldIgnored && c.steps[n-1].field == fieldIgnored {
		return nil // both are left out
	}
	if n > 0 && c.literal == "" && c.steps[n-1].pattern == nil {
		return fmt.Errorf("at byte %d: nothing stands between %s and the field before it", p.At, p.Name)
	}
	c.endStep()
	s := step{
		literal: []byte(c.literal), field: to, pad: c.padded,
		list: to == fieldUpstream || to == fieldUpstreamStatus || to == fieldForwarded || strings.Contains(p.Name, "upstream"),
	}
	if to == fieldTime || to == fieldTimePart {
		s.pattern = p.Time
	}
	c.steps = append(c.steps, s)
	if to != fieldIgnored && to != fieldSecret && to != fieldUnread {
		c.reads[to] = true
		c.fields++
	}
	c.literal, c.padded = "", false
	return nil
}

// fieldOf returns the field of a piece, given the other pieces.
func (c *programCompiler) fieldOf(p dialect.Piece) fieldID {
	if to, ok := c.assigned[canonicalName(p.Name)]; ok {
		return to
	}
	switch {
	case p.Means == dialect.Bytes && c.sized:
		return fieldCount // of the sizes of body and response, the first is used
	case p.Means == dialect.ServerName && c.seen[dialect.Host] > 0:
		return fieldServerName // the requested host is preferred
	case p.Means == dialect.StatusOriginal && c.seen[dialect.Status] > 0:
		return fieldIgnored // the final status is preferred
	}
	return fieldOf(p)
}

// endStep completes the last step, which the literal ends.
func (c *programCompiler) endStep() {
	n := len(c.steps) - 1
	if n < 0 {
		return
	}
	s, end := &c.steps[n], c.literal
	s.end = []byte(end)
	s.quoted = !c.spec.Raw && quotedBy(string(s.literal), end)
	s.escaped = s.quoted || c.spec.Escapes() && s.field != fieldUser // setUser decodes less
	if last := len(end) - 1; last > 0 && end[last] == '"' && !s.list {
		s.dash = []byte(end[:last] + "-")
	}
	inParts := c.seen[dialect.TimePart] > 0
	if s.field == fieldTime && s.pattern != nil && !inParts && (end == "" || s.pattern.Number() || strings.IndexByte(" :-/.,+TZ", end[0]) < 0) {
		s.pattern = nil // it has a usual spelling and ends at a byte not in it
	}
}

// finish completes the program after the last field.
func (c *programCompiler) finish() {
	g := c.program
	c.endStep()
	g.tail = []byte(c.literal)
	if g.open {
		// More fields may follow: the last one ends at a space.
		g.tail = append(g.tail, ' ')
		g.steps[len(g.steps)-1].end = g.tail
	}
	for i := range g.steps {
		s := &g.steps[i]
		// A field without quotes may contain blanks. The field after it then determines
		// its end.
		if !s.quoted && string(s.end) == " " && i+1 < len(g.steps) {
			next := &g.steps[i+1]
			switch header := s.field == fieldIgnored || s.field == fieldCookie || s.field == fieldSecret || s.field == fieldUnread; {
			case header && next.field == fieldStatus && (len(next.end) == 0 || next.end[0] == ' '),
				(s.field == fieldTarget || s.field == fieldPath) && next.field == fieldProtocol:
				s.until = next.field
			}
		}
		g.lenient = g.lenient || s.pattern != nil || s.pad || s.until != fieldIgnored
	}
	if !g.lenient {
		g.prefix = prefixOf(g.steps)
		g.whole = g.more && g.prefix.steps == len(g.steps) && string(g.tail) == `"`
	}
	g.reads[fieldTime] = g.reads[fieldTime] || g.reads[fieldTimePart]
}

func quotedBy(before, after string) bool {
	return strings.HasSuffix(before, `"`) && strings.HasPrefix(after, `"`)
}

// canonicalName returns the name of a variable or key without $ or braces, in lower
// case.
func canonicalName(name string) string {
	name = strings.TrimPrefix(name, "$")
	name = strings.TrimSuffix(strings.TrimPrefix(name, "{"), "}")
	return strings.ToLower(name)
}
