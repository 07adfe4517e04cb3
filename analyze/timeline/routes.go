package timeline

import (
	"bytes"
	"slices"
	"strings"
)

// method returns a method that is registered (RFC 9110, RFC 5789, WebDAV's RFC
// 4918 and 3253) or common as it is, the one that a verb of Kubernetes' audit log stands
// for, and "_OTHER" for any other, as OpenTelemetry defines http.request.method: forged
// lines cannot create any number of endpoints.
func method(m []byte) []byte {
	switch string(m) {
	case "", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE",
		"PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH",
		"MERGE", "CHECKOUT", "MKACTIVITY", "VERSION-CONTROL", "QUERY", "PURGE":
		return m
	case "get", "list", "watch":
		return getMethod
	case "create":
		return postMethod
	case "update":
		return putMethod
	case "patch":
		return patchMethod
	case "delete", "deletecollection":
		return deleteMethod
	}
	return otherMethod
}

var (
	getMethod    = []byte("GET")
	postMethod   = []byte("POST")
	putMethod    = []byte("PUT")
	patchMethod  = []byte("PATCH")
	deleteMethod = []byte("DELETE")
	otherMethod  = []byte("_OTHER")
)

// Names are a prior only: what a route does is learnt from what follows its requests;
// see package session.

// signInWords are the usual last segments of sign-in and token routes, in the common
// frameworks and identity providers.
var signInWords = []string{"auth", "token", "tokens", "session", "sessions", "acs", "firstfactor"}

// tokenWords are those of them that the endpoint for new and renewed tokens has.
var tokenWords = []string{"token", "tokens"}

// signInParts are words that the last segment of nothing but a sign-in contains:
// LogOn.aspx, wp-login.php, AuthenticateByName, j_security_check.
var signInParts = []string{"login", "log-in", "log_in", "logon", "signin", "sign-in", "sign_in", "authenticate", "security_check"}

// renewParts are words in last segments of routes that renew a session or token.
var renewParts = []string{"refresh", "renew", "rotate"}

// signOutWords are the usual last segments of sign-out routes.
var signOutWords = []string{"logout", "log-out", "log_out", "signout", "sign-out", "sign_out", "logoff", "revoke"}

// grants reports whether a request that succeeds begins a session or token, by its
// name: a new one or a renewed one.
func grants(method, template string) bool { return signIn(method, template) || renew(method, template) }

// signIn reports whether a request is an attempt to sign in or to obtain a token.
func signIn(method, template string) bool { return method == "POST" && NamesSignIn(template) }

// NamesSignIn reports whether a route has the name of a sign-in.
func NamesSignIn(template string) bool {
	last := lastName(template)
	return isAny(last, signInWords) || hasWord(last, signInParts) && !hasWord(last, renewParts) || createsSession(template, last)
}

// createVerbs are the usual names of methods of gRPC that create something.
var createVerbs = []string{"create", "issue", "new", "start", "open"}

// createsSession reports whether a route is a method of gRPC, /package.Service/Method, that
// creates a session or token, by its name or that of its service.
func createsSession(template, method string) bool {
	service := strings.TrimSuffix(template[:max(0, len(template)-len(method))], "/")
	service = service[strings.LastIndexByte(service, '/')+1:]
	dot := strings.LastIndexByte(service, '.')
	if dot < 0 {
		return false
	}
	for _, verb := range createVerbs {
		if len(method) >= len(verb) && strings.EqualFold(method[:len(verb)], verb) {
			created := method[len(verb):]
			return isAny(created, signInWords) || created == "" && isAny(strings.TrimSuffix(service[dot+1:], "Service"), signInWords)
		}
	}
	return false
}

// bringsTicket reports whether a query has what an identity provider gives a browser for the
// site: the code and the state of OAuth 2.0 (RFC 6749, section 4.1.2), or a ticket of CAS
// (CAS protocol 3.0, section 3.1).
func bringsTicket(query []byte) bool {
	code, state := false, false
	for len(query) > 0 {
		var field []byte
		field, query, _ = bytes.Cut(query, ampersand)
		name, value, _ := bytes.Cut(field, equals)
		switch string(name) {
		case "code":
			code = code || len(value) > 0
		case "state":
			state = true
		case "ticket":
			if bytes.HasPrefix(value, serviceTicket) {
				return true
			}
		}
	}
	return code && state
}

var ampersand, equals, serviceTicket = []byte("&"), []byte("="), []byte("ST-")

// renew reports whether a request is an attempt to renew a session or token.
func renew(method, template string) bool {
	return (method == "POST" || method == "PUT") && hasWord(lastName(template), renewParts)
}

// signOut reports whether a template is a sign-out route.
func signOut(template string) bool { return isAny(lastName(template), signOutWords) }

// lastName returns the last segment of a template without an extension.
func lastName(template string) string {
	template = strings.TrimRight(template, "/")
	last := template[strings.LastIndexByte(template, '/')+1:]
	if dot := strings.LastIndexByte(last, '.'); dot > 0 {
		last = last[:dot]
	}
	return last
}

func isAny(name string, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(name, w) })
}

// hasWord reports whether one of the words begins in a name where a word may begin: at
// its start, after a character that is no letter, or at a capital after a small letter.
func hasWord(name string, words []string) bool {
	for i := range len(name) {
		begins := i == 0 || !isLetter(name[i-1]) || name[i] < 'a' && name[i-1] >= 'a'
		if begins && slices.ContainsFunc(words, func(w string) bool { return len(name)-i >= len(w) && strings.EqualFold(name[i:i+len(w)], w) }) {
			return true
		}
	}
	return false
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
