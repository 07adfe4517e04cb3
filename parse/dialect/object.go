package dialect

import (
	"bytes"
	"encoding/json"
	"strings"
)

// member is a key of a JSON object in a format string and the text of its value.
type member struct{ path, text string }

// maxObjectDepth limits the nesting of objects in a format string.
const maxObjectDepth = 16

// splitObject parses a format string that is a JSON object, such as
// {"t":"$time_iso8601","status":$status}. ok is false if it is none. Numbers have no
// quotes, so values need not be JSON before they are filled in.
func splitObject(spec string, lang *language) (members []member, ok bool) {
	spec = strings.TrimSpace(spec)
	if !strings.HasPrefix(spec, "{") || !strings.HasSuffix(spec, "}") {
		return nil, false
	}
	if lang.name == "apache" || lang.name == "haproxy" {
		spec = strings.ReplaceAll(spec, `\"`, `"`) // as in the configuration file
	}
	s := objectScanner{rest: spec}
	if !s.object("", 1) || strings.TrimSpace(s.rest) != "" || len(s.members) == 0 {
		return nil, false
	}
	return s.members, true
}

// objectScanner reads an object and collects its members.
type objectScanner struct {
	rest    string
	members []member
}

func (s *objectScanner) space() { s.rest = strings.TrimLeft(s.rest, " \t\r\n") }

func (s *objectScanner) take(c byte) bool {
	if s.space(); s.rest == "" || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// text reads a quoted string.
func (s *objectScanner) text() (string, bool) {
	if s.space(); s.rest == "" || s.rest[0] != '"' {
		return "", false
	}
	for i := 1; i < len(s.rest); i++ {
		switch s.rest[i] {
		case '\\':
			i++
		case '"':
			quoted := s.rest[:i+1]
			s.rest = s.rest[i+1:]
			var text string
			if json.Unmarshal([]byte(quoted), &text) != nil {
				text = string(bytes.Trim([]byte(quoted), `"`))
			}
			return text, true
		}
	}
	return "", false
}

func (s *objectScanner) object(path string, depth int) bool {
	if depth > maxObjectDepth || !s.take('{') {
		return false
	}
	if s.take('}') {
		return true
	}
	for {
		key, ok := s.text()
		if !ok || !s.take(':') {
			return false
		}
		s.space()
		switch {
		case strings.HasPrefix(s.rest, `"`):
			text, ok := s.text()
			if !ok {
				return false
			}
			s.members = append(s.members, member{path + key, text})
		case strings.HasPrefix(s.rest, "{") && !strings.HasPrefix(s.rest, "{+"):
			if !s.object(path+key+".", depth+1) {
				return false
			}
		default: // a bare value ends at a comma or brace outside fields
			n, braces := 0, 0
			for ; n < len(s.rest); n++ {
				if c := s.rest[n]; c == '{' || c == '(' || c == '[' {
					braces++
				} else if braces > 0 && (c == '}' || c == ')' || c == ']') {
					braces--
				} else if braces == 0 && (c == ',' || c == '}') {
					break
				}
			}
			s.members = append(s.members, member{path + key, strings.TrimSpace(s.rest[:n])})
			s.rest = s.rest[n:]
		}
		switch {
		case s.take(','):
		case s.take('}'):
			return true
		default:
			return false
		}
	}
}
