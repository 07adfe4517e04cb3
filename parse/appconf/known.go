package appconf

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"logscan/parse/serverconf"
)

// setting is a row of the table of known settings.
type setting struct {
	extensions []string // of the files that have it; empty for any
	mark       string   // text that the file must have; empty for none
	pattern    *regexp.Regexp
	unit       float64 // of a plain number, in seconds
	limits     Limits
}

const (
	millisecond = 0.001
	second      = 1
	minute      = 60
	hour        = 3600
	day         = 24 * hour
)

// known compiles the table on first use. Names and units are those of the programs'
// documentation.
var known = sync.OnceValue(func() []setting {
	row := func(extensions, mark, pattern string, unit float64, limits Limits) setting {
		return setting{strings.Fields(extensions), mark, regexp.MustCompile(pattern), unit, limits}
	}
	const scripts = ".js .mjs .cjs .ts"
	return []setting{
		// Jakarta Servlet, web.xml
		row(".xml", "session-timeout", `<(session-timeout)>\s*(\d+)\s*</`, minute, Idle),
		// https://www.php.net/manual/en/session.configuration.php
		row("", "session.gc_maxlifetime", `(?m)^[ \t]*(?:php_(?:admin_)?value[\[ \t]+)?(session\.gc_maxlifetime)\]?[ \t=]+"?(\d+)`, second, Idle),
		row("", "session.cookie_lifetime", `(?m)^[ \t]*(?:php_(?:admin_)?value[\[ \t]+)?(session\.cookie_lifetime)\]?[ \t=]+"?(\d+)`, second, Absolute),
		// Spring Boot; a number without a unit is in seconds
		row(".properties", "session.timeout", `(?m)^[ \t]*((?:server\.servlet|server\.reactive|spring)\.session\.timeout)[ \t]*[=:][ \t]*(\w+)`, second, Idle),
		row(".properties", "server.servlet.session.cookie.max-age", `(?m)^[ \t]*(server\.servlet\.session\.cookie\.max-age)[ \t]*[=:][ \t]*(\w+)`, second, Absolute),
		// Django, Flask
		row(".py", "SESSION_COOKIE_AGE", `(?m)^[ \t]*(SESSION_COOKIE_AGE)[ \t]*=[ \t]*(\d[\d *_]*)`, second, Either),
		row(".py", "PERMANENT_SESSION_LIFETIME", `(?m)^[ \t]*(PERMANENT_SESSION_LIFETIME)[ \t]*=[ \t]*(\d[\d *_]*)`, second, Idle),
		row(".py", "PERMANENT_SESSION_LIFETIME", `\b(PERMANENT_SESSION_LIFETIME)\b.{0,20}timedelta\(minutes=(\d+)\)`, minute, Idle),
		row(".py", "PERMANENT_SESSION_LIFETIME", `\b(PERMANENT_SESSION_LIFETIME)\b.{0,20}timedelta\(hours=(\d+)\)`, hour, Idle),
		row(".py", "PERMANENT_SESSION_LIFETIME", `\b(PERMANENT_SESSION_LIFETIME)\b.{0,20}timedelta\(days=(\d+)\)`, day, Idle),
		// Rails, Devise
		row(".rb", "session", `(?m)\b(expire_after):?[ \t]*(?:=>)?[ \t]*(\d+)\.(second|minute|hour|day|week)s?`, 0, Idle),
		row(".rb", "timeout_in", `(?m)^[ \t]*config\.(timeout_in)[ \t]*=[ \t]*(\d+)\.(second|minute|hour|day|week)s?`, 0, Idle),
		// express-session, cookie-session: milliseconds; jsonwebtoken
		row(scripts, "-session", `\b(maxAge)["']?[ \t]*[:=][ \t]*(\d[\d *_]*)`, millisecond, Either),
		row(scripts, "expiresIn", `\b(expiresIn)["']?[ \t]*[:=][ \t]*["'](\d+ ?[a-z]+)["']`, second, Absolute),
		// ASP.NET
		row(".config", "sessionState", `<(sessionState)\b[^>]*\btimeout="(\d+)"`, minute, Idle),
		row(".config", "forms", `<(forms)\b[^>]*\btimeout="(\d+)"`, minute, Either),
		row(".cs", "IdleTimeout", `\b(IdleTimeout)\s*=\s*TimeSpan\.FromMinutes\((\d+)\)`, minute, Idle),
		row(".cs", "ExpireTimeSpan", `\b(ExpireTimeSpan)\s*=\s*TimeSpan\.FromMinutes\((\d+)\)`, minute, Either),
		row(".cs", "ExpireTimeSpan", `\b(ExpireTimeSpan)\s*=\s*TimeSpan\.FromHours\((\d+)\)`, hour, Either),
		row(".cs", "ExpireTimeSpan", `\b(ExpireTimeSpan)\s*=\s*TimeSpan\.FromDays\((\d+)\)`, day, Either),
		// A realm of Keycloak
		row(".json", "SessionIdleTimeout", `"((?:ssoSession|clientSession|offlineSession)IdleTimeout)"\s*:\s*(\d+)`, second, Idle),
		row(".json", "", `"((?:ssoSession|clientSession)MaxLifespan|accessTokenLifespan)"\s*:\s*(\d+)`, second, Absolute),
		// oauth2-proxy
		row("", "", `(?m)^[ \t]*(?:-[ \t]*)?"?(?:--|OAUTH2_PROXY_)?((?i:cookie[_-]expire))[ \t]*[=:][ \t]*"?(\d+[a-z0-9]*)`, second, Absolute),
		// mod_auth_openidc, mod_session
		row("", "OIDCSessionInactivityTimeout", `(?m)^[ \t]*(OIDCSessionInactivityTimeout)[ \t]+"?(\d+)`, second, Idle),
		row("", "OIDCSessionMaxDuration", `(?m)^[ \t]*(OIDCSessionMaxDuration)[ \t]+"?(\d+)`, second, Absolute),
		row("", "SessionMaxAge", `(?m)^[ \t]*(SessionMaxAge)[ \t]+"?(\d+)`, second, Either),
		// HAProxy
		row("", "stick-table", `(?m)^[ \t]*(stick-table)[ \t].*\bexpire[ \t]+(\d+[a-z]*)`, millisecond, Idle),
	}
})

