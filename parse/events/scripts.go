package events

import "bytes"

// scriptRules are messages that applications write to the log of their server, by PHP's
// error_log or the standard error of a script.
var scriptRules = newRules(
	rule{`Failed login for {user} from {client}`, Refused, "invalid_credentials", 0}, // before the next
	rule{`Failed login for {user}`, Refused, "invalid_credentials", 0},               // BookStack
	rule{`user (name stripped-out) authentication failure for Baikal`, Refused, "invalid_credentials", 401},
	rule{`user {user} authentication failure for Baikal`, Refused, "invalid_credentials", 401},
	rule{`FreshRSS: Password mismatch for user={user}`, Refused, "wrong_password", 401},
	// plugins of WordPress
	rule{`Authentication failure for {user} from {client}`, Refused, "invalid_credentials", 0},
	rule{`Authentication attempt for unknown user {user} from {client}`, Refused, "unknown_user", 0},
	rule{`Blocked authentication attempt for {user} from {client}`, Refused, "account_locked", 0},
	rule{`XML-RPC authentication failure for {user} from {client}`, Refused, "invalid_credentials", 0},
	rule{`Accepted password for {user} from {client}`, Accepted, "", 0},
	rule{`user denied: {user} (mysql-denied) from {client}`, Refused, "invalid_credentials", 0}, // phpMyAdmin
	rule{`user denied: {user} (allow-denied) from {client}`, Refused, "acl_denied", 0},
	rule{`user denied: {user} (root-denied) from {client}`, Refused, "acl_denied", 0},
	rule{`user authenticated: {user} from {client}`, Accepted, "", 0},
	rule{`{digits} [{word}] SimpleSAML\Error\Exception: Received an assertion that has expired. {text}`, Refused, "clock_skew", 500},
	rule{`{digits} [{word}] SimpleSAML\Error\Exception: Received an assertion that is valid in the future. {text}`, Refused, "clock_skew", 500},
)

// readScriptMessage reads a message of a script, which may be in the quotes of its server.
func (e *Event) readScriptMessage(text []byte) {
	if i := bytes.LastIndexAny(text, `"'`); i >= 0 && i == len(text)-1 || i > 0 && hasPrefix(text[i+1:], " while ") {
		text = text[:i]
	}
	if rest, ok := cutPrefix(text, "PHP message: "); ok {
		text = rest
	}
	message, client, port := e.Message, e.Client, e.Port
	scriptRules.read(trimBlanks(text), e)
	if e.Message = message; len(client) > 0 {
		e.Client, e.Port = client, port // the server's own word is more certain
	}
}
