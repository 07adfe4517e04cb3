package timeline

import (
	"slices"
	"strings"
)

// method returns a method that is registered (RFC 9110, RFC 5789, WebDAV's RFC
// 4918 and 3253) or common as it is, and "_OTHER" for any other, as OpenTelemetry
// defines http.request.method: forged lines cannot create any number of endpoints.
func method(m []byte) []byte {
	switch string(m) {
	case "", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE",
		"PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH",
		"MERGE", "CHECKOUT", "MKACTIVITY", "VERSION-CONTROL", "QUERY", "PURGE":
		return m
	}
	return otherMethod
}

var otherMethod = []byte("_OTHER")

// signInWords are the usual last segments of sign-in and token routes, in the
// common frameworks and identity providers.
var signInWords = []string{
	"login", "log-in", "log_in", "signin", "sign-in", "sign_in", "logon", "authenticate", "auth", "token",
	"session", "sessions", "j_security_check", "wp-login.php", "login.php", "refresh", "acs",
}

// signIn reports whether a request is an attempt to sign in, or to obtain or renew
// a token.
func signIn(method, template string) bool {
	return method == "POST" && lastSegmentIn(template, signInWords)
}

// signOutWords are the usual last segments of sign-out routes.
var signOutWords = []string{
	"logout", "log-out", "log_out", "signout", "sign-out", "sign_out", "logoff", "logout.php", "revoke",
}

// signOut reports whether a template is a sign-out route.
func signOut(template string) bool { return lastSegmentIn(template, signOutWords) }

func lastSegmentIn(template string, words []string) bool {
	template = strings.TrimRight(template, "/")
	last := template[strings.LastIndexByte(template, '/')+1:]
	return slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(last, w) })
}
