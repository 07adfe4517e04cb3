package parse

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"logscan/parse/privacy"
)

// visits writes lines of a log in which 12 people, of whom two share an address, come again
// every two minutes and then request three pages. In line, {session} is what each of them has
// for four visits, {browser} for all, {trace} for a visit, and {request} is new in each line.
func visits(line string) []byte {
	var b bytes.Buffer
	key := func(kind string, n ...int) string { return privacy.SessionHash(fmt.Append([]byte(kind), n)) }
	for visit := range 8 {
		for n := range 12 {
			for request := range 3 {
				at := visit*120 + n*10 + request
				session := key("session", n, visit/4)
				if visit == 0 && request == 0 {
					session = "-"
				}
				b.WriteString(strings.NewReplacer(
					"{client}", fmt.Sprintf("192.0.2.%d", n/2), "{user}", fmt.Sprintf("jane%d", n), "{time}", fmt.Sprintf("09/Mar/2026:14:%02d:%02d +0000", at/60, at%60),
					"{iso}", fmt.Sprintf("2026-03-09T14:%02d:%02dZ", at/60, at%60), "{clock}", fmt.Sprintf("14:%02d:%02d", at/60, at%60),
					"{agent}", "Mozilla/5.0 ("+[]string{"X11", "Windows", "iPhone"}[n%3]+")", "{session}", session, "{browser}", key("browser", n),
					"{trace}", key("trace", n, visit), "{request}", key("request", n, visit, request), "{tls}", key("session", n)+key("tls", n), "{etag}", key("etag", request),
					"{seconds}", fmt.Sprintf("0.%03d", 10+at%7), "{part}", fmt.Sprintf("0.%03d", at%7), "{upstream}", fmt.Sprintf("10.0.0.%d:8080", n%3), "{count}", fmt.Sprint(100+at),
				).Replace(line) + "\n")
			}
		}
	}
	return b.Bytes()
}

const (
	nearCommon   = `{client} - {user} [{time}] "GET /a HTTP/1.1" 200 512`
	nearCombined = nearCommon + ` "https://a.example/" "{agent}"`
)

