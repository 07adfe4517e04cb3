package serverconf

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Labels of containers configure Traefik as its dynamic configuration does, with dots between
// the keys: traefik.http.routers.web.rule=Host(`a.test`). They are read from the services of
// Compose files. https://doc.traefik.io/traefik/routing/providers/docker/

// ofDocker ends the names of what labels define, for other providers.
const ofDocker = "@docker"

// label is a label of a container.
type label struct {
	path  []string // of keys, behind "traefik.http"
	value string
	at    node
}

// services adds the routers and middlewares that labels of the services of a Compose file define.
func (r *traefikReader) services(services node) {
	for _, s := range services.members() {
		var list []label
		disabled := false
		for _, labels := range []node{s[1].get("labels"), s[1].get("deploy", "labels")} {
			each(labels, func(key, value string, at node) {
				disabled = disabled || strings.EqualFold(key, "traefik.enable") && value == "false"
				if path := strings.Split(key, "."); len(path) > 4 && strings.EqualFold(path[0]+path[1], "traefikhttp") {
					path[2] = strings.ToLower(path[2])
					list = append(list, label{path[2:], composeText(value), at})
				}
			})
		}
		if !disabled {
			r.labels(list)
		}
	}
}

// each calls do with the labels of a list of "key=value" or of a mapping.
func each(labels node, do func(key, value string, at node)) {
	for _, x := range labels.items() {
		key, value, _ := strings.Cut(x.text(), "=")
		do(key, value, x)
	}
	for _, m := range labels.members() {
		do(m[0].text(), m[1].text(), m[0])
	}
}

// labels adds the routers and middlewares of a service.
func (r *traefikReader) labels(list []label) {
	routers := map[string]*traefikRouter{}
	var names []string
	for _, l := range list {
		name := l.path[1]
		switch {
		case l.path[0] == "middlewares" && len(l.path) > 2:
			r.option(name+ofDocker, l)
		case l.path[0] == "routers" && len(l.path) == 3:
			x := routers[name]
			if x == nil {
				x = &traefikRouter{at: l.at.at()}
				routers[name], names = x, append(names, name)
			}
			x.set(strings.ToLower(l.path[2]), l)
		}
	}
	for _, name := range names {
		if x := routers[name]; x.rule != "" {
			r.routers = append(r.routers, *x)
		} else {
			r.note(x.at, "the router %q has no rule here", name)
		}
	}
}

// set sets an option of a router.
func (x *traefikRouter) set(name string, l label) {
	switch name {
	case "rule":
		x.rule, x.at = l.value, l.at.at()
	case "priority":
		x.priority = l.value
	case "service":
		x.service = l.value
	case "entrypoints":
		x.entries = listed(l.value)
	case "middlewares":
		for _, m := range listed(l.value) {
			x.middlewares = append(x.middlewares, provided(m))
		}
	}
}

// option adds an option of a middleware, whose node is made as if it were in a file.
func (r *traefikReader) option(name string, l label) {
	m := r.middlewares[name]
	if m.Node == nil {
		m = node{&yaml.Node{Kind: yaml.MappingNode, Line: l.at.Line}, l.at.file}
		r.middlewares[name] = m
	}
	parent := m.Node
	for _, key := range l.path[2 : len(l.path)-1] {
		parent = inMapping(parent, key, l.at.Line)
	}
	last := l.path[len(l.path)-1]
	value := scalar(l.value, l.at.Line)
	if chain := strings.EqualFold(last, "middlewares"); chain || slices.ContainsFunc(labelLists, func(s string) bool { return strings.EqualFold(s, last) }) {
		value = &yaml.Node{Kind: yaml.SequenceNode, Line: l.at.Line}
		for _, text := range listed(l.value) {
			if chain {
				text = provided(text)
			}
			value.Content = append(value.Content, scalar(text, l.at.Line))
		}
	}
	parent.Content = append(parent.Content, scalar(last, l.at.Line), value)
}

// labelLists are the options whose values are lists, with commas in labels.
var labelLists = []string{"authRequestHeaders", "authResponseHeaders", "sourceRange", "accessControlAllowMethods", "accessControlAllowHeaders", "accessControlAllowOriginList"}

// inMapping returns the mapping under a key of a mapping, which is added if it is not there.
func inMapping(parent *yaml.Node, key string, line int) *yaml.Node {
	for i := 0; i+1 < len(parent.Content); i += 2 {
		if strings.EqualFold(parent.Content[i].Value, key) && parent.Content[i+1].Kind == yaml.MappingNode {
			return parent.Content[i+1]
		}
	}
	inner := &yaml.Node{Kind: yaml.MappingNode, Line: line}
	parent.Content = append(parent.Content, scalar(key, line), inner)
	return inner
}

func scalar(text string, line int) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Value: text, Line: line}
}

// listed returns the elements of a list with commas.
func listed(value string) (list []string) {
	for _, s := range strings.Split(value, ",") {
		if s = strings.TrimSpace(s); s != "" {
			list = append(list, s)
		}
	}
	return list
}

// provided returns the name of a middleware as it is kept, of one that a label names: without a
// provider it is one of labels.
func provided(name string) string {
	bare, provider, ok := strings.Cut(name, "@")
	switch {
	case !ok, provider == "docker", provider == "swarm":
		return bare + ofDocker
	case provider == "file":
		return bare
	}
	return name
}

// composeText returns a text of a Compose file, in which $$ is a dollar. Variables, whose values
// are elsewhere, are left in braces.
func composeText(text string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(text, '$')
		if i < 0 || i+1 == len(text) {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(text[:i])
		switch c := text[i+1]; {
		case c == '$':
			b.WriteByte('$')
			text = text[i+2:]
		case c == '_' || c|0x20-'a' <= 'z'-'a':
			end := i + 1
			for end < len(text) && (text[end] == '_' || text[end]|0x20-'a' <= 'z'-'a' || text[end]-'0' <= 9) {
				end++
			}
			b.WriteString("${" + text[i+1:end] + "}")
			text = text[end:]
		default:
			b.WriteByte('$')
			text = text[i+1:]
		}
	}
}