// yamlSettings are the settings in YAML by the end of their path.
var yamlSettings = map[string]struct {
	unit   float64
	limits Limits
}{
	"server.servlet.session.timeout":        {second, Idle},
	"server.reactive.session.timeout":       {second, Idle},
	"spring.session.timeout":                {second, Idle},
	"server.servlet.session.cookie.max-age": {second, Absolute},
	"session.inactivity":                    {second, Idle},     // Authelia
	"session.expiration":                    {second, Absolute}, // Authelia
	"session.cookies.inactivity":            {second, Idle},
	"session.cookies.expiration":            {second, Absolute},
}

// searchYAML returns the settings in a text of YAML. Keys are followed by their
// indentation; what else YAML can do is not needed for them.
func searchYAML(path, text string) (list []Setting) {
	type level struct {
		indent int
		key    string
	}
	var stack []level
	n := 0
	for line := range strings.Lines(text) {
		n++
		trimmed := strings.TrimLeft(line, " ")
		indent := len(line) - len(trimmed)
		for strings.HasPrefix(trimmed, "- ") {
			trimmed = trimmed[2:]
			indent += 2
		}
		key, value, ok := strings.Cut(strings.TrimSpace(trimmed), ":")
		if !ok || key == "" || key[0] == '#' || strings.ContainsAny(key, " {[\"'") || len(stack) > 50 {
			continue
		}
		for len(stack) > 0 && stack[len(stack)-1].indent >= indent {
			stack = stack[:len(stack)-1]
		}
		stack = append(stack, level{indent, key})
		var keys []string
		for _, l := range stack {
			keys = append(keys, l.key)
		}
		full := strings.Join(keys, ".")
		known, ok := yamlSettings[full]
		if !ok {
			continue
		}
		value, _, _ = strings.Cut(value, " #")
		value = strings.Trim(strings.TrimSpace(value), `"'`)
		if seconds, ok := duration(value, known.unit); ok && seconds > 0 {
			list = append(list, Setting{serverconf.Position{File: path, Line: n}, full, value, seconds, known.limits})
		}
	}
	return list
}

// comments match the comments of a language, by the extension of its files.
var comments = sync.OnceValue(func() map[string]*regexp.Regexp {
	xml := regexp.MustCompile(`(?s)<!--.*?-->`)
	slashes := regexp.MustCompile(`(?ms)/\*.*?\*/|^[ \t]*//[^\n]*`)
	hash := regexp.MustCompile(`(?m)^[ \t]*#[^\n]*`)
	return map[string]*regexp.Regexp{
		".xml": xml, ".config": xml, ".js": slashes, ".mjs": slashes, ".cjs": slashes, ".ts": slashes, ".cs": slashes, ".rb": hash, ".py": hash,
	}
})

// withoutComments blanks comments, so that lines keep their numbers.
func withoutComments(text []byte, ext string) []byte {
	re := comments()[ext]
	if re == nil {
		return text
	}
	return re.ReplaceAllFunc(text, func(b []byte) []byte {
		blank := make([]byte, len(b))
		for i, c := range b {
			if blank[i] = ' '; c == '\n' {
				blank[i] = c
			}
		}
		return blank
	})
}

// unitOf returns the seconds of a unit of time; 0 for an unknown one.
func unitOf(name string) float64 {
	switch strings.TrimSuffix(strings.ToLower(strings.TrimSpace(name)), "s") {
	case "m", "min", "minute":
		return minute
	case "", "sec", "second":
		return second
	case "h", "hour", "hr":
		return hour
	case "d", "day":
		return day
	case "w", "week":
		return 7 * day
	}
	return 0
}

// duration returns the seconds of a value: a number or a product of numbers in a unit, a
// number with a unit, a duration as in Go, or one of ISO 8601.
func duration(s string, unit float64) (seconds float64, ok bool) {
	s = strings.TrimSpace(strings.ReplaceAll(s, "_", ""))
	if strings.ContainsAny(s, "*") || strings.Trim(s, "0123456789") == "" {
		product := 1.0
		for part := range strings.SplitSeq(s, "*") {
			n, err := strconv.ParseInt(strings.TrimSpace(part), 10, 64)
			if err != nil {
				return 0, false
			}
			product *= float64(n)
		}
		return math.Round(product*unit*1000) / 1000, product > 0
	}
	if d, err := time.ParseDuration(strings.ToLower(strings.TrimPrefix(strings.ToUpper(s), "PT"))); err == nil {
		return d.Seconds(), true
	}
	i := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if i <= 0 {
		return 0, false
	}
	n, err := strconv.ParseInt(s[:i], 10, 64)
	of := unitOf(s[i:])
	return float64(n) * of, err == nil && of > 0
}