// nearFormats are lines of formats that are nearly known, and what is learned of them.
var nearFormats = []struct {
	name, line, format string
	learned            string // columns of the format string, or a key
	sessions           bool
}{
	{"Tomcat's %S %D", nearCommon + ` {session} {count}`, "common-and-more", `$cookie_session`, true},
	{"after %D", nearCombined + ` {count} {session}`, "combined-and-more", `$column1 $cookie_session`, true},
	{"quoted", nearCombined + ` "{session}"`, "combined-and-more", `"$cookie_session"`, true},
	{"named", nearCombined + ` rt={seconds} sid="{session}" up={upstream}`, "combined-and-more", `rt=$request_time sid="$cookie_session"`, true},
	{"beside other ids", nearCombined + ` {trace} "{request}" "{session}" {request}`, "combined-and-more", `$column1 "$column2" "$cookie_session"`, true},
	{"beside the browser's", nearCombined + ` "{browser}" "{session}"`, "combined-and-more", `"$column1" "$cookie_session"`, true},
	{"behind a virtual host", `www.example.org:443 ` + nearCombined + ` "{session}"`, "vhost_combined-and-more", `"%{session}C"`, true},
	{"behind a virtual host without port", `www.example.org ` + nearCombined + ` "{session}"`, "vhost_combined-and-more", `"%{session}C"`, true},
	{"behind the user agent alone", nearCommon + ` "{agent}" "{session}"`, "common-and-more", `"$http_user_agent" "$cookie_session"`, true},
	{"behind the user agent and the referrer", nearCommon + ` "{agent}" "https://a.example/" "{session}"`, "common-and-more", `"$http_user_agent" "$column2" "$cookie_session"`, true},
	{"cookies", nearCombined + ` "theme=dark; PHPSESSID={session}"`, "combined-and-more", `"$http_cookie"`, true},
	{"forwarded", nearCombined + ` "{client}, 10.0.0.1" "{session}"`, "combined-and-more", `"$http_x_forwarded_for" "$cookie_session"`, true},
	{"behind Envoy's", `[{iso}] "GET /a HTTP/1.1" 200 - 154 0 226 100 "{client}" "{agent}" "{request}" "a.example" "{upstream}" {count} "{session}"`, "envoy-and-more", `%REQ(COLUMN-1)% "%REQ(X-SESSION-ID)%"`, true},
	{"behind oauth2-proxy's", `{client} - {user} [2026/03/09 {clock}] a.example GET {upstream} "/a" HTTP/1.1 "{agent}" 200 12 0.001 {session}`, "oauth2-proxy-and-more", `%{session}C`, true},
	{"in what HAProxy captures", `{client}:50000 [09/Mar/2026:{clock}.395] fe be/s1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {a.example|{agent}|{session}|{request}} "GET /a HTTP/1.1"`, "haproxy", haproxyHTTP + ` {%[capture.req.hdr(0)]|%[req.hdr(user-agent)]|%[req.hdr(x-session-id)]|%[capture.req.hdr(3)]} %{+Q}r`, true},
	{"in place of identd's answer", strings.Replace(nearCombined, " - ", " {session} ", 1), "combined-ident", "%h %{session}C %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\"", true},
	{"in place of the user", strings.Replace(nearCombined, "{user}", "{session}", 1), "combined", `remote_user`, true},
	{"in place of the user, with columns behind", strings.Replace(nearCombined, "{user}", "{session}", 1) + ` {request}`, "combined-and-more", `remote_user`, true},
	{"users whose names look like keys", strings.Replace(nearCombined, "{user}", "{browser}", 1), "combined", ``, false},
	{"upstream", nearCombined + ` {part} {seconds} {upstream} {upstream}`, "combined-and-more", `$upstream_column1 $request_time $upstream_addr`, false},
	{"requests", nearCombined + ` "{request}"`, "combined-and-more", ``, false},
	{"traces", nearCombined + ` "{trace}"`, "combined-and-more", ``, false},
	{"TLS sessions", nearCombined + ` TLSv1.3 {tls}`, "combined-and-more", ``, false},
	{"ETags", nearCombined + ` "{etag}"`, "combined-and-more", ``, false},
	{"a forwarded list is none", nearCombined + ` "{etag}"`, "combined-and-more", ``, false},
	{"JSON, by name", `{"time":"{iso}","client_ip":"{client}","method":"GET","path":"/a","status":200,"user_agent":"{agent}","cookies":{"connect.sid":"{session}"},"trace":"{trace}"}`, "json", `cookies.connect.sid`, true},
	{"JSON, by value", `{"time":"{iso}","client_ip":"{client}","method":"GET","path":"/a","status":200,"user_agent":"{agent}","x":{"shopper":"{session}"},"trace":"{trace}"}`, "json", `x.shopper`, true},
	{"JSON, in a wrapper", `{"time":"{iso}","message":{"client_ip":"{client}","method":"GET","path":"/a","status":200,"shopper":"{session}"}}`, "json", `shopper`, true},
	{"JSON, by the name of a user's session", `{"time":"{iso}","client_ip":"{client}","method":"GET","path":"/a","status":200,"user_session":"{session}"}`, "json", `user_session`, true},
	{"JSON, by a user's id", `{"time":"{iso}","client_ip":"{client}","method":"GET","path":"/a","status":200,"user_agent":"{agent}","customer_id":"{browser}","deviceId":"{browser}"}`, "json", ``, false},
	{"user with a name", nearCombined + ` uid={browser}`, "combined-and-more", ``, false},
	{"JSON without", `{"time":"{iso}","client_ip":"{client}","method":"GET","path":"/a","status":200,"user_agent":"{agent}","call":"{request}","page":"{trace}"}`, "json", ``, false},
	{"LTSV", "time:{iso}\thost:{client}\treq:GET /a HTTP/1.1\tstatus:200\tua:{agent}\tcookie_phpsessid:{session}", "ltsv", `cookie_phpsessid`, true},
	{"logfmt", `time={iso} method=GET path=/a status=200 remote_ip={client} shopper="{session}"`, "logfmt", `shopper`, true},
	{"W3C", "2026-03-09 {clock} GET /a {client} 200 {request} {session}", "iis", `x-shop`, true},
}

// nearSample returns lines of nearFormats.
func nearSample(format, line string) []byte {
	text := visits(line)
	if format == "iis" {
		text = append([]byte("#Fields: date time cs-method cs-uri-stem c-ip sc-status x-request X-Shop\n"), text...)
	}
	return text
}

