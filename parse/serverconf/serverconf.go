// Package serverconf reads the configuration of nginx and Apache for their access
// logs: the files, their formats and their virtual hosts. It also reads the whole of it, and
// Ingresses for ingress-nginx, as a Tree of directives for package rules, and the routers of Traefik.
//
// Input is the path of a configuration file; output is a Config, which finds the
// log that an input belongs to. The package runs no server, changes nothing and does
// not read logs. Package parse interprets the format strings.
package serverconf

import (
	"fmt"
	"strings"
	"sync"
)

// Limits of a configuration. A hostile one ends in an error.
const (
	// maxDepth is how deep includes are followed. Apache's own limit is 20.
	maxDepth = 20
	// maxFiles is how many files are read. A file counts each time it is included.
	maxFiles = 50_000
	// maxBytes is the total size in bytes of what is read.
	maxBytes = 64 << 20
	// maxNesting is how deep blocks and sections are nested.
	maxNesting = 100
	// maxParameters is how many parameters a macro has. mod_macro itself warns of so many.
	maxParameters = 99
	// maxNotes is how many notes are kept. One more counts the others.
	maxNotes = 100
)

// Config is what a server's configuration says of access logs.
type Config struct {
	// Logs are the access logs, in the order of the configuration.
	Logs []Log
	// Errors are the error logs that the configuration has a format for, likewise; nil
	// without any.
	Errors *Config
	// Formats are all formats with a name, used or not, including those that the server
	// defines itself: combined of nginx, CLF of Apache.
	Formats map[string]Format
	// Notes report what could not be followed, such as a missing include or a log that is
	// not a file. They begin with file and line.
	Notes []string

	indexed  sync.Once
	byName   map[string][]int // logs without a Pattern, by the name of their file
	patterns []int            // logs with a Pattern
}

// Format is a log format.
type Format struct {
	Name   string // empty for a format that is given in place of a name
	Spec   string // the format string as the server assembles it
	Escape string // default, json or none; empty for Apache, which has one way of escaping
}

// Log is an access log. Exactly one of Path, Off, Syslog and Pipe is set.
type Log struct {
	// Path is the file, made absolute by the rules of the server. Variables and time
	// conversions are kept as configured.
	Path string
	// Pattern matches the files of a Path with variables or times, in the syntax of
	// path.Match. If it is empty the file is Path.
	Pattern string
	Off     bool   // access_log off: requests are not logged
	Syslog  string // the destination, if the log goes to syslog
	Pipe    string // the program that the log is piped to, without its arguments

	FormatName string // empty if the format is given in place of a name
	Spec       string // the format string as the server assembles it; empty if the name is not defined here
	Escape     string // as Format.Escape

	// ServerNames are the virtual hosts that write here, each by the first of its names; ""
	// stands for a host without a name. Aliases are their further names.
	ServerNames []string
	Aliases     []string

	If    string   // the condition of conditional logging, verbatim; if set, requests may be missing
	Gzip  bool     // the server compresses the file itself
	Where Position // of the directive, or of the server that has the built-in log
}

// Position is a line in a configuration file.
type Position struct {
	File string
	Line int // 1-based
}

func (p Position) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// Error is an error in a configuration, with its position.
type Error struct {
	Where Position
	Text  string
}

func (e *Error) Error() string { return e.Where.String() + ": " + e.Text }

func errorAt(at Position, format string, args ...any) error {
	return &Error{Where: at, Text: fmt.Sprintf(format, args...)}
}

// Format returns the format of the log.
func (l *Log) Format() Format {
	return Format{Name: l.FormatName, Spec: l.Spec, Escape: l.Escape}
}

// Host returns the virtual host of all lines, if only one writes to the log and its name is
// not a pattern.
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

// Written returns the formats that logs are written in, each once. They are candidates for
// an input whose path matches no log.
func (c *Config) Written() []Format {
	var m Match
	for i := range c.Logs {
		m.Logs = append(m.Logs, &c.Logs[i])
	}
	return m.Formats()
}
