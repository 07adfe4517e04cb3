package advice

import "logscan/parse"

// Gap is a field that the diagnosis would use and that no line holds.
type Gap struct {
	Extra parse.Extra
	// Logged means that the log has a place for the field, which is always empty.
	Logged bool
	Why    string   // what cannot be determined without it; a sentence
	Kinds  []string // kinds of findings that need it, or are much less certain without
	Empty  string   // if Logged, what that may mean or what to do; a sentence
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
		Why:   "Whose credentials are refused cannot be told: a locked account and guessing at passwords look alike.",
		Kinds: []string{"account_failure", "permission_denied_as_401", "distributed_guessing", "password_spraying", "credential_stuffing"},
		Empty: "The server itself signed nobody in. Where the application does, let it send the name in a response header, and log that: $upstream_http_x_user in nginx, %{X-User}o in Apache, named with --field user=.",
	},
	parse.ExtraSession: {
		Why:   "Sessions are told apart by address and user agent only: people behind one address are one, and who changes address is two.",
		Kinds: []string{"session_expiry", "session_invalidation", "session_address_change", "endpoint_misconfigured"},
		Empty: "No request carries the cookie, or the server blanks it before it is logged, as Caddy does (REDACTED): is it the cookie that the application sets?",
	},
	parse.ExtraUserAgent: {
		Why:   "Which software is refused cannot be told, and all clients behind one address are one.",
		Kinds: []string{"retry_storm", "integration_failure", "unauthenticated_probe", "auth_scanner"},
		Empty: "No client sends its name, or a proxy takes the header away.",
	},
	parse.ExtraReferrer: {
		Why:   "From which page or site a refused request came cannot be told.",
		Kinds: []string{"cors_preflight", "auth_lost_on_redirect", "uncredentialed_asset"},
		Empty: "No client sends one: programs do not, and a Referrer-Policy may forbid it.",
	},
	parse.ExtraHost: {
		Why:   "All virtual hosts are one: the same path of two sites is one endpoint, and expiry is measured over all of them.",
		Kinds: []string{"endpoint_misconfigured", "session_expiry", "session_invalidation", "unauthorized_spike"},
		Empty: "No request says which host it is for.",
	},
	parse.ExtraUpstream: {
		Why:   "One bad backend of several cannot be told from a bad route.",
		Kinds: []string{"upstream_misconfigured"},
		Empty: "No request went to a backend: the server answers by itself.",
	},
	parse.ExtraUpstreamStatus: {
		Why:   "Whether the proxy or the application behind it refused cannot be told.",
		Kinds: []string{"upstream_misconfigured", "endpoint_misconfigured"},
		Empty: "No request went to a backend: the server answers by itself.",
	},
	parse.ExtraDuration: {
		Why:   "Whether refusals are slow, as they are when an identity provider does not answer, cannot be told.",
		Empty: "The variable is logged and always empty.",
	},
	parse.ExtraScheme: {
		Why:   "Refusals over http of what is accepted over https cannot be seen: secure cookies do not travel over http.",
		Kinds: []string{"insecure_scheme", "auth_lost_on_redirect"},
		Empty: "The variable is logged and always empty.",
	},
	parse.ExtraReason: {
		Why:   "The server's own reason (an expired token, a wrong password, no credentials at all) must be inferred.",
		Kinds: []string{"session_expiry", "integration_failure", "account_failure"},
		Empty: "None of the 401s says why: they come without a WWW-Authenticate header, which RFC 9110 demands.",
	},
	parse.ExtraSubSecond: {
		Why:   "What came first within a second is guessed from the order of the lines, which is that of the answers.",
		Kinds: []string{"auth_lost_on_redirect", "retry_storm", "session_address_change"},
	},
	parse.ExtraTimeZone: {
		Why:   "Times are taken for UTC: they may be hours off, an hour comes twice when clocks are set back, and logs of servers in two zones do not fit together.",
		Kinds: []string{"session_expiry", "session_invalidation", "unauthorized_spike"},
	},
	parse.ExtraForwarded: {
		Why:   "Every client is an address of a private network. If that is a proxy, the clients behind it are one.",
		Kinds: []string{"session_address_change", "brute_force", "distributed_guessing", "password_spraying", "credential_stuffing", "auth_scanner"},
		Empty: "Nothing in front says whom it speaks for: the clients are the site's own, or the proxy must be told to set X-Forwarded-For.",
	},
}
