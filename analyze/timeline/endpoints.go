package timeline

import (
	"encoding/binary"
	"sort"
	"strings"
)

// endpointName names an endpoint: virtual host, method, URL template.
type endpointName struct{ host, method, template string }

func (n endpointName) less(m endpointName) bool {
	if n.host != m.host {
		return n.host < m.host
	}
	if n.template != m.template {
		return n.template < m.template
	}
	return n.method < m.method
}

// endpointTable numbers the endpoints a worker meets and counts for them.
//
// It stays bounded whatever paths a log holds: a node of the tree of templates
// with more children than a limit has them folded into {name}. That decision
// is a matter of the set of templates alone and can only be taken earlier, not
// otherwise, by a worker that sees a part of them. Where too many are left, all
// of them are cut, see depth.
type endpointTable struct {
	names dict // host number, method, 0, template
	base  uint32
	// alias leads from a number below base, given before the table was folded,
	// to the number that stands for it since (perhaps by several steps).
	alias []uint32
	tally []Tally // by number - base
	login []bool  // by number - base: POST to a sign-in or token route
	folding
}

const (
	// maxEndpoints is how many endpoints are told apart. It is more than there
	// are hosts and methods.
	maxEndpoints = 32 << 10
	// heldEndpoints is how many endpoints a worker keeps apart: more, because a
	// part of the templates may be folded less than all of them.
	heldEndpoints = 4 * maxEndpoints
	// fewEndpoints are left by a worker that folds, so that it does so seldom.
	fewEndpoints = heldEndpoints * 3 / 4
	// folderName is what the children of a folded node become.
	folderName = "{name}"
	// anyPath is what all paths become where nothing else helps.
	anyPath = "{path}"
)

const (
	// siblingsAtTop and siblingsBelow are how many children a node of the tree
	// may have, at the top, where a flat site has all its pages, and below: more
	// pages than that under one path are pages of one kind.
	siblingsAtTop = 1000
	siblingsBelow = 100
)

// depth is how much of a template is told.
type depth uint8

const (
	wholePath    depth = iota
	firstSegment       // names below the first segment are {name}
	noNames            // all names are
	noPath             // nothing is told
)

// folding is what becomes of templates.
type folding struct {
	nodes map[string]struct{} // whose children are folded
	depth depth
}

// key gives the key of an endpoint after folding.
func (f *folding) key(key string) string {
	head, template := splitKey(key)
	return head + f.template(head, template)
}

// template gives the template of an endpoint after folding.
func (f *folding) template(head, template string) string {
	switch {
	case f.depth == noPath:
		return anyPath
	case f.depth == wholePath && len(f.nodes) == 0:
		return template
	}
	path := make([]byte, 0, len(head)+len(template)+16)
	path = append(path, head...)
	for i, seg := range strings.Split(template, "/") {
		if i > 0 {
			path = append(path, '/')
		}
		if _, ok := f.nodes[string(path)]; (ok || f.depth == noNames || f.depth == firstSegment && i > 1) && literal(seg) {
			seg = folderName
		}
		path = append(path, seg...)
	}
	return string(path[len(head):])
}

// fold gives the folding of keys that leaves at most most of them, if any does:
// it tells as much as f at most.
func (f *folding) fold(keys []string, most int) {
	f.nodes = foldedNodes(keys, f.nodes)
	for ; f.depth < noPath; f.depth++ {
		distinct := map[string]struct{}{}
		for _, k := range keys {
			distinct[f.key(k)] = struct{}{}
		}
		if len(distinct) <= most {
			return
		}
	}
}

func (t *endpointTable) number(host uint32, meth, template []byte) uint32 {
	var scratch [256]byte
	key := binary.LittleEndian.AppendUint32(scratch[:0], host)
	key = append(key, meth...)
	key = append(key, 0)
	key = append(key, template...)
	if t.base > 0 { // it was folded
		head := len(meth) + 5
		key = append(key[:head:head], t.folding.template(string(key[:head]), string(template))...)
	}
	n := t.names.number(key)
	if int(n) == len(t.tally) {
		t.tally = append(t.tally, newTally())
		t.login = append(t.login, signIn(meth, key[len(meth)+5:]))
		if len(t.tally) > heldEndpoints {
			t.refold()
			return t.number(host, meth, template)
		}
	}
	return t.base + n
}

// count counts a request to an endpoint, bare when it names neither user nor
// session, and tells whether that is a sign-in or token route.
func (t *endpointTable) count(n uint32, o Outcome, at int64, bare bool) (login bool) {
	n -= t.base
	t.tally[n].Add(o, at)
	if bare && o == Accepted {
		t.tally[n].Bare++
	}
	return t.login[n]
}

// signsIn tells whether an endpoint is a sign-in or token route.
func (t *endpointTable) signsIn(n uint32) bool { return t.login[t.resolve(n)-t.base] }

// refold folds the table to fewEndpoints.
func (t *endpointTable) refold() {
	keys := make([]string, t.names.len())
	for n, k := range t.names.key {
		keys[n] = string(k)
	}
	t.folding.fold(keys, fewEndpoints)
	old := *t
	t.names = newDict(old.names.seed)
	t.base = old.base + uint32(len(keys))
	t.tally, t.login = nil, nil
	for n, k := range keys {
		m := t.names.number([]byte(t.folding.key(k)))
		if int(m) == len(t.tally) {
			t.tally = append(t.tally, newTally())
			t.login = append(t.login, old.login[n])
		}
		t.tally[m].Merge(&old.tally[n])
		t.alias = append(t.alias, t.base+m)
	}
}

