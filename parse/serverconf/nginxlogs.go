package serverconf

import (
	"path/filepath"
	"strings"
)

// nginxCombined is the format that nginx defines itself:
// https://nginx.org/en/docs/http/ngx_http_log_module.html#log_format
const nginxCombined = `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"`

// logs collects the logs in the tree.
func (r *nginxReader) logs(tree []Directive, root Position) (*Config, error) {
	r.dir = filepath.ToSlash(r.dir)
	r.prefix = r.dir
	if filepath.Base(r.dir) == "conf" {
		r.prefix = filepath.ToSlash(filepath.Dir(r.dir))
	}
	r.config.Formats["combined"] = Format{Name: "combined", Spec: nginxCombined, Escape: "default"}
	var http []Directive
	for _, d := range tree {
		switch d.Name {
		case "http":
			http = append(http, d)
		case "stream":
			r.stream(d.Block)
		}
	}
	switch {
	case len(http) > 0:
	case !r.fragment:
		r.note(root, "there is no http block: nginx serves nothing that is logged")
	case len(tree) == 0:
		return nil, errorAt(root, "there is nothing of web servers or logs in it: give nginx.conf, or a file that it includes")
	default:
		http = []Directive{{Name: "http", Block: tree, At: root}}
	}
	for _, d := range http {
		r.formats(d.Block)
	}
	for _, d := range http {
		s := r.scope(d.Block, scope{})
		r.addAll(s.logs, nil)
		r.blocks(d.Block, s, nil)
	}
	return r.finish(), nil
}

// formats collects the named formats. nginx requires them before their use; here they may
// follow it.
func (r *nginxReader) formats(list []Directive) {
	for _, d := range list {
		if d.Name != "log_format" {
			continue
		}
		if len(d.Args) < 2 {
			r.note(d.At, "log_format takes a name and a format; it is left out")
			continue
		}
		f := Format{Name: d.Args[0], Escape: "default"}
		pieces := d.Args[1:]
		if escape, ok := strings.CutPrefix(pieces[0], "escape="); ok {
			f.Escape, pieces = escape, pieces[1:]
			if escape != "default" && escape != "json" && escape != "none" {
				r.note(d.At, "log_format %s: there is no escape=%s; default is taken", f.Name, escape)
				f.Escape = "default"
			}
		}
		f.Spec = strings.Join(pieces, "")
		if have, ok := r.config.Formats[f.Name]; ok && have != f {
			r.note(d.At, "log_format %s is there twice, which nginx refuses; this one is left out", f.Name)
			continue
		}
		r.config.Formats[f.Name] = f
	}
}

// stream adds a note for each log of streams, which holds connections and not requests.
func (r *nginxReader) stream(list []Directive) {
	for _, d := range list {
		if d.Name == "access_log" && len(d.Args) > 0 && d.Args[0] != "off" {
			r.note(d.At, "the log %q is one of streams, which have no requests; it is left out", d.Args[0])
		}
		r.stream(d.Block)
	}
}

// scope is the set of logs that are written in a block.
type scope struct {
	logs []Log
	set  bool // by this block or one around it
	own  bool // by this block
}

// blocks adds the logs of the blocks in list, which is within a server of these names.
func (r *nginxReader) blocks(list []Directive, parent scope, names []string) {
	for _, d := range list {
		switch {
		case d.Name == "server":
			r.server(d, parent)
		case d.Block != nil:
			s := r.scope(d.Block, parent)
			if s.own { // those of the block around it were added already
				r.addAll(s.logs, names)
			}
			r.blocks(d.Block, s, names)
		}
	}
}

func (r *nginxReader) server(d Directive, parent scope) {
	names := serverNames(d.Block)
	s := r.scope(d.Block, parent)
	if !s.set && r.fragment {
		r.note(d.At, "server %q names no log: that stands in the main configuration, which is to be given in place of this file", names[0])
	} else if !s.set {
		s = scope{logs: []Log{r.builtIn(d.At)}, set: true}
	}
	r.addAll(s.logs, names)
	r.blocks(d.Block, s, names)
}

func (r *nginxReader) addAll(logs []Log, names []string) {
	for _, l := range logs {
		r.add(l, names)
	}
}

// scope returns the logs of a block: its own, or those of the block around it if it has
// none. With "off" nothing is logged, whatever else is configured beside it.
func (r *nginxReader) scope(list []Directive, parent scope) scope {
	own := scope{}
	for _, d := range list {
		if d.Name != "access_log" {
			continue
		}
		if len(d.Args) == 0 {
			r.note(d.At, "access_log takes a path; it is left out")
			continue
		}
		if d.Args[0] == "off" {
			return scope{logs: []Log{{Off: true, Where: d.At}}, set: true, own: true}
		}
		own.logs = append(own.logs, r.log(d))
		own.set, own.own = true, true
	}
	if own.set {
		return own
	}
	parent.own = false
	return parent
}

// log parses access_log path [format [option]...].
func (r *nginxReader) log(d Directive) Log {
	l := Log{FormatName: "combined", Where: d.At}
	if len(d.Args) > 1 {
		l.FormatName = d.Args[1]
	}
	if f, ok := r.config.Formats[l.FormatName]; ok {
		l.Spec, l.Escape = f.Spec, f.Escape
	} else if r.fragment {
		r.note(d.At, "log_format %q is not defined here: it stands in the main configuration, which is to be given in place of this file", l.FormatName)
	} else {
		r.note(d.At, "log_format %q is not defined: the format of this log is not known", l.FormatName)
	}
	for _, option := range d.Args[min(2, len(d.Args)):] {
		name, value, _ := strings.Cut(option, "=")
		switch name {
		case "gzip":
			l.Gzip = true
		case "if":
			l.If = value
		}
	}
	if strings.HasPrefix(d.Args[0], "syslog:") {
		l.Syslog = strings.TrimPrefix(d.Args[0], "syslog:")
		r.note(d.At, "the log goes to syslog (%s): it is in no file that this configuration names", l.Syslog)
		return l
	}
	r.file(&l, d.Args[0])
	return l
}

// file sets the path of a log.
func (r *nginxReader) file(l *Log, path string) {
	if !isAbsolute(path) && !r.assumed {
		r.assumed = true
		r.note(l.Where, "%q is relative to nginx's prefix, which its build decides: taken is %s", path, r.prefix)
	}
	l.Path = absolute(r.prefix, path)
	if l.Pattern = variablePattern(l.Path); l.Pattern != "" {
		r.note(l.Where, "the path %q has variables: taken are the files that match %s", path, l.Pattern)
	}
}

// builtIn returns the log of a server for which none is configured. Its path is compiled
// into nginx.
func (r *nginxReader) builtIn(at Position) Log {
	l := Log{FormatName: "combined", Spec: nginxCombined, Escape: "default", Where: at}
	l.Path = "/var/log/nginx/access.log" // of the packages of nginx.org and the distributions
	if r.prefix != r.dir {
		l.Path = r.prefix + "/logs/access.log"
	}
	r.note(at, "no access_log is configured here: nginx writes where its build decides, taken is %s", l.Path)
	return l
}

// serverNames returns the names of a server in order, or one empty name if it has none.
func serverNames(list []Directive) []string {
	var names []string
	for _, d := range list {
		if d.Name != "server_name" {
			continue
		}
		names = append(names, d.Args...)
	}
	if len(names) == 0 {
		return []string{""}
	}
	return names
}
