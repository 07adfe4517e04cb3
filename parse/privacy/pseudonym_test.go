package privacy

import (
	"bytes"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"
)

// testKey returns a key of 32 different bytes.
func testKey(t testing.TB) *Key {
	t.Helper()
	secret := make([]byte, MinKey)
	for i := range secret {
		secret[i] = byte(i + 1)
	}
	k, err := NewKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKey(t *testing.T) {
	for _, tt := range []struct {
		secret, want string
	}{
		{"", "at least 32 bytes, and this one has 0"},
		{strings.Repeat("abcdefgh", 4)[:31], "at least 32 bytes, and this one has 31"},
		{strings.Repeat("\x00", 32), "not drawn at random"},
		{strings.Repeat("abcdefgh", 1000), "at most"},
		{strings.Repeat("abcdefgh", 4), ""},
	} {
		_, err := NewKey([]byte(tt.secret))
		if got := fmt.Sprint(err); tt.want == "" && err != nil || !strings.Contains(got, tt.want) && tt.want != "" {
			t.Errorf("%.20q: %v, want %q", tt.secret, err, tt.want)
		}
	}
	secret := []byte(strings.Repeat("abcdefgh", 4))
	k, err := NewKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	id := k.ID()
	clear(secret) // the key is a copy
	if k.ID() != id || len(id) != keyDigits || id == testKey(t).ID() {
		t.Errorf("ids %s, %s", id, k.ID())
	}
}

// TestPseudonyms pins the pseudonyms, because outputs of different nights are compared.
func TestPseudonyms(t *testing.T) {
	m := Options{Key: testKey(t)}.NewMask()
	// Computed by: printf 'user\0jane' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0102…20
	for _, tt := range []struct{ got, want string }{
		{string(m.User([]byte("jane"))), "user-986278d35c4ed469"},
		{string(m.Address([]byte("192.0.2.1"))), "addr-cde25d9c38946d56"},
		{string(m.Session([]byte("jane"))), "daba58778dce67fbee490e7cfed486aa"},
		{string(m.User(nil)), ""},
	} {
		if tt.got != tt.want {
			t.Errorf("got %s, want %s", tt.got, tt.want)
		}
	}
	if again := Options(m.Options).NewMask(); !bytes.Equal(again.User([]byte("jane")), m.User([]byte("jane"))) {
		t.Error("another mask of the key makes another pseudonym")
	}
	if none := (Options{}).NewMask(); none != nil {
		t.Error("a mask that does nothing")
	}
}

// pseudonymsOf replaces <user:NAME> and <addr:ADDRESS> by pseudonyms.
func pseudonymsOf(m *Mask, text string) string {
	return regexp.MustCompile(`<(user|addr):([^>]*)>`).ReplaceAllStringFunc(text, func(s string) string {
		name := []byte(s[len("<user:") : len(s)-1])
		if strings.HasPrefix(s, "<user:") {
			return string(m.User(name))
		}
		return string(m.Address(name))
	})
}

var named = []struct{ in, want string }{
	// The names of the line: jane and client.example.
	{"/users/jane/orders", "/users/<user:jane>/orders"},
	{"/~Jane/x.git", "/~<user:jane>/x.git"},
	{"/janet/x/jane2", "/janet/x/jane2"},
	{"/a/%6Aane/b", "/a/<user:jane>/b"},
	{"seen from client.example.", "seen from <addr:client.example>."},
	// Addresses.
	{"ip=192.0.2.1&x=1", "ip=<addr:192.0.2.1>&x=1"},
	{"ip%3D192.0.2.1%26x", "ip%3D<addr:192.0.2.1>%26x"},
	{"a%20192.0.2.1%2520192.0.2.2", "a%20<addr:192.0.2.1>%2520<addr:192.0.2.2>"},
	{"192%2E0%2e2%252E1:8080", "<addr:192.0.2.1>:8080"},
	{"[2001:db8::1]:443, ::ffff:192.0.2.1", "[<addr:2001:db8::1>]:443, <addr:192.0.2.1>"},
	{"2001%3ADB8%3a0%3A0%3A0%3A0%3A0%3A1", "<addr:2001:db8::1>"},
	{`for="[2001:db8::1]:9";by=198.51.100.7`, `for="[<addr:2001:db8::1>]:9";by=<addr:198.51.100.7>`},
	{"fe80::1%25eth0", "<addr:fe80::1>%25eth0"},
	{"Chrome/120.0.0.0 x/1.2.3.4", "Chrome/120.0.0.0 x/<addr:1.2.3.4>"},
	{"1.2.3.4.5 1.2.3 256.1.1.1 09:00:00 09/Mar/2026:14:05:00 std::vector x::", "1.2.3.4.5 1.2.3 256.1.1.1 09:00:00 09/Mar/2026:14:05:00 std::vector x::"},
	{"198.51.100.7:8080 198.51.100.9 api.example", "198.51.100.7:8080 <addr:198.51.100.9> api.example"}, // the first is the upstream
	// E-mail addresses.
	{"to=bob@example.org&x", "to=<user:bob@example.org>&x"},
	{"/u/bob.b%2Bx%40example.co.uk/y", "/u/<user:bob.b+x@example.co.uk>/y"},
	{"mailto:jane@example.org.", "mailto:<user:jane@example.org>."},
	{`{"m":"bob\u0040example.org"}`, `{"m":"<user:bob@example.org>"}`},
	{"pkg@1.2.3 @scope/x a@b x@.com", "pkg@1.2.3 @scope/x a@b x@.com"},
	// Parameters and keys that name a user.
	{"user=bob&x=1", "user=<user:bob>&x=1"},
	{"next=%2Fa%3Fuser%3Dbob%26y&z=1", "next=%2Fa%3Fuser%3D<user:bob>%26y&z=1"},
	{"customer_email=x&USERNAME=b%20c;login[user]=d", "customer_email=<user:x>&USERNAME=<user:b c>;login[user]=<user:d>"},
	{"user=&users=3&user_agent=x&username=-", "user=&users=3&user_agent=x&username=-"},
	{`"remote_user":"bob","user_id": 4711,"login":null,"user_agent":"x"`, `"remote_user":"<user:bob>","user_id": <user:4711>,"login":null,"user_agent":"x"`},
	{`{"log":"{\"user\":\"bob\",\"a\":1}"}`, `{"log":"{\"user\":\"<user:bob>\",\"a\":1}"}`},
	// Credentials are redacted first, so that no pseudonym stands between them and
	// the name that identifies them.
	{"token=s3cret-192.0.2.1&jane=1", "token=REDACTED&<user:jane>=1"},
	{"https://jane:s3cret@a.example.org/jane", "https://REDACTED@a.example.org/<user:jane>"},
	{"", ""},
}

func TestTexts(t *testing.T) {
	m := Options{Key: testKey(t)}.NewMask()
	for _, tt := range named {
		m.Line([]byte("jane"), []byte("client.example"), nil, nil, []byte("api.example"), []byte("198.51.100.7:8080"))
		want := pseudonymsOf(m, tt.want)
		if got := string(m.Text([]byte(tt.in))); got != want {
			t.Errorf("%s\n got %s\nwant %s", tt.in, got, want)
		}
		if got := string(m.Text([]byte(want))); tt.in != "" && !strings.Contains(tt.in, "user") && !strings.Contains(tt.in, "login") && got != want {
			t.Errorf("twice: %s", got)
		}
	}
}

// TestNamesOfALine checks that a user disappears from the line, whatever the name.
func TestNamesOfALine(t *testing.T) {
	m := Options{Key: testKey(t)}.NewMask()
	for _, name := range []string{
		"jane", "a", "jo", "=cmd|'/c calc'!A1", "jane@example.org", `CORP\jane`, "Jürgen", "jane doe", "user", "token", "@jane", ":jane", "4711", "192.0.2.9", "<b>", "\x1b[2J", "%6a",
	} {
		line := `192.0.2.1 - ` + name + ` [09/Mar/2026:14:05:00 +0000] "GET /" 401 5 "` + name + `"`
		m.Line([]byte(name), []byte("192.0.2.1"), nil, nil, nil, nil)
		want := pseudonymsOf(m, `<addr:192.0.2.1> - `+string(m.User([]byte(name)))+` [09/Mar/2026:14:05:00 +0000] "GET /" 401 5 "`+string(m.User([]byte(name)))+`"`)
		if got := string(m.Text([]byte(line))); got != want {
			t.Errorf("%q\n got %s\nwant %s", name, got, want)
		}
	}
	for _, tt := range []struct{ user, line, want string }{
		{`CORP\jane`, `/jane "CORP\\jane" corp%5Cjane`, `/<> "<>" <>`},
		{"jane@example.org", "/jane/x jane%40example.org", "/<>/x <>"},
		{"Jürgen", `/J%C3%BCrgen "J\u00fcrgen" J\xc3\xbcrgen`, `/<> "<>" <>`},
		{"jo", `/jo/x?jo=1 major jo-1 "jo"`, `/<>/x?<>=1 major jo-1 "<>"`},
	} {
		m.Line([]byte(tt.user), nil, nil, nil, nil, nil)
		want := strings.ReplaceAll(tt.want, "<>", string(m.User([]byte(tt.user))))
		if got := string(m.Text([]byte(tt.line))); got != want {
			t.Errorf("%s\n got %s\nwant %s", tt.user, got, want)
		}
	}
}

func TestAgentsKeepTheirNames(t *testing.T) {
	m := Options{Key: testKey(t)}.NewMask()
	m.Line([]byte("prometheus"), nil, nil, nil, nil, nil)
	if got, want := string(m.Agent([]byte("Prometheus/2.45 (bob@example.org)"))), pseudonymsOf(m, "Prometheus/2.45 (<user:bob@example.org>)"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestEmailsAlone(t *testing.T) {
	m := Options{Emails: true}.NewMask()
	for _, tt := range []struct{ in, want string }{
		{"/u/bob%40example.org?user=jane&ip=192.0.2.1", "/u/{email}?user=jane&ip=192.0.2.1"},
		{`bob\x40example.org, jane\u0040example.org`, `{email}, {email}`},
		{"password=a@b.example&x=bob@example.org", "password=REDACTED&x={email}"},
		{"/plain", "/plain"},
	} {
		m.Line([]byte("jane"), []byte("192.0.2.1"), nil, nil, nil, nil)
		if got := string(m.Text([]byte(tt.in))); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.in, got, tt.want)
		}
	}
	for _, s := range []string{"jane", "192.0.2.1"} {
		if u, a, id := m.User([]byte(s)), m.Address([]byte(s)), m.Session([]byte(s)); string(u) != s || string(a) != s || string(id) != s {
			t.Errorf("without a key %s became %s, %s, %s", s, u, a, id)
		}
	}
}

func TestSeen(t *testing.T) {
	var told []string
	m := Options{Key: testKey(t), Seen: func(k Kind, name, p []byte) { told = append(told, fmt.Sprintf("%d %s %s", k, name, p)) }}.NewMask()
	user, address := m.User([]byte("jane")), m.Address([]byte("192.0.2.1"))
	m.User([]byte("jane"))
	want := []string{fmt.Sprintf("%d jane %s", User, user), fmt.Sprintf("%d 192.0.2.1 %s", Address, address)}
	if fmt.Sprint(told) != fmt.Sprint(want) {
		t.Errorf("told %v, want %v", told, want)
	}
}

// TestIPv4 compares with net/netip.
func TestIPv4(t *testing.T) {
	for _, s := range []string{"", "1", "1.2.3.4", "0.0.0.0", "255.255.255.255", "256.1.1.1", "1.2.3", "1.2.3.4.5", "1..2.3", ".1.2.3", "1.2.3.", "01.2.3.4", "1.2.3.00", "1.2.3.400", "99999999999999999999.1.1.1"} {
		a, ok := parseIPv4([]byte(s))
		want, err := netip.ParseAddr(s)
		if ok != (err == nil) || ok && a != want {
			t.Errorf("%s: %v, %v, want %v, %v", s, a, ok, want, err)
		}
	}
}

func TestFind(t *testing.T) {
	for _, tt := range []struct{ in, found, what string }{
		{"x", "", ""}, {"user-0123456789abcdef", "user-0123456789abcdef", "{user}"}, {"~addr-0123456789abcdef.ics", "addr-0123456789abcdef", "{address}"},
		{"user-0123456789abcdeg", "", ""}, {"user-0123456789abcdef0", "", ""}, {"user-012345678", "", ""},
	} {
		start, end, what := FindPseudonym([]byte(tt.in))
		if got := tt.in[start:end]; got != tt.found || what != tt.what {
			t.Errorf("%s: %q, %q", tt.in, got, what)
		}
	}
}

// FuzzText checks that the names of a line and addresses disappear, whatever surrounds
// them.
func FuzzText(f *testing.F) {
	for _, tt := range named {
		f.Add([]byte(tt.in), []byte(tt.in))
	}
	f.Add([]byte(":.:"), []byte("::"))
	f.Add([]byte("to=bob@example.org&x"), []byte("tO==bob@qxample.obob@qxample.org&x")) // addresses that share a part
	f.Add([]byte(`\u00`), []byte("%25%2"))
	f.Fuzz(func(t *testing.T, before, after []byte) {
		const user, client = "Planted-Name", "203.0.113.77"
		m := Options{Key: testKey(t), Emails: len(before)%2 == 0}.NewMask()
		if bytes.Contains(bytes.ToLower(before), []byte("planted")) || bytes.Contains(bytes.ToLower(after), []byte("planted")) {
			return
		}
		text := fmt.Appendf(nil, "%s %s %s %s", before, user, client, after)
		m.Line([]byte(user), []byte(client), nil, nil, nil, nil)
		got := m.Text(text)
		if bytes.Contains(got, []byte(user)) {
			t.Errorf("%q is in %q", user, got)
		}
		if bytes.Contains(got, []byte(client)) && !bytes.Contains(before, []byte("203")) && !bytes.Contains(after, []byte("203")) {
			t.Errorf("%s is in %q", client, got)
		}
	})
}
