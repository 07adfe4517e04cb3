package parse

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// Other projects have test data too: lines, and what they say the fields of them are.
// Where we disagree, one of us is wrong, or there is a decision behind it. The decisions
// are in testdata/conformance.txt, and TestDecisions has one of our own lines for each.

// linesVariable names the file with the lines of other projects, one JSON object each.
const linesVariable = "CONFORMANCE_LINES"

// leastAgreement is the share of the lines that must be read as the other projects say,
// of those that are not wrong there.
const leastAgreement = 0.97

func TestDecisions(t *testing.T) {
	for _, tt := range []struct{ name, format, line, want string }{
		{"a method as it was sent", "", `192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "geti /a HTTP/1.1" 400 163 "-" "-"`, `time=2026-03-09T14:05:00Z client="192.0.2.1" method="geti" path="/a" protocol="HTTP/1.1" status=400 bytes=163`},
		{"the canonical spelling of an address", "iis", `2026-03-09 14:05:00 10.0.0.4 GET /a - 80 - 2001:db8:0000:0000:0000:0000:0000:7 - 401 1 5 15`, `time=2026-03-09T14:05:00Z client="2001:db8::7" method="GET" path="/a" reason="invalid_credentials" status=401 duration=15000`},
		{"values percent-encoded twice are decoded", "cloudfront", "2026-03-09\t14:05:00\tIAD53\t179\t192.0.2.1\tGET\td1.cloudfront.net\t/a\t200\t-\tMozilla/5.0%2520(X11)\t-\t-\tMiss\tx\ta.example\thttps\t23\t0.001\t-\tTLSv1.2\tX\tMiss", `time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" scheme="https" host="a.example" path="/a" agent="Mozilla/5.0 (X11)" status=200 bytes=179 duration=1000`},
	} {
		f := formatOf(t, tt.format, tt.line)
		var e Entry
		if v := f.NewParser().Parse([]byte(tt.line), &e); v != Parsed || show(&e) != tt.want {
			t.Errorf("%s: %v\n got %s\nwant %s", tt.name, v, show(&e), tt.want)
		}
	}
	// A connection is no request, and neither is a message of the server.
	for _, line := range []string{
		`Mar  9 14:05:00 lb haproxy[7]: Connect from 192.0.2.1:40780 to 10.0.0.4:5000 (main/HTTP)`,
		`E [09/Mar/2026:14:05:00 +0000] Unable to open listen socket`,
	} {
		d := Detect([]byte(line), Formats())
		var e Entry
		if d.Format == nil {
			t.Errorf("not detected: %s", line)
		} else if v := NewParser(d.Formats...).Parse([]byte(line), &e); !v.Skipped() {
			t.Errorf("%v: %s", v, line)
		}
	}
	// Without trusted proxies the client is the address that the server saw.
	var e Entry
	line := `203.0.113.9, 198.51.100.7 10.0.0.9 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 200 5 "-" "x"`
	if v := formatOf(t, "", line).NewParser().Parse([]byte(line), &e); v != Parsed || string(e.Client) != "10.0.0.9" {
		t.Errorf("%v, client %s", v, e.Client)
	}
}

// foreign is a line of another project.
type foreign struct {
	Source    string          `json:"source"`
	Line      string          `json:"line"`
	Base64    string          `json:"line_b64"`
	LogFormat string          `json:"log_format"`
	Header    json.RawMessage `json:"header"`
	Contested []string        `json:"contested"`
	Expect    *expectation    `json:"expect"`
}

type expectation struct {
	Time, User, Method, Path, Target, Referer string
	Client                                    string `json:"client_ip"`
	Agent                                     string `json:"user_agent"`
	Status                                    any
	Bytes                                     any
}

// text returns the line with the directive before it.
func (f *foreign) text() []byte {
	line := []byte(f.Line)
	if f.Base64 != "" {
		line, _ = base64.StdEncoding.DecodeString(f.Base64)
	}
	var header string
	var headers []string
	if json.Unmarshal(f.Header, &header) == nil {
		headers = []string{header}
	} else {
		_ = json.Unmarshal(f.Header, &headers)
	}
	if len(headers) > 0 && headers[0] != "" {
		line = append([]byte(strings.Join(headers, "\n")+"\n"), line...)
	}
	return line
}

// id identifies the line in the list of decisions.
func (f *foreign) id() string {
	sum := sha256.Sum256(append(f.text(), f.LogFormat...))
	return hex.EncodeToString(sum[:6])
}

