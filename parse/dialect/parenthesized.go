package dialect

import (
	"cmp"
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

// parenthesizedField parses a variable of uWSGI or an atom of Gunicorn. Atoms end in
// s, the conversion of Python's % operator, and are one letter or a header in braces.
func parenthesizedField(s *scanner, at int) (end int, err error) {
	name, end, err := s.argument(at, at+1, ')')
	if err != nil {
		return 0, err
	}
	p := Piece{Name: cmp.Or(name, "%()"), At: at}
	layout := "%c"
	isTime := name == "ctime"
	if !isTime {
		layout, isTime = strings.CutPrefix(name, "ftime:")
	}
	switch {
	case end < len(s.spec) && strings.IndexByte("sd", s.spec[end]) >= 0 && (len(name) == 1 || strings.HasPrefix(name, "{")):
		end++
		if err = p.gunicorn(name); name == "t" { // its value has brackets
			s.enclose("[", p, "]")
			return end, err
		}
	case isTime:
		p.Means = TimePart
		if p.Time, err = strftime.Compile(layout); err != nil {
			err = fmt.Errorf("at byte %d: %w", at, err)
		}
	default:
		p.Means = uwsgiMeanings[name]
	}
	s.add(p)
	return end, err
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
	switch p.Name = cmp.Or(arg, name); kind {
	case "i":
		p.Means = header(arg)
	case "o":
		p.Means = responseHeader(arg)
	}
	return nil
}
