package rules

import (
	"os"
	"path"
	"slices"
	"strings"

	"logscan/parse/serverconf"
)

// apache is a configuration of Apache.
type apache struct {
	root  string
	main  *vhost
	hosts []*vhost
	// overrides are the .htaccess files that were read, by their directory; nil for a
	// directory without one.
	overrides map[string]*section
	patterns  patterns
}

// vhost is a VirtualHost, or the main server.
type vhost struct {
	at       *serverconf.Directive // nil for the main server
	names    []string
	sockets  []string // address:port as configured
	tls      bool
	own      map[string][]*serverconf.Directive
	sections []*section
}

// section is a Directory, Files, Location or If section or one of their kin, or a
// .htaccess file.
type section struct {
	*serverconf.Directive
	kind   string // directory, files, location or if
	name   string // path, in the form without a slash at its end
	regex  *pattern
	prefix bool // the name of a location ends with a slash
	own    map[string][]*serverconf.Directive
	inner  []*section
}

// Apache reads a configuration of Apache.
func Apache(path string) (*Rules, error) {
	tree, err := serverconf.ApacheTree(path)
	if err != nil {
		return nil, err
	}
	a := &apache{root: tree.Dir, overrides: map[string]*section{}, patterns: patterns{}}
	a.main = a.newVhost(nil, tree.Directives)
	return &Rules{Server: "apache", Path: path, Files: tree.Files, Notes: tree.Notes, server: a}, nil
}

// newVhost returns the virtual host of a section, or the main server, and adds the virtual
// hosts in it.
func (a *apache) newVhost(at *serverconf.Directive, list []serverconf.Directive) *vhost {
	v := &vhost{at: at, own: map[string][]*serverconf.Directive{}}
	for i := range list {
		d := &list[i]
		switch {
		case d.Name == "<virtualhost":
			h := a.newVhost(d, d.Block)
			h.sockets = d.Args
			a.hosts = append(a.hosts, h)
		case d.IsBlock:
			if s := newSection(d); s != nil {
				v.sections = append(v.sections, s)
			}
		default:
			v.own[d.Name] = append(v.own[d.Name], d)
			v.setting(d)
		}
	}
	return v
}

func (v *vhost) setting(d *serverconf.Directive) {
	switch d.Name {
	case "servername":
		if len(d.Args) == 1 {
			name := d.Args[0]
			if _, after, ok := strings.Cut(name, "://"); ok {
				name = after
			}
			v.names = slices.Insert(v.names, 0, hostName(name))
		}
	case "serveralias":
		for _, name := range d.Args {
			v.names = append(v.names, strings.ToLower(name))
		}
	case "sslengine":
		v.tls = len(d.Args) == 1 && strings.EqualFold(d.Args[0], "on")
	}
}

// newSection returns a section, nil for one that has no part in access control.
func newSection(d *serverconf.Directive) *section {
	s := &section{Directive: d, own: map[string][]*serverconf.Directive{}}
	switch d.Name {
	case "<directory", "<directorymatch":
		s.kind = "directory"
	case "<files", "<filesmatch":
		s.kind = "files"
	case "<location", "<locationmatch":
		s.kind = "location"
	case "<if", "<elseif", "<else":
		s.kind = "if"
	case "<proxy", "<proxymatch":
		return nil // its access rules are for proxied requests, which few restrict by user
	default:
		return nil
	}
	args := d.Args
	matches := strings.HasSuffix(d.Name, "match")
	if len(args) > 1 && args[0] == "~" {
		args, matches = args[1:], true
	}
	if len(args) > 0 {
		s.name = args[0]
	}
	if matches {
		p := compile(s.name, false)
		s.regex = &p
	}
	s.prefix = strings.HasSuffix(s.name, "/")
	if s.name != "/" && s.regex == nil {
		s.name = strings.TrimSuffix(s.name, "/")
	}
	s.read(d.Block)
	return s
}

// read collects the directives of a section. Those in Limit and LimitExcept are kept as
// blocks.
func (s *section) read(list []serverconf.Directive) {
	for i := range list {
		d := &list[i]
		switch {
		case d.Name == "<limit" || d.Name == "<limitexcept":
			s.own["<limit"] = append(s.own["<limit"], d)
		case strings.HasPrefix(d.Name, "<require"):
			s.own["require"] = append(s.own["require"], d)
		case d.IsBlock:
			if inner := newSection(d); inner != nil {
				s.inner = append(s.inner, inner)
			}
		default:
			s.own[d.Name] = append(s.own[d.Name], d)
		}
	}
}

