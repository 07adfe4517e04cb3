package timeline

import "bytes"

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
var signInWords = [][]byte{
	[]byte("login"), []byte("log-in"), []byte("log_in"), []byte("signin"), []byte("sign-in"), []byte("sign_in"),
	[]byte("logon"), []byte("authenticate"), []byte("auth"), []byte("token"), []byte("session"), []byte("sessions"),
	[]byte("j_security_check"), []byte("wp-login.php"), []byte("login.php"), []byte("refresh"), []byte("acs"),
}

// signIn reports whether a request is an attempt to sign in, or to obtain or renew
// a token.
func signIn(meth, template []byte) bool {
	return string(meth) == "POST" && lastSegmentIn(template, signInWords)
}

// signOutWords are the usual last segments of sign-out routes.
var signOutWords = [][]byte{
	[]byte("logout"), []byte("log-out"), []byte("log_out"), []byte("signout"), []byte("sign-out"), []byte("sign_out"),
	[]byte("logoff"), []byte("logout.php"), []byte("revoke"),
}

// signOut reports whether a template is a sign-out route.
func signOut(template []byte) bool { return lastSegmentIn(template, signOutWords) }

func lastSegmentIn(template []byte, words [][]byte) bool {
	template = bytes.TrimRight(template, "/")
	last := template[bytes.LastIndexByte(template, '/')+1:]
	for _, w := range words {
		if bytes.EqualFold(last, w) {
			return true
		}
	}
	return false
}
