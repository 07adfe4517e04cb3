package serverconf

import (
	"fmt"
	"strings"
)

// collector builds a Config.
type collector struct {
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

func newCollector() *collector {
	return &collector{
		config: Config{Formats: map[string]Format{}},
		logs:   map[logKey]int{}, hosts: map[hostOf]bool{}, noted: map[string]bool{},
	}
}

// add adds a log and the names of a virtual host that writes to it, or nil if no host is
// known.
func (c *collector) add(l Log, names []string) {
	key := logKey{
		path: l.Path, syslog: l.Syslog, pipe: l.Pipe,
		name: l.FormatName, spec: l.Spec, escape: l.Escape, condition: l.If, gzip: l.Gzip,
	}
	if l.Off {
		key.off = l.Where
	}
	i, ok := c.logs[key]
	if !ok {
		i = len(c.config.Logs)
		c.logs[key] = i
		c.config.Logs = append(c.config.Logs, l)
	}
	to := &c.config.Logs[i]
	for n, name := range names {
		h := hostOf{log: i, name: strings.ToLower(name), alias: n > 0}
		if c.hosts[h] {
			continue
		}
		c.hosts[h] = true
		if h.alias {
			to.Aliases = append(to.Aliases, name)
		} else {
			to.ServerNames = append(to.ServerNames, name)
		}
	}
}

func (c *collector) note(at Position, format string, args ...any) {
	text := at.String() + ": " + fmt.Sprintf(format, args...)
	switch {
	case c.noted[text]:
	case len(c.noted) >= maxNotes:
		c.more++
	default:
		c.noted[text] = true
		c.config.Notes = append(c.config.Notes, text)
	}
}

// finish returns the Config.
func (c *collector) finish() *Config {
	if c.more > 0 {
		c.config.Notes = append(c.config.Notes, fmt.Sprintf("and %d more like these", c.more))
	}
	return &c.config
}
