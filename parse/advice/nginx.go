package advice

import (
	"fmt"
	"strings"

	"logscan/parse"
)

// https://nginx.org/en/docs/http/ngx_http_log_module.html#log_format
// https://nginx.org/en/docs/varindex.html

const (
	nginxCommon   = `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent`
	nginxCombined = nginxCommon + ` "$http_referer" "$http_user_agent"`
)

// nginxVariables are quoted if a client, or a list of backends, can put spaces into them.
var nginxVariables = map[parse.Extra]string{
	parse.ExtraUser:           `"$remote_user"`,
	parse.ExtraSession:        `"$cookie_` + Session + `"`,
	parse.ExtraUserAgent:      `"$http_user_agent"`,
	parse.ExtraReferrer:       `"$http_referer"`,
	parse.ExtraHost:           `"$host"`,
	parse.ExtraUpstream:       `"$upstream_addr"`,
	parse.ExtraUpstreamStatus: `"$upstream_status"`,
	parse.ExtraDuration:       `$request_time`,
	parse.ExtraScheme:         `$scheme`,
	parse.ExtraReason:         `"$sent_http_www_authenticate"`,
	parse.ExtraSubSecond:      `$msec`,
	parse.ExtraTimeZone:       `$msec`,
	parse.ExtraForwarded:      `"$http_x_forwarded_for"`,
}

func nginx(c *Config, f *parse.Format, s *parse.Presence, wanted []parse.Extra) {
	tail, adds := appended(wanted, nginxVariables)
	c.Server, c.Place = "nginx", "the http block of nginx.conf; the second line also fits into a server or location"
	c.Adds, c.Format = adds, f.Native+tail
	c.Text = "log_format logscan " + nginxQuoted(f.Native) + "\n                   " + nginxQuoted(tail) + ";\n" +
		"access_log /var/log/nginx/logscan.log logscan;\n"
	c.nginxNotes(s)
}

func (c *Config) nginxNotes(s *parse.Presence) {
	for _, x := range c.Adds {
		switch x {
		case parse.ExtraSession:
			c.Fields["session"] = "cookie_" + Session
			c.Notes = append(c.Notes, sessionNote+" nginx has no variable for a cookie whose name contains a dot or dash: extract it with a map of $http_cookie.")
		case parse.ExtraForwarded:
			c.Notes = append(c.Notes, proxyNote("set_real_ip_from with the proxy's address, and real_ip_header X-Forwarded-For"))
		}
	}
	if s.Open {
		c.Notes = append(c.Notes, furtherNote)
	}
}

// nginxQuoted quotes s as a string of nginx's configuration.
func nginxQuoted(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\t", `\t`, "\n", `\n`, "\r", `\r`).Replace(s) + "'"
}

// ingressNginx sets the log_format in the ConfigMap of the controller:
// https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/configmap/#log-format-upstream
func ingressNginx(c *Config, f *parse.Format, s *parse.Presence, wanted []parse.Extra) {
	nginx(c, f, s, wanted)
	c.Server, c.Place = "ingress-nginx", "data of the ingress controller's ConfigMap"
	c.Text = "log-format-upstream: '" + strings.ReplaceAll(c.Format, "'", "''") + "'\n"
}

// nginxJSON adds members under keys that logscan recognises: the names of the variables.
func nginxJSON(c *Config, _ *parse.Format, s *parse.Presence, wanted []parse.Extra) {
	c.Server, c.Place = "nginx", "the object of your log_format … escape=json, before its last member"
	var variables string
	variables, c.Adds = appended(wanted, nginxVariables)
	for v := range strings.FieldsSeq(strings.ReplaceAll(variables, `"`, "")) {
		key := v[1:]
		switch {
		case key == "msec":
			c.Fields["time"] = key // otherwise the existing key would be used
		case strings.HasPrefix(key, "cookie_"):
			key = "session"
		}
		c.Text += fmt.Sprintf("'%q:%q,'\n", key, v)
	}
	c.nginxNotes(s)
	delete(c.Fields, "session") // its key is recognised
}
