package rules

import (
	"slices"
	"strings"

	"logscan/parse/serverconf"
)

// nginx is a configuration of nginx.
type nginx struct {
	dir       string
	missing   map[string]bool // password files that are not there, as named
	servers   []*virtual
	upstreams map[string]*serverconf.Directive
	patterns  patterns
}

// virtual is a server block.
type virtual struct {
	*block
	names    []string
	patterns map[string]pattern // of the names that are regular expressions
	listens  []listen
}

// listen is an address that a server listens on.
type listen struct {
	socket    string // address:port
	tls       bool
	isDefault bool
	at        *serverconf.Directive
}

// block is a block of directives: http, server, location, if or limit_except.
type block struct {
	dir    *serverconf.Directive
	parent *block
	own    map[string][]*serverconf.Directive // its directives by name, without blocks
	access []*serverconf.Directive            // allow and deny, in order
	script []statement                        // directives of the rewrite module, in order
	limit  *block                             // limit_except
	locations
}

// statement is a directive of the rewrite module. inner is the block of an if.
type statement struct {
	*serverconf.Directive
	inner *block
}

// locations are the locations of a server or location.
type locations struct {
	exact    map[string]*block
	prefixes map[string]*block
	lengths  []int // of the names of prefixes, longest first
	regexes  []regexLocation
	named    map[string]*block
	all      []*block
}

type regexLocation struct {
	pattern
	*block
}

// Nginx reads a configuration of nginx.
func Nginx(path string) (*Rules, error) {
	return newNginx("nginx", path, serverconf.NginxTree)
}

// Ingress reads manifests of Ingresses for ingress-nginx.
func Ingress(path string) (*Rules, error) {
	return newNginx("ingress-nginx", path, serverconf.IngressTree)
}

// newNginx returns the rules of a configuration of nginx, or of what is made one.
func newNginx(server, path string, read func(string) (*serverconf.Tree, error)) (*Rules, error) {
	tree, err := read(path)
	if err != nil {
		return nil, err
	}
	n := &nginx{dir: tree.Dir, upstreams: map[string]*serverconf.Directive{}, missing: map[string]bool{}, patterns: patterns{}}
	root := &block{dir: &serverconf.Directive{Name: "main", Block: tree.Directives}, own: map[string][]*serverconf.Directive{}}
	n.read(root, tree.Directives)
	for _, v := range n.servers {
		n.findMissing(v.block)
	}
	return &Rules{Server: server, Path: path, Files: tree.Files, Notes: tree.Notes, server: n}, nil
}

// read collects the servers and upstreams of the main configuration or of a part of it.
func (n *nginx) read(at *block, list []serverconf.Directive) {
	var loose []serverconf.Directive // locations of a file that a server block includes
	for i := range list {
		d := &list[i]
		switch {
		case d.Name == "http" && d.IsBlock:
			n.read(newBlock(d, nil), d.Block)
		case d.Name == "server" && d.IsBlock:
			n.servers = append(n.servers, newVirtual(newBlock(d, at)))
		case d.Name == "upstream" && d.IsBlock && len(d.Args) > 0:
			n.upstreams[d.Args[0]] = d
		case d.Name == "location" && d.IsBlock:
			loose = list
		}
	}
	if len(loose) > 0 {
		d := &serverconf.Directive{Name: "server", Block: loose, IsBlock: true, At: loose[0].At}
		n.servers = append(n.servers, newVirtual(newBlock(d, nil)))
	}
}

// newBlock returns the block of a directive with the blocks in it.
func newBlock(d *serverconf.Directive, parent *block) *block {
	b := &block{dir: d, parent: parent, own: map[string][]*serverconf.Directive{}}
	for i := range d.Block {
		x := &d.Block[i]
		switch {
		case x.IsBlock && x.Name == "location":
			b.locations.add(newBlock(x, b))
		case x.IsBlock && x.Name == "if":
			b.script = append(b.script, statement{x, newBlock(x, b)})
		case x.IsBlock && x.Name == "limit_except":
			b.limit = newBlock(x, b)
		case x.IsBlock:
		default:
			b.own[x.Name] = append(b.own[x.Name], x)
			switch x.Name {
			case "allow", "deny":
				b.access = append(b.access, x)
			case "return", "rewrite", "set", "break":
				b.script = append(b.script, statement{x, nil})
			}
		}
	}
	slices.SortFunc(b.lengths, func(x, y int) int { return y - x })
	b.lengths = slices.Compact(b.lengths)
	return b
}

// modifier splits the arguments of a location into its modifier and its name.
func modifier(args []string) (how, name string) {
	if len(args) > 1 {
		return args[0], args[1]
	}
	if len(args) == 0 {
		return "", ""
	}
	for _, how := range []string{"=", "^~", "~*", "~", "@"} {
		if strings.HasPrefix(args[0], how) {
			return how, args[0][len(how):]
		}
	}
	return "", args[0]
}

func (l *locations) add(b *block) {
	how, name := modifier(b.dir.Args)
	l.all = append(l.all, b)
	switch how {
	case "=":
		set(&l.exact, name, b)
	case "~", "~*":
		l.regexes = append(l.regexes, regexLocation{compile(name, how == "~*"), b})
	case "@":
		set(&l.named, name, b)
	default:
		set(&l.prefixes, name, b)
		l.lengths = append(l.lengths, len(name))
	}
}

func set(m *map[string]*block, name string, b *block) {
	if *m == nil {
		*m = map[string]*block{}
	}
	if _, ok := (*m)[name]; !ok { // nginx refuses a second one
		(*m)[name] = b
	}
}

