package timeline

import "strings"

// Sites put names into paths, such as /wiki/Ada and /wiki/Babbage. A node of the
// tree of templates that has too many children is collapsed: its children become
// {name}. If too many templates remain, all of them are shortened.

const (
	// namePlaceholder replaces the children of a collapsed node.
	namePlaceholder = "{name}"
	// pathPlaceholder replaces whole paths, as a last resort.
	pathPlaceholder = "{path}"

	// maxTopSiblings and maxSiblings are the maximum number of children of a node
	// at the top, where a flat site has all its pages, and below. More are pages of
	// one kind.
	maxTopSiblings = 1000
	maxSiblings    = 100
)

// detail is how much of the templates is kept.
type detail uint8

const (
	wholePath    detail = iota
	firstSegment        // names below the first segment become {name}
	noNames             // all names become {name}
	noPath              // the path becomes {path}
)

// collapse is what templates are reduced to. It works on the keys of
// endpointTable.
type collapse struct {
	nodes  map[string]struct{} // collapsed nodes, as beginnings of keys
	detail detail
}

// key returns the key of an endpoint after collapsing.
func (c *collapse) key(key string) string {
	head, template := splitKey(key)
	return head + c.template(head, template)
}

// template returns the template of an endpoint after collapsing.
func (c *collapse) template(head, template string) string {
	switch {
	case c.detail == noPath:
		return pathPlaceholder
	case c.detail == wholePath && len(c.nodes) == 0:
		return template
	}
	path := make([]byte, 0, len(head)+len(template)+16)
	path = append(path, head...)
	for i, seg := range strings.Split(template, "/") {
		if i > 0 {
			path = append(path, '/')
		}
		if _, ok := c.nodes[string(path)]; (ok || c.detail == noNames || c.detail == firstSegment && i > 1) && literal(seg) {
			seg = namePlaceholder
		}
		path = append(path, seg...)
	}
	return string(path[len(head):])
}

// tighten collapses the nodes of keys that have too many children, then reduces
// the detail until at most limit distinct keys remain, if possible.
func (c *collapse) tighten(keys []string, limit int) {
	c.collapseNodes(keys)
	for ; c.detail < noPath; c.detail++ {
		distinct := map[string]struct{}{}
		for _, k := range keys {
			distinct[c.key(k)] = struct{}{}
		}
		if len(distinct) <= limit {
			return
		}
	}
}

// collapseNodes adds the nodes that have too many children.
func (c *collapse) collapseNodes(keys []string) {
	if c.nodes == nil {
		c.nodes = map[string]struct{}{}
	}
	byHead := map[string][][]string{}
	for _, k := range keys {
		head, template := splitKey(k)
		byHead[head] = append(byHead[head], strings.Split(template, "/"))
	}
	for head, paths := range byHead {
		c.collapseNode(head, paths, 0)
	}
}

// collapseNode examines the children, at depth, of the paths that share a node,
// and all nodes below.
func (c *collapse) collapseNode(node string, paths [][]string, depth int) {
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
	limit := maxSiblings
	if depth <= 1 { // depth 0 is the empty string before the first slash
		limit = maxTopSiblings
	}
	if _, known := c.nodes[node]; known || literals > limit {
		c.nodes[node] = struct{}{}
		var merged [][]string
		for seg, ps := range children {
			if literal(seg) || seg == namePlaceholder {
				merged = append(merged, ps...)
				delete(children, seg)
			}
		}
		children[namePlaceholder] = merged
	}
	for seg, ps := range children {
		if len(ps) > 0 {
			c.collapseNode(node+seg+"/", ps, depth+1)
		}
	}
}

// splitKey splits the key of an endpoint into its head (host number, method, 0)
// and its template.
func splitKey(key string) (head, template string) {
	i := 4 + strings.IndexByte(key[4:], 0) + 1
	return key[:i], key[i:]
}

// literal reports whether a segment is a word, not a placeholder.
func literal(seg string) bool { return seg != "" && !strings.Contains(seg, "{") }
