package rules

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"logscan/parse/serverconf"
)

// mapped is where a URL leads.
type mapped struct {
	file    string                // below a directory; empty if requests are passed on
	docroot string                // the directory that url is mapped to
	url     string                // what is mapped to docroot
	target  string                // of a backend
	by      *serverconf.Directive // that passes requests on
}

// resolve implements server.
func (a *apache) resolve(q Request) (all []Answer) {
	for _, v := range a.candidates(q) {
		all = append(all, a.answer(v, q))
	}
	return serving(all, q)
}

// answer returns what a virtual host does with a request.
func (a *apache) answer(v *vhost, q Request) Answer {
	url := decode(q.Path, true)
	ans := Answer{Host: v.name(), Scope: v.line()}
	if d := a.redirect(v, q, url); d != nil {
		ans.Access, ans.By = Redirected, linesOf(d)
		return ans
	}
	to, sure := a.translate(v, url)
	applied, known := a.applied(v, url, to)
	p := policyOf(applied, q.Method)
	ans.Upstream = to.target
	if p.section != nil {
		ans.Scope = lineOf(p.section.Directive)
	}
	ans.Access, ans.By = p.access, p.lines()
	if !known || !sure {
		ans.Access = Unknown
		return ans
	}
	r := apacheRun{a, v, q, to, applied, p}
	ans.Facts = r.facts()
	return ans
}

// redirect returns the directive that redirects a request before its access is checked.
func (a *apache) redirect(v *vhost, q Request, url string) *serverconf.Directive {
	for _, d := range a.directives(v, "redirect") {
		args := redirectArgs(d.Args)
		if len(args) == 2 && (url == args[0] || strings.HasPrefix(url, strings.TrimSuffix(args[0], "/")+"/")) {
			return d
		}
	}
	for _, d := range a.directives(v, "redirectmatch") {
		if args := redirectArgs(d.Args); len(args) == 2 {
			if _, ok, _ := a.patterns.get(args[0], false).match(url); ok {
				return d
			}
		}
	}
	// Rules of the main server do not apply to virtual hosts.
	if len(v.own["rewriteengine"]) == 0 || len(v.own["rewritecond"]) > 0 && q.Scheme != "http" {
		return nil
	}
	for _, d := range v.own["rewriterule"] {
		if len(d.Args) < 3 || !hasFlag(d.Args[2], "R") {
			continue
		}
		if len(v.own["rewritecond"]) > 0 && !v.redirectsToTLS() {
			continue
		}
		if _, ok, _ := a.patterns.get(d.Args[0], false).match(url); ok {
			return d
		}
	}
	return nil
}

// redirectsToTLS reports whether the conditions of the rules ask only whether the request
// came over http.
func (v *vhost) redirectsToTLS() bool {
	for _, d := range v.own["rewritecond"] {
		if len(d.Args) < 2 || !strings.Contains(d.Args[0], "HTTPS") {
			return false
		}
	}
	return true
}

// redirectArgs returns the arguments of a Redirect without its status.
func redirectArgs(args []string) []string {
	if len(args) == 3 {
		return args[1:]
	}
	return args
}

// hasFlag reports whether the flags of a RewriteRule have one.
func hasFlag(flags, name string) bool {
	for f := range strings.SplitSeq(strings.Trim(flags, "[]"), ",") {
		f, _, _ = strings.Cut(strings.TrimSpace(f), "=")
		if strings.EqualFold(f, name) {
			return true
		}
	}
	return false
}

// translate returns where a URL leads: to a backend, or to a file. sure is false if a
// pattern may lead it elsewhere.
func (a *apache) translate(v *vhost, url string) (to mapped, sure bool) {
	if d := a.proxied(v, url); d != nil {
		to.by = d
		if to.target = d.Args[len(d.Args)-1]; len(d.Args) > 1 && d.Name != "rewriterule" {
			to.target = d.Args[1]
		}
		if to.target != "!" {
			return to, true
		}
		to = mapped{}
	}
	for _, name := range []string{"alias", "scriptalias"} {
		for _, d := range a.directives(v, name) {
			if len(d.Args) != 2 {
				continue
			}
			if rest, ok := below(url, d.Args[0]); ok {
				dir := strings.TrimSuffix(a.absolute(d.Args[1]), "/")
				return mapped{file: path.Clean(dir + "/" + rest), docroot: dir, url: strings.TrimSuffix(d.Args[0], "/")}, true
			}
		}
	}
	for _, name := range []string{"aliasmatch", "scriptaliasmatch"} {
		for _, d := range a.directives(v, name) {
			if len(d.Args) == 2 {
				if _, ok, known := a.patterns.get(d.Args[0], false).match(url); ok || !known {
					return mapped{}, false
				}
			}
		}
	}
	root := a.directives(v, "documentroot")
	if len(root) == 0 {
		return mapped{}, true
	}
	dir := a.absolute(root[len(root)-1].Args[0])
	return mapped{file: path.Clean(dir + "/" + url), docroot: dir}, true
}

