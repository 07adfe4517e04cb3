package infer

import (
	"bytes"

	"logscan/parse/field"
	"logscan/parse/privacy"
)

// A session id in a column that no name explains shows itself: it looks like a key, its
// client sends it again, and no other client does.
//
// What looks alike is not taken for one: an id of each request never comes again; one of
// a trace comes again while a page loads, not later; a container, an ETag or a build
// belongs to no client; an ETag of what only one user sees belongs to a path; users, countries, addresses and states of a cache do not look
// like keys. The id of a TLS session comes again with its client, too, and only has a
// length of its own: 64 hexadecimal digits are never taken. The id of a browser, which a
// cookie for visitors holds, cannot be told from that of a session that lasts, and serves
// as well; nor can the id of a user that looks like a key, unless it has a name; of two columns the one with more ids is taken, since browsers have several
// sessions. What a sample of a few seconds cannot show is left unknown.

// Use is the use of a value by a request.
type Use struct {
	Time   int64  // Unix microseconds
	Client string // address
	Agent  string // user agent; empty if there is none
	Path   string
	Value  []byte // empty if the request has none
}

// client is an address and a user agent.
type client struct{ address, agent string }

func (u *Use) client() client { return client{u.Client, u.Agent} }

const (
	// pageLoad is the time in microseconds within which the requests of a page, which
	// can share a trace, follow each other.
	pageLoad = 5e6
	// fewestLoyal is how many clients must send their value again: if there are fewer,
	// they may be told apart by the server that each of them is bound to.
	fewestLoyal = 4
	// roaming is how many addresses a session may have within a sample: that of a
	// network and that of another.
	roaming = 2
)

// tlsDigits is the length of the id of a TLS session: 32 bytes (RFC 8446, section 4.1.2),
// in hexadecimal.
const tlsDigits = 64

// LooksLikeSession reports whether a value has the shape of a session id.
func LooksLikeSession(b []byte) bool {
	return !bytes.ContainsAny(b, " \t\"',;<>[]()") && privacy.LooksLikeKey(b) && !IsAddress(b) && !(len(b) == tlsDigits && isHex(b)) && !bytes.Contains(b, []byte("://"))
}

func isHex(b []byte) bool { return len(bytes.Trim(b, "0123456789abcdefABCDEF")) == 0 }

// holder is what is known of a value.
type holder struct {
	first     int64
	agent     string
	addresses []string // up to roaming
	path      string   // of the first request
	several   bool     // so are other paths
	repeated  bool
	foreign   bool // several programs use it, or too many addresses
}

// see notes another use of the value.
func (h *holder) see(u *Use) {
	h.repeated = true
	h.foreign = h.foreign || u.Agent != h.agent
	h.several = h.several || u.Path != h.path
	for _, a := range h.addresses {
		if a == u.Client {
			return
		}
	}
	if len(h.addresses) == roaming {
		h.foreign = true
		return
	}
	h.addresses = append(h.addresses, u.Client)
}

// visitor is a client with values.
type visitor struct {
	first int64
	again bool // it sends a value after its first page
	loyal bool // it sends one again
	path  string
	roams bool // it sends values with several paths
	wide  bool // and one of them with several
}

// severalEach is how many values the clients of sessions use for each of them, at least: an
// account is used from several clients rather than a client by several accounts.
const severalEach = 1.25

// SeveralEach reports whether the clients of requests use several values each, one after the
// other, as browsers do with session ids and people do not with the names of accounts.
func SeveralEach(uses []Use) bool {
	values, last, changed := map[string]bool{}, map[client]string{}, map[client]bool{}
	for i := range uses {
		u, c := &uses[i], uses[i].client()
		if field.Missing(u.Value) {
			continue
		}
		value := string(u.Value)
		before, seen := last[c]
		changed[c] = changed[c] || seen && before != value && !values[value]
		values[value], last[c] = true, value
	}
	several := 0
	for _, is := range changed {
		if is {
			several++
		}
	}
	return several >= fewestLoyal && float64(len(values)) >= severalEach*float64(len(last))
}

// Sessions returns how many values the requests use if these are session ids, 0 if they
// are not, or the requests cannot show it.
func Sessions(uses []Use) int {
	holders, visitors := map[string]*holder{}, map[client]*visitor{}
	var values [][]byte
	for i := range uses {
		u := &uses[i]
		if field.Missing(u.Value) {
			continue
		}
		values = append(values, u.Value)
		h := holders[string(u.Value)]
		if h == nil {
			h = &holder{first: u.Time, agent: u.Agent, addresses: []string{u.Client}, path: u.Path}
			holders[string(u.Value)] = h
		} else {
			h.see(u)
		}
		c := u.client()
		v := visitors[c]
		if v == nil {
			v = &visitor{first: u.Time, path: u.Path}
			visitors[c] = v
		}
		v.again = v.again || u.Time-v.first >= pageLoad
		v.loyal = v.loyal || u.Time-h.first >= pageLoad
		v.roams = v.roams || u.Path != v.path
		v.wide = v.wide || h.several
	}
	again, loyal, roaming, wide := 0, 0, 0, 0
	count := func(n *int, is bool) {
		if is {
			*n++
		}
	}
	for _, v := range visitors {
		count(&again, v.again)
		count(&loyal, v.again && v.loyal)
		count(&roaming, v.loyal && v.roams)
		count(&wide, v.loyal && v.roams && v.wide)
	}
	repeated, foreign := 0, 0
	for _, h := range holders {
		count(&repeated, h.repeated)
		count(&foreign, h.foreign)
	}
	switch {
	case !Nearly(values, LooksLikeSession), loyal < fewestLoyal, 2*loyal < again, 2*wide < roaming,
		float64(foreign) > (1-nearly)*float64(repeated):
		return 0
	}
	return len(holders)
}