// TestLearn checks what is learned, that a recipe makes the same format, and that session
// ids are redacted in all lines.
func TestLearn(t *testing.T) {
	for _, tt := range nearFormats {
		text := nearSample(tt.format, tt.line)
		d := Detect(text, Formats())
		i := slices.IndexFunc(d.Formats, func(f *Format) bool { return f.Name == tt.format })
		if i < 0 {
			t.Errorf("%s: %s", tt.name, nameOf(d.Format))
			continue
		}
		f := d.Formats[i]
		got := f.learned.Session
		if f.Native != f.known().Native {
			got = strings.TrimPrefix(f.Native, strings.TrimSuffix(f.known().Native, `\n`)+" ")
			for _, shape := range f.known().Shapes {
				got = strings.TrimPrefix(got, shape+" ")
			}
		}
		if got != tt.learned {
			t.Errorf("%s: learned %q, want %q", tt.name, got, tt.learned)
		}
		again := slices.Clone(d.Formats)
		for n, g := range d.Formats {
			b, err := json.Marshal(g.Recipe())
			if err != nil {
				t.Fatal(err)
			}
			var r Recipe
			if err := json.Unmarshal(b, &r); err != nil {
				t.Fatal(err)
			}
			if again[n], err = r.Format(nil); err != nil || again[n].Key() != g.Key() || again[n].Name != g.Name {
				t.Fatalf("%s: %v, made again by %s", tt.name, err, b)
			}
		}
		checkSessions(t, tt.name, NewParser(d.Formats...), NewParser(again...), text, tt.sessions)
	}
}

// checkSessions checks that two parsers read the same of the lines, that they read the session
// ids if there are some, and that none is left in redacted lines.
func checkSessions(t *testing.T, name string, p, q *Parser, text []byte, sessions bool) {
	t.Helper()
	var e, o Entry
	found := 0
	for line := range bytes.Lines(text) {
		line = bytes.TrimRight(line, "\n")
		v := p.Parse(line, &e)
		if v != q.Parse(line, &o) || string(e.Session) != string(o.Session) || e.Duration != o.Duration || string(e.Upstream) != string(o.Upstream) {
			t.Fatalf("%s: read otherwise by the format that its recipe makes: %s", name, line)
		}
		if v != Parsed {
			continue
		}
		if len(e.Session) > 0 {
			found++
			id := bytes.Clone(e.Session)
			if shown := privacy.RedactLine(nil, line, p.Locate(line, v)); bytes.Contains(shown, id) {
				t.Fatalf("%s: %s is in %s", name, id, shown)
			}
		}
	}
	if sessions != (found > 200) {
		t.Errorf("%s: %d session ids", name, found)
	}
}

func nameOf(f *Format) string {
	if f == nil {
		return "none"
	}
	return f.Name
}

// TestLearnCarried checks that columns are learned of lines in a container's log, too, and
// that lines of another shape are read as the known format reads them.
func TestLearnCarried(t *testing.T) {
	var b bytes.Buffer
	for line := range bytes.Lines(visits(nearCombined + ` "{session}"`)) {
		text, _ := json.Marshal(string(line))
		fmt.Fprintf(&b, `{"log":%s,"stream":"stdout","time":"2026-03-09T14:05:00Z"}`+"\n", text)
	}
	d := Detect(b.Bytes(), Formats())
	if d.Format == nil || d.Format.Name != "docker+combined-and-more" || !strings.HasSuffix(d.Format.Native, ` "$cookie_session"`) {
		t.Fatalf("%s %s", nameOf(d.Format), d.Format.Native)
	}
	r := d.Format.Recipe()
	again, err := r.Format(nil)
	if err != nil || again.Key() != d.Format.Key() || again.Name != d.Format.Name {
		t.Error(err, nameOf(again))
	}
	d = Detect(visits(nearCombined+` "{session}" {seconds}`), Formats())
	var e Entry
	odd := []byte(`192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 200 612 "-" "Mozilla/5.0" a b c d`)
	if v := d.Format.NewParser().Parse(odd, &e); v != Parsed || len(e.Session) > 0 || e.Duration >= 0 || e.Status != 200 {
		t.Errorf("%v, session %s of %s", v, e.Session, odd)
	}
}

// TestLearnKnown checks that the logs beside one of which something was learned are read
// alike, however short they are.
func TestLearnKnown(t *testing.T) {
	text := visits(nearCombined + ` "{session}" {count}`)
	k := NewKnown(text, Formats())
	if k == nil {
		t.Fatal("not known")
	}
	lines := slices.Collect(bytes.Lines(text))
	d, s, ok := k.Detect(bytes.Join(lines[100:110], nil))
	if !ok || d.Format.Key() != k.format.Key() || s.Has[ExtraSession] != 10 {
		t.Errorf("%v %s, %d sessions", ok, nameOf(d.Format), s.Has[ExtraSession])
	}
}

// TestLearnAssigned checks that nothing is learned of formats in which the user names the
// session.
func TestLearnAssigned(t *testing.T) {
	f, _ := Lookup("combined-and-more")
	f, err := f.WithFields(map[string]string{"session": "cookie_sid"})
	if err != nil {
		t.Fatal(err)
	}
	if d := Detect(visits(nearCombined+` "{session}"`), []*Format{f}); d.Format == nil || d.Format.base != nil {
		t.Errorf("%s, %v", nameOf(d.Format), d.Format.learned)
	}
}
