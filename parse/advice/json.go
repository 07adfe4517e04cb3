package advice

import (
	"fmt"
	"slices"
	"strings"

	"logscan/parse"
)

// caddy logs most by itself; cookies it blanks, and log_append adds what is
// not in its entries. The filter makes a hash of the session id before it is
// written.
// https://caddyserver.com/docs/caddyfile/directives/log_append
// https://caddyserver.com/docs/caddyfile/directives/log#filter
func caddy(_ *parse.Format, _ *parse.Presence, wanted []parse.Extra) Config {
	c := Config{Server: "Caddy", Place: "the site's block of the Caddyfile, in place of its log directive"}
	format, appends := "", ""
	for _, x := range wanted {
		switch x {
		case parse.ExtraSession:
			format = "\tformat filter {\n\t\twrap json\n\t\tfields {\n\t\t\tsession hash\n\t\t}\n\t}\n"
			appends += "@session header Cookie *" + Session + "=*\n" +
				"log_append @session session {http.request.cookie." + Session + "}\n"
			c.Notes = append(c.Notes, "Put the name of your session cookie for "+Session+". Only a hash of its value is logged; Caddy blanks the Cookie and Authorization headers (REDACTED), and log_credentials, which would log them whole, is not needed.")
		case parse.ExtraUpstream:
			appends += "log_append upstream_addr {http.reverse_proxy.upstream.hostport}\n"
		case parse.ExtraScheme:
			appends += "log_append scheme {scheme}\n"
		case parse.ExtraForwarded:
			c.Notes = append(c.Notes, proxyNote("trusted_proxies in the global options' servers block"))
			continue
		default:
			continue
		}
		c.Adds = append(c.Adds, x)
	}
	if appends != "" {
		c.Notes = append(c.Notes, "log_append needs Caddy 2.8 or newer.")
	}
	if format == "" {
		format = "\tformat json\n"
	}
	c.Text = "log {\n\toutput file /var/log/caddy/access.log\n" + format + "}\n" + appends
	return c
}

// Headers of Traefik's access log, which drops all by default, and the keys
// under which logscan is told of what it does not know by itself.
// https://doc.traefik.io/traefik/observability/access-logs/
var (
	traefikHeaders = map[parse.Extra]string{
		parse.ExtraUserAgent: "User-Agent", parse.ExtraReferrer: "Referer", parse.ExtraSession: "Cookie", parse.ExtraReason: "Www-Authenticate",
	}
	traefikKeys = map[parse.Extra]string{parse.ExtraReason: "downstream_Www-Authenticate", parse.ExtraScheme: "RequestScheme"}
)

// traefik has nearly all in its JSON, and nothing of it in its text format.
func traefik(f *parse.Format, _ *parse.Presence, wanted []parse.Extra) Config {
	c := Config{Server: "Traefik", Place: "the static configuration (YAML)", Fields: map[string]string{}}
	var headers []string
	for _, x := range wanted {
		switch {
		case x == parse.ExtraForwarded:
			c.Notes = append(c.Notes, proxyNote("forwardedHeaders.trustedIPs of the entry point"))
			continue
		case traefikHeaders[x] != "":
			headers = append(headers, traefikHeaders[x])
		}
		if key := traefikKeys[x]; key != "" {
			c.Fields[x.String()] = key
		}
		c.Adds = append(c.Adds, x)
		if x == parse.ExtraSession {
			c.Notes = append(c.Notes, "Traefik logs the Cookie header whole, or not at all: all its values are credentials. Log it only where those who read the log may have them. logscan keeps no more than a hash of the session id, which it finds by the cookie's name (sessionid, PHPSESSID, JSESSIONID and other common ones).")
		}
	}
	if f.Native != "" {
		c.Notes = append(c.Notes, "The text format cannot be extended; JSON has all of these.")
	}
	c.Text = "accessLog:\n  filePath: /var/log/traefik/access.log\n  format: json\n  fields:\n    defaultMode: keep\n"
	if len(headers) > 0 {
		c.Text += "    headers:\n      defaultMode: drop\n      names:\n"
		for _, h := range headers {
			c.Text += "        " + h + ": keep\n"
		}
	}
	return c
}

// jsonKeys are the keys under which any JSON log may say it.
var jsonKeys = map[parse.Extra][2]string{
	parse.ExtraUser:           {"user_name", "who signed in"},
	parse.ExtraSession:        {"session_id", "the session, or a hash of its id"},
	parse.ExtraUserAgent:      {"user_agent", "the User-Agent header"},
	parse.ExtraReferrer:       {"referrer", "the Referer header"},
	parse.ExtraHost:           {"host", "the Host header"},
	parse.ExtraUpstream:       {"upstream_addr", "address of the backend that answered"},
	parse.ExtraUpstreamStatus: {"upstream_status", "what it answered"},
	parse.ExtraDuration:       {"duration_ms", "milliseconds from request to last byte"},
	parse.ExtraScheme:         {"scheme", "http or https"},
	parse.ExtraReason:         {"auth_reason", "why it was refused, or the WWW-Authenticate header"},
	parse.ExtraSubSecond:      {"@timestamp", "2026-03-09T14:05:00.123Z: with milliseconds"},
	parse.ExtraTimeZone:       {"@timestamp", "2026-03-09T14:05:00.123Z: with its offset from UTC"},
	parse.ExtraForwarded:      {"x_forwarded_for", "the X-Forwarded-For header"},
}

// anyJSON names keys for a log whose writer is not known.
func anyJSON(_ *parse.Format, _ *parse.Presence, wanted []parse.Extra) Config {
	c := Config{Server: "JSON", Place: "the objects that your logger writes, under these keys or others that --field names", Fields: map[string]string{}}
	var members []string
	for _, x := range wanted {
		key, ok := jsonKeys[x]
		if !ok {
			continue
		}
		c.Adds = append(c.Adds, x)
		if x == parse.ExtraSubSecond || x == parse.ExtraTimeZone {
			if c.Fields["time"] != "" {
				continue
			}
			c.Fields["time"] = key[0] // or else the key that is there is taken
		}
		members = append(members, fmt.Sprintf("%q: %q", key[0], key[1]))
		if x == parse.ExtraSession {
			c.Notes = append(c.Notes, "A session id is a credential: log a hash of it. logscan keeps no more than that.")
		}
	}
	if slices.Contains(c.Adds, parse.ExtraForwarded) {
		c.Notes = append(c.Notes, proxyNote("most have a list of trusted proxies"))
	}
	c.Text = strings.Join(members, ",\n") + "\n"
	return c
}