// below returns what of a URL is below a prefix of Alias or ProxyPass.
func below(url, prefix string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(url, prefix)
	if !ok || rest != "" && !strings.HasSuffix(prefix, "/") && rest[0] != '/' {
		return "", false
	}
	return strings.TrimPrefix(rest, "/"), true
}

func (a *apache) absolute(p string) string {
	if !path.IsAbs(p) {
		p = path.Join(a.root, p)
	}
	return path.Clean(p)
}

// proxied returns the directive that passes a URL to a backend, or keeps it from being
// passed; nil if none does.
func (a *apache) proxied(v *vhost, url string) *serverconf.Directive {
	for _, s := range slices.Backward(a.sections(v, "location")) {
		if list := s.own["proxypass"]; len(list) > 0 && len(list[0].Args) > 0 {
			if ok, _ := s.matches(url); ok {
				return &serverconf.Directive{Name: "proxypass", Args: []string{s.name, list[0].Args[0]}, At: list[0].At}
			}
		}
	}
	for _, d := range append(slices.Clone(v.own["proxypass"]), a.main.own["proxypass"]...) {
		if len(d.Args) < 2 {
			continue
		}
		if _, ok := below(url, d.Args[0]); ok {
			return d
		}
	}
	for _, d := range append(slices.Clone(v.own["proxypassmatch"]), a.main.own["proxypassmatch"]...) {
		if len(d.Args) < 2 {
			continue
		}
		if _, ok, _ := a.patterns.get(d.Args[0], false).match(url); ok {
			return d
		}
	}
	for _, d := range v.own["rewriterule"] {
		if len(d.Args) > 2 && hasFlag(d.Args[2], "P") && len(v.own["rewritecond"]) == 0 {
			if _, ok, _ := a.patterns.get(d.Args[0], false).match(url); ok {
				return &serverconf.Directive{Name: d.Name, Args: d.Args[:2], At: d.At}
			}
		}
	}
	return nil
}

// applied returns the sections that apply to a request in the order in which Apache merges
// them: directories from the shortest with their .htaccess, patterns of directories, files,
// locations, conditions. known is false if a condition or pattern cannot be evaluated.
func (a *apache) applied(v *vhost, url string, to mapped) (list []*section, known bool) {
	known = true
	take := func(s *section, of string) {
		ok, sure := s.matches(of)
		known = known && (sure || !s.decides())
		if ok {
			list = append(list, s)
		}
	}
	if to.file != "" {
		// A .htaccess may be overridden by a <Directory> of a longer path only.
		dirs := slices.DeleteFunc(a.sections(v, "directory"), func(s *section) bool { return s.regex != nil })
		slices.SortStableFunc(dirs, func(x, y *section) int { return cmp.Compare(depth(x.name), depth(y.name)) })
		for _, dir := range ancestors(to.file) {
			for _, s := range dirs {
				if depth(s.name) == depth(dir) {
					take(s, dir)
				}
			}
			if o := a.override(dir); o != nil && allowsOverride(list) {
				list = append(list, o)
			}
		}
		for _, s := range a.sections(v, "directory") {
			if s.regex != nil {
				take(s, to.file)
			}
		}
		for _, s := range append(slices.Clone(list), a.sections(v, "files")...) {
			for _, f := range append([]*section{s}, s.inner...) {
				if f.kind == "files" {
					take(f, to.file)
				}
			}
		}
	}
	for _, s := range a.sections(v, "location") {
		take(s, url)
	}
	for _, s := range slices.Clone(list) {
		for _, inner := range s.inner {
			known = known && (inner.kind != "if" || !inner.decides())
		}
	}
	for _, s := range a.sections(v, "if") {
		known = known && !s.decides()
	}
	return list, known
}

// decides reports whether a section has directives on access.
func (s *section) decides() bool {
	for _, name := range []string{"require", "authtype", "satisfy", "deny", "allow", "<limit", "authmerging"} {
		if len(s.own[name]) > 0 {
			return true
		}
	}
	return slices.ContainsFunc(s.inner, (*section).decides)
}

// depth returns how many segments a path has.
func depth(name string) int {
	if name == "/" || name == "" {
		return 0
	}
	return strings.Count(strings.TrimSuffix(name, "/"), "/")
}

// maxDepth bounds how deep the directories of a path are.
const maxDepth = 100

// ancestors returns the root and the directories above a file, and the path itself, which
// may be a directory.
func ancestors(file string) []string {
	list := []string{"/"}
	for i := 1; i < len(file) && len(list) < maxDepth; i++ {
		if file[i] == '/' {
			list = append(list, file[:i])
		}
	}
	return append(list, file)
}

// allowsOverride reports whether the sections so far let .htaccess set access rules. The
// default of Apache 2.4 is None.
func allowsOverride(list []*section) bool {
	d := overrideOf(list)
	if d == nil {
		return false
	}
	return slices.ContainsFunc(d.Args, func(s string) bool { return strings.EqualFold(s, "All") || strings.EqualFold(s, "AuthConfig") })
}

func overrideOf(list []*section) (d *serverconf.Directive) {
	for _, s := range list {
		if all := s.own["allowoverride"]; len(all) > 0 {
			d = all[len(all)-1]
		}
	}
	return d
}
