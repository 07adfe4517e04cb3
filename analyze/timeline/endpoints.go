package timeline

import (
	"cmp"
	"encoding/binary"
	"maps"
	"slices"
	"strings"
)

const (
	// maxEndpoints is the maximum number of endpoints of a State. It exceeds the
	// number of hosts times methods.
	maxEndpoints = 32 << 10
	// maxWorkerEndpoints is the maximum number of endpoints of a worker. It is
	// larger, because a worker sees a part of the templates and may collapse less.
	maxWorkerEndpoints = 4 * maxEndpoints
	// shrunkEndpoints is the number of endpoints that a worker shrinks to, so that
	// it has to do so rarely.
	shrunkEndpoints = maxWorkerEndpoints * 3 / 4
)

// endpointTable numbers the endpoints of a worker and counts their requests.
//
// It stays bounded whatever paths a log contains: too many templates are
// collapsed. Which nodes are collapsed depends on the set of all templates alone;
// a worker, which sees a part of them, may collapse a node later, but never one
// that would remain in the end.
type endpointTable struct {
	names dict // keys: host number, method, 0, template
	base  uint32
	// alias maps the numbers below base, assigned before the table was shrunk, to
	// those that replace them (perhaps in several steps).
	alias    []uint32
	tally    []Tally // by number - base
	signIn   []bool  // by number - base: POST to a route that by its name signs in or renews
	collapse collapse
}

// number returns the number of an endpoint and adds it if it is new.
func (t *endpointTable) number(host uint32, meth, template []byte) uint32 {
	var scratch [256]byte
	key := binary.LittleEndian.AppendUint32(scratch[:0], host)
	key = append(key, meth...)
	key = append(key, 0)
	key = append(key, template...)
	if t.base > 0 { // the table was shrunk
		head := len(meth) + 5
		key = append(key[:head:head], t.collapse.template(string(key[:head]), string(template))...)
	}
	n := t.names.number(key)
	if int(n) == len(t.tally) {
		t.tally = append(t.tally, newTally())
		t.signIn = append(t.signIn, grants(string(meth), string(key[len(meth)+5:])))
		if len(t.tally) > maxWorkerEndpoints {
			t.shrink()
			return t.number(host, meth, template)
		}
	}
	return t.base + n
}

// count counts a request and reports whether the endpoint, by its name, signs in or
// renews. A bare request has neither user nor session.
func (t *endpointTable) count(n uint32, o Outcome, at int64, bare bool) (signIn bool) {
	n -= t.base
	t.tally[n].Add(o, at)
	if bare && o == Accepted {
		t.tally[n].Bare++
	}
	return t.signIn[n]
}

// countTicket counts a redirected request that brought the ticket of an identity provider.
func (t *endpointTable) countTicket(n uint32) { t.tally[n-t.base].Tickets++ }

// isSignIn reports whether an endpoint, by its name, signs in or renews.
func (t *endpointTable) isSignIn(n uint32) bool { return t.signIn[t.resolve(n)-t.base] }

// shrink collapses templates until about shrunkEndpoints remain.
func (t *endpointTable) shrink() {
	keys := t.names.names
	t.collapse.tighten(keys, shrunkEndpoints)
	old := *t
	t.names = newDict()
	t.base = old.base + uint32(len(keys))
	t.tally, t.signIn = nil, nil
	for n, k := range keys {
		m := t.names.number([]byte(t.collapse.key(k)))
		if int(m) == len(t.tally) {
			t.tally = append(t.tally, newTally())
			t.signIn = append(t.signIn, old.signIn[n])
		}
		t.tally[m].Merge(&old.tally[n])
		t.alias = append(t.alias, t.base+m)
	}
}

// resolve returns the current number of an endpoint.
func (t *endpointTable) resolve(n uint32) uint32 {
	for n < t.base {
		n = t.alias[n]
	}
	return n
}

// mergeEndpoints merges the endpoints of all workers and collapses their
// templates. It returns them sorted, for each worker their indexes by number, and
// what the templates were reduced to. limit is that of tighten.
func mergeEndpoints(workers []*Worker, hosts []string, hostOf [][]uint32, limit int) ([]Endpoint, [][]uint32, collapse) {
	// Keys with the merged numbers of hosts are the same in all workers.
	global := func(w int, key string) string {
		h := hostOf[w][binary.LittleEndian.Uint32([]byte(key))]
		return string(binary.LittleEndian.AppendUint32(nil, h)) + key[4:]
	}
	c := collapse{nodes: map[string]struct{}{}}
	var keys []string
	seen := map[string]struct{}{}
	for i, w := range workers {
		// A node that one worker has collapsed may have too few children in others.
		c.detail = max(c.detail, w.endpoints.collapse.detail)
		for node := range w.endpoints.collapse.nodes {
			c.nodes[global(i, node)] = struct{}{}
		}
		if w.recalled != nil {
			for node := range w.recalled.collapsed() {
				c.nodes[global(i, node)] = struct{}{}
			}
		}
		for _, k := range w.endpoints.names.names {
			g := global(i, k)
			if _, ok := seen[g]; !ok {
				seen[g] = struct{}{}
				keys = append(keys, g)
			}
		}
	}
	c.tighten(keys, limit)
	index := map[string]uint32{} // by collapsed key
	for _, k := range keys {
		index[c.key(k)] = 0
	}
	host := func(head string) uint32 { return binary.LittleEndian.Uint32([]byte(head)) } // hosts are sorted
	sorted := slices.SortedFunc(maps.Keys(index), func(a, b string) int {
		headA, templateA := splitKey(a)
		headB, templateB := splitKey(b)
		return cmp.Or(cmp.Compare(host(headA), host(headB)), strings.Compare(templateA, templateB), strings.Compare(headA[4:], headB[4:]))
	})
	list := make([]Endpoint, len(sorted))
	for i, k := range sorted {
		index[k] = uint32(i)
		head, template := splitKey(k)
		e := Endpoint{Host: hosts[host(head)], Method: head[4 : len(head)-1], Template: template, Tally: newTally()}
		e.SignIn, e.Renew, e.SignOut = signIn(e.Method, template), renew(e.Method, template), signOut(template)
		e.Token = e.SignIn && isAny(lastName(template), tokenWords)
		list[i] = e
	}
	indexOf := make([][]uint32, len(workers))
	for i, w := range workers {
		t := &w.endpoints
		indexOf[i] = make([]uint32, int(t.base)+len(t.names.names))
		for n, k := range t.names.names {
			at := index[c.key(global(i, k))]
			indexOf[i][int(t.base)+n] = at
			list[at].Tally.Merge(&t.tally[n])
		}
		for n := range t.alias {
			indexOf[i][n] = indexOf[i][t.resolve(uint32(n))]
		}
	}
	return list, indexOf, c
}
