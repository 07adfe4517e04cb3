package serverconf

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// macro is a <Macro name $parameter…> of mod_macro.
type macro struct {
	parameters []string
	body       string
	at         Position // of the first line of the body
}

// openSection opens a <name args>, or skips it if its condition does not hold.
func (r *apacheReader) openSection(lines *logicalLines, name, args string, at Position) error {
	if i := strings.LastIndexByte(args, '>'); i >= 0 {
		args = args[:i]
	}
	args = strings.TrimSpace(args)
	if len(r.sections) >= maxNesting {
		return errorAt(at, "sections stand in each other deeper than %d", maxNesting)
	}
	switch {
	case name == "macro":
		return r.defineMacro(lines, words(args), at)
	case name == "perl" || strings.HasPrefix(name, "luahook"):
		r.note(at, "what the code in <%s> configures is not known", name)
		return skipSection(lines, name, at, nil)
	case !r.holds(name, args, at):
		return skipSection(lines, name, at, nil)
	}
	s := section{name: name, at: at, host: r.host}
	if name == "virtualhost" {
		r.directives++
		r.host = newVirtualHost(at)
		r.hosts = append(r.hosts, r.host)
	}
	r.sections = append(r.sections, s)
	if !isCondition(name) {
		r.whole.open(Directive{Name: "<" + name, Args: words(args), At: at})
	}
	return nil
}

// isCondition reports whether a section only says when its lines are read.
func isCondition(name string) bool {
	return slices.Contains([]string{"ifmodule", "ifdefine", "ifversion", "iffile", "ifdirective", "ifsection"}, name)
}

func (r *apacheReader) closeSection(name string, at Position, outer int) error {
	name = strings.ToLower(strings.TrimSuffix(name[2:], ">"))
	if len(r.sections) <= outer {
		return errorAt(at, "</%s> closes nothing: no <%s> is open", name, name)
	}
	last := r.sections[len(r.sections)-1]
	if name != last.name {
		return errorAt(at, "</%s> stands where </%s> is due, which was opened at %s", name, last.name, last.at)
	}
	r.sections = r.sections[:len(r.sections)-1]
	r.host = last.host
	if !isCondition(name) {
		r.whole.close()
	}
	return nil
}

// skipSection reads to the end of a section and copies what it skips to body, if that is
// not nil. As in Apache, only sections of the same name count as nested.
func skipSection(lines *logicalLines, name string, at Position, body *strings.Builder) error {
	for depth := 1; ; {
		before := lines.text
		l, _, ok := lines.read()
		if !ok {
			return errorAt(at, "<%s> is not closed", name)
		}
		word, _ := cutWord(l)
		word, _, _ = strings.Cut(strings.ToLower(word), ">")
		switch word {
		case "<" + name:
			depth++
		case "</" + name:
			depth--
		}
		if depth == 0 {
			return nil
		}
		if body != nil {
			body.WriteString(before[:len(before)-len(lines.text)])
		}
	}
}

// holds reports whether the condition of a section holds. A section without a condition
// that can be evaluated does.
func (r *apacheReader) holds(name, args string, at Position) bool {
	word, _ := cutWord(args)
	word, not := strings.CutPrefix(word, "!")
	word = strings.TrimSpace(word)
	switch name {
	case "ifmodule":
		if !r.loading && !slices.Contains(apacheBuiltIn, word) {
			if !r.assumed {
				r.assumed = true
				r.note(at, "<IfModule> without a LoadModule before it: all modules are taken as loaded")
			}
			return !not
		}
		return (r.modules[word] || slices.Contains(apacheBuiltIn, word)) != not
	case "ifdefine":
		return r.vars.defined[word] != not
	case "ifversion":
		return versionHolds(args)
	case "iffile":
		_, err := os.Stat(absolute(r.root, word))
		return (err == nil) != not
	}
	return true
}

// apacheBuiltIn are modules that are usually compiled into Apache.
var apacheBuiltIn = []string{
	"core_module", "core.c", "http_module", "http_core.c", "so_module", "mod_so.c",
	"log_config_module", "mod_log_config.c", "logio_module", "mod_logio.c",
	"unixd_module", "mod_unixd.c", "version_module", "mod_version.c", "watchdog_module", "mod_watchdog.c",
}

