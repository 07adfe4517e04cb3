package events

import (
	"bytes"
	"sync"

	"logscan/parse/field"
)

// rule is what a message of a source means.
type rule struct {
	text    string // a template of the whole message
	outcome Outcome
	reason  string // of the vocabulary of package field
	status  int32  // that the client then gets; 0 if that depends on more
}

// rules returns compiled rules. The first that matches a message counts. No rule has a
// field for the message: that is the text it reads.
type rules func() *compiledRules

type compiledRules struct {
	list  []compiledRule
	leads []byte // by rule: the first byte of first; 0 if that is empty
}

type compiledRule struct {
	rule
	template template
	first    string // begins the messages that may match; empty for any
	bare     bool   // the template is first and a tail: it has no fields
}

// newRules returns rules that are compiled when they are used first: most runs read none of
// these logs.
func newRules(list ...rule) rules {
	return sync.OnceValue(func() *compiledRules {
		c := &compiledRules{make([]compiledRule, len(list)), make([]byte, len(list))}
		for i, r := range list {
			t := newTemplate(r.text)
			x := compiledRule{r, t, t.first(), len(t) == 2 && t[0].kind == literal && t[1].kind == tail}
			if c.list[i] = x; x.first != "" {
				c.leads[i] = x.first[0]
			}
		}
		return c
	})
}

// next returns the index of the next rule from the i-th on that may match a message by how
// it begins, -1 if there is none.
func (c *compiledRules) next(i int, message []byte) int {
	for ; i < len(c.leads); i++ {
		if lead := c.leads[i]; lead == 0 || lead == message[0] && hasPrefix(message, c.list[i].first) {
			return i
		}
	}
	return -1
}

// mayMatch reports whether a message begins as those that a rule matches.
func (rs rules) mayMatch(message []byte) bool { return len(message) > 0 && rs().next(0, message) >= 0 }

// read reads a message of a source into e. It reports whether there is a rule for it.
func (rs rules) read(message []byte, e *Event) bool { return rs.readAs("", message, e) }

// longestMessage exceeds the length of messages in bytes: nginx cuts them after 2 KiB,
// Apache after 8 KiB. The time to match one grows with its length.
const longestMessage = 16 << 10

// readAs is read with the rules for a reason; all if it is empty.
func (rs rules) readAs(reason string, message []byte, e *Event) bool {
	if len(message) == 0 || len(message) > longestMessage {
		return false
	}
	compiled := rs()
	for i := compiled.next(0, message); i >= 0; i = compiled.next(i+1, message) {
		r := &compiled.list[i]
		switch {
		case reason != "" && r.reason != reason:
			continue
		case r.bare:
			if isTail(message[len(r.first):]) {
				e.state(r.outcome, r.reason, r.status)
				return true
			}
			continue
		}
		var c captures
		if !r.template.match(message, &c) {
			continue
		}
		e.state(r.outcome, r.reason, r.status)
		if text := c[slotReason]; len(text) > 0 {
			e.specify(reasonIn(text))
		}
		c.set(e)
		return true
	}
	return false
}

// state stores what an event means.
func (e *Event) state(o Outcome, reason string, status int32) {
	e.Outcome, e.Status = o, status
	if e.Reason = nil; reason != "" {
		e.Reason = e.memory.String(reason)
	}
}

// specify replaces the reason by a more specific one, empty if there is none. Who cannot reach
// what decides has not refused for a reason of the one who asked.
func (e *Event) specify(reason string) {
	if reason == "" {
		return
	}
	if e.Reason = e.memory.String(reason); reason == "identity_provider_down" && e.Outcome == Refused {
		e.Outcome = Failed
	}
}

// sign is a part of a text, in lower case, and the reason that it stands for.
type sign struct{ part, reason string }

