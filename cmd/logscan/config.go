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

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// configFlag names a file with flag values. Flags on the command line take
// precedence over the environment, and the environment over the file.
type configFlag string

// defaultConfig selects the files of configPaths.
const defaultConfig = "auto"

// configPaths returns the default configuration files: the machine's, then the
// user's, which takes precedence.
func configPaths() []string {
	paths := []string{"/etc/logscan/config.yaml"}
	if dir, err := os.UserConfigDir(); err == nil {
		paths = append(paths, filepath.Join(dir, "logscan", "config.yaml"))
	}
	return paths
}

// BeforeResolve is called by kong after it has parsed the command line and
// before it looks up flags that were not given.
func (configFlag) BeforeResolve(app *kong.Kong, ctx *kong.Context, trace *kong.Path) error {
	name, _ := ctx.FlagValue(trace.Flag).(configFlag)
	files, optional := []string{string(name)}, false
	if name == defaultConfig || name == "" {
		files, optional = configPaths(), true
	}
	var unreadable *fs.PathError
	for _, path := range files {
		c, err := readConfig(path, app.Model)
		switch {
		case optional && errors.Is(err, fs.ErrNotExist):
			continue
		case optional && errors.As(err, &unreadable): // it may be for other users
			if selected := ctx.Selected(); selected != nil && !slices.Contains(selected.Flags, trace.Flag) {
				continue // the flag of another command
			}
			note(app.Stderr, "warning: configuration file not used: %v", unreadable)
			continue
		case err != nil:
			return err
		}
		ctx.AddResolver(c)
	}
	return nil
}

// config holds the flag values of a configuration file.
type config struct {
	values map[string]any // by flag name: string, bool or []string
}

// Validate implements kong.Resolver. readConfig has validated the names.
func (*config) Validate(*kong.Application) error { return nil }

// Resolve returns the value of a flag, or nil if the file does not set it or
// the environment does.
func (c *config) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, ok := os.LookupEnv(name); ok {
			return nil, nil
		}
	}
	v := c.values[flag.Name]
	list, ok := v.([]string)
	if !ok {
		return v, nil
	}
	if _, ok := flag.Target.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return strings.Join(list, ","), nil // UnmarshalText parses the whole list
	}
	all := make([]any, len(list))
	for i, s := range list {
		all[i] = s
	}
	return all, nil
}

const (
	// maxConfig is the maximum size of a configuration file in bytes. A typical
	// one has a few hundred.
	maxConfig = 64 << 10
	// maxConfigDepth is the maximum nesting depth. The settings nest once, and
	// the YAML parser allocates gigabytes for tens of thousands of levels.
	maxConfigDepth = 100
)

// tooDeep reports whether YAML text may be nested deeper than maxConfigDepth.
func tooDeep(text []byte) bool {
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

// yamlHint is the hint for a file that is not a YAML mapping.
const yamlHint = "write one NAME: VALUE per line (YAML)"

// readConfig reads the file at path. An unknown name is an error, so that
// typing errors are not ignored.
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
		return nil, usagef("", "--config: %s is larger than %d KiB", path, maxConfig>>10)
	case tooDeep(data):
		return nil, usagef("", "--config: %s is nested deeper than %d levels", path, maxConfigDepth)
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		text, _, _ := strings.Cut(err.Error(), "\n")
		return nil, usagef(yamlHint, "%s: %s", path, text)
	}
	c := &config{values: map[string]any{}}
	names := configurableFlags(app)
	for _, doc := range file.Docs {
		if err := c.add(path, doc.Body, names); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// add adds the values of one YAML document.
func (c *config) add(path string, body ast.Node, names []string) error {
	if _, ok := body.(ast.MapNode); !ok && body != nil && body.Type() != ast.NullType && body.Type() != ast.CommentType {
		return usagef(yamlHint, "%s:%d: expected NAME: VALUE pairs", path, body.GetToken().Position.Line)
	}
	for _, pair := range pairs(body) {
		line := pair.Key.GetToken().Position.Line
		key := strings.ReplaceAll(pair.Key.String(), "_", "-")
		if !slices.Contains(names, key) {
			hint := "known settings: " + strings.Join(names, ", ")
			if near := nearest(key, names, 3); near != "" {
				hint = "did you mean " + near + "?"
			}
			return usagef(hint, "%s:%d: unknown setting %q", path, line, key)
		}
		if _, ok := c.values[key]; ok {
			return usagef("", "%s:%d: %q is set twice", path, line, key)
		}
		v, err := configValue(pair.Value)
		if err != nil {
			return usagef("", "%s:%d: %s: %w", path, line, key, err)
		}
		if v != nil {
			c.values[key] = v
		}
	}
	return nil
}

func pairs(n ast.Node) []*ast.MappingValueNode {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	return nil
}

// configValue returns a value as kong expects it: nil, a bool, a string, or a
// list of strings. A mapping becomes a list of NAME=VALUE.
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
		return n.GetToken().Value, nil // as written: 5, not 5.0
	}
	return "", errors.New("expected a string, a number, or a list or mapping of them")
}

// environmentPrefix begins the names of the variables that set flags.
const environmentPrefix = "LOGSCAN_"

// warnOfEnvironment prints a warning for each variable that looks as if it set a flag
// and does not, before a command that reads logs.
func warnOfEnvironment(app *kong.Kong, ctx *kong.Context, std *streams) {
	command := ctx.Selected()
	if command == nil || !slices.ContainsFunc(command.Flags, func(f *kong.Flag) bool { return f.Name == "config" }) {
		return
	}
	var known []string
	for _, c := range app.Model.Children {
		for _, f := range c.Flags {
			known = append(known, f.Envs...)
		}
	}
	var unknown []string
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if strings.HasPrefix(name, environmentPrefix) && !slices.Contains(known, name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		hint := ""
		if near := nearest(name, known, 3); near != "" {
			hint = ": did you mean " + near + "?"
		}
		note(std.stderr, "warning: the environment variable %s sets no flag%s", name, hint)
	}
}

// configurableFlags returns the sorted names of the flags that a file may set:
// those of the commands that read logs.
func configurableFlags(app *kong.Application) (names []string) {
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

type configCmd struct {
	Check configCheckCmd `cmd:"" help:"Check a configuration file and print its settings."`
}

type configCheckCmd struct {
	File string `arg:"" optional:"" name:"file" help:"File to check (default: the files that a scan reads)."`
}

// Run checks the named file, or the files that a scan reads.
func (c *configCheckCmd) Run(app *kong.Kong, std *streams) error {
	files := configPaths()
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
		// Parsing a scan command validates the values.
		var unused cli
		dry, err := kong.New(&unused, options(std)...)
		if err != nil {
			return fmt.Errorf("BUG: command line: %w", err)
		}
		if _, err := dry.Parse([]string{"scan", "--config", path, "-"}); err != nil {
			return usagef("", "%s: %s", path, parseErrorText(err))
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
		fmt.Fprintf(std.stdout, "no configuration file: %s\n", strings.Join(files, ", "))
	}
	return nil
}
