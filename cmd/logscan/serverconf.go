package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"logscan/analyze"
	"logscan/parse"
	"logscan/parse/appconf"
	"logscan/parse/serverconf"
	"logscan/parse/serverconf/rules"
)

// serverFlags name configuration files of web servers.
type serverFlags struct {
	NginxConf  string `predictor:"file" placeholder:"FILE" group:"input" help:"nginx configuration to take log formats from: by the path of each log, or by name with --format. A scan also looks in it for the lines that cause a finding."`
	ApacheConf string `predictor:"file" placeholder:"FILE" group:"input" help:"Apache configuration, likewise, also to take the formats of error logs from (ErrorLogFormat)."`
}

// appFlags name configurations of applications, and of proxies without formats of logs.
type appFlags struct {
	ProxyConf []string `predictor:"file" placeholder:"FILE|DIR" sep:"none" group:"input" help:"Configuration of a proxy to look in for the lines that cause a finding: Ingresses for ingress-nginx (manifests, or what kubectl get ingress -o yaml prints), or the dynamic configuration of Traefik (YAML, labels in Compose files, or IngressRoutes with their Middlewares) (repeatable)."`
	AppConf   []string `predictor:"file" placeholder:"FILE|DIR" sep:"none" group:"input" help:"Configuration of an application or identity provider to compare session timeouts with: web.xml, php.ini, application.yml, settings.py, a Keycloak realm, ... (repeatable)."`
}

// configuration reads the rules of the servers and the timeouts of applications. Rules that
// cannot be read are left out with a note. Its errors are usage errors.
func (f *serverFlags) configuration(others *appFlags, w io.Writer, quiet bool) (o analyze.Configuration, err error) {
	apps := others.AppConf
	type source struct {
		path string
		read func(string) (*rules.Rules, error)
	}
	sources := []source{{f.NginxConf, rules.Nginx}, {f.ApacheConf, rules.Apache}}
	for _, path := range others.ProxyConf {
		if _, err := os.Stat(path); err != nil {
			return o, usagef("", "--proxy-conf: %w", err)
		}
		sources = append(sources, source{path, rules.Proxy})
	}
	for _, s := range sources {
		if s.path == "" {
			continue
		}
		r, err := s.read(s.path)
		if err != nil {
			if !quiet {
				note(w, "note: no finding names lines of %s: %v", s.path, err)
			}
			continue
		}
		o.Servers = append(o.Servers, r)
		if r.Server == "apache" { // its modules have sessions, too
			for _, file := range r.Files {
				apps = append(apps[:len(apps):len(apps)], file.Path)
			}
		}
	}
	if len(apps) == 0 {
		return o, nil
	}
	if o.Apps, err = appconf.Read(apps); err != nil {
		return o, usagef("", "--app-conf: %w", err)
	}
	if !quiet {
		for _, n := range o.Apps.Notes {
			note(w, "note: --app-conf: %s", n)
		}
		if len(others.AppConf) > 0 && len(o.Apps.List) == 0 {
			note(w, "note: --app-conf: no session timeout was found in %s", strings.Join(others.AppConf, ", "))
		}
	}
	return o, nil
}

// configuredFormats holds the compiled log formats of server configurations.
type configuredFormats struct {
	servers []serverFormats
}

// serverFormats holds the formats of one server's configuration.
type serverFormats struct {
	name     string // nginx or apache
	config   *serverconf.Config
	compiled map[hostFormat]*parse.Format // nil for a format that cannot be used
}

// hostFormat is a log format with the virtual host of all its lines, or "" if
// there may be several.
type hostFormat struct {
	serverconf.Format
	host   string
	errors bool // of error logs
}

// load reads the configurations and prints notes on directives that it cannot
// follow. It returns nil if none is named. Its errors are usage errors.
func (f *serverFlags) load(w io.Writer, quiet bool) (*configuredFormats, error) {
	var c configuredFormats
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
		formats := serverFormats{name: s.name, config: config, compiled: map[hostFormat]*parse.Format{}}
		notes := append(config.Notes, formats.compile()...)
		if len(config.Logs) == 0 {
			notes = append(notes, s.path+": no access log is configured")
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

// compile compiles the formats of all logs, with and without the virtual host,
// so that reading only looks them up. It returns notes on those that cannot be
// used.
func (s *serverFormats) compile() (notes []string) {
	add := func(f hostFormat) {
		if _, ok := s.compiled[f]; ok || f.Spec == "" {
			return
		}
		format, err := parse.Configured{Server: s.name, Name: f.Name, Spec: f.Spec, Raw: f.Escape == "none", Host: f.host, Errors: f.errors}.Format()
		if err != nil && f.host == "" {
			notes = append(notes, fmt.Sprintf("%s configuration: %v", s.name, err))
		}
		s.compiled[f] = format
	}
	for i := range s.config.Logs {
		l := &s.config.Logs[i]
		add(hostFormat{Format: l.Format()})
		if host, ok := l.Host(); ok {
			add(hostFormat{Format: l.Format(), host: host})
		}
	}
	if s.config.Errors != nil {
		for _, f := range s.config.Errors.Written() {
			add(hostFormat{Format: f, errors: true})
		}
	}
	return notes
}

// forPath returns the formats that the log at path may have: those configured
// for the path, or else all formats that the servers write.
func (c *configuredFormats) forPath(path string) []*parse.Format {
	if abs, err := filepath.Abs(path); err == nil && path != "-" {
		path = abs
	}
	for _, of := range []func(*serverFormats, string) []*parse.Format{(*serverFormats).forPath, (*serverFormats).written} {
		var list []*parse.Format
		for i := range c.servers {
			list = append(list, of(&c.servers[i], path)...)
		}
		if len(list) > 0 {
			return list
		}
	}
	return nil
}

// forPath returns the formats of the logs that a path belongs to.
func (s *serverFormats) forPath(path string) (list []*parse.Format) {
	if m, ok := s.config.For(path); ok {
		for _, f := range m.Formats() {
			host, _ := m.Host(f)
			list = s.add(list, hostFormat{Format: f, host: host})
		}
	}
	if s.config.Errors != nil {
		if m, ok := s.config.Errors.For(path); ok {
			for _, f := range m.Formats() {
				list = s.add(list, hostFormat{Format: f, errors: true})
			}
		}
	}
	return list
}

// written returns the formats of all logs.
func (s *serverFormats) written(string) (list []*parse.Format) {
	for _, f := range s.config.Written() {
		list = s.add(list, hostFormat{Format: f})
	}
	if s.config.Errors != nil {
		for _, f := range s.config.Errors.Written() {
			list = s.add(list, hostFormat{Format: f, errors: true})
		}
	}
	return list
}

// add appends a compiled format, unless it cannot be used.
func (s *serverFormats) add(list []*parse.Format, f hostFormat) []*parse.Format {
	if format := s.compiled[f]; format != nil {
		list = append(list, format)
	}
	return list
}

// named returns the format that a configuration defines under name, or nil.
func (c *configuredFormats) named(name string) (*parse.Format, error) {
	for i := range c.servers {
		s := &c.servers[i]
		if f, ok := s.config.Formats[name]; ok {
			return parse.Configured{Server: s.name, Name: f.Name, Spec: f.Spec, Raw: f.Escape == "none"}.Format()
		}
	}
	return nil, nil
}