// disagreements returns the fields that we read otherwise.
func (f *foreign) disagreements() (fields []string) {
	formats := Formats()
	if f.LogFormat != "" {
		if g, ok := Lookup(f.LogFormat); ok {
			formats = []*Format{g}
		} else if g, err := Compile(f.LogFormat); err == nil {
			formats = []*Format{g}
		}
	}
	d := Detect(f.text(), formats)
	if len(d.Formats) == 0 {
		d.Formats = formats[len(formats)-1:]
	}
	p := NewParser(d.Formats...)
	var e Entry
	v := SkipBlank
	for line := range bytes.Lines(f.text()) {
		if w := p.Parse(bytes.TrimRight(line, "\r\n"), &e); w != SkipBlank && w != SkipComment {
			v = w
		}
	}
	switch x := f.Expect; {
	case x == nil && v == Parsed:
		return []string{"accepted"}
	case x == nil:
		return nil
	case v.Rejected():
		return []string{"rejected"}
	case v.Skipped():
		if *x != (expectation{}) {
			return []string{"skipped"}
		}
		return nil
	}
	return f.compare(&e)
}

func (f *foreign) compare(e *Entry) (fields []string) {
	x := f.Expect
	differ := func(name string, want any, same bool) {
		if want != "" && want != nil && !same && !strings.Contains(strings.Join(f.Contested, " "), name) {
			fields = append(fields, name)
		}
	}
	at, err := time.Parse(time.RFC3339Nano, x.Time)
	if err != nil {
		at, _ = time.Parse("2006-01-02T15:04:05.999999999", x.Time)
	}
	differ("time", x.Time, e.Time/1e6 == at.Unix())
	differ("client_ip", x.Client, sameAddress(x.Client, e.Client) || sameAddress(x.Client, e.Peer))
	differ("user", x.User, sameText(x.User, e.User))
	differ("method", x.Method, sameText(x.Method, e.Method))
	differ("status", x.Status, fmt.Sprint(x.Status) == fmt.Sprint(e.Status))
	differ("bytes", x.Bytes, fmt.Sprint(x.Bytes) == fmt.Sprint(e.BodySize))
	differ("user_agent", x.Agent, sameText(x.Agent, e.UserAgent))
	differ("referer", x.Referer, sameText(x.Referer, e.Referrer))
	path, _, _ := strings.Cut(x.Path, "?")
	differ("path", path, sameText(path, e.Path))
	return fields
}

func sameAddress(want string, got []byte) bool {
	a, errA := netip.ParseAddr(want)
	b, errB := netip.ParseAddr(string(got))
	return want == string(got) || errA == nil && errB == nil && a.Unmap() == b.Unmap()
}

// sameText reports whether two texts are equal once all escapes are decoded.
func sameText(want string, got []byte) bool {
	decode := func(s string) string {
		s = string((&decoder{format: Formats()[0]}).unescape([]byte(s)))
		for range 2 {
			if t, err := url.QueryUnescape(s); err == nil {
				s = t
			}
		}
		return s
	}
	return want == string(got) || decode(want) == decode(string(got))
}

// TestConformance compares with other projects, if their lines are there.
func TestConformance(t *testing.T) {
	path := os.Getenv(linesVariable)
	if path == "" {
		t.Skip(linesVariable + " is not set")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	decided := decisions(t)
	lines, wrong, agree := 0, 0, 0
	s := bufio.NewScanner(bytes.NewReader(data))
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var f foreign
		if err := json.Unmarshal(s.Bytes(), &f); err != nil {
			t.Fatal(err)
		}
		lines++
		bad := f.disagreements()
		switch how := decided[f.id()]; {
		case len(bad) == 0:
			agree++
		case how == "wrong":
			wrong++
		case how == "":
			t.Errorf("not decided: %s %v: %s: %.160s", f.id(), bad, f.Source, f.Line)
		}
	}
	if share := float64(agree) / float64(lines-wrong); share < leastAgreement {
		t.Errorf("%d of %d lines agree, and %d more are wrong at their source: %.3f", agree, lines-wrong, wrong, share)
	} else {
		t.Logf("%d of %d lines agree, and %d more are wrong at their source: %.3f", agree, lines-wrong, wrong, share)
	}
}

// decisions returns the decision about each line that we disagree on.
func decisions(t *testing.T) map[string]string {
	text, err := os.ReadFile("testdata/conformance.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 3 || fields[0] == "#" {
			continue
		}
		switch fields[1] {
		case "right", "wrong", "unmet":
			all[fields[0]] = fields[1]
		default:
			t.Errorf("no decision: %s", line)
		}
	}
	return all
}
