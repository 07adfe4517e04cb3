package detect

// CauseNames are the causes a 401 can have, in a fixed order: the kinds of
// findings, then the causes that are no findings.
var CauseNames = []string{
	"session_expiry", "session_invalidation", "session_address_change", "retry_storm",
	"endpoint_misconfigured", "permission_denied_as_401", "cors_preflight",
	"auth_lost_on_redirect", "insecure_scheme", "uncredentialed_asset",
	"upstream_misconfigured", "account_failure", "integration_failure",
	"unauthenticated_probe", "brute_force", "distributed_guessing",
	"password_spraying", "credential_stuffing", "auth_scanner", "unauthorized_spike",
	"challenge", "login_failure", "session_end", "anonymous", "unexplained",
}
