package serverconf

import (
	"path/filepath"
	"strings"
)

// nginxCombined is the format that nginx defines itself:
// https://nginx.org/en/docs/http/ngx_http_log_module.html#log_format
const nginxCombined = `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"`

// config finds the logs in the tree.
func (r *nginxReader) config(tree []directive, root Position) (*Config, error) {
	w := nginxWalk{collector: r.collector, dir: filepath.ToSlash(r.dir), fragment: r.fragment}
	w.prefix = w.dir
	if filepath.Base(w.dir) == "conf" {
		w.prefix = filepath.ToSlash(filepath.Dir(w.dir))
	}
	w.config.Formats["combined"] = Format{Name: "combined", Spec: nginxCombined, Escape: "default"}
	var http []directive
	for _, d := range tree {
		switch d.name {
		case "http":
			http = append(http, d)
		case "stream":
			w.stream(d.block)
		}
	}
	switch {
	case len(http) > 0:
	case !w.fragment:
		w.note(root, "there is no http block: nginx serves nothing that is logged")
	case len(tree) == 0:
		return nil, errorAt(root, "there is nothing of web servers or logs in it: give nginx.conf, or a file that it includes")
	default:
		http = []directive{{name: "http", block: tree, at: root}}
	}
	for _, d := range http {
		w.formats(d.block)
	}
	for _, d := range http {
		w.http(d)
	}
	return w.finish(), nil
}

// nginxWalk walks the tree of directives.
type nginxWalk struct {
	*collector
	dir, prefix string
	fragment    bool // the enclosing blocks are not known
	assumed     bool // the note about the prefix was made
}

// formats collects the named formats. nginx requires them before their use; here they may
// follow it.
func (w *nginxWalk) formats(list []directive) {
	for _, d := range list {
		if d.name != "log_format" {
			continue
		}
		if len(d.args) < 2 {
			w.note(d.at, "log_format takes a name and a format; it is left out")
			continue
		}
		f := Format{Name: d.args[0], Escape: "default"}
		pieces := d.args[1:]
		if escape, ok := strings.CutPrefix(pieces[0], "escape="); ok {
			f.Escape, pieces = escape, pieces[1:]
			if escape != "default" && escape != "json" && escape != "none" {
				w.note(d.at, "log_format %s: there is no escape=%s; default is taken", f.Name, escape)
				f.Escape = "default"
			}
		}
		f.Spec = strings.Join(pieces, "")
		if have, ok := w.config.Formats[f.Name]; ok && have != f {
			w.note(d.at, "log_format %s is there twice, which nginx refuses; this one is left out", f.Name)
			continue
		}
		w.config.Formats[f.Name] = f
	}
}

// stream adds a note for each log of streams, which holds connections and not requests.
func (w *nginxWalk) stream(list []directive) {
	for _, d := range list {
		if d.name == "access_log" && len(d.args) > 0 && d.args[0] != "off" {
			w.note(d.at, "the log %q is one of streams, which have no requests; it is left out", d.args[0])
		}
		w.stream(d.block)
	}
}

// scope is the set of logs that are written in a block.
type scope struct {
	logs []Log
	set  bool // by this block or one around it
	own  bool // by this block
}

func (w *nginxWalk) http(d directive) {
	s := w.scope(d.block, scope{})
	for _, l := range s.logs {
		w.add(l, nil)
	}
	for _, block := range d.block {
		switch block.name {
		case "server":
			w.server(block, s)
		case "location", "if", "limit_except":
			w.inner(block, s, nil) // in a file that is included in a server
		}
	}
}

func (w *nginxWalk) server(d directive, parent scope) {
	names := serverNames(d.block)
	s := w.scope(d.block, parent)
	if !s.set && w.fragment {
		w.note(d.at, "server %q names no log: that stands in the main configuration, which is to be given in place of this file", names[0])
	} else if !s.set {
		s = scope{logs: []Log{w.builtIn(d.at)}, set: true}
	}
	for _, l := range s.logs {
		w.add(l, names)
	}
	w.blocks(d.block, s, names)
}

