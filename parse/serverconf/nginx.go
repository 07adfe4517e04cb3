package serverconf

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	crossplane "github.com/nginxinc/nginx-go-crossplane"
)

// Nginx reads an nginx configuration: nginx.conf, or a file that it includes, such as
// sites-enabled/x.
//
// Relative includes are looked up beside the main configuration file, as nginx does. The
// prefix of other relative paths is compiled into nginx; it is assumed to be the directory
// of the configuration, or its parent if that directory is named conf.
func Nginx(path string) (*Config, error) {
	r := nginxReader{reader: reader{collector: newCollector()}}
	full, text, err := r.start(path)
	if err != nil {
		return nil, err
	}
	if err := checkWords(path, text); err != nil {
		return nil, err
	}
	r.dir = filepath.Dir(full)
	// The includes of a file that is itself included are relative to a directory
	// above it.
	r.fragment = !isNginxMain(text)
	if r.fragment {
		r.dir = nginxDir(r.dir)
	}
	tree, err := r.parse(path, text)
	if err != nil {
		return nil, err
	}
	return r.config(tree, Position{path, 1})
}

// nginxReader parses the files into a tree of directives.
type nginxReader struct {
	reader
	dir      string // of the main configuration file
	fragment bool   // the file given is only a part of a configuration
}

// directive is a statement of an nginx configuration.
type directive struct {
	name  string
	args  []string
	block []directive
	at    Position
}

// nginxBlocks are the blocks that may say something of logs. Others are skipped.
var nginxBlocks = []string{"http", "server", "location", "if", "limit_except", "stream"}

// nginxKept are the other directives that are kept.
var nginxKept = []string{"access_log", "log_format", "server_name"}

var errUnclosedLua = errors.New("a block of Lua that is not closed")

// isNginxMain reports whether a file is nginx.conf and not a part of it: only the main file
// has an events or http block.
func isNginxMain(text []byte) bool {
	main, depth := false, 0
	begins := true
	for t := range lexNginx(text) {
		switch {
		case t.IsQuoted:
			begins = false
			continue
		case t.Value == "{":
			depth++
		case t.Value == "}":
			depth--
		case begins && depth == 0 && (t.Value == "http" || t.Value == "events"):
			main = true
		}
		begins = t.Value == ";" || t.Value == "{" || t.Value == "}" || begins && strings.HasPrefix(t.Value, "#")
	}
	return main
}

// nginxDir returns the directory of nginx.conf, given that of a file it includes.
func nginxDir(dir string) string {
	for up, n := dir, 0; n < 3; n++ {
		if _, err := os.Stat(filepath.Join(up, "nginx.conf")); err == nil {
			return up
		}
		up = filepath.Dir(up)
	}
	return dir
}

// lexNginx splits a file into tokens. The channel must be read to its end, because a
// goroutine writes it.
func lexNginx(text []byte) <-chan crossplane.NgxToken {
	// The lexer needs a space before the brace of a block of Lua.
	text = bytes.ReplaceAll(text, []byte("_by_lua_block{"), []byte("_by_lua_block {"))
	return crossplane.LexWithOptions(bytes.NewReader(text), crossplane.LexOptions{
		Lexers: []crossplane.RegisterLexer{crossplane.LexWithLexer(luaLexer{}, luaDirectives()...)},
	})
}

func (r *nginxReader) parse(path string, text []byte) ([]directive, error) {
	p := nginxParser{reader: r, path: path, tokens: lexNginx(text)}
	defer func() {
		for range p.tokens { // lets the goroutine of the lexer end
		}
	}()
	return p.block(Position{}, 0)
}

// nginxParser makes directives of the tokens of one file. The parser of nginx-go-crossplane
// is not used because it has no limit of depth, and reads a file only once wherever it is
// included.
type nginxParser struct {
	reader *nginxReader
	path   string
	tokens <-chan crossplane.NgxToken
}