// reasonSigns are parts of the texts in which programs say why they refused. The first
// that a text contains counts.
var reasonSigns = []sign{
	{"temporarily_disabled", "account_locked"}, {"temporarily disabled", "account_locked"}, {"locked", "account_locked"}, {"lockout", "account_locked"},
	{"banned", "account_locked"}, {"too many", "account_locked"},
	{"password expired", "password_expired"}, {"password has expired", "password_expired"},
	{"disabled", "account_disabled"}, {"inactive", "account_disabled"}, {"suspended", "account_disabled"}, {"prohibit", "account_disabled"},
	{"account expired", "account_expired"}, {"account has expired", "account_expired"},
	{"username or password", "invalid_credentials"}, {"user name or password", "invalid_credentials"}, {"email or password", "invalid_credentials"}, {"username, password", "invalid_credentials"},
	{"does not exist", "unknown_user"}, {"user not found", "unknown_user"}, {"user_not_found", "unknown_user"}, {"no such user", "unknown_user"}, {"unknown user", "unknown_user"}, {"not registered", "unknown_user"},
	{"second factor", "step_up_required"}, {"otp", "step_up_required"}, {"two-factor", "step_up_required"}, {"2fa", "step_up_required"},
	{"wrong password", "wrong_password"}, {"password is invalid", "wrong_password"}, {"invalid password", "wrong_password"}, {"incorrect password", "wrong_password"}, {"bad password", "wrong_password"}, {"password mismatch", "wrong_password"}, {"password doesn't match", "wrong_password"},
	{"token is expired", "token_expired"}, {"claim expired", "token_expired"}, {"token expired", "token_expired"}, {"session expired", "session_expired"}, {"session has expired", "session_expired"},
	{"token has expired", "token_expired"}, {"signature has expired", "token_expired"}, {"jwt expired", "token_expired"}, {"jwt is expired", "token_expired"}, {"not yet valid", "clock_skew"}, {"not valid yet", "clock_skew"},
	{`"exp" not satisfied`, "token_expired"}, {`"nbf" not satisfied`, "clock_skew"}, {`"iat" not satisfied`, "clock_skew"}, // jwx
	{"invalid_client", "invalid_client"}, {"invalid client", "invalid_client"}, {"client secret", "invalid_client"},
	{"connection refused", "identity_provider_down"}, {"can't contact", "identity_provider_down"}, {"timed out", "identity_provider_down"}, {"timeout", "identity_provider_down"}, {"unreachable", "identity_provider_down"}, {"network error", "identity_provider_down"},
	{"signature", "unknown_key"}, {"csrf", "invalid_request"},
	{"credential", "invalid_credentials"}, {"authentication failure", "invalid_credentials"},
}

// directorySigns are what Active Directory adds to the errors of LDAP: codes of Windows in
// hexadecimal. They say more than what programs write around them.
var directorySigns = []sign{
	{"data 525,", "unknown_user"}, {"data 52e,", "wrong_password"}, {"data 530,", "account_restricted"}, {"data 531,", "account_restricted"}, {"data 532,", "password_expired"},
	{"data 533,", "account_disabled"}, {"data 701,", "account_expired"}, {"data 773,", "password_expired"}, {"data 775,", "account_locked"},
}

// reasonIn returns the reason that a text stands for, empty if it is not recognised. That a
// service cannot be reached is a statement about the site: it does not count where the text
// quotes what a client may have sent, such as the audience of a token or the name of a user.
func reasonIn(text []byte) string {
	if index(text, "LdapErr: ") >= 0 {
		if w := firstSign(directorySigns, text); w != "" {
			return w
		}
	}
	if w, known := field.ReasonOf(text); known && w != "" {
		return w
	}
	w := firstSign(reasonSigns, text)
	if w == "identity_provider_down" {
		var memory [longestText]byte
		w = firstSign(reasonSigns, withoutQuoted(memory[:0], text[:min(len(text), longestText)]))
	}
	return w
}

// withoutQuoted appends text to dst but for what stands in quotes or in brackets. Brackets around
// the whole text, as around a list of errors, do not count.
func withoutQuoted(dst, text []byte) []byte {
	depth, quoted := 0, false
	if len(text) > 0 && text[0] == '[' {
		depth = -1
	}
	for _, c := range text {
		switch c {
		case '"':
			quoted = !quoted
		case '[':
			depth++
		case ']':
			depth = max(depth-1, 0)
		default:
			if !quoted && depth <= 0 {
				dst = append(dst, c)
			}
		}
	}
	return dst
}

// longestText is how much of a text is searched for signs.
const longestText = 512

// firstSign returns the reason of the first sign that a text contains, empty if there is
// none.
func firstSign(signs []sign, text []byte) string {
	var memory [longestText]byte
	low := memory[:copy(memory[:], text)]
	for i, c := range low {
		if c-'A' <= 'Z'-'A' {
			low[i] = c | 0x20
		}
	}
	for i := range signs {
		if index(low, signs[i].part) >= 0 {
			return signs[i].reason
		}
	}
	return ""
}

// cutPrefix is bytes.CutPrefix with a string.
func cutPrefix(b []byte, s string) (rest []byte, ok bool) {
	if !hasPrefix(b, s) {
		return b, false
	}
	return b[len(s):], true
}

// cut is bytes.Cut with a string.
func cut(b []byte, s string) (before, after []byte, ok bool) {
	if i := index(b, s); i >= 0 {
		return b[:i], b[i+len(s):], true
	}
	return b, nil, false
}

// trimBlanks removes blanks around b.
func trimBlanks(b []byte) []byte { return bytes.Trim(b, " \t") }
