package serverconf

import (
	"strings"

	crossplane "github.com/nginxinc/nginx-go-crossplane"
)

// luaDirectives returns the directives that are followed by a block of Lua instead of
// nginx's syntax: https://github.com/openresty/lua-nginx-module#directives
func luaDirectives() []string {
	return []string{
		"init_by_lua_block", "init_worker_by_lua_block", "exit_worker_by_lua_block", "set_by_lua_block",
		"content_by_lua_block", "server_rewrite_by_lua_block", "rewrite_by_lua_block", "access_by_lua_block",
		"header_filter_by_lua_block", "body_filter_by_lua_block", "log_by_lua_block", "balancer_by_lua_block",
		"ssl_client_hello_by_lua_block", "ssl_certificate_by_lua_block", "ssl_session_fetch_by_lua_block",
		"ssl_session_store_by_lua_block", "preread_by_lua_block",
	}
}

// luaLexer skips a block of Lua, whose strings and comments may hold braces and quotes, and
// returns a semicolon in its place.
type luaLexer struct{}

var _ crossplane.Lexer = luaLexer{}

// Lex implements crossplane.Lexer.
func (luaLexer) Lex(s *crossplane.SubScanner, _ string) <-chan crossplane.NgxToken {
	tokens := make(chan crossplane.NgxToken, 1)
	defer close(tokens)
	lua := luaBlock{next: func() (string, bool) { ok := s.Scan(); return s.Text(), ok }}
	if lua.skip() {
		tokens <- crossplane.NgxToken{Value: ";", Line: s.Line()}
	} else {
		tokens <- crossplane.NgxToken{Line: s.Line(), Error: errUnclosedLua}
	}
	return tokens
}

// luaBlock skips Lua up to the brace that closes the block.
type luaBlock struct {
	next func() (char string, ok bool)
	back string // a character to read again
}

func (l *luaBlock) read() (string, bool) {
	if c := l.back; c != "" {
		l.back = ""
		return c, true
	}
	return l.next()
}

// skip reads to the end of the block, and reports whether it is closed.
func (l *luaBlock) skip() bool {
	for depth := 0; ; {
		c, ok := l.read()
		if !ok {
			return false
		}
		switch c {
		case "{":
			depth++
		case "}":
			if depth--; depth <= 0 {
				return true
			}
		case ";":
			if depth == 0 { // the name of the directive was an argument
				return true
			}
		case `"`, "'":
			ok = depth == 0 || l.quoted(c)
		case "[":
			if depth > 0 {
				if level, opened := l.bracket(); opened {
					ok = l.long(level)
				}
			}
		case "-":
			if depth > 0 {
				ok = l.comment()
			}
		}
		if !ok {
			return false
		}
	}
}

// quoted skips a string up to its closing quote.
func (l *luaBlock) quoted(quote string) bool {
	for {
		c, ok := l.read()
		if !ok || c == quote {
			return ok
		}
		if c == `\` {
			if _, ok = l.read(); !ok {
				return false
			}
		}
	}
}

// bracket reads what follows a [, and reports whether it opens a long string: level times
// =, and [.
func (l *luaBlock) bracket() (level int, opened bool) {
	for {
		c, ok := l.read()
		if !ok {
			return 0, false
		}
		switch c {
		case "=":
			level++
			continue
		case "[":
			return level, true
		}
		l.back = c
		return 0, false
	}
}

// long skips a long string, up to ], level times =, and ].
func (l *luaBlock) long(level int) bool {
	end := "]" + strings.Repeat("=", level) + "]"
	matched := 0
	for matched < len(end) {
		c, ok := l.read()
		switch {
		case !ok:
			return false
		case c == end[matched:matched+1]:
			matched++
		case c == "]":
			matched = 1
		default:
			matched = 0
		}
	}
	return true
}

// comment reads what follows a -, and skips it if it is a comment.
func (l *luaBlock) comment() bool {
	c, ok := l.read()
	if !ok || c != "-" {
		l.back = c
		return ok
	}
	if c, ok = l.read(); !ok {
		return false
	}
	if c == "[" {
		if level, opened := l.bracket(); opened {
			return l.long(level)
		}
		c = ""
	}
	for c != "\n" {
		if c, ok = l.read(); !ok {
			return false
		}
	}
	return true
}