// resolve gives the number that stands for n now.
func (t *endpointTable) resolve(n uint32) uint32 {
	for n < t.base {
		n = t.alias[n]
	}
	return n
}

// splitKey splits a key of names in its head (host number, method, 0) and
// template.
func splitKey(key string) (head, template string) {
	i := 4 + strings.IndexByte(key[4:], 0) + 1
	return key[:i], key[i:]
}

// literal tells whether a segment is a word of its own, not a placeholder.
func literal(seg string) bool { return seg != "" && !strings.Contains(seg, "{") }

// foldedNodes gives the nodes, by their path from the head on, that have more
// literal children than they may, and those that were known before.
func foldedNodes(keys []string, known map[string]struct{}) map[string]struct{} {
	folded := map[string]struct{}{}
	for node := range known {
		folded[node] = struct{}{}
	}
	byHead := map[string][][]string{}
	for _, k := range keys {
		head, template := splitKey(k)
		byHead[head] = append(byHead[head], strings.Split(template, "/"))
	}
	for head, paths := range byHead {
		foldNode(folded, head, paths, 0)
	}
	return folded
}

// foldNode looks at the children at depth of all paths that share the node.
func foldNode(folded map[string]struct{}, node string, paths [][]string, depth int) {
	children := map[string][][]string{}
	literals := 0
	for _, p := range paths {
		if depth >= len(p) {
			continue
		}
		if _, ok := children[p[depth]]; !ok && literal(p[depth]) {
			literals++
		}
		children[p[depth]] = append(children[p[depth]], p)
	}
	most := siblingsBelow
	if depth <= 1 { // depth 0 is the empty string before the first slash
		most = siblingsAtTop
	}
	if _, known := folded[node]; known || literals > most {
		folded[node] = struct{}{}
		var merged [][]string
		for seg, ps := range children {
			if literal(seg) || seg == folderName {
				merged = append(merged, ps...)
				delete(children, seg)
			}
		}
		children[folderName] = merged
	}
	for seg, ps := range children {
		next := node + seg
		if len(ps) > 0 {
			foldNode(folded, next+"/", ps, depth+1)
		}
	}
}

// mergedEndpoints gives all endpoints of the workers, folded by the siblings
// rule over all of them and sorted, for each worker the index by number, and
// whether their templates had to be cut.
func mergedEndpoints(workers []*Worker, hosts []string, hostOf [][]uint32) ([]Endpoint, [][]uint32, bool) {
	// Keys with global host numbers, so that they are the same in all workers.
	global := func(w int, key []byte) string {
		h := hostOf[w][binary.LittleEndian.Uint32(key)]
		return string(binary.LittleEndian.AppendUint32(nil, h)) + string(key[4:])
	}
	f := folding{nodes: map[string]struct{}{}}
	for i, w := range workers {
		f.depth = max(f.depth, w.endpoints.depth)
		for node := range w.endpoints.nodes {
			f.nodes[global(i, []byte(node))] = struct{}{} // what one has folded, the others may have too few of
		}
		if w.past != nil {
			for node := range w.past.folded() {
				f.nodes[global(i, []byte(node))] = struct{}{}
			}
		}
	}
	var keys []string
	seen := map[string]struct{}{}
	for i, w := range workers {
		for _, k := range w.endpoints.names.key {
			if g := global(i, k); !has(seen, g) {
				seen[g] = struct{}{}
				keys = append(keys, g)
			}
		}
	}
	f.fold(keys, maxEndpoints)
	name := func(key string) endpointName {
		head, template := splitKey(f.key(key))
		return endpointName{hosts[binary.LittleEndian.Uint32([]byte(head))], head[4 : len(head)-1], template}
	}
	index := map[endpointName]int{}
	var list []Endpoint
	for _, k := range keys {
		n := name(k)
		if _, ok := index[n]; !ok {
			index[n] = 0
			list = append(list, Endpoint{Host: n.host, Method: n.method, Template: n.template, Tally: newTally(),
				SignIn: signIn([]byte(n.method), []byte(n.template)), SignOut: signOut([]byte(n.template))})
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].name().less(list[j].name()) })
	for i := range list {
		index[list[i].name()] = i
	}
	remap := make([][]uint32, len(workers))
	for i, w := range workers {
		t := &w.endpoints
		remap[i] = make([]uint32, int(t.base)+t.names.len())
		for n, k := range t.names.key {
			at := index[name(global(i, k))]
			remap[i][int(t.base)+n] = uint32(at)
			list[at].Tally.Merge(&t.tally[n])
		}
		for n := range t.alias {
			remap[i][n] = remap[i][t.resolve(uint32(n))]
		}
	}
	return list, remap, f.depth > wholePath
}

func has(m map[string]struct{}, k string) bool { _, ok := m[k]; return ok }

func (e *Endpoint) name() endpointName { return endpointName{e.Host, e.Method, e.Template} }
