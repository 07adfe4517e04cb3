package dialect

import (
	"fmt"
	"strings"
	"testing"
)

// spell formats the pieces of a spec: literals as they are, fields as
// <name:meaning>.
func spell(ps []Piece) string {
	var b strings.Builder
	for _, p := range ps {
		if p.Name == "" {
			b.WriteString(p.Literal)
			continue
		}
		fmt.Fprintf(&b, "<%s:%s", p.Name, p.Means)
		if p.Time != nil {
			b.WriteString(" by pattern")
		}
		b.WriteString(">")
	}
	return b.String()
}

var specTests = []struct{ name, spec, dialect, want string }{
	{"nginx", `$remote_addr "${request}" $status$ $x`, "", ""},
	{"nginx braces", `${remote_addr}:$status`, "nginx", `<$remote_addr:client>:<$status:status>`},
	{"nginx directive", "log_format main '$remote_addr \"$request\" '\n\t'$status';", "nginx", `<$remote_addr:client> "<$request:request>" <$status:status>`},
	{"nginx cookie", `$cookie_sid $http_x_real_ip $upstream_http_www_authenticate $foo`, "nginx", `<$cookie_sid:cookienamed> <$http_x_real_ip:realip> <$upstream_http_www_authenticate:reason> <$foo:>`},
	{"Apache directive", `LogFormat "%h \"%r\" %>s %{Referer}i" common`, "apache", `<%h:client> "<%r:request>" <%>s:status> <Referer:referrer>`},
	{"CustomLog", `CustomLog logs/access_log "%h %>s"`, "apache", `<%h:client> <%>s:status>`},
	{"Apache escapes", `%%\t%h\n\"%U%q\"`, "apache", "%\t<%h:client>\n\"<%U%q:target>\""},
	{"Apache modifiers", `%!200,304,302{Referer}i %<s %{ms}T %^FB %{X}^to`, "apache", `<Referer:referrer> <%<s:statusoriginal> <ms:millis> <%^FB:> <%{X}^to:>`},
	{"Apache time", `%t %{%T}t`, "apache", `[<%t:time by pattern>] <%T:timepart by pattern>`},
	{"HAProxy", `%ci:%cp [%tr] %b/%s %{+Q}r %[ssl_fc_sni,lower()] %%`, "haproxy", `<%ci:%cp:clientport> [<%tr:time>] <%b/%s:server> "<%r:request>" <%[ssl_fc_sni,lower()]:> %`},
	{"HAProxy flags for all", `%{+Q}o %ci %ST %{-Q}r`, "haproxy", ` "<%ci:client>" "<%ST:status>" <%r:request>`},
	{"HAProxy directive without quotes", `log-format %ci\ %ST`, "haproxy", `<%ci:client> <%ST:status>`},
	{"Envoy", `[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %% %REQ(X?:AUTHORITY):10%\n`, "envoy", `[<START_TIME:time>] "<request:request>" <RESPONSE_CODE:status> % <X:host>`},
	{"Envoy's own time", `%START_TIME(%s.%3f)% %RESPONSE_CODE%`, "envoy", `<START_TIME(%s.%3f):timepart by pattern> <RESPONSE_CODE:status>`},
	{"uWSGI", `%(addr) [%(ctime)] %(status)`, "uwsgi", `<addr:client> [<ctime:timepart by pattern>] <status:status>`},
	{"Gunicorn", `%(h)s %(t)s %({user-agent}i)s`, "uwsgi", `<h:client> [<t:time>] <user-agent:user_agent>`},
	{"GoAccess", `%h %^[%d:%t %^] "%r" %s ~h{, }%~%T`, "goaccess", `<%h:client> <%^:>[<%d:timepart by pattern>:<%t:timepart by pattern> <%^:>] "<%r:request>" <%s:status> <~h{, }:forwarded><%~:padding><%T:duration>`},
}