// next returns the next token that is not a comment. ok is false at the end.
func (p *nginxParser) next() (t crossplane.NgxToken, at Position, ok bool, err error) {
	for t = range p.tokens {
		at = Position{p.path, t.Line}
		if t.Error != nil {
			what := t.Error.Error()
			var lexed *crossplane.ParseError
			if errors.As(t.Error, &lexed) {
				what = lexed.What
			}
			if strings.HasPrefix(what, "unexpected end of file") {
				return t, at, false, nil // the caller knows what is not closed
			}
			return t, at, false, errorAt(at, "%s", what)
		}
		if t.IsQuoted || !strings.HasPrefix(t.Value, "#") {
			return t, at, true, nil
		}
	}
	return t, at, false, nil
}

// block parses directives up to the brace that closes the block or, at depth 0, to the end
// of the file.
func (p *nginxParser) block(opened Position, depth int) ([]directive, error) {
	if depth > maxNesting {
		return nil, errorAt(opened, "blocks stand in each other deeper than %d", maxNesting)
	}
	var list []directive
	for {
		t, at, ok, err := p.next()
		switch {
		case err != nil:
			return nil, err
		case !ok && depth > 0:
			return nil, errorAt(opened, "the block is not closed: a } is missing")
		case !ok:
			return list, nil
		case !t.IsQuoted && t.Value == "}":
			return list, nil
		case !t.IsQuoted && (t.Value == ";" || t.Value == "{"):
			return nil, errorAt(at, "unexpected %q", t.Value)
		}
		d := directive{name: t.Value, at: at}
		isBlock, err := p.arguments(&d)
		if err != nil {
			return nil, err
		}
		switch {
		case isBlock && slices.Contains(nginxBlocks, d.name):
			if d.block, err = p.block(d.at, depth+1); err != nil {
				return nil, err
			}
			list = append(list, d)
		case isBlock:
			if err := p.skip(d.at); err != nil {
				return nil, err
			}
		case d.name == "include":
			included, err := p.reader.include(d)
			if err != nil {
				return nil, err
			}
			list = append(list, included...)
		case slices.Contains(nginxKept, d.name):
			list = append(list, d)
		}
	}
}

// arguments parses a directive to its end, and reports whether a block follows.
func (p *nginxParser) arguments(d *directive) (isBlock bool, err error) {
	for {
		t, at, ok, err := p.next()
		switch {
		case err != nil:
			return false, err
		case !ok:
			return false, errorAt(d.at, "%q does not end: a ; or a quote is missing", d.name)
		case t.IsQuoted:
		case t.Value == ";":
			return false, nil
		case t.Value == "{":
			return true, nil
		case t.Value == "}":
			return false, errorAt(at, "unexpected \"}\": %q of line %d does not end in a ;", d.name, d.at.Line)
		}
		d.args = append(d.args, unescapeNginx(t.Value))
	}
}

// skip reads to the end of a block that says nothing of logs.
func (p *nginxParser) skip(opened Position) error {
	for depth := 1; depth > 0; {
		t, _, ok, err := p.next()
		switch {
		case err != nil:
			return err
		case !ok:
			return errorAt(opened, "the block is not closed: a } is missing")
		case t.IsQuoted:
		case t.Value == "{":
			depth++
		case t.Value == "}":
			depth--
		}
	}
	return nil
}

// unescapeNginx decodes the escapes in a token, except for its own quotes, which the lexer
// has decoded.
func unescapeNginx(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case '"', '\'', '\\':
			b.WriteByte(s[i])
		case 't':
			b.WriteByte('\t')
		case 'r':
			b.WriteByte('\r')
		case 'n':
			b.WriteByte('\n')
		default:
			b.WriteByte('\\')
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// include returns the directives of the files that an include names. A file that cannot be
// read becomes a note.
func (r *nginxReader) include(d directive) ([]directive, error) {
	if len(d.args) != 1 {
		return nil, errorAt(d.at, "include takes one path, and has %d", len(d.args))
	}
	include := included{"include", d.args[0], d.at}
	name := include.given
	if !isAbsolute(name) {
		name = filepath.Join(r.dir, name)
	}
	var list []directive
	paths, _ := r.paths(include, name)
	for _, path := range paths {
		text, ok, err := r.openIncluded(include, path)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		if err := checkWords(path, text); err != nil {
			return nil, err
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
