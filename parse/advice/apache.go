package advice

import (
	"strings"

	"logscan/parse"
)

// https://httpd.apache.org/docs/2.4/mod/mod_log_config.html#formats

const (
	apacheCommon   = `%h %l %u %t "%r" %>s %b`
	apacheCombined = apacheCommon + ` "%{Referer}i" "%{User-Agent}i"`
)

var apacheDirectives = map[parse.Extra]string{
	parse.ExtraUser:      `"%u"`,
	parse.ExtraSession:   `"%{` + Session + `}C"`,
	parse.ExtraUserAgent: `"%{User-Agent}i"`,
	parse.ExtraReferrer:  `"%{Referer}i"`,
	parse.ExtraHost:      `%v`,
	parse.ExtraUpstream:  `"%{BALANCER_WORKER_NAME}e"`,
	parse.ExtraDuration:  `%D`,
	parse.ExtraScheme:    `%{request_scheme}e`,
	parse.ExtraReason:    `"%{WWW-Authenticate}o"`,
	parse.ExtraSubSecond: `%{msec}t`,
	parse.ExtraTimeZone:  `%{msec}t`,
	parse.ExtraForwarded: `"%{X-Forwarded-For}i"`,
}

// isApache reports whether a format string is Apache's. Other servers use % as well.
func isApache(native string) bool {
	return strings.Contains(native, "%") &&
		(strings.Contains(native, "%>s") || strings.Contains(native, "%s") || strings.Contains(native, "%r") || strings.Contains(native, "%t ")) &&
		!strings.Contains(native, "%ci") && !strings.Contains(native, "%START_TIME") && !strings.Contains(native, "%^[")
}

func apache(c *Config, f *parse.Format, s *parse.Presence, wanted []parse.Extra) {
	native := f.Native
	switch native {
	case nginxCombined:
		native = apacheCombined
	case nginxCommon:
		native = apacheCommon
	}
	tail, adds := appended(wanted, apacheDirectives)
	c.Server, c.Place = "Apache", "the server's configuration or a VirtualHost"
	c.Adds, c.Format = adds, native+tail
	for _, x := range adds {
		switch x {
		case parse.ExtraSession:
			c.Fields["session"] = Session
			c.Notes = append(c.Notes, sessionNote)
		case parse.ExtraUpstream:
			c.Fields["upstream"] = "BALANCER_WORKER_NAME"
			c.Notes = append(c.Notes, "BALANCER_WORKER_NAME is set by mod_proxy_balancer: leave it out if no balancer is used.")
		case parse.ExtraScheme:
			c.Fields["scheme"] = "request_scheme"
			for _, scheme := range []string{"http", "https"} {
				c.Text += `SetEnvIfExpr "%{REQUEST_SCHEME} == '` + scheme + `'" request_scheme=` + scheme + "\n"
			}
		case parse.ExtraForwarded:
			c.Notes = append(c.Notes, proxyNote("mod_remoteip, RemoteIPHeader X-Forwarded-For and RemoteIPInternalProxy with the proxy's address, and %a for %h"))
		}
	}
	if s.Open {
		c.Notes = append(c.Notes, furtherNote)
	}
	c.Text += `LogFormat "` + apacheQuoted(native) + apacheQuoted(tail) + `" logscan` + "\n" +
		"CustomLog ${APACHE_LOG_DIR}/logscan.log logscan\n"
}

// apacheQuoted quotes a format string for Apache's configuration, without the double
// quotes. Backslashes are escapes already, also of quotes.
func apacheQuoted(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			b.WriteByte(c)
			i++
			b.WriteByte(s[i])
		case c == '"':
			b.WriteString(`\"`)
		case c == '\t':
			b.WriteString(`\t`)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
