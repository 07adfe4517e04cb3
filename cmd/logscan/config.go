package main

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// configFlag names a file with values of flags. A flag that is given counts
// before the environment, and that before the file.
type configFlag string

// defaultConfig stands for the places where a file is looked for.
const defaultConfig = "auto"

// configPlaces are where a file is looked for, the one that counts less first:
// the machine's, the user's.
func configPlaces() []string {
	places := []string{"/etc/logscan/config.yaml"}
	if dir, err := os.UserConfigDir(); err == nil {
		places = append(places, filepath.Join(dir, "logscan", "config.yaml"))
	}
	return places
}

// BeforeResolve is called by kong when the flags are known and before those that
// were not given are looked up.
func (configFlag) BeforeResolve(app *kong.Kong, ctx *kong.Context, trace *kong.Path) error {
	name, _ := ctx.FlagValue(trace.Flag).(configFlag)
	files, optional := []string{string(name)}, false
	if name == defaultConfig || name == "" {
		files, optional = configPlaces(), true
	}
	for _, path := range files {
		c, err := readConfig(path, app.Model)
		switch {
		case optional && errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return err
		}
		ctx.AddResolver(c)
	}
	return nil
}

// config is a file with values of flags.
type config struct {
	path   string
	values map[string]any // by name of a flag
}

// Validate has nothing to add: readConfig knows the flags.
func (*config) Validate(*kong.Application) error { return nil }

// Resolve gives the value of a flag, nil where the file has none or the
// environment has one.
func (c *config) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, ok := os.LookupEnv(name); ok {
			return nil, nil
		}
	}
	v := c.values[flag.Name]
	if list, ok := v.([]string); ok {
		if _, reads := flag.Target.Addr().Interface().(encoding.TextUnmarshaler); reads {
			return strings.Join(list, ","), nil // it wants its list as one text
		}
		return anyOf(list), nil
	}
	return v, nil
}

func anyOf(list []string) []any {
	all := make([]any, len(list))
	for i, s := range list {
		all[i] = s
	}
	return all
}

const (
	// maxConfig is the most bytes of a configuration: one of ours has a few
	// hundred.
	maxConfig = 64 << 10
	// maxConfigDepth is how deep lists and tables stand in each other at most:
	// ours are one deep, and of tens of thousands the parser makes gigabytes.
	maxConfigDepth = 100
)

// nested tells whether more lists or tables are open at a place of a YAML text
// than any configuration has.
func nested(text []byte) bool {
	open := 0
	for line := range bytes.Lines(text) {
		items := 0
		for rest := line; ; items++ {
			var ok bool
			if rest, ok = bytes.CutPrefix(bytes.TrimLeft(rest, " \t?"), []byte("- ")); !ok {
				break
			}
		}
		open = max(open-bytes.Count(line, []byte("]"))-bytes.Count(line, []byte("}")), 0) + bytes.Count(line, []byte("[")) + bytes.Count(line, []byte("{"))
		if open > maxConfigDepth || items > maxConfigDepth {
			return true
		}
	}
	return false
}

// readConfig reads the file at path. A key that is no flag's name is an error:
// what is spelled wrong would be lost otherwise.
func readConfig(path string, app *kong.Application) (*config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, usagef("", "--config: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	switch {
	case err != nil:
		return nil, usagef("", "--config: %w", err)
	case len(data) > maxConfig:
		return nil, usagef("", "--config: %s is too large for a configuration: more than %d KiB", path, maxConfig>>10)
	case nested(data):
		return nil, usagef("", "--config: %s: lists and tables stand in each other deeper than %d", path, maxConfigDepth)
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, usagef("it is YAML: NAME: VALUE, a line each", "%s: %s", path, firstLine(err.Error()))
	}
	c := &config{path: path, values: map[string]any{}}
	names := configurable(app)
	for _, doc := range file.Docs {
		for _, pair := range pairs(doc.Body) {
			line := pair.Key.GetToken().Position.Line
			key := strings.ReplaceAll(pair.Key.String(), "_", "-")
			if !slices.Contains(names, key) {
				return nil, usagef(nearest(key, names), "%s:%d: %q is no flag that can be configured", path, line, key)
			}
			if _, ok := c.values[key]; ok {
				return nil, usagef("", "%s:%d: %q is there twice", path, line, key)
			}
			v, err := configValue(pair.Value)
			if err != nil {
				return nil, usagef("", "%s:%d: %s: %w", path, line, key, err)
			}
			if v != nil {
				c.values[key] = v
			}
		}
		if _, ok := doc.Body.(ast.MapNode); !ok && doc.Body != nil && doc.Body.Type() != ast.NullType && doc.Body.Type() != ast.CommentType {
			return nil, usagef("it is YAML: NAME: VALUE, a line each", "%s:%d: a configuration is a list of names and values", path, doc.Body.GetToken().Position.Line)
		}
	}
	return c, nil
}

