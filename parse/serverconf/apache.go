package serverconf

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// Apache reads the configuration of an Apache HTTP Server: httpd.conf or apache2.conf, or a
// file that it includes.
//
// Variables are those set by Define, those of the file envvars beside the configuration,
// where Debian sets APACHE_LOG_DIR, and environment variables of logscan whose names begin
// with APACHE_ or HTTPD_. Paths are relative to ServerRoot; until that is set, to the
// directory of the configuration, or its parent if the directory is named conf.
func Apache(path string) (*Config, error) {
	r := newApacheReader(path)
	if err := r.file(path); err != nil {
		return nil, err
	}
	r.resolve()
	r.resolveErrors()
	return r.finish(), nil
}

func newApacheReader(path string) *apacheReader {
	r := &apacheReader{
		reader:  newReader(),
		modules: map[string]bool{},
		macros:  map[string]*macro{},
		main:    newVirtualHost(Position{path, 1}),
	}
	r.main.setFormat(Format{Name: "CLF", Spec: apacheCommon})
	r.host = r.main
	return r
}

// file reads the configuration at path.
func (r *apacheReader) file(path string) error {
	full, text, err := r.start(path)
	if err != nil {
		return err
	}
	r.root = apacheRoot(filepath.Dir(full))
	if err := r.readEnvironment(filepath.Join(r.root, "envvars")); err != nil {
		return err
	}
	if err := r.text(path, string(text), 1); err != nil {
		return err
	}
	if r.directives == 0 {
		return errorAt(Position{path, 1}, "there is no directive of Apache in it that is known: give httpd.conf or apache2.conf, or a file that it includes")
	}
	return nil
}

// apacheReader reads the files line by line, as Apache does, and collects what they say of
// logs.
type apacheReader struct {
	reader
	root string // ServerRoot
	vars variables

	modules  map[string]bool // loaded by LoadModule, by identifier and source file
	loading  bool            // a LoadModule was read
	assumed  bool            // the note that all modules are assumed to be loaded was made
	macros   map[string]*macro
	sections []section // the open ones

	main  *virtualHost
	hosts []*virtualHost
	host  *virtualHost // the one that is being read

	directives int // number of known directives

	whole *tree // all directives, if they are wanted; else nil
}

// section is a <Name …> that is open.
type section struct {
	name string // lower case
	at   Position
	host *virtualHost // the one around it
}

// virtualHost is the configuration in a <VirtualHost>, or outside of all of them.
type virtualHost struct {
	name          string // of ServerName; may be empty
	aliases       []string
	formats       map[string]Format
	defaultFormat string // of a LogFormat without a name; a format or the name of one
	logs          []apacheLog
	errorLog      apacheLog // of ErrorLog, with the format of ErrorLogFormat
	at            Position
}

// apacheLog is a directive that configures a log. Its format is looked up when everything
// has been read.
type apacheLog struct {
	to        string
	format    string // a format or the name of one; empty for TransferLog
	global    bool
	condition string
	at        Position
}

// text reads the text of a file or of a macro. Its sections must be closed within it.
func (r *apacheReader) text(file, text string, line int) error {
	outer := len(r.sections)
	lines := logicalLines{text: text, next: line}
	for {
		l, n, ok := lines.read()
		if !ok {
			break
		}
		at := Position{file, n}
		if err := r.line(&lines, l, at, outer); err != nil {
			return err
		}
	}
	if len(r.sections) > outer {
		s := r.sections[len(r.sections)-1]
		return errorAt(s.at, "<%s> is not closed", s.name)
	}
	return nil
}

func (r *apacheReader) line(lines *logicalLines, l string, at Position, outer int) error {
	if l == "" || l[0] == '#' || l[0] == '"' || l[0] == '\'' {
		return nil
	}
	name, args := cutWord(l)
	if name = strings.ToLower(name); name[0] != '<' && r.whole == nil && !slices.Contains(apacheDirectives, name) {
		return nil
	}
	expanded, ok := r.vars.expand(args, maxBytes-r.bytes, func(variable string) {
		r.note(at, "the variable ${%s} is not defined: set it in the environment, where its name begins with APACHE_", variable)
	})
	if !ok {
		return errorAt(at, "the configuration is too large: too much of it is made by variables")
	}
	r.bytes += int64(max(len(expanded)-len(args), 0))
	args = expanded
	if strings.HasPrefix(name, "</") {
		return r.closeSection(name, at, outer)
	}
	if strings.HasPrefix(name, "<") {
		// <IfDefine>, or <If"…">, whose argument follows at once.
		if i := strings.IndexAny(name, `"'>`); i > 0 {
			name, args = name[:i], name[i:]+" "+args
		}
		return r.openSection(lines, name[1:], args, at)
	}
	if slices.Contains(apacheDirectives, name) || slices.Contains(apacheAccess, name) {
		r.directives++
	}
	list := words(args)
	r.whole.add(Directive{Name: name, Args: list, At: at})
	return r.directive(name, list, at)
}

// apacheRoot returns the directory that paths are relative to before ServerRoot is set,
// given the directory of a file: that of the main configuration, which is further up for an
// included file.
func apacheRoot(dir string) string {
	if up, ok := above(dir, "apache2.conf", "conf/httpd.conf"); ok {
		return up
	}
	if filepath.Base(dir) == "conf" {
		return filepath.Dir(dir)
	}
	return dir
}

// readEnvironment reads the file envvars if there is one.
func (r *apacheReader) readEnvironment(path string) error {
	text, err := r.open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, errTooLarge):
		return err
	case err != nil:
		r.note(Position{path, 1}, "the environment is not known: %v", err)
		return nil
	}
	r.vars.readEnvironment(string(text))
	return nil
}
