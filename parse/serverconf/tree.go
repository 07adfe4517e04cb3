package serverconf

import (
	"path/filepath"
	"strings"
)

// Directive is a directive, or a block or section of them, as the server reads it:
// variables of Apache are replaced.
type Directive struct {
	Name    string // as written; that of an Apache section in lower case, with its <
	Args    []string
	Block   []Directive
	IsBlock bool
	At      Position
	// Written is how a configuration in another language says it, such as an annotation;
	// empty if it is one of directives.
	Written string
}

// String returns the directive in one line, without what is in its block.
func (d *Directive) String() string {
	if d.Written != "" {
		return d.Written
	}
	var b strings.Builder
	b.WriteString(d.Name)
	for _, arg := range d.Args {
		b.WriteByte(' ')
		if arg == "" || strings.ContainsAny(arg, " \t\n;{}\"") {
			b.WriteString(`"` + strings.ReplaceAll(strings.Join(strings.Fields(arg), " "), `"`, `\"`) + `"`)
		} else {
			b.WriteString(arg)
		}
	}
	if strings.HasPrefix(d.Name, "<") {
		b.WriteByte('>')
	}
	return b.String()
}

// Tree is a whole configuration: includes and macros are replaced by what they hold, and
// conditions that are known when the server starts are evaluated.
type Tree struct {
	Directives []Directive
	Dir        string // that relative paths of files are below
	Files      []File // that were read
	Notes      []string
}

// NginxTree reads an nginx configuration, as Nginx does, with all its directives.
func NginxTree(path string) (*Tree, error) {
	r := nginxReader{reader: newReader(), whole: true}
	list, err := r.tree(path)
	if err != nil {
		return nil, err
	}
	return &Tree{Directives: list, Dir: filepath.ToSlash(r.dir), Files: r.known, Notes: r.finish().Notes}, nil
}

// ApacheTree reads an Apache configuration, as Apache does, with all its directives.
func ApacheTree(path string) (*Tree, error) {
	r := newApacheReader(path)
	r.whole = &tree{}
	if err := r.file(path); err != nil {
		return nil, err
	}
	return &Tree{Directives: r.whole.list, Dir: filepath.ToSlash(r.root), Files: r.known, Notes: r.finish().Notes}, nil
}

// apacheAccess are directives of Apache that only matter in a Tree. One of them shows that
// a file is a configuration of Apache.
var apacheAccess = []string{
	"documentroot", "authtype", "authname", "authuserfile", "require", "allowoverride", "rewriteengine", "rewriterule",
	"proxypass", "order", "satisfy", "sethandler", "redirect", "fallbackresource", "setenvif", "cgipassauth", "options",
}

// tree collects the directives of Apache. A nil tree collects nothing.
type tree struct {
	list   []Directive
	around []Directive // the sections around what is read
}

func (t *tree) add(d Directive) {
	switch {
	case t == nil:
	case len(t.around) > 0:
		s := &t.around[len(t.around)-1]
		s.Block = append(s.Block, d)
	default:
		t.list = append(t.list, d)
	}
}

func (t *tree) open(d Directive) {
	if t != nil {
		d.IsBlock = true
		t.around = append(t.around, d)
	}
}

func (t *tree) close() {
	if t != nil {
		d := t.around[len(t.around)-1]
		t.around = t.around[:len(t.around)-1]
		t.add(d)
	}
}