func newVirtual(b *block) *virtual {
	v := &virtual{block: b, patterns: map[string]pattern{}}
	for _, d := range b.own["server_name"] {
		for _, name := range d.Args {
			if strings.HasPrefix(name, "~") {
				v.patterns[name] = compile(name[1:], true)
			} else {
				name = strings.ToLower(name)
			}
			v.names = append(v.names, name)
		}
	}
	for _, d := range b.own["listen"] {
		if len(d.Args) == 0 || strings.HasPrefix(d.Args[0], "unix:") {
			continue
		}
		l := listen{socket: socketOf(d.Args[0]), at: d}
		for _, option := range d.Args[1:] {
			l.tls = l.tls || option == "ssl" || option == "quic"
			l.isDefault = l.isDefault || option == "default_server" || option == "default"
		}
		for _, ssl := range b.own["ssl"] {
			l.tls = l.tls || len(ssl.Args) == 1 && ssl.Args[0] == "on"
		}
		v.listens = append(v.listens, l)
	}
	if len(v.listens) == 0 {
		v.listens = []listen{{socket: "*:80", at: b.dir}}
	}
	return v
}

// socketOf returns the address and port of a listen directive.
func socketOf(s string) string {
	switch {
	case !strings.ContainsAny(s, ".:]*") && strings.Trim(s, "0123456789") == "":
		return "*:" + s
	case strings.HasSuffix(s, "]") || !strings.Contains(s, ":"):
		return s + ":80"
	}
	return s
}

// inherited returns the directives of one name that apply in a block: those of the nearest
// block around it that has any. As in nginx, a block with one of them inherits none.
func (b *block) inherited(name string) ([]*serverconf.Directive, *block) {
	for x := b; x != nil; x = x.parent {
		if list := x.own[name]; len(list) > 0 {
			return list, x
		}
	}
	return nil, nil
}

// value returns the directive of a name that applies in a block and its arguments; nil if
// there is none.
func (b *block) value(name string) (*serverconf.Directive, string) {
	list, _ := b.inherited(name)
	if len(list) == 0 {
		return nil, ""
	}
	d := list[len(list)-1]
	return d, strings.Join(d.Args, " ")
}

// enabled returns a directive that applies in a block and does not say off; nil if there is
// none.
func (b *block) enabled(name string) *serverconf.Directive {
	if d, value := b.value(name); d != nil && value != "off" {
		return d
	}
	return nil
}

// candidates returns the servers that may serve a request: one for each socket.
func (n *nginx) candidates(q Request) (list []*virtual) {
	bySocket := map[string][]*virtual{}
	var sockets []string
	for _, v := range n.servers {
		for _, l := range v.listens {
			if q.Scheme == "http" && l.tls || q.Scheme == "https" && !l.tls {
				continue
			}
			if _, ok := bySocket[l.socket]; !ok {
				sockets = append(sockets, l.socket)
			}
			bySocket[l.socket] = append(bySocket[l.socket], v)
		}
	}
	if len(sockets) == 0 && q.Scheme != "" { // a proxy in front of it ends TLS
		q.Scheme = ""
		return n.candidates(q)
	}
	add := func(v *virtual) {
		if v != nil && !slices.Contains(list, v) {
			list = append(list, v)
		}
	}
	for _, s := range sockets {
		if q.Host == "" {
			for _, v := range bySocket[s] {
				add(v)
			}
			continue
		}
		add(chosen(bySocket[s], s, q.Host))
	}
	// A name that only one socket has is more likely than the default server of others.
	if named := slices.DeleteFunc(slices.Clone(list), func(v *virtual) bool { return v.rank(q.Host) == 0 }); len(named) > 0 {
		return named
	}
	return list
}

// chosen returns the server of a socket that serves a host.
func chosen(servers []*virtual, socket, host string) *virtual {
	var best, first *virtual
	rank := 0
	for _, v := range servers {
		isDefault := slices.ContainsFunc(v.listens, func(l listen) bool { return l.socket == socket && l.isDefault })
		if first == nil || isDefault {
			first = v
		}
		if r := v.rank(host); r > rank {
			best, rank = v, r
		}
	}
	if best != nil {
		return best
	}
	return first
}

// The ranks of names that match a host. The length of a wildcard is added.
const (
	rankRegex    = 1
	rankTrailing = 1 << 10
	rankLeading  = 1 << 20
	rankExact    = 1 << 30
)

// rank returns how well the best of a server's names matches a host: exact, the longest
// leading wildcard, the longest trailing one, a regular expression; 0 for none.
func (v *virtual) rank(host string) (best int) {
	for _, name := range v.names {
		r := 0
		switch {
		case name == host && host != "":
			r = rankExact
		case strings.HasPrefix(name, "~"):
			p := v.patterns[name]
			if _, ok, _ := p.match(host); ok {
				r = rankRegex
			}
		case strings.HasPrefix(name, ".") && (host == name[1:] || strings.HasSuffix(host, name)):
			if r = rankLeading + len(name); host == name[1:] {
				r = rankExact
			}
		case strings.HasPrefix(name, "*.") && strings.HasSuffix(host, name[1:]) && len(host) > len(name)-1:
			r = rankLeading + len(name)
		case strings.HasSuffix(name, ".*") && strings.HasPrefix(host, name[:len(name)-1]):
			r = rankTrailing + len(name)
		}
		best = max(best, r)
	}
	return best
}

// name returns the name of a server for people.
func (v *virtual) name() string {
	for _, name := range v.names {
		if name != "" {
			return name
		}
	}
	return ""
}
