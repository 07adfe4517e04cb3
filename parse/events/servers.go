package events

import (
	"bytes"

	"logscan/parse/scan"
)

// Error logs of servers with few messages about authentication.

var lighttpdRules = newRules(
	rule{`password doesn't match for {uri} username: {user} IP: {client}`, Refused, "wrong_password", 401},
	rule{`get_password failed, IP: {client}`, Refused, "unknown_user", 401},
	rule{`digest: auth failed for {user}: wrong password, IP: {client}`, Refused, "wrong_password", 401},
	rule{`digest: auth failed for {user}:{text}`, Refused, "wrong_password", 401},
	rule{`digest: nonce is stale{text}`, Refused, "stale_nonce", 401},
	rule{`digest: missing field{text}`, Refused, "invalid_request", 400},
)

// lighttpdHeader is the beginning of a line of lighttpd.
var lighttpdHeader = newTemplate(`{time}: ({mark}) {message}`)

// readLighttpd reads "2026-03-09 14:05:00: (mod_auth.c.765) text".
func readLighttpd(line []byte, e *Event) bool {
	var c captures
	if !shaped(line, "0000-00-00 00:00:00: (") || !lighttpdHeader.match(line, &c) || index(c[slotMark], ".c.") < 0 {
		return false
	}
	c.set(e)
	lighttpdRules.read(e.Message, e)
	e.Message = c[slotMessage]
	return true
}

// readCUPS reads "E [09/Mar/2026:14:05:00 +0000] text", with a letter for the level.
func readCUPS(line []byte, e *Event) bool {
	if len(line) < 3 || !shaped(line[1:], " [00/Aaa/0000:00:00:00 ") || bytes.IndexByte([]byte("DdEWINACX"), line[0]) < 0 {
		return false
	}
	stamp, text, ok := cut(line[3:], "] ")
	if ok {
		e.setTime(stamp)
		e.Message = text
		cupsRules.read(text, e)
		e.Message = text
	}
	return true
}

// cupsRules are messages of CUPS's scheduler. Source: OpenPrinting/cups, scheduler/auth.c.
var cupsRules = newRules(
	rule{`[Client {connection}] pam_authenticate() returned {text}`, Refused, "invalid_credentials", 401},
	rule{`[Client {connection}] Authentication failure for user {user}`, Refused, "invalid_credentials", 401},
)

// readPHP reads a line of PHP's error_log, "[09-Mar-2026 14:05:00 UTC] text", or of PHP-FPM's, which
// has no zone and repeats what a child "said into stderr".
func readPHP(line []byte, e *Event) bool {
	const stamp = "[00-Aaa-0000 00:00:00"
	if !shaped(line, stamp) {
		return false
	}
	zone, text, ok := cut(line[len(stamp):], "] ")
	if !ok || len(zone) > longestZone || len(zone) > 0 && zone[0] != ' ' {
		return false
	}
	end := len(stamp)
	if string(zone) == " UTC" {
		end += len(zone)
	}
	e.setTime(line[1:end])
	e.Message = text
	if _, said, ok := cut(text, phpChild); ok && hasPrefix(text, "WARNING: [pool ") {
		text = bytes.TrimPrefix(said, []byte("NOTICE: "))
	}
	e.readScriptMessage(text)
	return true
}

// phpChild is what PHP-FPM writes before what a child has written.
const phpChild = ` said into stderr: "`

// longestZone exceeds the length in bytes of the name of a time zone.
const longestZone = 40

// readGunicorn reads "[2026-03-09 14:05:00 +0000] [7] [INFO] text".
func readGunicorn(line []byte, e *Event) bool {
	if !shaped(line, "[0000-00-00 00:00:00 ") {
		return false
	}
	stamp, rest, _ := cut(line[1:], "] [")
	process, rest, _ := cut(rest, "] [")
	level, text, ok := cut(rest, "] ")
	if !ok || !scan.AllDigits(process) || !letters(level) {
		return false
	}
	e.setTime(stamp)
	e.Message = text
	return true
}
