package events

import (
	"bytes"
	"time"
)

// Read parses a line of the log into e. It reports false if the line is not one of the
// log. This is the smallest version of the readers: nginx's error log, and Apache's in
// its default format.
func (l *Log) Read(line []byte, e *Event) bool {
	e.Reset()
	switch l.Name {
	case "nginx-error":
		return nginx(line) && readNginx(line, e)
	case "apache-error":
		return apache(line) && readApache(line, e)
	}
	return l.Is(line)
}

func readNginx(line []byte, e *Event) bool {
	t, err := time.Parse("2006/01/02 15:04:05", string(line[:19]))
	if err != nil {
		return false
	}
	e.Time, e.Local, e.Resolution = t.UnixMicro(), true, 1e6
	text := line
	if i := bytes.Index(text, []byte(": *")); i >= 0 {
		e.Connection, text, _ = bytes.Cut(text[i+3:], []byte(" "))
	}
	if i := bytes.LastIndex(text, []byte(", client: ")); i >= 0 {
		rest := text[i+len(", client: "):]
		e.Message, text = text[:i], rest
		e.Client, _, _ = bytes.Cut(rest, []byte(","))
		if line, ok := interimQuoted(rest, `, request: "`); ok {
			e.Method, line, _ = bytes.Cut(line, []byte(" "))
			e.Target, _, _ = bytes.Cut(line, []byte(" "))
		}
		e.Host, _ = interimQuoted(rest, `, host: "`)
	}
	m := e.Message
	switch user, named := interimQuoted(m, `user "`); {
	case bytes.Contains(m, []byte("no user/password was provided")):
		e.Outcome, e.Reason, e.Status = Refused, []byte("no_credentials"), 401
	case named && (bytes.Contains(m, []byte(": password mismatch")) || bytes.Contains(m, []byte("was not found in"))):
		e.Outcome, e.Reason, e.User, e.Status = Refused, []byte("invalid_credentials"), user, 401
	case bytes.Contains(m, []byte("auth request unexpected status")):
		e.Outcome, e.Reason, e.Status = Failed, []byte("identity_provider_down"), 500
	case bytes.Contains(m, []byte("token was not provided")):
		e.Outcome, e.Reason, e.Status = Refused, []byte("no_credentials"), 401
	case bytes.Contains(m, []byte("token expired")):
		e.Outcome, e.Reason, e.Status = Refused, []byte("token_expired"), 401
	}
	return true
}

func readApache(line []byte, e *Event) bool {
	stamp, rest, _ := bytes.Cut(line[1:], []byte("] "))
	t, err := time.Parse("Mon Jan 02 15:04:05.999999 2006", string(stamp))
	if err != nil {
		return false
	}
	e.Time, e.Local, e.Resolution = t.UnixMicro(), true, 1
	if _, peer, ok := bytes.Cut(rest, []byte("[client ")); ok {
		peer, message, _ := bytes.Cut(peer, []byte("] "))
		e.Message = message
		if i := bytes.LastIndexByte(peer, ':'); i >= 0 {
			e.Client, e.Port = peer[:i], peer[i+1:]
		}
	}
	if i := bytes.Index(rest, []byte("AH")); i >= 0 && len(rest) >= i+7 {
		e.Code = rest[i : i+7]
	}
	_, message, _ := bytes.Cut(e.Message, []byte(": "))
	switch string(e.Code) {
	case "AH01617":
		e.Outcome, e.Reason, e.Status = Refused, []byte("invalid_credentials"), 401
		_, user, _ := bytes.Cut(message, []byte("user "))
		e.User, _, _ = bytes.Cut(user, []byte(": "))
		e.Target, _ = interimQuoted(message, `failure for "`)
	case "AH01618":
		e.Outcome, e.Reason, e.Status = Refused, []byte("invalid_credentials"), 401
		user, target, _ := bytes.Cut(bytes.TrimPrefix(message, []byte("user ")), []byte(" not found: "))
		e.User, e.Target = user, target
	case "AH01615":
		e.Outcome, e.Reason, e.Status = Failed, []byte("config"), 500
		_, e.Target, _ = bytes.Cut(message, []byte("need AuthName: "))
	}
	return true
}

// interimQuoted returns the text after a part, up to the next quote.
func interimQuoted(b []byte, after string) (text []byte, ok bool) {
	_, rest, ok := bytes.Cut(b, []byte(after))
	text, _, closed := bytes.Cut(rest, []byte(`"`))
	return text, ok && closed
}
