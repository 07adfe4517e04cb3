package serverconf

import (
	"path"
	"path/filepath"
	"strings"
)

func cleanSlash(p string) string { return path.Clean(filepath.ToSlash(p)) }

// globQuoter turns a text into the pattern that matches only this text.
var globQuoter = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`)

// pattern builds a pattern in the syntax of path.Match.
type pattern struct {
	strings.Builder
	open bool // it ends in a star
	any  bool // it matches more than one text
}

func (p *pattern) text(s string) {
	if s != "" {
		p.WriteString(globQuoter.Replace(s))
		p.open = false
	}
}

// digits appends n digits.
func (p *pattern) digits(n int) {
	p.WriteString(strings.Repeat("[0-9]", n))
	p.open, p.any = false, true
}

// star appends a star, which matches anything but a slash. Two in a row are one.
func (p *pattern) star() {
	if !p.open {
		p.WriteByte('*')
	}
	p.open, p.any = true, true
}

// variables appends a text in which $name and ${name} match anything but a slash.
func (p *pattern) variables(s string) {
	for s != "" {
		i := strings.IndexByte(s, '$')
		if i < 0 {
			p.text(s)
			return
		}
		p.text(s[:i])
		s = s[i:]
		end := 1
		if strings.HasPrefix(s, "${") {
			end = strings.IndexByte(s, '}') + 1
		} else {
			for end < len(s) && isNameByte(s[end]) {
				end++
			}
		}
		if end <= 1 {
			p.text("$")
			s = s[1:]
			continue
		}
		p.star()
		s = s[end:]
	}
}

// times appends a text with variables and conversions of strftime.
func (p *pattern) times(s string) {
	for s != "" {
		i := strings.IndexByte(s, '%')
		if i < 0 || i+1 == len(s) {
			p.variables(s)
			return
		}
		p.variables(s[:i])
		switch s[i+1] {
		case 'Y', 'G':
			p.digits(4)
		case 'm', 'd', 'H', 'M', 'S', 'y', 'I', 'U', 'V', 'W', 'g':
			p.digits(2)
		case 'j':
			p.digits(3)
		case 'F':
			p.digits(4)
			p.text("-")
			p.digits(2)
			p.text("-")
			p.digits(2)
		case '%':
			p.text("%")
		default:
			p.star()
		}
		s = s[i+2:]
	}
}

// glob returns the pattern, or "" if it is a plain text.
func (p *pattern) glob() string {
	if !p.any {
		return ""
	}
	return p.String()
}

// variablePattern returns the pattern of a path with variables, or "" if it has none.
func variablePattern(s string) string {
	var p pattern
	p.variables(s)
	return p.glob()
}

// timePattern returns the pattern of a path with times or variables, or "" if it has none.
func timePattern(s string) string {
	var p pattern
	p.times(s)
	return p.glob()
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
