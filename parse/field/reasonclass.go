package field

// ReasonClass groups reasons of refusals by what has to be done about them.
type ReasonClass uint8

// The classes of reasons.
const (
	UnknownReason     ReasonClass = iota // no reason, or a text that is not understood
	ExpiredReason                        // the token or session had expired
	TokenReason                          // the token is malformed, revoked or not valid here
	KeyReason                            // no key verifies the token
	CredentialsReason                    // wrong name, password or API key
	MissingReason                        // no credentials were sent
	PermissionReason                     // the credentials are good, the permission is missing
	AccountReason                        // the account is locked, disabled or restricted
	ClientReason                         // the program's own credentials are wrong: OAuth's client id and secret
	AuthorizerReason                     // an external authorization service refused
	UnavailableReason                    // the service that decides cannot be reached
	ConfigReason                         // the server or the client is set up wrongly
	RequestReason                        // the request of authentication is malformed or was replayed
	ClockReason                          // clocks differ
	StepUpReason                         // the credentials are good, and more is asked for (RFC 9470)
	NumReasonClasses
)

var reasonClassNames = [NumReasonClasses]string{
	"", "expired", "token", "key", "credentials", "missing_credentials", "permission", "account", "client", "authorizer", "unavailable",
	"configuration", "request", "clock", "step_up",
}

// String returns the stable name of c, empty for UnknownReason.
func (c ReasonClass) String() string { return reasonClassNames[c] }

// Word returns the word of the vocabulary that says no more than the class, empty if
// there is none.
func (c ReasonClass) Word() string { return classWords[c] }

var classWords = [NumReasonClasses]string{
	ExpiredReason: reasonTokenExpired, TokenReason: reasonInvalidToken, KeyReason: reasonKey, CredentialsReason: reasonCredentials,
	MissingReason: reasonNoCredentials, PermissionReason: reasonACL, AccountReason: reasonAccountRestricted, ClientReason: reasonClient,
	AuthorizerReason: reasonAuthorizer, UnavailableReason: reasonProvider, ConfigReason: reasonConfig, RequestReason: reasonRequest,
	ClockReason: reasonClockSkew, StepUpReason: reasonStepUp,
}

// classOfReason maps the vocabulary to classes.
var classOfReason = map[string]ReasonClass{
	reasonTokenExpired: ExpiredReason, reasonSessionExpired: ExpiredReason,
	reasonInvalidToken: TokenReason, reasonInvalidSession: TokenReason,
	reasonKey:           KeyReason,
	reasonCredentials:   CredentialsReason,
	reasonNoCredentials: MissingReason,
	// IIS 401.3: "denied by ACL on resource" (learn.microsoft.com, HTTP status code
	// overview); RFC 6750, section 3.1: insufficient_scope.
	reasonACL: PermissionReason, reasonScope: PermissionReason, reasonAddress: PermissionReason,
	reasonStepUp:        StepUpReason,
	reasonAccountLocked: AccountReason, reasonAccountDisabled: AccountReason, reasonAccountExpired: AccountReason,
	reasonAccountRestricted: AccountReason, reasonPasswordExpired: AccountReason,
	reasonClient: ClientReason, // RFC 6749, section 5.2
	// Envoy: UAEX is "denied by the external authorization service" (Envoy, access
	// log response flags). IIS 401.4 and 401.5: an ISAPI filter or application.
	reasonAuthorizer: AuthorizerReason, reasonFilter: AuthorizerReason, reasonApplication: AuthorizerReason,
	reasonProvider: UnavailableReason,
	reasonConfig:   ConfigReason,
	reasonRequest:  RequestReason, reasonStaleNonce: RequestReason,
	reasonClockSkew: ClockReason,

	// What error logs and identity providers state besides.
	reasonWrongPassword: CredentialsReason, reasonUnknownUser: CredentialsReason,
	reasonWrongScheme: ConfigReason, reasonHeaderDropped: ConfigReason, reasonPasswordFile: ConfigReason,
	reasonCookieTooLarge: RequestReason,
	reasonSessionIdle:    ExpiredReason,
	reasonTokenReused:    TokenReason, // OAuth 2.0 Security BCP (RFC 9700), section 4.14: rotation
}

