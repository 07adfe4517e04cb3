package advice

import (
	"fmt"
	"slices"
	"strings"

	"logscan/parse"
)

// jsonKeys are keys that logscan recognises in any JSON log, with their meaning.
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

// anyJSON suggests keys for a log whose writer is not known.
func anyJSON(c *Config, _ *parse.Format, _ *parse.Presence, wanted []parse.Extra) {
	c.Server, c.Place = "JSON", "the objects that your logger writes, under these keys or others that --field names"
	c.Adds = wanted
	var members []string
	timed := false
	for _, x := range wanted {
		key := jsonKeys[x]
		if key[0] == "@timestamp" {
			if timed {
				continue
			}
			timed = true
			c.Fields["time"] = key[0] // otherwise the existing key would be used
		}
		members = append(members, fmt.Sprintf("%q: %q", key[0], key[1]))
		if x == parse.ExtraSession {
			c.Notes = append(c.Notes, "A session id is a credential: log a hash of it. logscan itself keeps only a hash.")
		}
	}
	if slices.Contains(c.Adds, parse.ExtraForwarded) {
		c.Notes = append(c.Notes, proxyNote("most have a list of trusted proxies"))
	}
	c.Text = strings.Join(members, ",\n") + "\n"
}
