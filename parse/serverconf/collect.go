package serverconf

import (
	"fmt"
	"strings"
)

// reader is the common part of the readers of both servers: the files that they read, and
// the Config that they build.
type reader struct {
	files
	config Config
	logs   map[logKey]int  // index in config.Logs
	hosts  map[hostOf]bool // names that a log has already
	noted  map[string]bool
	more   int // number of notes that were dropped
}

// logKey identifies a log. Directives that differ only in their host or position configure
// the same log.
type logKey struct {
	path, syslog, pipe, name, spec, escape, condition string
	gzip                                              bool
	off                                               Position
}

type hostOf struct {
	log   int
	name  string
	alias bool
}

func newReader() reader {
	return reader{
		config: Config{Formats: map[string]Format{}},
		logs:   map[logKey]int{}, hosts: map[hostOf]bool{}, noted: map[string]bool{},
	}
}

// add adds a log and the names of a virtual host that writes to it, or nil if no host is
// known.
func (r *reader) add(l Log, names []string) {
	key := logKey{
		path: l.Path, syslog: l.Syslog, pipe: l.Pipe,
		name: l.FormatName, spec: l.Spec, escape: l.Escape, condition: l.If, gzip: l.Gzip,
	}
	if l.Off {
		key.off = l.Where
	}
	i, ok := r.logs[key]
	if !ok {
		i = len(r.config.Logs)
		r.logs[key] = i
		r.config.Logs = append(r.config.Logs, l)
	}
	to := &r.config.Logs[i]
	for n, name := range names {
		h := hostOf{log: i, name: strings.ToLower(name), alias: n > 0}
		if r.hosts[h] {
			continue
		}
		r.hosts[h] = true
		if h.alias {
			to.Aliases = append(to.Aliases, name)
		} else {
			to.ServerNames = append(to.ServerNames, name)
		}
	}
}

func (r *reader) note(at Position, format string, args ...any) {
	text := at.String() + ": " + fmt.Sprintf(format, args...)
	switch {
	case r.noted[text]:
	case len(r.noted) >= maxNotes:
		r.more++
	default:
		r.noted[text] = true
		r.config.Notes = append(r.config.Notes, text)
	}
}

// finish returns the Config.
func (r *reader) finish() *Config {
	if r.more > 0 {
		r.config.Notes = append(r.config.Notes, fmt.Sprintf("and %d more like these", r.more))
	}
	return &r.config
}
