package serverconf

import (
	"cmp"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// apacheCommon is the format that Apache defines itself, under the name CLF:
// https://httpd.apache.org/docs/2.4/mod/mod_log_config.html
const apacheCommon = `%h %l %u %t "%r" %>s %b`

func newVirtualHost(at Position) *virtualHost {
	return &virtualHost{formats: map[string]Format{}, at: at}
}

// setFormat defines a format. The last definition counts; names are not case-sensitive.
func (h *virtualHost) setFormat(f Format) { h.formats[strings.ToLower(f.Name)] = f }

// apacheDirectives are the known directives, in lower case.
var apacheDirectives = []string{
	"include", "includeoptional", "use", "undefmacro", "loadmodule", "serverroot", "define", "undefine",
	"servername", "serveralias", "logformat", "customlog", "globallog", "transferlog",
	"errorlog", "errorlogformat",
}

// directive processes a directive.
func (r *apacheReader) directive(name string, args []string, at Position) error {
	switch name {
	case "include":
		return r.include(args, false, at)
	case "includeoptional":
		return r.include(args, true, at)
	case "use":
		return r.use(args, at)
	case "undefmacro":
		if len(args) == 1 {
			delete(r.macros, strings.ToLower(args[0]))
		}
	case "loadmodule":
		r.loadModule(args)
	case "serverroot":
		if len(args) == 1 {
			r.root = absolute(r.root, args[0])
			if _, err := os.Stat(r.root); err != nil {
				r.note(at, "ServerRoot %q is not there, and what is included from below it neither", r.root)
			}
		}
	case "define":
		if len(args) == 1 || len(args) == 2 {
			r.vars.define(args[0], args[1:]...)
		}
	case "undefine":
		if len(args) == 1 {
			r.vars.undefine(args[0])
		}
	case "servername":
		if len(args) == 1 {
			r.host.setName(args[0])
		}
	case "serveralias":
		r.host.aliases = append(r.host.aliases, args...)
	case "logformat":
		r.logFormat(args, at)
	case "customlog", "globallog", "transferlog":
		r.log(name, args, at)
	case "errorlog":
		if len(args) > 0 {
			r.host.errorLog.to = args[0]
		}
	case "errorlogformat":
		if len(args) == 1 { // with two it is of lines that Apache adds once for a connection or request
			r.host.errorLog.format, r.host.errorLog.at = args[0], at
		}
	}
	return nil
}

// setName processes ServerName [scheme://]name[:port].
func (h *virtualHost) setName(name string) {
	if _, after, ok := strings.Cut(name, "://"); ok {
		name = after
	}
	if host, _, err := net.SplitHostPort(name); err == nil {
		name = host
	}
	h.name = name
}

// logFormat processes LogFormat format [name].
func (r *apacheReader) logFormat(args []string, at Position) {
	switch len(args) {
	case 1:
		r.host.defaultFormat = args[0]
	case 2:
		r.host.setFormat(Format{Name: args[1], Spec: args[0]})
	default:
		r.note(at, "LogFormat takes a format and a name; it is left out")
	}
}

// logDirectives are the directives that configure logs, with their usual spelling.
var logDirectives = map[string]string{"customlog": "CustomLog", "globallog": "GlobalLog", "transferlog": "TransferLog"}

// log processes CustomLog, GlobalLog and TransferLog.
func (r *apacheReader) log(name string, args []string, at Position) {
	for i := len(r.sections) - 1; i >= 0; i-- {
		s := r.sections[i].name
		if s == "virtualhost" || strings.HasPrefix(s, "if") && s != "if" {
			continue
		}
		r.note(at, "%s within <%s>, where Apache refuses it; it is read as if it stood outside", logDirectives[name], s)
		break
	}
	l := apacheLog{at: at, global: name == "globallog"}
	switch {
	case name == "transferlog" && len(args) == 1:
		l.to = args[0]
	case name != "transferlog" && (len(args) == 2 || len(args) == 3):
		l.to, l.format = args[0], args[1]
		if len(args) == 3 {
			l.condition = args[2]
		}
	default:
		r.note(at, "%s with %d arguments, which Apache refuses; it is left out", logDirectives[name], len(args))
		return
	}
	r.host.logs = append(r.host.logs, l)
}

// include reads what an Include names: a file, a directory with everything below it, or a
// pattern.
func (r *apacheReader) include(args []string, optional bool, at Position) error {
	if len(args) != 1 {
		return errorAt(at, "Include takes one path, and has %d", len(args))
	}
	include := included{"Include", args[0], at}
	paths, ok := r.paths(include, absolute(r.root, args[0]))
	if ok && len(paths) == 0 && !optional {
		r.note(at, "Include %q matches no file", args[0])
	}
	for _, path := range paths {
		if err := r.includePath(include, filepath.FromSlash(path), optional); err != nil {
			return err
		}
	}
	return nil
}

func (r *apacheReader) includePath(d included, path string, optional bool) error {
	info, err := os.Stat(path)
	switch {
	case optional && errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil || !info.IsDir():
		text, ok, err := r.openIncluded(d, path)
		if err != nil || !ok {
			return err
		}
		defer r.leave()
		return r.text(path, string(text), 1)
	}
	if err := r.enter(path, d.at); err != nil {
		return err
	}
	defer r.leave()
	entries, err := os.ReadDir(path) // sorted, as Apache reads them
	if err != nil {
		r.note(d.at, "Include %q is left out: %v", d.given, err)
	}
	for _, entry := range entries {
		if err := r.includePath(d, filepath.Join(path, entry.Name()), false); err != nil {
			return err
		}
	}
	return nil
}

// resolve makes the logs once all formats are known.
func (r *apacheReader) resolve() {
	for _, h := range append([]*virtualHost{r.main}, r.hosts...) {
		for _, f := range h.formats {
			if _, ok := r.config.Formats[f.Name]; !ok || h == r.main {
				r.config.Formats[f.Name] = f
			}
		}
	}
	// A log outside of virtual hosts gets the requests of hosts without a log of
	// their own, and those that belong to no host.
	for _, l := range r.main.logs {
		r.writeBy(l, r.main, r.main)
		for _, h := range r.hosts {
			if l.global || !h.ownLog() {
				r.writeBy(l, r.main, h)
			}
		}
	}
	own := slices.ContainsFunc(r.main.logs, func(l apacheLog) bool { return !l.global })
	for _, h := range r.hosts {
		for _, l := range h.logs {
			r.writeBy(l, h, h)
		}
		if !h.ownLog() && !own {
			r.note(h.at, "the virtual host %q names no log, and none stands outside of virtual hosts", h.name)
		}
	}
}

// resolveErrors makes the error logs that have a format. Virtual hosts inherit log and
// format, each by itself: https://httpd.apache.org/docs/2.4/mod/core.html#errorlogformat
func (r *apacheReader) resolveErrors() {
	var errors Config
	known := map[apacheLog]bool{}
	for _, h := range append([]*virtualHost{r.main}, r.hosts...) {
		l := h.errorLog
		if l.format == "" {
			l.format, l.at = r.main.errorLog.format, r.main.errorLog.at
		}
		if l.to = cmp.Or(l.to, r.main.errorLog.to, apacheErrorLog); l.format == "" || known[l] {
			continue
		}
		known[l] = true
		log := Log{Spec: l.format, Where: l.at}
		if l.to[0] != '|' && l.to != "syslog" && !strings.HasPrefix(l.to, "syslog:") {
			r.setPath(&log, l.to, variablePattern)
		}
		errors.Logs = append(errors.Logs, log)
	}
	if len(errors.Logs) > 0 {
		r.config.Errors = &errors
	}
}

// apacheErrorLog is the default of ErrorLog.
const apacheErrorLog = "logs/error_log"

func (h *virtualHost) ownLog() bool { return len(h.logs) > 0 }

// writeBy adds a log that is configured in one virtual host and written by another.
func (r *apacheReader) writeBy(l apacheLog, in, by *virtualHost) {
	f := r.format(l, in)
	log := Log{FormatName: f.Name, Spec: f.Spec, If: l.condition, Where: l.at}
	names := append([]string{by.name}, by.aliases...)
	switch {
	case strings.HasPrefix(l.to, "|"):
		r.piped(log, l.to[1:], names)
		return
	case l.to == "syslog" || strings.HasPrefix(l.to, "syslog:"):
		log.Syslog = l.to
		r.note(l.at, "the log goes to syslog: it is in no file that this configuration names")
	default:
		r.setPath(&log, l.to, variablePattern)
	}
	r.add(log, names)
}

// setPath makes a path absolute. An unknown variable at its beginning may stand for
// anything, including a root.
func (r *apacheReader) setPath(l *Log, path string, pattern func(string) string) {
	if strings.HasPrefix(path, "${") && strings.Contains(path, "}") {
		l.Path = cleanSlash(path)
	} else {
		l.Path = absolute(r.root, path)
	}
	l.Pattern = pattern(l.Path)
}

// format returns the format of a log: the one of that name in its virtual host or outside
// of all, else the format itself.
func (r *apacheReader) format(l apacheLog, h *virtualHost) Format {
	given := l.format
	if given == "" {
		given = cmp.Or(h.defaultFormat, r.main.defaultFormat, "CLF")
	}
	for _, formats := range []map[string]Format{h.formats, r.main.formats} {
		if f, ok := formats[strings.ToLower(given)]; ok {
			return f
		}
	}
	if !strings.Contains(given, "%") {
		r.note(l.at, "no LogFormat is called %q here: where this file is included by another, give that one", given)
		return Format{Name: given}
	}
	return Format{Spec: given}
}
