package parse

import (
	"fmt"
	"strings"
)

// piece is a part of a format string: a literal, or a field with the name the
// server has for it.
type piece struct {
	literal string
	field   field
	name    string // $cookie_sid, %{SID}C; empty for a literal
	at      int    // byte offset in the format string
}

// Compile makes a format of an nginx log_format string or an Apache LogFormat
// string, verbatim. Errors name the byte offset.
func Compile(spec string) (*Format, error) {
	f := &Format{Name: spec, Doc: "given as a format string", Native: spec}
	if err := f.compile(nil); err != nil {
		return nil, err
	}
	return f, nil
}

// compile makes the program of f.Native, with the names of fields that the user
// assigned.
func (f *Format) compile(assigned map[string]field) error {
	pieces, err := f.pieces()
	if err != nil {
		return fmt.Errorf("format %q: %w", f.Native, err)
	}
	g := &program{open: f.openEnd}
	literal := ""
	fields := 0
	for _, p := range pieces {
		if p.name == "" {
			literal += p.literal
			continue
		}
		if to, ok := assigned[canonicalName(p.name)]; ok {
			p.field = to
		}
		if len(g.steps) > 0 && literal == "" {
			return fmt.Errorf("format %q: at byte %d: nothing stands between %s and the field before it", f.Native, p.at, p.name)
		}
		if n := len(g.steps); n > 0 {
			g.steps[n-1].end = []byte(literal)
			g.steps[n-1].quoted = quotedBy(string(g.steps[n-1].literal), literal)
		}
		g.steps = append(g.steps, step{
			literal: []byte(literal), field: p.field,
			list: p.field == fieldUpstream || p.field == fieldUpstreamStatus || strings.Contains(p.name, "upstream"),
		})
		if p.field != fieldIgnored {
			g.reads[p.field] = true
			fields++
		}
		literal = ""
	}
	if fields == 0 {
		return fmt.Errorf("format %q: no field that is known: use nginx's $names or Apache's %%directives", f.Native)
	}
	n := len(g.steps) - 1
	g.steps[n].end = []byte(literal)
	g.steps[n].quoted = quotedBy(string(g.steps[n].literal), literal)
	g.tail = []byte(literal)
	if g.open {
		// More fields may follow: the last one ends at a space.
		if len(g.tail) == 0 {
			g.tail = []byte(" ")
		} else {
			g.tail = append(g.tail, ' ')
		}
		g.steps[n].end = g.tail
	}
	g.prefix = prefixOf(g.steps)
	f.program = g
	return nil
}

func quotedBy(before, after string) bool {
	return strings.HasSuffix(before, `"`) && strings.HasPrefix(after, `"`)
}

// pieces takes the format string apart: nginx's when it has a $variable,
// Apache's otherwise.
func (f *Format) pieces() ([]piece, error) {
	if strings.Contains(f.Native, "%") && !strings.Contains(f.Native, "$") {
		return apachePieces(f.Native)
	}
	if strings.Contains(f.Native, "$") {
		return nginxPieces(f.Native)
	}
	return nil, fmt.Errorf("neither an nginx log_format ($remote_addr …) nor an Apache LogFormat (%%h …)")
}

// canonicalName makes the spellings of a variable one: $cookie_SID, cookie_sid
// and %{SID}C each stand for themselves, without the $ and without case.
func canonicalName(name string) string {
	name = strings.TrimPrefix(name, "$")
	name = strings.TrimSuffix(strings.TrimPrefix(name, "{"), "}")
	return strings.ToLower(name)
}
