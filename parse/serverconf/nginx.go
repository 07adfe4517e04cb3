package serverconf

import (
	"path/filepath"
	"slices"
)

// Nginx reads an nginx configuration: nginx.conf, or a file that it includes, such as
// sites-enabled/x.
//
// Relative includes are looked up beside the main configuration file, as nginx does. The
// prefix of other relative paths is compiled into nginx; it is assumed to be the directory
// of the configuration, or its parent if that directory is named conf.
func Nginx(path string) (*Config, error) {
	r := nginxReader{reader: newReader()}
	tree, err := r.tree(path)
	if err != nil {
		return nil, err
	}
	return r.logs(tree, Position{path, 1})
}

// tree returns the directives of the file at path and of those that it includes.
func (r *nginxReader) tree(path string) ([]Directive, error) {
	full, text, err := r.start(path)
	if err != nil {
		return nil, err
	}
	r.dir = filepath.Dir(full)
	// The includes of a file that is itself included are relative to a directory
	// above it.
	r.fragment = !isNginxMain(text)
	if up, ok := above(r.dir, "nginx.conf"); ok && r.fragment {
		r.dir = up
	}
	return r.parse(path, text)
}

// nginxReader parses the files into a tree of directives, and collects the logs in it.
type nginxReader struct {
	reader
	dir      string // of the main configuration file
	prefix   string // that relative paths of logs are below
	fragment bool   // the file given is only a part of a configuration: the enclosing blocks are not known
	assumed  bool   // the note about the prefix was made
	snippet  bool   // a text in another configuration: includes are not followed
	whole    bool   // keep all directives, not only those that configure logs
}

// nginxBlocks are the blocks that may configure logs. Others are skipped.
var nginxBlocks = []string{"http", "server", "location", "if", "limit_except", "stream"}

// nginxKept are the other directives that are kept.
var nginxKept = []string{"access_log", "log_format", "server_name"}

// nginxTables are blocks whose statements are no directives.
var nginxTables = []string{"types", "map", "geo", "charset_map", "split_clients"}

// keeps reports whether a directive becomes part of the tree.
func (r *nginxReader) keeps(d *Directive, isBlock bool) bool {
	switch {
	case r.whole:
		return !isBlock || !slices.Contains(nginxTables, d.Name)
	case isBlock:
		return slices.Contains(nginxBlocks, d.Name)
	}
	return slices.Contains(nginxKept, d.Name)
}

// isNginxMain reports whether a file is nginx.conf and not a part of it: only the main file
// has an events or http block.
func isNginxMain(text []byte) bool {
	l := newNginxLexer("", text)
	for depth := 0; ; {
		begins := l.begins
		t, ok, err := l.next()
		switch {
		case err != nil || !ok:
			return false
		case t.is("{"):
			depth++
		case t.is("}"):
			depth--
		case begins && depth == 0 && (t.text == "http" || t.text == "events"):
			return true
		}
	}
}

func (r *nginxReader) parse(path string, text []byte) ([]Directive, error) {
	p := nginxParser{nginxLexer: newNginxLexer(path, text), reader: r}
	return p.block(Position{}, 0)
}

// nginxParser makes directives of the tokens of one file.
type nginxParser struct {
	nginxLexer
	reader *nginxReader
}

// block parses directives up to the brace that closes the block or, at depth 0, to the end
// of the file.
func (p *nginxParser) block(opened Position, depth int) ([]Directive, error) {
	if depth > maxNesting {
		return nil, errorAt(opened, "blocks stand in each other deeper than %d", maxNesting)
	}
	var list []Directive
	for {
		t, ok, err := p.next()
		switch {
		case err != nil:
			return nil, err
		case !ok && depth > 0:
			return nil, errorAt(opened, "the block is not closed: a } is missing")
		case t.is("}") && depth == 0:
			return nil, errorAt(t.at, `unexpected "}"`)
		case !ok, t.is("}"):
			return list, nil
		}
		d := Directive{Name: t.text, At: t.at}
		isBlock, err := p.arguments(&d)
		keep := p.reader.keeps(&d, isBlock)
		switch {
		case err != nil:
			return nil, err
		case isBlock && keep:
			d.IsBlock = true
			d.Block, err = p.block(d.At, depth+1)
		case isBlock:
			err = p.skipBlock(d.At)
		case d.Name == "include" && !p.reader.snippet:
			var included []Directive
			included, err = p.reader.include(d)
			list = append(list, included...)
		}
		if err != nil {
			return nil, err
		}
		if keep {
			list = append(list, d)
		}
	}
}

// arguments parses a directive to its end, and reports whether a block follows.
func (p *nginxParser) arguments(d *Directive) (isBlock bool, err error) {
	for {
		t, ok, err := p.next()
		switch {
		case err != nil:
			return false, err
		case !ok:
			return false, errorAt(d.At, "%q does not end: a ; or a quote is missing", d.Name)
		case t.is(";"):
			return false, nil
		case t.is("{"):
			return true, nil
		case t.is("}"):
			return false, errorAt(t.at, "unexpected \"}\": %q of line %d does not end in a ;", d.Name, d.At.Line)
		}
		d.Args = append(d.Args, t.text)
	}
}

// skipBlock reads to the end of a block.
func (p *nginxParser) skipBlock(opened Position) error {
	for depth := 1; depth > 0; {
		t, ok, err := p.next()
		switch {
		case err != nil:
			return err
		case !ok:
			return errorAt(opened, "the block is not closed: a } is missing")
		case t.is("{"):
			depth++
		case t.is("}"):
			depth--
		}
	}
	return nil
}

// include returns the directives of the files that an include names. A file that cannot be
// read becomes a note.
func (r *nginxReader) include(d Directive) ([]Directive, error) {
	if len(d.Args) != 1 {
		return nil, errorAt(d.At, "include takes one path, and has %d", len(d.Args))
	}
	include := included{"include", d.Args[0], d.At}
	name := include.given
	if !isAbsolute(name) {
		name = filepath.Join(r.dir, name)
	}
	var list []Directive
	paths, _ := r.paths(include, name)
	for _, path := range paths {
		text, ok, err := r.openIncluded(include, path)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		included, err := r.parse(path, text)
		if err != nil {
			return nil, err
		}
		r.leave()
		list = append(list, included...)
	}
	return list, nil
}
