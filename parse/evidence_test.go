package parse

import (
	"bufio"
	"encoding/json"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
)

// leastRead is the share of lines of others that must be read as they say, of those that
// are right there.
const leastRead = 0.95

// otherProtocols are parts of the names of sources that have nothing to do with HTTP:
// firewalls and sshd.
var otherProtocols = []string{"unifi-cef", "unifi-logs"}

// TestEvidence compares the address and the user of lines with what others say they
// hold. EVIDENCE_LINES names a file of JSON lines: source, line, and in expect
// client_address and user_name. Decisions where they are wrong:
//
//   - a line that does not hold the address is a part of one, and left out;
//   - quotes around a user name are not part of it;
//   - the user "undefined" of CouchDB is none;
//   - a user that they do not read is not compared.
func TestEvidence(t *testing.T) {
	name := os.Getenv("EVIDENCE_LINES")
	if name == "" {
		t.Skip("EVIDENCE_LINES is not set")
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	read, right, parts := 0, 0, 0
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r struct {
			Source, Line string
			Expect       struct {
				Client string `json:"client_address"`
				User   string `json:"user_name"`
			}
		}
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(r.Line, r.Expect.Client) {
			parts++
			t.Logf("%s: a part of a line: %s", r.Source, r.Line)
			continue
		}
		if slices.ContainsFunc(otherProtocols, func(s string) bool { return strings.Contains(r.Source, s) }) {
			continue
		}
		read++
		want := strings.Trim(r.Expect.User, "'")
		if want == "undefined" {
			want = ""
		}
		client, user, format := whoIn(r.Line)
		if sameHost(client, r.Expect.Client) && (user == want || r.Expect.User == "") {
			right++
			continue
		}
		t.Logf("%s: %s: %q %q, they say %q %q: %s", r.Source, format, client, user, r.Expect.Client, r.Expect.User, r.Line)
	}
	t.Logf("%d of %d lines agree, %d are parts", right, read, parts)
	if float64(right) < leastRead*float64(read) {
		t.Errorf("%d of %d lines agree", right, read)
	}
}

// whoIn returns the client and the user of a line that comes alone.
func whoIn(line string) (client, user, format string) {
	d := Detect([]byte(line+"\n"), Formats())
	if d.Format == nil {
		return "", "", ""
	}
	p := NewParser(d.Formats...)
	var e Entry
	switch p.Parse([]byte(line), &e) {
	case Parsed:
		return string(e.Client), string(e.User), d.Format.Name
	case SkipErrorLog:
		return string(p.event.Client), string(p.event.User), d.Format.Name
	}
	return "", "", d.Format.Name
}

func sameHost(a, b string) bool {
	x, err := netip.ParseAddr(a)
	y, bad := netip.ParseAddr(b)
	return err == nil && bad == nil && x.Unmap() == y.Unmap()
}
