// Package advice says what a log cannot tell, and what a server should log
// instead.
//
// In: a format, and which of its lines hold what (parse.Survey). Out: the gaps,
// and configuration to paste that closes them. It reads no lines, and it knows
// the servers' configuration languages, which package parse does not.
package advice

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"logscan/parse"
)

// Advice is what one log cannot tell, and how it could.
type Advice struct {
	Gaps    []Gap
	Configs []Config // of the servers that may have written it, likeliest first
}

// Config is what to add to the configuration of a server.
type Config struct {
	Server string // nginx, Apache, …
	Place  string // where it belongs
	Text   string // to paste
	Adds   []parse.Extra
	// Format is the new format as --format takes it, empty where it is found
	// out; Fields are what --field must name.
	Format string
	Fields map[string]string
	Notes  []string // what to know before it is pasted
}

// Session stands for the name of the session cookie, which no log tells.
const Session = "SESSIONNAME"

// For says what a log of format f cannot tell, judged by s, and what to log
// instead. fields are those that are named already. There is none of a log
// without a line that could be read.
func For(f *parse.Format, s *parse.Presence, fields map[string]string) Advice {
	a := Advice{Gaps: gaps(s)}
	var wanted []parse.Extra
	for i := range a.Gaps {
		// Caddy logs the cookies, but not their values.
		if !a.Gaps[i].Logged || s.Server == "caddy" && a.Gaps[i].Extra == parse.ExtraSession {
			wanted = append(wanted, a.Gaps[i].Extra)
		}
	}
	if len(wanted) == 0 {
		return a
	}
	for _, server := range servers(f, s) {
		c := Config{Fields: map[string]string{}}
		maps.Copy(c.Fields, fields)
		server(&c, f, s, wanted)
		if len(c.Adds) == 0 {
			continue
		}
		if c.Format != "" {
			if _, err := parse.Compile(c.Format); err != nil {
				continue // what cannot be read again is no advice
			}
		}
		c.lacking(wanted)
		a.Configs = append(a.Configs, c)
	}
	return a
}

// server makes c the configuration that adds what is wanted, where it can.
type server func(c *Config, f *parse.Format, s *parse.Presence, wanted []parse.Extra)

// servers gives who may have written a log, likeliest first.
func servers(f *parse.Format, s *parse.Presence) []server {
	switch {
	case strings.Contains(f.Name, "traefik"):
		return []server{traefik}
	case strings.Contains(f.Name, "ingress-nginx"):
		return []server{ingressNginx}
	case s.JSON:
		switch s.Server {
		case "nginx":
			return []server{nginxJSON}
		case "caddy":
			return []server{caddy}
		case "traefik":
			return []server{traefik}
		}
		return []server{anyJSON}
	case f.Native == nginxCombined, f.Native == nginxCommon:
		return []server{nginx, apache} // both write it, to the byte
	case strings.Contains(f.Native, "$"):
		return []server{nginx}
	case isApache(f.Native):
		return []server{apache}
	}
	return nil
}

// lacking notes what the server cannot log.
func (c *Config) lacking(wanted []parse.Extra) {
	var names []string
	for _, x := range wanted {
		if !slices.Contains(c.Adds, x) {
			names = append(names, x.String())
		}
	}
	if len(names) > 0 {
		c.Notes = append(c.Notes, fmt.Sprintf("%s has no variable for %s.", c.Server, strings.Join(names, ", ")))
	}
}

// Scan is the command that reads the new log, empty where none of its
// arguments differs from those of any log.
func (c *Config) Scan() string {
	if c.Format == "" && len(c.Fields) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("logscan")
	if c.Format != "" {
		b.WriteString(" --format " + shellQuoted(c.Format))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Fields)) {
		b.WriteString(" --field " + shellWord(name+"="+c.Fields[name]))
	}
	b.WriteString(" FILE")
	return b.String()
}

// shellWord is s as a word of a shell's command line.
func shellWord(s string) string {
	if strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-.@=", r))
	}) < 0 {
		return s
	}
	return shellQuoted(s)
}

func shellQuoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// appended makes the end of a format string that adds what is wanted: each
// variable once, though it may tell two things.
func appended(wanted []parse.Extra, variables map[parse.Extra]string) (tail string, adds []parse.Extra) {
	seen := map[string]bool{}
	for _, x := range wanted {
		v, ok := variables[x]
		if !ok {
			continue
		}
		adds = append(adds, x)
		if !seen[v] {
			seen[v] = true
			tail += " " + v
		}
	}
	return tail, adds
}

// sessionNote is told wherever a session id is to be logged.
const sessionNote = "Put the name of your session cookie for " + Session + ". Its value is a credential: log it only where those who read the log may have it. logscan keeps no more of it than a hash."

// furtherNote is told of formats that let unknown fields follow.
const furtherNote = "This log has further fields, which logscan does not know: keep them, add only what is new, and give logscan your whole format string."

// proxyNote is told where every client is a proxy.
func proxyNote(cure string) string {
	return "Every client is an address of a private network, so a proxy seems to stand in front. Better still, let the server take the client from its header: " + cure + "."
}