// reasonSigns are parts, in lower case, of texts that servers and libraries write. The
// first that a text contains determines its class, so an unreachable key server comes
// before keys, and expiry before all other faults of a token.
//
// Sources: jsonwebtoken, PyJWT and go-jose (errors of verification), Spring Security
// (BadCredentialsException, LockedException, DisabledException), the messages of
// nginx's auth_basic and auth_request, Apache's mod_auth_basic and mod_authz_core
// (AH01617, AH01618, AH01630), PAM (authentication failure), Envoy's jwt_authn.
var reasonSigns = []struct {
	part  string
	class ReasonClass
}{
	{"timed out", UnavailableReason}, {"timeout", UnavailableReason}, {"unavailable", UnavailableReason}, {"unreachable", UnavailableReason},
	{"connection refused", UnavailableReason}, {"can't contact", UnavailableReason}, {"fetch", UnavailableReason},
	{"expired", ExpiredReason}, {"lifetime", ExpiredReason},
	{"locked", AccountReason}, {"disabled", AccountReason}, {"suspended", AccountReason}, {"deactivated", AccountReason},
	{"jwks", KeyReason}, {"signing key", KeyReason}, {"matching key", KeyReason}, {"public key", KeyReason}, {"signature", KeyReason}, {"kid", KeyReason},
	{"nbf", ClockReason}, {"not yet valid", ClockReason}, {"clock", ClockReason}, {"in the future", ClockReason},
	{"audience", ConfigReason}, {"issuer", ConfigReason}, {"misconfigur", ConfigReason},
	{"invalid_client", ClientReason}, {"client secret", ClientReason}, {"client authentication", ClientReason},
	{"permission", PermissionReason}, {"forbidden", PermissionReason}, {"access denied", PermissionReason}, {"scope", PermissionReason},
	{"not allowed", PermissionReason}, {"denied by server configuration", PermissionReason},
	{"no user/password", MissingReason}, {"missing", MissingReason}, {"not provided", MissingReason}, {"no token", MissingReason},
	{"no credentials", MissingReason}, {"not present", MissingReason}, {"anonymous", MissingReason}, {"not logged in", MissingReason},
	{"password", CredentialsReason}, {"credentials", CredentialsReason}, {"authentication fail", CredentialsReason},
	{"login failed", CredentialsReason}, {"user not found", CredentialsReason}, {"not found", CredentialsReason},
	{"token", TokenReason}, {"jwt", TokenReason}, {"session", TokenReason},
}

// challengeSchemes begin a WWW-Authenticate header, in lower case (IANA, HTTP
// Authentication Scheme Registry).
var challengeSchemes = []string{"basic", "bearer", "digest", "negotiate", "ntlm", "dpop", "hoba", "mutual", "scram-", "vapid", "gnap"}

// ClassOf returns the class of a reason: a word of the vocabulary, or a server's own
// text. A WWW-Authenticate header, which says how to authenticate and not what was
// wrong, has none.
func ClassOf(reason string) ReasonClass {
	if c, ok := classOfReason[reason]; ok {
		return c
	}
	text := []byte(reason)
	for _, s := range challengeSchemes {
		if len(text) >= len(s) && equalLower(text[:len(s)], s) {
			return UnknownReason
		}
	}
	for _, s := range reasonSigns {
		if containsFold(text, s.part) {
			return s.class
		}
	}
	return UnknownReason
}

// IsReason reports whether a reason is a word of the vocabulary, and not a server's
// own text.
func IsReason(reason string) bool {
	_, ok := classOfReason[reason]
	return ok
}
