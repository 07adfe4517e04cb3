package advice

import (
	"strings"
	"testing"

	"logscan/parse"
)

// FuzzAdvice checks for any format and lines that no field is held by more lines than there
// are, and that the advice can be read back.
func FuzzAdvice(f *testing.F) {
	for _, tc := range advised {
		f.Add(tc.format, tc.line)
	}
	f.Add("json", caddyLine)
	f.Add("$remote_addr '\\'", "x '\\'")
	f.Add(`%h \"%r\" \\`, `x "GET / HTTP/1.1" \`)
	f.Fuzz(func(t *testing.T, spec, lines string) {
		of, ok := parse.Lookup(spec)
		if !ok {
			var err error
			if of, err = parse.Compile(spec); err != nil {
				return
			}
		}
		s := parse.Survey([]byte(lines), of)
		for x, n := range s.Has {
			if n > s.Lines {
				t.Errorf("%d of %d lines hold %v", n, s.Lines, parse.Extra(x))
			}
		}
		if s.Refused > s.Lines || s.Private > s.Lines {
			t.Errorf("%+v", s)
		}
		for _, c := range For(of, &s, nil).Configs {
			if len(c.Adds) == 0 || c.Text == "" {
				t.Errorf("%s: nothing to paste", c.Server)
			}
			if c.Format == "" {
				continue
			}
			g, err := parse.Compile(c.Format)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := g.WithFields(c.Fields); err != nil {
				t.Error(err)
			}
			if c.Server == "nginx" && of.Native != "" {
				// nginx removes the escapes of quotes and backslashes when it reads them.
				first, _, _ := strings.Cut(c.Text, "\n")
				read := strings.NewReplacer(`\\`, `\`, `\'`, `'`, `\t`, "\t", `\n`, "\n", `\r`, "\r").Replace(strings.TrimPrefix(first, "log_format logscan "))
				if read != "'"+of.Native+"'" {
					t.Errorf("nginx reads %s as %s", of.Native, read)
				}
			}
		}
	})
}