// blocks walks the blocks within a server.
func (w *nginxWalk) blocks(list []directive, parent scope, names []string) {
	for _, d := range list {
		if d.block != nil {
			w.inner(d, parent, names)
		}
	}
}

func (w *nginxWalk) inner(d directive, parent scope, names []string) {
	s := w.scope(d.block, parent)
	if s.own { // those of the block around it were added already
		for _, l := range s.logs {
			w.add(l, names)
		}
	}
	w.blocks(d.block, s, names)
}

// scope returns the logs of a block: its own, or those of the block around it if it has
// none. With "off" nothing is logged, whatever else is configured beside it.
func (w *nginxWalk) scope(list []directive, parent scope) scope {
	own := scope{}
	for _, d := range list {
		if d.name != "access_log" {
			continue
		}
		if len(d.args) == 0 {
			w.note(d.at, "access_log takes a path; it is left out")
			continue
		}
		if d.args[0] == "off" {
			return scope{logs: []Log{{Off: true, Where: d.at}}, set: true, own: true}
		}
		own.logs = append(own.logs, w.log(d))
		own.set, own.own = true, true
	}
	if own.set {
		return own
	}
	parent.own = false
	return parent
}

// log parses access_log path [format [option]...].
func (w *nginxWalk) log(d directive) Log {
	l := Log{FormatName: "combined", Where: d.at}
	if len(d.args) > 1 {
		l.FormatName = d.args[1]
	}
	if f, ok := w.config.Formats[l.FormatName]; ok {
		l.Spec, l.Escape = f.Spec, f.Escape
	} else if w.fragment {
		w.note(d.at, "log_format %q is not defined here: it stands in the main configuration, which is to be given in place of this file", l.FormatName)
	} else {
		w.note(d.at, "log_format %q is not defined: the format of this log is not known", l.FormatName)
	}
	for _, option := range d.args[min(2, len(d.args)):] {
		name, value, _ := strings.Cut(option, "=")
		switch name {
		case "gzip":
			l.Gzip = true
		case "if":
			l.If = value
		}
	}
	if strings.HasPrefix(d.args[0], "syslog:") {
		l.Syslog = strings.TrimPrefix(d.args[0], "syslog:")
		w.note(d.at, "the log goes to syslog (%s): it is in no file that this configuration names", l.Syslog)
		return l
	}
	w.file(&l, d.args[0])
	return l
}

// file sets the path of a log.
func (w *nginxWalk) file(l *Log, path string) {
	if !isAbsolute(path) && !w.assumed {
		w.assumed = true
		w.note(l.Where, "%q is relative to nginx's prefix, which its build decides: taken is %s", path, w.prefix)
	}
	l.Path = absolute(w.prefix, path)
	if l.Pattern = variablePattern(l.Path); l.Pattern != "" {
		w.note(l.Where, "the path %q has variables: taken are the files that match %s", path, l.Pattern)
	}
}

// builtIn returns the log of a server for which none is configured. Its path is compiled
// into nginx.
func (w *nginxWalk) builtIn(at Position) Log {
	l := Log{FormatName: "combined", Spec: nginxCombined, Escape: "default", Where: at}
	l.Path = "/var/log/nginx/access.log" // of the packages of nginx.org and the distributions
	if w.prefix != w.dir {
		l.Path = w.prefix + "/logs/access.log"
	}
	w.note(at, "no access_log is configured here: nginx writes where its build decides, taken is %s", l.Path)
	return l
}

// serverNames returns the names of a server in order, or one empty name if it has none.
func serverNames(list []directive) []string {
	var names []string
	for _, d := range list {
		if d.name != "server_name" {
			continue
		}
		names = append(names, d.args...)
	}
	if len(names) == 0 {
		return []string{""}
	}
	return names
}
