package advice

import "logscan/parse"

// caddy adds the few fields that Caddy does not log by default, by log_append. Cookies,
// whose values Caddy blanks, are filtered to a hash of the session id:
// https://caddyserver.com/docs/caddyfile/directives/log_append
// https://caddyserver.com/docs/caddyfile/directives/log#filter
func caddy(c *Config, _ *parse.Format, _ *parse.Presence, wanted []parse.Extra) {
	c.Server, c.Place = "Caddy", "the site's block of the Caddyfile, in place of its log directive"
	format, appends := "\tformat json\n", ""
	for _, x := range wanted {
		switch x {
		case parse.ExtraSession:
			format = "\tformat filter {\n\t\twrap json\n\t\tfields {\n\t\t\tsession hash\n\t\t}\n\t}\n"
			appends += "@session header Cookie *" + Session + "=*\n" +
				"log_append @session session {http.request.cookie." + Session + "}\n"
			c.Notes = append(c.Notes, "Replace "+Session+" with the name of your session cookie. Only a hash of its value is logged. Caddy masks the Cookie and Authorization headers (REDACTED); log_credentials, which would log them in full, is not needed.")
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
	c.Text = "log {\n\toutput file /var/log/caddy/access.log\n" + format + "}\n" + appends
}
