package dialect

import (
	"fmt"
	"strings"

	"logscan/parse/field/strftime"
)

// uwsgiMeanings maps the variables of uWSGI's log-format.
// https://uwsgi-docs.readthedocs.io/en/latest/LogFormat.html
var uwsgiMeanings = map[string]Meaning{
	"uri": Target, "method": Method, "user": User, "addr": Client, "host": Host, "proto": Protocol,
	"uagent": Agent, "referer": Referrer, "status": Status, "micros": Micros, "msecs": Millis, "secs": Seconds,
	"time": Time, "epoch": Time, "ltime": Time, "size": Bytes, "rsize": Bytes,
	"hsize": Count, "cl": Count, "pid": Count, "wid": Count, "switches": Count, "vars": Count, "pktsize": Count,
	"headers": Count, "core": Count,
}

// gunicornMeanings maps the atoms of Gunicorn's access_log_format.
// https://docs.gunicorn.org/en/stable/settings.html#access-log-format
var gunicornMeanings = map[string]Meaning{
	"h": Client, "u": User, "t": Time, "r": Request, "m": Method, "U": Path, "q": Query, "H": Protocol,
	"s": Status, "B": Bytes, "b": Bytes, "f": Referrer, "a": Agent, "T": Seconds, "M": Millis, "D": Micros,
	"L": Seconds, "p": Ignored, "l": Ignored,
}

// isParenthesized reports whether a string is of uWSGI or Gunicorn: %(name), %(name)s.
func isParenthesized(spec string) bool { return strings.Contains(spec, "%(") }

// parenthesizedPieces parses a string of uWSGI or Gunicorn.
func parenthesizedPieces(spec string) ([]Piece, error) {
	var ps []Piece
	for i := 0; i < len(spec); {
		if !strings.HasPrefix(spec[i:], "%(") {
			ps = literal(ps, string(spec[i]), i)
			i++
			continue
		}
		end := strings.IndexByte(spec[i:], ')')
		if end < 0 {
			return nil, fmt.Errorf("at byte %d: a ( without its )", i)
		}
		name := spec[i+2 : i+end]
		p := Piece{Name: nameOr(name, "%()"), At: i}
		i += end + 1
		// Atoms of Gunicorn end in s, the conversion of Python's % operator, and are
		// one letter or a header in braces.
		if i < len(spec) && strings.IndexByte("sd", spec[i]) >= 0 && (len(name) == 1 || strings.HasPrefix(name, "{")) {
			i++
			if err := p.gunicorn(name); err != nil {
				return nil, err
			}
			if name == "t" { // its value has brackets
				ps = literal(append(literal(ps, "[", p.At), p), "]", p.At)
				continue
			}
		} else if p.Means = uwsgiMeanings[name]; name == "ctime" {
			p.Means = TimePart
			p.Time, _ = strftime.Compile("%c")
		} else if layout, ok := strings.CutPrefix(name, "ftime:"); ok {
			p.Means = TimePart
			var err error
			if p.Time, err = strftime.Compile(layout); err != nil {
				return nil, fmt.Errorf("at byte %d: %w", p.At, err)
			}
		}
		ps = append(ps, p)
	}
	return ps, nil
}

// gunicorn sets the meaning of an atom: a letter, {header}i, {header}o or
// {variable}e.
func (p *Piece) gunicorn(name string) error {
	arg, ok := strings.CutPrefix(name, "{")
	if !ok {
		p.Means, ok = gunicornMeanings[name]
		if !ok {
			return fmt.Errorf("at byte %d: no such atom: %%(%s)s", p.At, name)
		}
		return nil
	}
	arg, kind, ok := strings.Cut(arg, "}")
	if !ok {
		return fmt.Errorf("at byte %d: a { without its }", p.At)
	}
	switch p.Name = nameOr(arg, name); kind {
	case "i":
		p.Means = header(arg)
	case "o":
		p.Means = responseHeader(arg)
	}
	return nil
}
