package detect

import (
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/parse/field"
)

// What a server states about a refusal checks what is inferred from the behaviour of
// its clients. Both agree if the cause is one of those in which servers state a reason
// of that class. A spike and what is unexplained state no cause, and an authorization
// service that refuses may have any reason: they are not compared.

// causesOf lists the causes that agree with each class of stated reasons; none for a
// class that is not compared.
var causesOf = [field.NumReasonClasses][]string{
	field.ExpiredReason: {"session_expiry", "session_end", "token_renewal", "retry_storm", "integration_failure", "client_software_failure"},
	// Stores and verifiers forget what has expired, so they call it invalid, too.
	field.TokenReason: {
		"session_expiry", "session_invalidation", "session_address_change", "session_end", "token_renewal", "retry_storm", "account_failure",
		"endpoint_misconfigured", "upstream_misconfigured", "integration_failure", "client_software_failure", "intermittent_refusal",
		"authentication_outage", "auth_scanner", "brute_force",
	},
	field.KeyReason: {
		"session_invalidation", "endpoint_misconfigured", "upstream_misconfigured", "integration_failure", "client_software_failure",
		"intermittent_refusal", "authentication_outage",
	},
	field.CredentialsReason: {
		"login_failure", "brute_force", "distributed_guessing", "password_spraying", "credential_stuffing", "auth_scanner",
		"account_failure", "integration_failure", "client_software_failure", "retry_storm",
	},
	// A browser drops the cookie of a session when it expires.
	field.MissingReason: {
		"challenge", "anonymous", "unauthenticated_probe", "auth_scanner", "cors_preflight", "auth_lost_on_redirect", "insecure_scheme",
		"uncredentialed_asset", "endpoint_misconfigured", "client_software_failure", "session_expiry", "session_end",
	},
	field.PermissionReason: {"permission_denied_as_401", "endpoint_misconfigured", "account_failure"},
	field.AccountReason: {
		"account_failure", "login_failure", "brute_force", "distributed_guessing", "password_spraying", "credential_stuffing", "integration_failure",
	},
	field.ClientReason:      {"integration_failure", "client_software_failure", "token_renewal", "retry_storm"},
	field.UnavailableReason: {"authentication_outage", "upstream_misconfigured", "intermittent_refusal"},
	field.ConfigReason: {
		"endpoint_misconfigured", "upstream_misconfigured", "integration_failure", "client_software_failure", "authentication_outage",
	},
	field.RequestReason: {"challenge", "integration_failure", "client_software_failure", "token_renewal", "auth_scanner"},
	field.StepUpReason:  {"challenge", "login_failure", "endpoint_misconfigured", "client_software_failure", "integration_failure"},
	field.ClockReason:   {"session_expiry", "upstream_misconfigured", "intermittent_refusal", "integration_failure", "client_software_failure"},
}

// Agreement compares the causes of all refusals with the reasons that their own lines, or
// the events of other logs about them, state; nil if none states one that can be compared. cause returns the cause of a
// refusal as an index of CauseNames.
func Agreement(ev *session.Evidence, cause func(refusal int) int) *result.Agreement {
	names := CauseNames()
	silent := func(name string) bool { return name == session.Unexplained.String() || name == unauthorizedSpike.Name }
	var agrees [field.NumReasonClasses][]bool // by cause
	for class, causes := range causesOf {
		agrees[class] = make([]bool, len(names))
		for i, name := range names {
			agrees[class][i] = slices.Contains(causes, name)
		}
	}
	var a result.Agreement
	for i, r := range ev.State.Refusals.All() {
		n := r.Reason
		if n == 0 {
			continue
		}
		class, c := ev.State.Reasons[n-1].Class, cause(i)
		if len(causesOf[class]) == 0 || silent(names[c]) {
			continue
		}
		a.Compared++
		if agrees[class][c] {
			a.Agreeing++
		}
	}
	if a.Compared == 0 {
		return nil
	}
	return &a
}
