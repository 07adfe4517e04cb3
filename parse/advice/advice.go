// Package advice reports which fields a log lacks, and how to configure a server to
// log them.
//
// Input are a format and a survey of its lines (parse.Survey); output are the gaps,
// and configuration to paste that closes them. The package does not read lines. The
// configuration languages of the servers are known only here.
package advice

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"logscan/parse"
)

// Advice lists what one log lacks and how to add it.
type Advice struct {
	Gaps    []Gap
	Configs []Config // for the servers that may have written the log, most likely first
}

// Config is what to add to the configuration of a server.
type Config struct {
	Server string // nginx, Apache, …
	Place  string // where in the configuration it belongs
	Text   string // configuration to paste
	Adds   []parse.Extra
	// Format is the new format as --format takes it, or empty if it is detected. Fields are
	// what --field must name.
	Format string
	Fields map[string]string
	Notes  []string // to read before pasting
}

// Session stands for the name of the session cookie, which is not known.
const Session = "SESSIONNAME"

// For returns what a log of format f lacks, judged by s, and what to log instead. fields
// are the fields already named by --field. If no line could be parsed the Advice is empty.
func For(f *parse.Format, s *parse.Presence, fields map[string]string) Advice {
	a := Advice{Gaps: gaps(s)}
	var wanted []parse.Extra
	for i := range a.Gaps {
		// Caddy logs cookies without their values.
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
				continue // logscan could not read the new format
			}
		}
		c.lacking(wanted)
		a.Configs = append(a.Configs, c)
	}
	return a
}

// server makes c the configuration of one server that adds the wanted fields, as far as
// possible.
type server func(c *Config, f *parse.Format, s *parse.Presence, wanted []parse.Extra)

// servers returns the servers that may have written a log, most likely first.
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
		return []server{nginx, apache} // both write it, byte for byte
	case strings.Contains(f.Native, "$"):
		return []server{nginx}
	case isApache(f.Native):
		return []server{apache}
	}
	return nil
}

// lacking adds a note for the fields that the server cannot log.
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

// Scan returns the command that reads the new log, or "" if no options are needed.
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

// shellWord quotes s for a shell, if necessary.
func shellWord(s string) string {
	if strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-.@=", r))
	}) < 0 {
		return s
	}
	return shellQuoted(s)
}

func shellQuoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// appended returns the variables to append to a format string, each once even if it adds
// two fields, and the fields that they add.
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

// sessionNote is added if a session id is to be logged.
const sessionNote = "Replace " + Session + " with the name of your session cookie. Its value is a credential: log it only where everyone who reads the log may have it. logscan keeps only a hash of it."

// furtherNote is added for formats that allow further fields.
const furtherNote = "This log has fields that logscan does not recognise: keep them, add only the new ones, and pass your whole format string to logscan."

// proxyNote is added if every client is a proxy.
func proxyNote(cure string) string {
	return "Every client has an address of a private network, so there is probably a proxy in front. Better still, let the server take the client from the proxy's header: " + cure + "."
}