func pairs(n ast.Node) (list []*ast.MappingValueNode) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	return nil
}

// configValue gives a value as kong takes it: a text, a truth, or a list of
// texts. A table of names and values is one of NAME=VALUE.
func configValue(n ast.Node) (any, error) {
	switch n := n.(type) {
	case *ast.NullNode:
		return nil, nil
	case *ast.BoolNode:
		return n.Value, nil
	case *ast.SequenceNode:
		list := []string{}
		for _, v := range n.Values {
			x, err := configText(v)
			if err != nil {
				return nil, err
			}
			list = append(list, x)
		}
		return list, nil
	}
	if table := pairs(n); table != nil {
		list := []string{}
		for _, pair := range table {
			x, err := configText(pair.Value)
			if err != nil {
				return nil, err
			}
			list = append(list, pair.Key.String()+"="+x)
		}
		return list, nil
	}
	return configText(n)
}

func configText(n ast.Node) (string, error) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, nil
	case *ast.LiteralNode:
		return strings.TrimSuffix(n.Value.Value, "\n"), nil
	case ast.ScalarNode:
		return n.GetToken().Value, nil // as it is written: 5 and not 5.0
	}
	return "", errors.New("want a text, a number, a list of them, or names with them")
}

// configurable lists the flags that a file may set: those of commands that read
// logs.
func configurable(app *kong.Application) (names []string) {
	for _, command := range app.Children {
		if command.Name != "scan" && command.Name != "parse" {
			continue
		}
		for _, f := range command.Flags {
			if f.Name != "config" && f.Name != "help" && !slices.Contains(names, f.Name) {
				names = append(names, f.Name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// nearest is the hint for a name that is none.
func nearest(name string, names []string) string {
	best, distance := "", 4 // further away, it was meant to be something else
	for _, n := range names {
		if d := levenshtein.ComputeDistance(name, n); d < distance {
			best, distance = n, d
		}
	}
	if best != "" {
		return "did you mean " + best + "?"
	}
	return "the names are those of the flags: " + strings.Join(names, ", ")
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

type configCmd struct {
	Check configCheckCmd `cmd:"" help:"Check a configuration file, and print what it sets."`
}

type configCheckCmd struct {
	File string `arg:"" optional:"" name:"file" help:"File to check (default: those that a scan would read)."`
}

// Run checks the files a scan would read, or the one that is named.
func (c *configCheckCmd) Run(app *kong.Kong, std *streams) error {
	files := configPlaces()
	if c.File != "" {
		files = []string{c.File}
	}
	found := 0
	for _, path := range files {
		conf, err := readConfig(path, app.Model)
		if c.File == "" && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		found++
		// The values are judged by what reads them: a scan that is not run.
		var unused cli
		dry, err := kong.New(&unused, options(std)...)
		if err != nil {
			return fmt.Errorf("BUG: command line: %w", err)
		}
		if _, err := dry.Parse([]string{"scan", "--config", path, "-"}); err != nil {
			return usagef("", "%s: %s", path, parseText(err))
		}
		fmt.Fprintf(std.stdout, "%s is valid\n", printable(path))
		for _, name := range slices.Sorted(maps.Keys(conf.values)) {
			text := printable(fmt.Sprint(conf.values[name]))
			if slices.Contains(confidentialFlags, name) {
				text = "REDACTED"
			}
			fmt.Fprintf(std.stdout, "  %s: %s\n", name, text)
		}
	}
	if found == 0 {
		fmt.Fprintf(std.stdout, "there is none: %s\n", strings.Join(files, ", "))
	}
	return nil
}
