package parse

import (
	"fmt"
	"testing"
	"time"
)

// TestCarriedEvents checks that lines of logs without requests are read inside of those
// that carry them, which also have the time if the text has none.
func TestCarriedEvents(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{`{"log":"2026/03/09 14:05:00 [error] 7#7: *5 user \"jane\": password mismatch, client: 192.0.2.1, server: a, request: \"GET / HTTP/1.1\", host: \"a\"\n","stream":"stderr","time":"2026-03-09T13:05:00.1Z"}`, "docker+nginx-error 2026-03-09T14:05:00Z local=true 192.0.2.1 jane wrong_password"},
		{`2026-03-09T14:05:00.25Z stderr F 2026/03/09 14:05:00 [error] 7#7: *5 access forbidden by rule, client: 192.0.2.1, server: a, request: "GET / HTTP/1.1", host: "a"`, "cri+nginx-error 2026-03-09T14:05:00Z local=true 192.0.2.1  acl_denied"},
		{`<11>1 2026-03-09T14:05:00.25+01:00 sso LLNG 7 - - [warn] Bad password for jane (192.0.2.1)`, "syslog+lemonldap-ng-log 2026-03-09T13:05:00.25Z local=false 192.0.2.1 jane wrong_password"},
		{`{"log":"[Nest] 7  - 03/09/2026, 2:05:00 PM    WARN [AuthService] Failed login attempt for user jane from ip address 192.0.2.1\n","stream":"stdout","time":"2026-03-09T14:05:00.1Z"}`, "docker+immich-log 2026-03-09T14:05:00.1Z local=false 192.0.2.1 jane invalid_credentials"},
	} {
		d := Detect([]byte(tt.line+"\n"), Formats())
		if d.Format == nil {
			t.Errorf("not detected: %s", tt.line)
			continue
		}
		p := NewParser(d.Formats...)
		var e Entry
		v, x := p.Parse([]byte(tt.line), &e), &p.event
		got := fmt.Sprintf("%s %s local=%v %s %s %s", d.Format.Name, time.UnixMicro(x.Time).UTC().Format(time.RFC3339Nano), x.Local, x.Client, x.User, x.Reason)
		if v != SkipErrorLog || got != tt.want {
			t.Errorf("%v %s, want %s", v, got, tt.want)
		}
	}
}
