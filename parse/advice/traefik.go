package advice

import "logscan/parse"

// Headers that Traefik logs only if configured, and the keys that --field must name because
// logscan does not recognise them:
// https://doc.traefik.io/traefik/observability/access-logs/
var (
	traefikHeaders = map[parse.Extra]string{
		parse.ExtraUserAgent: "User-Agent", parse.ExtraReferrer: "Referer", parse.ExtraSession: "Cookie", parse.ExtraReason: "Www-Authenticate",
	}
	traefikKeys = map[parse.Extra]string{parse.ExtraReason: "downstream_Www-Authenticate", parse.ExtraScheme: "RequestScheme"}
)

// traefik has nearly all fields in its JSON format. Its text format cannot be extended.
func traefik(c *Config, f *parse.Format, _ *parse.Presence, wanted []parse.Extra) {
	c.Server, c.Place = "Traefik", "the static configuration (YAML)"
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
			c.Notes = append(c.Notes, "Traefik logs the Cookie header in full or not at all, and all its values are credentials: log it only where everyone who reads the log may have them. logscan keeps only a hash of the session id, which it finds by the cookie's name (sessionid, PHPSESSID, JSESSIONID and other common ones).")
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
}