func TestParse(t *testing.T) {
	for _, tt := range specTests {
		s, err := Parse(tt.spec)
		if tt.dialect == "" {
			if err == nil {
				t.Errorf("%s: no error", tt.name)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := spell(s.Pieces); got != tt.want || s.Dialect != tt.dialect {
			t.Errorf("%s: %s\n got %s\nwant %s", tt.name, s.Dialect, got, tt.want)
		}
	}
}

func TestObjects(t *testing.T) {
	for _, tt := range []struct{ spec, want string }{
		{`{"a":"$status","b":{"c":$msec,"d":"x"},"e":"$scheme://$host$request_uri"}`, `a=<$status:status> b.c=<$msec:time> b.d=x e=<url:target>`},
		{`log_format j escape=json '{ "a": "$status" }';`, `a=<$status:status>`},
		{`{\"a\":\"%{User-Agent}i\",\"b\":%>s}`, `a=<User-Agent:user_agent> b=<%>s:status>`},
		{`{"a":"%REQ(:PATH)%","b":"%RESPONSE_CODE%"}`, `a=<:PATH:target> b=<RESPONSE_CODE:status>`},
		{`{"a":%ST,"b":"%[capture.req.hdr(0),json(utf8s)]"}`, `a=<%ST:status> b=<%[capture.req.hdr(0),json(utf8s)]:>`},
		{`{"a":"$status"`, ``},
		{`{"a":"$status",}`, ``},
		{`{$status}`, ``},
	} {
		s, err := Parse(tt.spec)
		if err != nil {
			t.Errorf("%s: %v", tt.spec, err)
			continue
		}
		var got []string
		for _, m := range s.Object {
			got = append(got, m.Path+"="+spell(m.Pieces))
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.spec, strings.Join(got, " "), tt.want)
		}
	}
}

func TestEscapes(t *testing.T) {
	for spec, raw := range map[string]bool{
		`log_format a escape=none '$status';`: true, `log_format a escape=json '$status';`: false,
		`escape=none $status`: true, `$status`: false, `escape=none '$status'`: true,
	} {
		s, err := Parse(spec)
		if err != nil || s.Raw != raw || spell(s.Pieces) != "<$status:status>" {
			t.Errorf("%s: %+v, %v", spec, s, err)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct{ spec, want string }{
		{"", "neither"},
		{"$remote_addr $", "at byte 13"},
		{"${status", "closing brace"},
		{"%h %", "at byte 3"},
		{"%h %{Referer", "at byte 4"},
		{"%h %y", "no such directive"},
		{"%h %{%Q}t", "no such conversion"},
		{"%ci %{+Q", "a { without its }"},
		{"%ci %zz", "no such variable"},
		{"%ci %[src", "no such variable"},
		{"%RESPONSE_CODE% %FOO", "at byte 16"},
		{"%(addr) %(status", "at byte 8"},
		{"%(h)s %(Q)s", "no such atom"},
		{"%h %^ %j", "no such specifier"},
		{"%h %^ ~h{", "a { without its }"},
		{`{"a":"$status","b":"$"}`, "of key b"},
		{"$status" + strings.Repeat(" ", maxSpec), "more than 32 KiB"},
	} {
		if _, err := Parse(tt.spec); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, want an error with %q", tt.spec, err, tt.want)
		}
	}
}

// FuzzSpec checks that any string is parsed or rejected, and that its pieces contain
// all its literals.
func FuzzSpec(f *testing.F) {
	for _, tt := range specTests {
		f.Add(tt.spec)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		s, err := Parse(spec)
		if err != nil {
			return
		}
		for _, p := range s.Pieces {
			if p.Name == "" && p.Literal == "" || p.At < 0 || p.At > len(spec) {
				t.Errorf("%q: piece %+v", spec, p)
			}
		}
	})
}

// FuzzParseAs parses strings as those of each server, whatever they look like,
// because a configuration determines the server.
func FuzzParseAs(f *testing.F) {
	for _, tt := range specTests {
		f.Add(tt.spec, true)
	}
	f.Add("%{%Y-%m}t%{%^ti", false)
	f.Fuzz(func(t *testing.T, spec string, raw bool) {
		for _, l := range languages() {
			s, err := ParseAs(l.name, spec, raw)
			if err != nil {
				continue
			}
			if s.Dialect != l.name || s.Raw != raw {
				t.Errorf("%q as %s: %+v", spec, l.name, s)
			}
			again, err := ParseAs(l.name, spec, raw)
			if err != nil || spell(again.Pieces) != spell(s.Pieces) || len(again.Object) != len(s.Object) {
				t.Errorf("%q as %s: %s, then %s", spec, l.name, spell(s.Pieces), spell(again.Pieces))
			}
		}
	})
}
