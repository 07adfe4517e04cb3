package advice

import "logscan/parse"

// Gap is a field that the diagnosis would use and that no line holds.
type Gap struct {
	Extra parse.Extra
	// Logged means that the log has a place for the field, which is always empty.
	Logged bool
	Why    string // what cannot be determined without it; a sentence
	Empty  string // if Logged, what that may mean or what to do; a sentence
}

// Name returns the name of the field.
func (g *Gap) Name() string { return g.Extra.String() }

// gaps returns the fields that no line holds.
func gaps(s *parse.Presence) []Gap {
	var all []Gap
	for _, x := range s.Missing() {
		g := table[x]
		g.Extra, g.Logged = x, s.Logged[x]
		if !g.Logged {
			g.Empty = ""
		}
		all = append(all, g)
	}
	return all
}

// table describes what each field is needed for.
var table = [parse.NumExtras]Gap{
	parse.ExtraUser: {
		Why:   "A locked account and password guessing look alike: nothing shows whose credentials are refused.",
		Empty: "The server authenticates nobody itself. If the application does, let it send the name in a response header and log that header: $upstream_http_x_user in nginx, %{X-User}o in Apache, named with --field user=.",
	},
	parse.ExtraSession: {
		Why:   "Sessions are identified by address and user agent only: people who share an address look like one, and someone whose address changes looks like two.",
		Empty: "No request carries the cookie, or the server masks it before it is logged, as Caddy does (REDACTED). Check that this is the cookie the application sets.",
	},
	parse.ExtraUserAgent: {
		Why:   "The software that is refused cannot be identified, and all clients behind one address look like one.",
		Empty: "No client sends its name, or a proxy removes the header.",
	},
	parse.ExtraReferrer: {
		Why:   "The page or site that a refused request came from is unknown.",
		Empty: "No client sends one: programs do not, and a Referrer-Policy may forbid it.",
	},
	parse.ExtraHost: {
		Why:   "All virtual hosts are treated as one: the same path on two sites is one endpoint, and expiry is measured over all of them.",
		Empty: "No request names its host.",
	},
	parse.ExtraUpstream: {
		Why:   "A single bad backend cannot be distinguished from a bad route.",
		Empty: "No request was passed to a backend: the server answers all of them itself.",
	},
	parse.ExtraUpstreamStatus: {
		Why:   "A refusal by the proxy cannot be distinguished from one by the application behind it.",
		Empty: "No request was passed to a backend: the server answers all of them itself.",
	},
	parse.ExtraDuration: {
		Why:   "Slow refusals, as when an identity provider does not answer, go unnoticed.",
		Empty: "The variable is logged but always empty.",
	},
	parse.ExtraScheme: {
		Why:   "Requests that are refused over http but accepted over https go unnoticed: secure cookies are not sent over http.",
		Empty: "The variable is logged but always empty.",
	},
	parse.ExtraReason: {
		Why:   "The server's own reason (an expired token, a wrong password, no credentials at all) must be inferred.",
		Empty: "No 401 states a reason: the WWW-Authenticate header, which RFC 9110 requires, is missing.",
	},
	parse.ExtraSubSecond: {
		Why: "The order of requests within a second is guessed from the order of the lines, which is that of the responses.",
	},
	parse.ExtraTimeZone: {
		Why: "Times are taken as UTC: they may be hours off, an hour repeats when clocks are set back, and logs from servers in two zones do not line up.",
	},
	parse.ExtraForwarded: {
		Why:   "Every client has an address of a private network. If that is a proxy, the clients behind it look like one.",
		Empty: "No request names the client it is forwarded for: either the clients are internal, or the proxy must be configured to set X-Forwarded-For.",
	},
}
