package main

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// TestManualPageHasEveryFlag checks that every command and flag is in the help and
// in the manual page.
func TestManualPageHasEveryFlag(t *testing.T) {
	var out, helped bytes.Buffer
	std := &streams{stdin: strings.NewReader(""), stdout: &out, stderr: &out, args: []string{"man"}}
	if err := dispatch(t.Context(), std); err != nil {
		t.Fatal(err)
	}
	page := strings.ReplaceAll(out.String(), `\-`, "-")
	var c cli
	parser, err := kong.New(&c, options(std)...)
	if err != nil {
		t.Fatal(err)
	}
	flags := 0
	var walk func(n *kong.Node, path []string)
	walk = func(n *kong.Node, path []string) {
		helped.Reset()
		err := dispatch(t.Context(), &streams{stdin: strings.NewReader(""), stdout: &helped, stderr: &helped, args: append(path, "--help")})
		if !errors.Is(err, errHelpShown) {
			t.Fatal(err)
		}
		for _, f := range n.Flags {
			flags++
			for name, text := range map[string]string{"manual page": page, "help": helped.String()} {
				if !regexp.MustCompile(`--` + f.Name + `\b`).MatchString(text) {
					t.Errorf("--%s of %v: missing in the %s", f.Name, path, name)
				}
			}
		}
		for _, child := range n.Children {
			if !strings.Contains(page, strings.Join(append(path, child.Name), " ")) {
				t.Errorf("%v %s: missing in the manual page", path, child.Name)
			}
			walk(child, append(path[:len(path):len(path)], child.Name))
		}
	}
	walk(parser.Model.Node, nil)
	if flags < 25 {
		t.Errorf("only %d flags checked", flags)
	}
	for _, s := range []string{".SH EXAMPLES", ".SH DESCRIPTION\nReads ", "LOGSCAN_OUT", "130  interrupted"} {
		if !strings.Contains(page, s) {
			t.Errorf("%q is missing in the manual page", s)
		}
	}
}
