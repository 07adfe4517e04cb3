package privacy

import "bytes"

// longestName is the longest name of a parameter, cookie or JSON key in bytes:
// it bounds how far back a name is looked for.
const longestName = 96

// nameBefore returns the name that b ends with. class holds the bytes of names.
func nameBefore(b []byte, class *[256]bool) []byte {
	n := len(b)
	for n > 0 && len(b)-n < longestName && class[b[n-1]] {
		n--
	}
	return b[n:]
}

// lowerName writes name to scratch with its ASCII letters in lower case, cut to
// the size of scratch.
func lowerName(scratch *[longestName]byte, name []byte) []byte {
	low := scratch[:copy(scratch[:], name)]
	for i, c := range low {
		if c >= 'A' && c <= 'Z' {
			low[i] = c | 0x20
		}
	}
	return low
}

// secretNames are names whose values are credentials.
var secretNames = map[string]bool{
	"code": true, "pass": true, "pwd": true, "pw": true, "key": true, "sig": true, "auth": true, "sid": true,
	"ticket": true, "otp": true, "tan": true, "mfa": true, "passcode": true, "passphrase": true, "pswd": true, "pword": true,
	"csrf": true, "xsrf": true, "cookie": true, "sess": true, "zenid": true, "oscsid": true, "cfid": true, "nonce": true, "_wpnonce": true,
	"device_code": true, "user_code": true, "auth_code": true, "authcode": true, "authorization_code": true, "verification_code": true,
	"activation_code": true, "code_verifier": true, "subscription-key": true, "x-functions-key": true, "appkey": true, "app_key": true,
	"app-key": true, "skey": true, "ukey": true, "samlart": true,
	"openid.sig": true, "cnonce": true, "x-amz-credential": true, "awsaccesskeyid": true, "hdnts": true, "hdnea": true, "totp": true, "pin": true, "hash": true, "hmac": true, "assertion": true, "samlresponse": true,
	"reset": true, "invite": true, "magic": true, "credential": true,
}

// secretParts mark a name that contains one of them as that of a credential.
var secretParts = [][]byte{
	[]byte("token"), []byte("secret"), []byte("passw"), []byte("session"), []byte("sessid"), []byte("jwt"), []byte("signature"),
	[]byte("apikey"), []byte("api_key"), []byte("api-key"), []byte("accesskey"), []byte("access_key"), []byte("credential"),
	[]byte("authorization"), []byte("authkey"), []byte("csrf"), []byte("xsrf"), []byte("aspsession"), []byte("auth_key"), []byte("private"), []byte("bearer"), []byte("oauth2_proxy"),
}

// secretName reports whether a name is that of a credential. Of name[part]
// either may be.
func secretName(name []byte) bool {
	if len(name) == 0 {
		return false
	}
	var scratch [longestName]byte
	low := lowerName(&scratch, name)
	for _, part := range secretParts {
		if bytes.Contains(low, part) {
			return true
		}
	}
	if i := bytes.IndexByte(low, '['); i > 0 {
		if secretNames[string(low[:i])] || secretNames[string(bytes.TrimSuffix(low[i+1:], []byte("]")))] {
			return true
		}
	}
	if secretNames[string(low)] {
		return true
	}
	// The last word of a compound: user_pass, app.sid, x-auth.
	if i := bytes.LastIndexAny(low, "_-."); i >= 0 {
		switch string(low[i+1:]) {
		case "pass", "pwd", "sid", "sig", "otp", "auth":
			return true
		}
	}
	return false
}

// userNames are names of parameters and JSON keys whose value is a user.
var userNames = map[string]bool{
	"user": true, "username": true, "user_name": true, "user-name": true, "user.name": true, "userid": true, "user_id": true, "user-id": true, "user.id": true,
	"uid": true, "uname": true, "login": true, "login_name": true, "loginname": true, "loginid": true, "login_id": true, "login_hint": true,
	"email": true, "e-mail": true, "mail": true, "emailaddress": true, "email_address": true, "mailaddress": true,
	"account": true, "account_name": true, "accountname": true, "nick": true, "nickname": true, "principal": true, "preferred_username": true,
	"upn": true, "samaccountname": true, "sub": true, "subject": true, "screen_name": true, "remoteuser": true, "enduser": true, "member": true,
}

// userName reports whether the value of a parameter or JSON key of this name is
// a user: it is one of userNames or ends in such a word after a separator, as
// in customer_email and user[login].
func userName(name []byte) bool {
	name = bytes.TrimRight(name, "]")
	if len(name) == 0 {
		return false
	}
	var scratch [longestName]byte
	low := lowerName(&scratch, name)
	if userNames[string(low)] {
		return true
	}
	if i := bytes.LastIndexAny(low, "_-.["); i >= 0 {
		switch string(low[i+1:]) {
		case "user", "username", "userid", "login", "email", "mail", "upn":
			return true
		}
	}
	return false
}
