package appconf

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSettings(t *testing.T) {
	for _, c := range []struct {
		file, text string
		line       int
		name       string
		seconds    float64
		limits     Limits
	}{
		{"web.xml", "<web-app>\n<!-- <session-timeout>99</session-timeout> -->\n<session-config>\n <session-timeout>30</session-timeout>", 4, "session-timeout", 1800, Idle},
		{"php.ini", "; session.gc_maxlifetime = 99\nsession.gc_maxlifetime = 1440\n", 2, "session.gc_maxlifetime", 1440, Idle},
		{"pool.conf", "php_admin_value[session.gc_maxlifetime] = 7200\n", 1, "session.gc_maxlifetime", 7200, Idle},
		{".htaccess.conf", "php_value session.gc_maxlifetime 3600\n", 1, "session.gc_maxlifetime", 3600, Idle},
		{"application.properties", "#x\nserver.servlet.session.timeout=45m\n", 2, "server.servlet.session.timeout", 2700, Idle},
		{"application.properties", "server.servlet.session.timeout=900", 1, "server.servlet.session.timeout", 900, Idle},
		{"application.yml", "server:\n  port: 8080\n  servlet:\n    session:\n      timeout: 20m # idle\n", 5, "server.servlet.session.timeout", 1200, Idle},
		{"settings.py", "# SESSION_COOKIE_AGE = 1\nSESSION_COOKIE_AGE = 60 * 60 * 8\n", 2, "SESSION_COOKIE_AGE", 28800, Either},
		{"flask.py", "app.config['PERMANENT_SESSION_LIFETIME'] = timedelta(minutes=31)", 1, "PERMANENT_SESSION_LIFETIME", 1860, Idle},
		{"session_store.rb", "Rails.application.config.session_store :cookie_store, expire_after: 2.hours", 1, "expire_after", 7200, Idle},
		{"devise.rb", "  # config.timeout_in = 1.minute\n  config.timeout_in = 30.minutes\n", 2, "timeout_in", 1800, Idle},
		{"app.js", "const session = require('express-session');\napp.use(session({cookie: {maxAge: 15 * 60 * 1000}}))", 2, "maxAge", 900, Either},
		{"web.config", "<system.web>\n<sessionState mode=\"InProc\"\n  timeout=\"20\" />", 2, "sessionState", 1200, Idle},
		{"Program.cs", "o.IdleTimeout = TimeSpan.FromMinutes(10);", 1, "IdleTimeout", 600, Idle},
		{"realm.json", "{\n \"ssoSessionIdleTimeout\" : 1800,\n", 2, "ssoSessionIdleTimeout", 1800, Idle},
		{"realm.json", "{\n \"ssoSessionMaxLifespan\": 36000,\n", 2, "ssoSessionMaxLifespan", 36000, Absolute},
		{"oauth2-proxy.cfg", "cookie_expire = \"12h0m0s\"", 1, "cookie_expire", 43200, Absolute},
		{"authelia.yml", "session:\n  name: s\n  expiration: 1 hour\n", 3, "session.expiration", 3600, Absolute},
		{"authelia.yml", "session:\n  cookies:\n    - domain: a.test\n      inactivity: 5m\n", 4, "session.cookies.inactivity", 300, Idle},
		{"oidc.conf", "  OIDCSessionInactivityTimeout 300\n", 1, "OIDCSessionInactivityTimeout", 300, Idle},
		{"haproxy.cfg", "backend b\n  stick-table type string len 32 size 1m expire 30m\n", 2, "stick-table", 1800, Idle},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, c.file)
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Read([]string{dir})
		if err != nil {
			t.Fatal(err)
		}
		if len(s.List) != 1 {
			t.Errorf("%s %q: %d settings, want one: %v", c.file, c.text, len(s.List), s.List)
			continue
		}
		if x := s.List[0]; x.Line != c.line || x.Name != c.name || x.Seconds != c.seconds || x.Limits != c.limits {
			t.Errorf("%s %q: %+v, want line %d: %s, %v s, limits %d", c.file, c.text, x, c.line, c.name, c.seconds, c.limits)
		}
	}
}

func TestFits(t *testing.T) {
	s := &Settings{List: []Setting{{Name: "a", Seconds: 1800, Limits: Idle}, {Name: "b", Seconds: 1800, Limits: Absolute}, {Name: "c", Seconds: 3600, Limits: Either}, {Name: "d", Seconds: 3590, Limits: Idle}}}
	for _, c := range []struct {
		low, high float64
		limits    Limits
		want      int
	}{
		{1790, 1810, Idle, 1}, {1790, 1810, Either, 2}, {1801, 1900, Idle, 0}, {3500, 3700, Absolute, 1}, {3500, 3700, Idle, 0}, {3595, 3605, Idle, 1},
	} {
		if got := s.Fits(c.low, c.high, c.limits); len(got) != c.want {
			t.Errorf("%v to %v: %v, want %d", c.low, c.high, got, c.want)
		}
	}
}

// FuzzSearch checks that any text is searched, and that what is found has a line.
func FuzzSearch(f *testing.F) {
	for _, ext := range extensions {
		f.Add("x"+ext, "session:\n  expiration: 1h\n<session-timeout>3</session-timeout>\nmaxAge: 3*4, 'express-session'")
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		for _, s := range search(name, []byte(text)) {
			if s.Line < 1 || s.Seconds <= 0 || s.Name == "" {
				t.Errorf("%+v", s)
			}
		}
	})
}
