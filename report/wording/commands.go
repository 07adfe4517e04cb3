package wording

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode"

	"logscan/analyze/detect"
	"logscan/analyze/result"
	"logscan/report/document"
)

const (
	// maxSought is the maximum length of a text that a command searches for, in bytes.
	maxSought = 200
	// soughtFiles is how many files a command searches.
	soughtFiles = 3
	// linesAround is how many lines before and after a sample line a command shows.
	linesAround = 5
)

// Documentation of the directives that commands have.
const (
	nginxAccess  = "https://nginx.org/en/docs/http/ngx_http_access_module.html"
	apacheAccess = "https://httpd.apache.org/docs/2.4/howto/access.html"
)

// reader are the programs that search and print a file of a compression.
type reader struct{ search, print string }

// readers are by the compression of an input. What is in archives or in object stores has
// none.
var readers = map[string]reader{
	"none": {"grep", ""}, "gzip": {"zgrep", "zcat"}, "zstd": {"zstdgrep", "zstdcat"}, "bzip2": {"bzgrep", "bzcat"}, "xz": {"xzgrep", "xzcat"},
}

// ShellWord returns a text as one word of a shell command.
func ShellWord(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_./=+,@%", r)
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// commander makes the commands of findings: what can be run or configured, with the
// addresses, files and lines of the finding in it.
type commander struct {
	inputs map[string]*result.Input // those with requests, by path
	// named reports whether names in the result are those of the logs.
	named         bool
	nginx, apache bool // the logs may be of such a server
	statuses      []int32
}

func newCommander(res *result.Result) *commander {
	c := &commander{inputs: map[string]*result.Input{}, named: res.PseudonymKey == "", statuses: res.Statuses}
	for i := range res.Inputs {
		in := &res.Inputs[i]
		if in.Parsed == 0 || in.NoRequests {
			continue
		}
		c.inputs[in.Path] = in
		nginx := strings.Contains(in.Format, "nginx") || strings.Contains(in.Format, "$") || in.Format == "main"
		apache := strings.HasPrefix(in.Format, "vhost_") || strings.Contains(in.Format, "%")
		either := strings.HasPrefix(in.Format, "combined") || strings.HasPrefix(in.Format, "common") || in.Format == "json"
		c.nginx, c.apache = c.nginx || nginx || either, c.apache || apache || either && in.Format != "json"
	}
	return c
}

// commands returns the commands of a finding.
func (c *commander) commands(f *result.Finding) (all []document.Command) {
	var places []result.Evidence
	for _, e := range f.Evidence {
		in := c.inputs[e.Path]
		if in == nil || readers[in.Compression] == (reader{}) || e.Path == "-" || strings.Contains(e.Path, "://") || Visible(e.Path) != e.Path {
			continue
		}
		places = append(places, e)
	}
	if len(places) > 0 {
		all = append(all, c.search(f, places)...)
		e := &places[0]
		show := fmt.Sprintf("sed -n '%d,%dp'", max(1, e.Line-linesAround), e.Line+linesAround)
		if program := readers[c.inputs[e.Path].Compression].print; program != "" {
			show = program + " -- " + ShellWord(e.Path) + " | " + show
		} else {
			show += " -- " + ShellWord(e.Path)
		}
		all = append(all, document.Command{Purpose: "Lines around the first sample", Command: show})
	}
	return append(all, c.block(f)...)
}

// search returns the command that finds the requests of a finding in its logs. What it
// searches for is in the sample line, so that it finds something.
func (c *commander) search(f *result.Finding, places []result.Evidence) []document.Command {
	sought, whole := c.sought(&f.Subject)
	if sought == "" || !strings.Contains(places[0].Raw, sought) {
		return nil
	}
	compression := c.inputs[places[0].Path].Compression
	var files []string
	for i := range places {
		if p := places[i].Path; len(files) < soughtFiles && c.inputs[p].Compression == compression && !slices.Contains(files, ShellWord(p)) {
			files = append(files, ShellWord(p))
		}
	}
	options := "-nF"
	if whole {
		options = "-nwF" // 192.0.2.1 is not 192.0.2.10
	}
	x := document.Command{Purpose: "All its lines", Command: readers[compression].search + " " + options + " -- " + ShellWord(sought) + " " + strings.Join(files, " ")}
	if len(c.statuses) == 0 && f.Category != string(detect.AttackCategory) { // of an attack, accepted tries count
		x.Purpose, x.Command = "Its refused lines", x.Command+" | grep -w 401"
	}
	return []document.Command{x}
}

// sought returns what the lines of a finding have in common as they stand in the log, and
// whether it is a word there.
func (c *commander) sought(s *result.Subject) (text string, whole bool) {
	route, _, _ := strings.Cut(s.Route, "{")
	switch {
	case s.ClientAddress != "" && c.named:
		text, whole = s.ClientAddress, true
	case s.User != "" && c.named:
		text, whole = s.User, true
	case s.Upstream != "":
		text, whole = s.Upstream, true
	case s.UserAgent != "":
		text = s.UserAgent
	default:
		text = route
	}
	if len(text) < 2 || len(text) > maxSought || Visible(text) != text {
		return "", false
	}
	return text, whole
}

// block returns the directives that block the address or network of an attack.
func (c *commander) block(f *result.Finding) (all []document.Command) {
	what, address := "address", f.Subject.ClientAddress
	if a, err := netip.ParseAddr(address); err == nil && a.Zone() == "" {
		address = a.String()
	} else if network, err := netip.ParsePrefix(address); err == nil {
		what, address = "network", network.String()
	} else {
		return nil
	}
	if !c.named || f.Category != string(detect.AttackCategory) ||
		f.Judgement == result.SharedAddress || f.Judgement == result.KnownMonitor {
		return nil
	}
	if c.nginx {
		all = append(all, document.Command{Purpose: "Block the " + what + " in nginx, if nobody else uses it", Command: "deny " + address + ";", Documentation: nginxAccess})
	}
	if c.apache {
		all = append(all, document.Command{Purpose: "Block the " + what + " in Apache, inside <RequireAll>, if nobody else uses it", Command: "Require not ip " + address, Documentation: apacheAccess})
	}
	return all
}