// matches reports whether a section applies to a path, of a file or a URL. known is false
// if that cannot be found out.
func (s *section) matches(of string) (matches, known bool) {
	switch {
	case s.regex != nil:
		_, matches, known = s.regex.match(of)
		return matches, known
	case s.kind == "files":
		ok, err := path.Match(s.name, path.Base(of))
		return ok, err == nil
	case strings.ContainsAny(s.name, "*?["):
		// A wildcard does not match a slash; what is below the match belongs to it.
		parts := strings.Count(s.name, "/")
		have := strings.SplitAfterN(of, "/", parts+2)
		head := strings.TrimSuffix(strings.Join(have[:min(len(have), parts+1)], ""), "/")
		ok, err := path.Match(s.name, head)
		return ok, err == nil
	case s.name == "/" || s.name == "":
		return true, true
	}
	rest, ok := strings.CutPrefix(of, s.name)
	if s.kind == "location" && s.prefix && rest == "" {
		return false, true
	}
	return ok && (rest == "" || rest[0] == '/'), true
}

// candidates returns the virtual hosts that may serve a request.
func (a *apache) candidates(q Request) (list []*vhost) {
	if len(a.hosts) == 0 {
		return []*vhost{a.main}
	}
	bySocket := map[string][]*vhost{}
	var sockets []string
	for _, h := range a.hosts {
		if q.Scheme == "http" && h.tls || q.Scheme == "https" && !h.tls {
			continue
		}
		for _, s := range h.sockets {
			if _, ok := bySocket[s]; !ok {
				sockets = append(sockets, s)
			}
			bySocket[s] = append(bySocket[s], h)
		}
	}
	if len(sockets) == 0 && q.Scheme != "" {
		q.Scheme = ""
		return a.candidates(q)
	}
	named := false
	for _, s := range sockets {
		for i, h := range bySocket[s] {
			is := h.serves(q.Host)
			if is && !named {
				list, named = nil, true
			}
			if (is || !named && (i == 0 || q.Host == "")) && !slices.Contains(list, h) {
				list = append(list, h)
			}
			if is {
				break
			}
		}
	}
	return list
}

// serves reports whether a virtual host has a name.
func (v *vhost) serves(host string) bool {
	return host != "" && slices.ContainsFunc(v.names, func(name string) bool {
		ok, err := path.Match(name, host)
		return err == nil && ok
	})
}

func (v *vhost) name() string {
	if len(v.names) > 0 {
		return v.names[0]
	}
	return ""
}

func (v *vhost) line() Line {
	if v.at == nil {
		return Line{Directive: "main server"}
	}
	return lineOf(v.at)
}

// directives returns the directives of a name of a virtual host, after those of the main
// server.
func (a *apache) directives(v *vhost, name string) []*serverconf.Directive {
	if v == a.main {
		return v.own[name]
	}
	return append(slices.Clone(a.main.own[name]), v.own[name]...)
}

// sections returns the sections of a kind that a virtual host has, after those of the main
// server.
func (a *apache) sections(v *vhost, kind string) (list []*section) {
	for _, h := range []*vhost{a.main, v} {
		for _, s := range h.sections {
			if s.kind == kind {
				list = append(list, s)
			}
		}
		if v == a.main {
			break
		}
	}
	return list
}

// override returns the .htaccess file of a directory; nil if there is none.
func (a *apache) override(dir string) *section {
	if s, ok := a.overrides[dir]; ok {
		return s
	}
	a.overrides[dir] = nil
	if len(a.overrides) > maxOverrides {
		return nil
	}
	file := path.Join(dir, ".htaccess")
	if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() || info.Size() > maxOverride {
		return nil
	}
	tree, err := serverconf.ApacheTree(file)
	if err != nil {
		return nil
	}
	s := &section{Directive: &serverconf.Directive{Name: ".htaccess", At: serverconf.Position{File: file, Line: 1}}, kind: "directory", name: dir, own: map[string][]*serverconf.Directive{}}
	s.read(tree.Directives)
	a.overrides[dir] = s
	return s
}

const (
	// maxOverrides bounds how many directories are looked into for .htaccess.
	maxOverrides = 10_000
	maxOverride  = 1 << 20 // bytes of a .htaccess file
)
