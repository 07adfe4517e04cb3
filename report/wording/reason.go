package wording

import (
	"logscan/analyze/result"
	"logscan/parse/field"
)

// reasonAdvice says for each class of reasons what it means and what to do.
var reasonAdvice = [field.NumReasonClasses]string{
	field.ExpiredReason:     "the token or session had expired. Let clients renew it earlier, at 80% of its lifetime, and compare the clocks of issuer and verifier.",
	field.TokenReason:       "the token is malformed, revoked or not meant for this service. Check its issuer and audience, and how the clients got it.",
	field.KeyReason:         "no known key verifies the token. Check that the verifier has the issuer's current keys (JWKS address, cache time, key id), and keep old keys published for the lifetime of a token.",
	field.CredentialsReason: "the name, password or API key is wrong. Find out what changed it, or who guesses.",
	field.MissingReason:     "no credentials were sent. Check that the client sends them, and that no proxy or redirect removes the Authorization header or the cookie.",
	field.PermissionReason:  "the credentials are good and a permission is missing. Check the access list (ACL) of the file or folder (IIS 401.3), and the user's role, group or scope.",
	field.AccountReason:     "the account is locked, disabled, expired or restricted. Look it up in the directory.",
	field.ClientReason:      "the program's own credentials, such as an OAuth client id and secret, are wrong. Check the secret and when it expires.",
	field.AuthorizerReason:  "an external authorization service or filter refused (Envoy's flag UAEX, IIS 401.4 and 401.5). Its own log says why.",
	field.UnavailableReason: "the service that decides failed or could not be reached. Check the identity provider, its certificate and time-outs, and whether its keys (JWKS) can be fetched.",
	field.ConfigReason:      "the configuration does not fit. Check issuer, audience, realm and service principal name on both sides.",
	field.RequestReason:     "the authentication request was malformed, replayed or too late. Check how the client makes it, and proxies that change it.",
	field.ClockReason:       "clocks differ. Synchronise them, and allow a leeway of a minute for token times.",
	field.StepUpReason:      "the credentials are good, but a second factor or a newer sign-in is asked for (RFC 9470). Check that the client can ask its user for it and repeats the request.",
}

// maxReason is how many characters of a reason are shown.
const maxReason = 120

// stated says which reason the log states for refusals, "" for none.
func stated(r *result.Reason, by field.Answerer, noun Noun) string {
	s := ""
	switch {
	case r == nil:
	case r.N == r.Of:
		s = "The log states the reason " + Clip(r.Text, maxReason) + " for all of them."
	case r.Stated == r.Of:
		s = "The log states the reason " + Clip(r.Text, maxReason) + " for " + Share(r.N, r.Of) + " of them."
	default:
		s = "The log states a reason for " + Number(r.Stated) + " of " + noun.Count(r.Of) + ": " + Clip(r.Text, maxReason) + " for " + Share(r.N, r.Stated) + " of those."
	}
	switch by {
	case field.Proxy:
		s += " The proxy itself answered, not the backend."
	case field.Upstream:
		s += " The backend answered, not the proxy."
	}
	return s
}

// Agreement says how often causes agree with the reasons that the log states, "" if
// there is nothing to compare.
func Agreement(res *result.Result) string {
	a := res.Agreement
	if a == nil {
		return ""
	}
	return "Inferred causes agree with the server's own reasons in " + Share(a.Agreeing, a.Compared) + " of " + Count(a.Compared, "case") + "."
}

// reasonStep returns the step that follows from a stated reason, "" for none.
func reasonStep(r *result.Reason) string {
	if r == nil || reasonAdvice[r.Class] == "" {
		return ""
	}
	return "The log states " + Clip(r.Text, maxReason) + ": " + reasonAdvice[r.Class]
}
