// Package serverconf reads the configuration of nginx and of Apache for what it
// says of access logs: which files there are, in which format, of which virtual
// hosts.
//
// In: the path of a configuration file. Out: a Config, and which of its logs an
// input belongs to. It runs no server, changes nothing, and does not look into
// logs: what a format string means is package parse's work.
package serverconf

import (
	"fmt"
	"strings"
	"sync"
)

// Limits of a configuration, so that a hostile one ends in an error.
const (
	// maxDepth is how deep includes are followed; Apache's own limit is 20.
	maxDepth = 20
	// maxFiles is how many files are read, each as often as it is included.
	maxFiles = 50_000
	// maxBytes is the size in bytes of all that is read.
	maxBytes = 64 << 20
	// maxNesting is how deep blocks and sections stand in each other.
	maxNesting = 100
	// maxParameters is how many parameters a macro has; mod_macro itself warns of
	// so many.
	maxParameters = 99
	// maxNotes is how many notes are kept; the last one counts the others.
	maxNotes = 100
)

// Config is what a server's configuration says of access logs.
type Config struct {
	// Logs are the access logs, in the order of the configuration.
	Logs []Log
	// Formats are all formats that have a name, used or not, those that the
	// server knows by itself among them: combined of nginx, CLF of Apache.
	Formats map[string]Format
	// Notes say what could not be followed, with file and line: a missing
	// include, a log that is no file. They begin in lower case after the place.
	Notes []string

	indexed  sync.Once
	byName   map[string][]int // logs without Pattern, by their file's name
	patterns []int            // logs with one
}

// Format is a way to write lines.
type Format struct {
	Name   string // empty for one that stands in the place of a name
	Spec   string // the format string as the server assembles it
	Escape string // default, json or none; empty for Apache, which knows one way
}

// Log is an access log. Exactly one of Path, Off, Syslog and Pipe is set.
type Log struct {
	// Path is the file, absolute by the server's rules. Variables and times
	// stand in it as they are configured.
	Path string
	// Pattern matches the files of a Path with variables or times, in the
	// syntax of path.Match. Empty: there is one file, Path.
	Pattern string
	Off     bool   // access_log off: what is served here is in no log
	Syslog  string // where to; it is no file
	Pipe    string // the program that takes the lines, without its arguments

	FormatName string // empty when the format stands in the place of a name
	Spec       string // the format string as the server assembles it; empty when the name is not defined here
	Escape     string // default, json or none; empty for Apache, which knows one way

	// ServerNames are the virtual hosts that write here, each by the first of
	// its names as configured; "" is one without a name. Aliases are their
	// further names.
	ServerNames []string
	Aliases     []string

	If    string   // the condition of conditional logging, verbatim; lines are missing then
	Gzip  bool     // the server compresses the file itself
	Where Position // of the directive, or of the server that gets the built-in log
}

// Position is a line of a configuration file.
type Position struct {
	File string
	Line int // 1-based
}

func (p Position) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// Error is what is wrong with a configuration, and where.
type Error struct {
	Where Position
	Text  string
}

func (e *Error) Error() string { return e.Where.String() + ": " + e.Text }

func errorAt(at Position, format string, args ...any) error {
	return &Error{Where: at, Text: fmt.Sprintf(format, args...)}
}

// Format gives the log's format.
func (l *Log) Format() Format {
	return Format{Name: l.FormatName, Spec: l.Spec, Escape: l.Escape}
}

// Host gives the virtual host of all lines, where only one writes to the log
// and has a name that is no pattern.
func (l *Log) Host() (string, bool) {
	if len(l.ServerNames) != 1 {
		return "", false
	}
	name := l.ServerNames[0]
	if name == "" || name == "_" || name[0] == '.' || strings.ContainsAny(name, "*~$?") {
		return "", false
	}
	return name, true
}

// Written gives the formats that logs are written in, each once: for an input
// whose path says nothing.
func (c *Config) Written() []Format {
	var m Match
	for i := range c.Logs {
		m.Logs = append(m.Logs, &c.Logs[i])
	}
	return m.Formats()
}
