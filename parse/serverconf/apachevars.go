package serverconf

import (
	"os"
	"strings"
)

// variables holds the values of ${NAME} in Apache's configuration.
type variables struct {
	defined map[string]bool   // names set by Define, for <IfDefine>
	values  map[string]string // values set by Define, by name in lower case: names are not case-sensitive
	file    map[string]string // values of the file envvars
}

// define processes Define name [value].
func (v *variables) define(name string, value ...string) {
	if v.defined == nil {
		v.defined, v.values = map[string]bool{}, map[string]string{}
	}
	v.defined[name] = true
	for _, s := range value {
		v.values[strings.ToLower(name)] = s
	}
}

func (v *variables) undefine(name string) {
	delete(v.defined, name)
	delete(v.values, strings.ToLower(name))
}

// lookup returns the value of a variable. Of logscan's environment only the names of Apache
// are visible: others may hold secrets, and the result would depend on them.
func (v *variables) lookup(name string) (string, bool) {
	if value, ok := v.values[strings.ToLower(name)]; ok {
		return value, true
	}
	if value, ok := v.file[name]; ok {
		return value, true
	}
	if strings.HasPrefix(name, "APACHE_") || strings.HasPrefix(name, "HTTPD_") {
		return os.LookupEnv(name)
	}
	return "", false
}

// expand replaces each ${NAME} by its value, which is not expanded again. An undefined
// variable stays, and missing is called. ok is false if the result exceeds limit bytes:
// values may be made of values.
func (v *variables) expand(s string, limit int64, missing func(name string)) (expanded string, ok bool) {
	var b strings.Builder
	for {
		before, rest, opened := strings.Cut(s, "${")
		name, after, closed := strings.Cut(rest, "}")
		if !opened || !closed {
			b.WriteString(s)
			return b.String(), true
		}
		value, ok := v.lookup(name)
		if !ok {
			value = "${" + name + "}"
			missing(name)
		}
		b.WriteString(before + value)
		s = after
		if int64(b.Len()) > limit {
			return "", false
		}
	}
}

// readEnvironment reads the assignments in Debian's envvars: export NAME=value, with
// variables in the value. Nothing else of the shell is supported: a variable set in another
// way, such as $SUFFIX of a second instance, is empty.
func (v *variables) readEnvironment(text string) {
	v.file = map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		assignment, exported := strings.CutPrefix(line, "export ")
		name, value, ok := strings.Cut(strings.TrimSpace(assignment), "=")
		if !exported || !ok || !isName(name) {
			continue
		}
		if value, ok = shellValue(value, v.file); ok {
			v.file[name] = value
		}
	}
}

// shellValue returns the value of a simple assignment: a word, quoted or not, with $NAME
// and ${NAME}. ok is false if evaluating it needs a shell.
func shellValue(s string, env map[string]string) (value string, ok bool) {
	switch {
	case s == "":
		return "", true
	case s[0] == '\'' || s[0] == '"':
		end := strings.IndexByte(s[1:], s[0])
		if end < 0 {
			return "", false
		}
		rest := strings.TrimSpace(s[end+2:])
		if rest != "" && rest[0] != '#' {
			return "", false
		}
		if s[0] == '\'' {
			return s[1 : end+1], true
		}
		s = s[1 : end+1]
	default:
		s, _, _ = strings.Cut(s, " ")
	}
	if strings.ContainsAny(s, "`\\\"';&|<>()") {
		return "", false
	}
	simple := true
	value = os.Expand(s, func(name string) string {
		simple = simple && isName(name)
		return env[name]
	})
	return value, simple
}

// isName reports whether s is the name of a variable.
func isName(s string) bool {
	for i := range len(s) {
		if !isNameByte(s[i]) {
			return false
		}
	}
	return s != ""
}

func isNameByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}
