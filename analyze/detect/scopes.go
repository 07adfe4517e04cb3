package detect

import (
	"cmp"
	"iter"
	"maps"
	"math"
	"slices"
	"strings"

	"logscan/analyze/session"
)

// scope is a part of a site that has its sign-in or its check of credentials in
// common: all hosts, a host, the routes below a prefix (which may be a tenant), or
// the sign-in routes.
type scope struct {
	host   string
	prefix string // ends with a slash, or is a whole route
	method string // of a single sign-in route
	every  bool   // all hosts
	signIn bool   // the sign-in routes only
	both   bool   // sign-in routes too; else all others
}

const (
	// scopesOfEndpoint is the maximum number of scopes that an endpoint is in.
	scopesOfEndpoint = 6
	// maxScopes is the maximum number of scopes followed over time, those that refuse
	// most actors.
	maxScopes = 64
	// prefixDepth is how many segments of a path may name a tenant: /acme/ or
	// /tenants/acme/.
	prefixDepth = 2
)

// scopes numbers the scopes of all endpoints.
type scopes struct {
	list []scope
	of   [][scopesOfEndpoint]int32 // by endpoint: its scopes, -1 for none
}

// newScopes returns the scopes of the endpoints that check credentials: the protected
// ones, those that refused somebody, and the sign-in routes.
func newScopes(d *Diagnosis) *scopes {
	hasSignIn := slices.ContainsFunc(d.Roles, session.Role.Begins)
	s := &scopes{of: make([][scopesOfEndpoint]int32, len(d.State.Endpoints))}
	number := map[scope]int32{}
	for i := range d.State.Endpoints {
		e := &d.State.Endpoints[i]
		s.of[i] = [scopesOfEndpoint]int32{-1, -1, -1, -1, -1, -1}
		signsIn := d.Roles[i].Begins()
		switch {
		case e.Method == "OPTIONS", !signsIn && session.IsAsset(e.Template):
			continue // browsers ask for these without credentials
		case !signsIn && d.Roles[i]&session.Guards == 0 && d.Endpoints[i].RefusedActors == 0:
			continue
		}
		all := []scope{{host: e.Host, signIn: signsIn}}
		if signsIn {
			all = append(all, scope{host: e.Host, prefix: e.Template, method: e.Method, signIn: true})
		} else {
			for depth := 1; depth <= prefixDepth; depth++ {
				if p := prefixOf(e.Template, depth); p != "" && (scope{host: e.Host, prefix: p}) != all[len(all)-1] {
					all = append(all, scope{host: e.Host, prefix: p})
				}
			}
		}
		if len(d.Sites) > 1 {
			all = append(all, scope{every: true, signIn: signsIn})
		}
		if hasSignIn {
			all = append(all, scope{host: e.Host, both: true})
		}
		if hasSignIn && len(d.Sites) > 1 {
			all = append(all, scope{every: true, both: true})
		}
		for j, x := range all {
			n, ok := number[x]
			if !ok {
				n = int32(len(s.list))
				number[x] = n
				s.list = append(s.list, x)
			}
			s.of[i][j] = n
		}
	}
	for i := range s.of {
		s.of[i] = s.of[d.Form(uint32(i))]
	}
	return s
}

// visitor is an actor in a scope.
type visitor struct {
	scope int32
	actor uint32
}

// visitorSize is about how many bytes of memory a visitor takes in a map.
const visitorSize = 24

// actors returns the number of distinct actors, by scope, that have refusals which count, and
// ranges of actors, the last one of each, that have at most most visitors.
func (s *scopes) actors(d *Diagnosis, most int, counts func(int, *session.Refusal) bool) (n []int64, ranges []uint32) {
	n = make([]int64, len(s.list))
	for from := uint32(0); ; {
		seen, until := map[visitor]bool{}, uint32(math.MaxUint32)
		for i, r := range d.Refusals.All() {
			if r.Actor < from || r.Actor > until || !counts(i, r) {
				continue
			}
			s.each(r.Endpoint, func(scope int32) { seen[visitor{scope, r.Actor}] = true })
			for len(seen) > most && until > from {
				until = from + (until-from)/2
				maps.DeleteFunc(seen, func(v visitor, _ bool) bool { return v.actor > until })
			}
		}
		for v := range seen {
			n[v.scope]++
		}
		ranges = append(ranges, until)
		if until == math.MaxUint32 {
			return n, ranges
		}
		from = until + 1
	}
}

// prefixOf returns the first segments of a template with the slash behind them, or
// the whole template if it has no more. It is empty for the root, and where a segment
// stands for many.
func prefixOf(template string, depth int) string {
	at := 0
	for range depth {
		next := strings.IndexByte(template[min(at+1, len(template)):], '/')
		if next < 0 {
			at = len(template) - 1
			break
		}
		at += 1 + next
	}
	p := template[:max(at+1, 0)]
	if len(p) < 2 || strings.ContainsRune(p, '{') {
		return ""
	}
	return p
}

// greatest returns which of n things that may count have the greatest counts, at most so many, in
// ascending order.
func greatest(n, most int, count func(int32) int64, may func(int32) bool) (kept []int32) {
	for i := range int32(n) {
		if may(i) {
			kept = append(kept, i)
		}
	}
	slices.SortStableFunc(kept, func(a, b int32) int { return cmp.Compare(count(b), count(a)) })
	kept = kept[:min(len(kept), most)]
	slices.Sort(kept)
	return kept
}

// keep drops all scopes but those with the greatest counts, at most maxScopes, and
// returns the new numbers of those that are left.
func (s *scopes) keep(counts []int64, least int64) {
	kept := greatest(len(s.list), maxScopes, func(n int32) int64 { return counts[n] }, func(n int32) bool { return counts[n] >= least })
	renumbered := make([]int32, len(s.list))
	list := make([]scope, len(kept))
	for i := range renumbered {
		renumbered[i] = -1
	}
	for i, n := range kept {
		renumbered[n], list[i] = int32(i), s.list[n]
	}
	for i := range s.of {
		for j, n := range s.of[i] {
			if n >= 0 {
				s.of[i][j] = renumbered[n]
			}
		}
	}
	s.list = list
}

// drop drops all scopes.
func (s *scopes) drop() { s.keep(make([]int64, len(s.list)), 1) }

// sets returns the sets of scopes that endpoints are in.
func (s *scopes) sets() *keySets {
	return newKeySets(len(s.of), func(endpoint int) (list []int32) {
		s.each(uint32(endpoint), func(n int32) { list = append(list, n) })
		return list
	})
}

// each calls do with the scopes of an endpoint.
func (s *scopes) each(endpoint uint32, do func(scope int32)) {
	for _, n := range s.of[endpoint] {
		if n >= 0 {
			do(n)
		}
	}
}

// contains reports whether all endpoints of y are in x as well.
func (x *scope) contains(y *scope) bool {
	return (x.both || !y.both && x.signIn == y.signIn) && (x.every || x.host == y.host && (x.method == "" || x.method == y.method) && strings.HasPrefix(y.prefix, x.prefix))
}

// commonHost returns the host of all of the refusals, empty if they are of several.
func (d *Diagnosis) commonHost(refusals iter.Seq[uint32]) string {
	host, first := "", true
	for _, r := range d.Refusals.Of(refusals) {
		h := d.State.Endpoints[r.Endpoint].Host
		if !first && h != host {
			return ""
		}
		host, first = h, false
	}
	return host
}