// loadModule registers a module by its identifier and by its source file, which <IfModule>
// may name instead.
func (r *apacheReader) loadModule(args []string) {
	r.loading = true
	if len(args) == 0 {
		return
	}
	r.modules[args[0]] = true
	name := strings.TrimSuffix(args[0], "_module")
	r.modules["mod_"+name+".c"] = true
	if mpm, ok := strings.CutPrefix(name, "mpm_"); ok {
		r.modules[mpm+".c"] = true
	}
	if len(args) > 1 {
		file := filepath.Base(filepath.ToSlash(args[1]))
		r.modules[strings.TrimSuffix(file, filepath.Ext(file))+".c"] = true
	}
}

// apacheVersion is the version that <IfVersion> is evaluated for: the last of the 2.4
// series.
var apacheVersion = []int{2, 4, 999}

// versionHolds evaluates [[!]operator] version. It returns true for what it does not
// support, such as regular expressions.
func versionHolds(args string) bool {
	list := words(args)
	if len(list) == 0 {
		return true
	}
	operator, version := "=", list[0]
	if len(list) > 1 {
		operator, version = list[0], list[1]
	}
	operator, not := strings.CutPrefix(operator, "!")
	want := make([]int, 3)
	for i, part := range strings.SplitN(version, ".", 3) {
		n, err := strconv.Atoi(part)
		if err != nil {
			return true
		}
		want[i] = n
	}
	c := slices.Compare(apacheVersion, want)
	holds, ok := map[string]bool{"=": c == 0, "==": c == 0, ">": c > 0, ">=": c >= 0, "<": c < 0, "<=": c <= 0}[operator]
	return !ok || holds != not
}

func (r *apacheReader) defineMacro(lines *logicalLines, args []string, at Position) error {
	m := &macro{at: Position{at.File, lines.next}}
	var body strings.Builder
	if err := skipSection(lines, "macro", at, &body); err != nil {
		return err
	}
	if len(args) == 0 {
		return errorAt(at, "<Macro> takes a name")
	}
	if len(args)-1 > maxParameters {
		return errorAt(at, "<Macro %s> has more than %d parameters", args[0], maxParameters)
	}
	m.parameters, m.body = args[1:], body.String()
	r.macros[strings.ToLower(args[0])] = m
	return nil
}

// use reads the lines of a macro with its parameters replaced.
func (r *apacheReader) use(args []string, at Position) error {
	if len(args) == 0 {
		return errorAt(at, "Use takes the name of a macro")
	}
	name := strings.ToLower(args[0])
	m, ok := r.macros[name]
	if !ok {
		r.note(at, "the macro %q is not defined here; its use is left out", args[0])
		return nil
	}
	if len(args)-1 != len(m.parameters) {
		return errorAt(at, "the macro %q of %s takes %d arguments, and is given %d", args[0], m.at, len(m.parameters), len(args)-1)
	}
	if err := r.enter("macro "+name, at); err != nil {
		return err
	}
	defer r.leave()
	body, err := m.expand(args[1:], maxBytes-r.bytes)
	r.read++
	r.bytes += int64(len(body))
	if err != nil || r.read > maxFiles {
		return errorAt(at, "the configuration is too large: too much of it is made by macros")
	}
	return r.text(m.at.File, body, m.at.Line)
}

// expand replaces the parameters, longer names first. It returns an error for a result of
// more than limit bytes.
func (m *macro) expand(args []string, limit int64) (string, error) {
	var pairs [][2]string // parameter and argument
	for i, parameter := range m.parameters {
		if parameter != "" {
			pairs = append(pairs, [2]string{parameter, args[i]})
		}
	}
	slices.SortStableFunc(pairs, func(a, b [2]string) int { return len(b[0]) - len(a[0]) })
	var b strings.Builder
	for s := m.body; s != ""; {
		i := slices.IndexFunc(pairs, func(p [2]string) bool { return strings.HasPrefix(s, p[0]) })
		from, to := s[:1], s[:1]
		if i >= 0 {
			from, to = pairs[i][0], pairs[i][1]
		}
		b.WriteString(to)
		s = s[len(from):]
		if int64(b.Len()) > limit {
			return "", errTooLarge
		}
	}
	return b.String(), nil
}
