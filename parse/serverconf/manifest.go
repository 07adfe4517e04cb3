package serverconf

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// node is a part of a YAML or JSON file. The zero node is one that is not there: its parts
// are not there either, and its text is empty.
type node struct {
	*yaml.Node
	file string
}

// newNode returns the node that n is, or is an alias of.
func newNode(n *yaml.Node, file string) node {
	if n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return node{n, file}
}

// is reports whether the node is there and of a kind.
func (n node) is(k yaml.Kind) bool { return n.Node != nil && n.Kind == k }

// at returns the position of the node.
func (n node) at() Position { return Position{n.file, n.Line} }

// members returns the keys and values of a mapping, in their order.
func (n node) members() (list [][2]node) {
	if n.is(yaml.MappingNode) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			list = append(list, [2]node{newNode(n.Content[i], n.file), newNode(n.Content[i+1], n.file)})
		}
	}
	return list
}

// get returns the value at a path of keys.
func (n node) get(path ...string) node {
	for _, key := range path {
		found := node{}
		for _, m := range n.members() {
			if m[0].text() == key {
				found = m[1]
				break
			}
		}
		n = found
	}
	return n
}

// items returns the elements of a sequence.
func (n node) items() (list []node) {
	if n.is(yaml.SequenceNode) {
		for _, c := range n.Content {
			list = append(list, newNode(c, n.file))
		}
	}
	return list
}

// text returns the value of a scalar.
func (n node) text() string {
	if n.is(yaml.ScalarNode) {
		return n.Value
	}
	return ""
}

// texts returns the scalars in a sequence.
func (n node) texts() (list []string) {
	for _, c := range n.items() {
		list = append(list, c.text())
	}
	return list
}

// manifests returns the objects in a file, or in the files of a directory and those below it:
// documents of YAML or JSON, and the items of lists. In a directory, a file that cannot be
// read becomes a note: it may be a template.
func (r *reader) manifests(path string) (list []node, err error) {
	var names []string
	err = filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return nil
		case name == path || d.Type().IsRegular() && slices.Contains(manifestNames, strings.ToLower(filepath.Ext(name))):
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		objects, err := r.manifest(name)
		switch {
		case err != nil && (name == path || errors.Is(err, errTooLarge)):
			return nil, err
		case err != nil:
			r.note(Position{name, 1}, "the file is left out: %v", err)
		}
		list = append(list, objects...)
	}
	return list, nil
}

// IsManifest reports whether a path is one of manifests, or of a directory of them.
func IsManifest(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir() || slices.Contains(manifestNames, strings.ToLower(filepath.Ext(path)))
}

// namespaceOf returns the namespace of an object of Kubernetes.
func namespaceOf(o node) string { return cmp.Or(o.get("metadata", "namespace").text(), "default") }

// manifestNames are how names of files with manifests end.
var manifestNames = []string{".yaml", ".yml", ".json"}

// manifest returns the objects in a file.
func (r *reader) manifest(name string) (list []node, err error) {
	text, err := r.open(name)
	if err != nil {
		return nil, err
	}
	for d := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var document yaml.Node
		if err := d.Decode(&document); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, c := range document.Content {
			object := newNode(c, name)
			if object.get("kind").text() == "List" {
				list = append(list, object.get("items").items()...)
			} else {
				list = append(list, object)
			}
		}
	}
}
