package serverconf

import (
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
)

func cleanSlash(p string) string { return path.Clean(filepath.ToSlash(p)) }

// globQuoter turns a text into the pattern that matches only this text.
var globQuoter = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`)

// placeholders match what is not literal in a path with variables, and in one with
// conversions of strftime, too. Neighbours that match anything are one. They are compiled on
// first use.
var placeholders = sync.OnceValues(func() (variables, times *regexp.Regexp) {
	const variable, special = `\$\{[^}]*\}|\$\w+`, `[\\*?\[]`
	return regexp.MustCompile(`(` + variable + `)+|` + special),
		regexp.MustCompile(`(?s)(` + variable + `|%[^YGmdHMSyIUVWgjF%])+|%.|` + special)
})

// variablePattern returns the pattern, in the syntax of path.Match, of a path in which $name
// and ${name} stand for anything but a slash. It returns "" if there are none.
func variablePattern(s string) string {
	variables, _ := placeholders()
	return pathPattern(s, variables)
}

// timePattern returns the pattern of a path with times or variables, or "" if it has none.
func timePattern(s string) string {
	_, times := placeholders()
	return pathPattern(s, times)
}

func pathPattern(s string, placeholder *regexp.Regexp) string {
	literal := true
	digits := func(n int) string { return strings.Repeat("[0-9]", n) }
	pattern := placeholder.ReplaceAllStringFunc(s, func(m string) string {
		switch {
		case len(m) == 1:
			return globQuoter.Replace(m)
		case m == "%%":
			return "%"
		}
		literal = false
		switch m {
		case "%Y", "%G":
			return digits(4)
		case "%m", "%d", "%H", "%M", "%S", "%y", "%I", "%U", "%V", "%W", "%g":
			return digits(2)
		case "%j":
			return digits(3)
		case "%F":
			return digits(4) + "-" + digits(2) + "-" + digits(2)
		}
		return "*"
	})
	if literal {
		return ""
	}
	return pattern
}
