package privacy

import "bytes"

// pathWords are segments of paths that credentials follow: of links that are sent by mail,
// of webhooks, of requests for a session.
var pathWords = map[string]bool{
	"reset": true, "reset-password": true, "password-reset": true, "reset_password": true, "password_reset": true, "resetpassword": true, "passwordreset": true, "forgot": true,
	"forgot-password": true, "forgot_password": true, "set-password": true, "new-password": true, "recover": true, "recovery": true, "magic": true, "magic-link": true, "magiclink": true, "magic_link": true,
	"invite": true, "invites": true, "invitation": true, "invitations": true, "accept-invite": true, "accept-invitation": true, "join": true, "activate": true, "activation": true,
	"confirm": true, "confirmation": true, "confirm-email": true, "verify": true, "verification": true, "verify-email": true, "unsubscribe": true, "optout": true, "opt-out": true, "preferences": true,
	"token": true, "tokens": true, "secret": true, "secrets": true, "ticket": true, "apikey": true, "api-key": true, "api_key": true, "key": true, "login": true, "signin": true, "auth": true, "sso": true,
	"one-time": true, "onetime": true, "otp": true, "share": true, "shared": true, "signed": true, "session": true, "sessions": true, "accept": true, "revoke": true, "webhook": true, "webhooks": true,
	"hook": true, "hooks": true, "incomingwebhook": true, "webhookb2": true, "incoming": true, "password": true, "passwords": true, "setup": true,
	"services": true, "workflows": true, "triggers": true,
}

// pathWordLengths holds, by their first byte, the lengths of the pathWords, as a set.
var pathWordLengths = func() (set [256]uint64) {
	for word := range pathWords {
		set[word[0]] |= 1 << len(word)
		set[word[0]&^0x20] |= 1 << len(word)
	}
	return set
}()

// followingSegments is how many segments behind such a word may be credentials.
const followingSegments = 4

// afterSlash finds the credentials behind the slash at i: the userinfo of a URL without
// a scheme, and the segments of a path that a word or their shape says to be credentials.
// It returns the end of the last, 0 if there is none.
func (f *finder) afterSlash(i int) int {
	t := f.text
	if i+1 < len(t) && t[i+1] == '/' {
		return f.relativeUserinfo(i)
	}
	end := f.segmentEnd(i + 1)
	word := t[i+1 : end]
	if end == len(t) || t[end] != '/' || len(word) == 0 || len(word) > longestWord || !f.isPathWord(word) {
		return 0
	}
	last := 0
	for range followingSegments {
		start := end + 1
		end = f.segmentEnd(start)
		if segment := t[start:end]; secretSegment(segment) {
			last = f.cut(start, end)
		}
		if end == len(t) || t[end] != '/' {
			break
		}
	}
	return last
}

// isPathWord reports whether a segment is one of pathWords.
func (f *finder) isPathWord(word []byte) bool {
	if pathWordLengths[word[0]]>>len(word)&1 == 0 {
		return false
	}
	var scratch [longestName]byte
	return pathWords[string(lowerName(&scratch, word))]
}

// longestSegment is the longest segment in bytes that is looked at.
const longestSegment = 4 << 10

// segmentEnd returns where the segment of a path that begins at i ends.
func (f *finder) segmentEnd(i int) int {
	for end := min(len(f.text), i+longestSegment); i < end; i++ {
		if endsSegment[f.text[i]] {
			return i
		}
	}
	return i
}

// endsSegment holds the bytes that end a segment of a path.
var endsSegment = classOf(func(c byte) bool { return bytes.IndexByte([]byte("/?# \"'&\t\n<>\\;,="), c) >= 0 })

// secretSegment reports whether a segment behind a path word is a credential: long and
// no words. Files whose names hold a hash of their content are none.
func secretSegment(s []byte) bool {
	switch string(s[max(0, bytes.LastIndexByte(s, '.')):]) {
	case ".js", ".mjs", ".css", ".map", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".ico", ".webp", ".woff", ".woff2", ".ttf":
		return false
	}
	return len(s) >= 8 && looksSecret(s) || LooksLikeKey(s)
}

// relativeUserinfo finds the userinfo of a URL without a scheme whose slashes begin at i.
// It must contain a password, because paths may begin with two slashes as well.
func (f *finder) relativeUserinfo(i int) int {
	start := i + 2
	end := start + userinfo(f.text[start:])
	if bytes.IndexByte(f.text[start:end], ':') < 0 {
		return 0
	}
	return f.cut(start, end)
}

// cookielessSession finds the session id that ASP.NET puts into a path, at i: (S(id)). F
// instead of S is a forms ticket, A that of an anonymous user, X a note that
// the client takes no cookies.
func (f *finder) cookielessSession(i int) int {
	b := f.text
	if i == 0 || b[i-1] != '/' || len(b)-i < len("(S(x))") || b[i+2] != '(' || b[i+1] != 'S' && b[i+1] != 'F' && b[i+1] != 'A' && b[i+1] != 'X' {
		return 0
	}
	n := i + 1
	for n < len(b) && b[n] != '/' && b[n] != ' ' && b[n] != '"' && b[n] != '?' {
		n++
	}
	if b[n-1] != ')' || n-1 <= i+1 || b[n-2] != ')' {
		return 0
	}
	return f.cut(i+1, n-1)
}
