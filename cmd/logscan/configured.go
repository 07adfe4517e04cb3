package main

import (
	"fmt"
	"io"
	"path/filepath"

	"logscan/parse"
	"logscan/parse/serverconf"
)

// serverFlags name the configuration of servers.
type serverFlags struct {
	NginxConf  string `placeholder:"FILE" group:"in" help:"Take formats from this nginx configuration, by the path of a log or, with --format, by their names."`
	ApacheConf string `placeholder:"FILE" group:"in" help:"The same of an Apache configuration."`
}

// configured are the formats of servers' configurations, compiled.
type configured struct {
	servers []serverFormats
}

// serverFormats are those of one server.
type serverFormats struct {
	name   string // nginx or apache
	config *serverconf.Config
	byHost map[hostFormat]*parse.Format
}

// hostFormat is a format, and the virtual host of all its lines where there is
// only one.
type hostFormat struct {
	serverconf.Format
	host string
}

// load reads the configurations; nil when none is named. What could not be
// followed is told. Errors are usage errors.
func (f *serverFlags) load(w io.Writer, quiet bool) (*configured, error) {
	var c configured
	for _, s := range []struct {
		name, flag, path string
		read             func(string) (*serverconf.Config, error)
	}{
		{"nginx", "--nginx-conf", f.NginxConf, serverconf.Nginx},
		{"apache", "--apache-conf", f.ApacheConf, serverconf.Apache},
	} {
		if s.path == "" {
			continue
		}
		config, err := s.read(s.path)
		if err != nil {
			return nil, usagef("", "%s: %w", s.flag, err)
		}
		formats := serverFormats{name: s.name, config: config, byHost: map[hostFormat]*parse.Format{}}
		notes := append(config.Notes, formats.compile()...)
		if len(config.Logs) == 0 {
			notes = append(notes, s.path+": no access log is configured here")
		}
		if !quiet {
			for _, n := range notes {
				note(w, "note: %s", n)
			}
		}
		c.servers = append(c.servers, formats)
	}
	if len(c.servers) == 0 {
		return nil, nil
	}
	return &c, nil
}

// compile makes the formats of all logs, with and without the virtual host, so
// that they are only looked up while logs are read. The notes tell of those
// that cannot be used.
func (s *serverFormats) compile() (notes []string) {
	add := func(f serverconf.Format, host string) {
		key := hostFormat{f, host}
		if _, ok := s.byHost[key]; ok || f.Spec == "" {
			return
		}
		made, err := parse.Configured{Server: s.name, Name: f.Name, Spec: f.Spec, Raw: f.Escape == "none", Host: host}.Format()
		if err != nil && host == "" {
			notes = append(notes, fmt.Sprintf("the configuration of %s: %v", s.name, err))
		}
		s.byHost[key] = made // nil where it cannot be used
	}
	for i := range s.config.Logs {
		l := &s.config.Logs[i]
		add(l.Format(), "")
		if host, ok := l.Host(); ok {
			add(l.Format(), host)
		}
	}
	return notes
}

// of gives the formats that the log at a path can have: those of the logs it
// can be, or else all that the servers write.
func (c *configured) of(path string) []*parse.Format {
	if abs, err := filepath.Abs(path); err == nil && path != "-" {
		path = abs
	}
	var list []*parse.Format
	for i := range c.servers {
		s := &c.servers[i]
		m, ok := s.config.For(path)
		if !ok {
			continue
		}
		for _, f := range m.Formats() {
			host, _ := m.Host(f)
			if made := s.byHost[hostFormat{f, host}]; made != nil {
				list = append(list, made)
			}
		}
	}
	if len(list) > 0 {
		return list
	}
	for i := range c.servers {
		s := &c.servers[i]
		for _, f := range s.config.Written() {
			if made := s.byHost[hostFormat{f, ""}]; made != nil {
				list = append(list, made)
			}
		}
	}
	return list
}

// named gives the format that a configuration has under a name, nil where there
// is none.
func (c *configured) named(name string) (*parse.Format, error) {
	for i := range c.servers {
		s := &c.servers[i]
		if f, ok := s.config.Formats[name]; ok {
			return parse.Configured{Server: s.name, Name: f.Name, Spec: f.Spec, Raw: f.Escape == "none"}.Format()
		}
	}
	return nil, nil
}
