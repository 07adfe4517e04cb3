package privacy

import (
	"bytes"
	"hash"
	"net/netip"
)

// Options selects what a Mask replaces. The zero value replaces nothing.
type Options struct {
	// Key makes pseudonyms of users, addresses and session ids, and of what looks like a
	// user or an address in any text. Without one they stay.
	Key *Key
	// Emails replaces every e-mail address in a text by {email}. The user of a request
	// stays unless there is a Key.
	Emails bool
	// Seen, if set, is called with each pseudonym of a field and the name it stands
	// for, possibly several times. Masks of several goroutines call it at the same time. It
	// must keep neither slice.
	Seen func(k Kind, name, pseudonym []byte)
}

// Kind is what a name names.
type Kind uint8

// The kinds.
const (
	User Kind = iota
	Address
)

// Mask replaces names by pseudonyms, line by line. It belongs to one goroutine. What its
// methods return is valid until the next call of Line.
type Mask struct {
	Options
	mac hash.Hash

	users, addresses, sessions cache

	own     []own     // names in the current line
	keep    [2][]byte // its host and upstream: their addresses stay
	client  []byte    // its client's canonical address, which never stays
	session []byte
	spans   []span // see find
	clean   []byte // scratch: a text without credentials
	buf     []byte // texts returned for the current line
}

// NewMask returns a mask, or nil if the options replace nothing.
func (o Options) NewMask() *Mask {
	if o.Key == nil && !o.Emails {
		return nil
	}
	m := &Mask{Options: o, users: cache{}, addresses: cache{}, sessions: cache{}}
	if o.Key != nil {
		m.mac = o.Key.mac()
	}
	return m
}

// cache holds pseudonyms by name: most lines repeat a name of an earlier line.
type cache map[string][]byte

const (
	maxCached    = 1 << 16 // entries
	longestCache = 256     // bytes of a name; with maxCached it bounds the memory that clients can fill
)

// own is a name from a field of the current line, and what its pseudonym is pseudonym of.
type own struct {
	name []byte
	kind Kind
	full []byte // the full name, such as CORP\jane if name is jane
}

// shortName is the size in bytes from which a name counts anywhere in a text. Shorter names
// are part of too many words, and are replaced only between separators.
const shortName = 3

// Line begins a line: its user, the addresses of its client and peer, its session id, and
// its host and upstream, whose addresses are no person's. The slices must stay valid until
// the next line.
func (m *Mask) Line(user, client, peer, session, host, upstream []byte) {
	m.own, m.buf = m.own[:0], m.buf[:0]
	m.keep, m.client, m.session = [2][]byte{host, upstream}, client, session
	if m.Key == nil {
		return
	}
	if len(user) > 0 {
		m.own = append(m.own, own{user, User, user})
		if i := bytes.LastIndexByte(user, '\\'); i > 0 && len(user)-i-1 >= shortName {
			m.own = append(m.own, own{user[i+1:], User, user})
		}
		if i := bytes.IndexByte(user, '@'); i >= shortName {
			m.own = append(m.own, own{user[:i], User, user})
		}
	}
	for _, a := range [...][]byte{client, peer} {
		m.Also(a)
	}
	for _, o := range m.own { // a name with escapes, as a view shows it
		if v := viewOf(o.name); v.decoded() && len(v.text) > 0 {
			m.own = append(m.own, own{v.text, o.kind, o.full})
		}
	}
}

// Also adds a client of the line, such as those that X-Forwarded-For lists. Only host names
// and the like need it: addresses are recognised in any text.
func (m *Mask) Also(client []byte) {
	if m.Key == nil || len(client) == 0 || client[len(client)-1] == ':' || len(m.own) >= maxOwn { // "unix:" names nobody
		return
	}
	if _, n := addressAt(client, 0); n == 0 {
		m.own = append(m.own, own{client, Address, client})
	}
}

// maxOwn is how many names of a line are looked for in its texts: a list of thousands must
// not slow it down.
const maxOwn = 16

// LoggedSession returns the session id of the current line as it was logged, which is a
// credential.
func (m *Mask) LoggedSession() []byte { return m.session }

// User returns the pseudonym of a user, or the name itself if there is no key.
func (m *Mask) User(name []byte) []byte {
	if m.Key == nil || len(name) == 0 {
		return name
	}
	return m.pseudonym(m.users, name, userPrefix, userDomain, User)
}

// Address returns the pseudonym of an address in its canonical spelling (RFC 5952, IPv4 in
// IPv6 as IPv4), or of anything else that names a client, such as a host name.
func (m *Mask) Address(a []byte) []byte {
	if m.Key == nil || len(a) == 0 {
		return a
	}
	return m.pseudonym(m.addresses, a, addressPrefix, addressDomain, Address)
}

// pseudonym returns the pseudonym of name, from the cache if it is there.
func (m *Mask) pseudonym(c cache, name []byte, prefix, domain string, k Kind) []byte {
	if p, ok := c[string(name)]; ok {
		return p
	}
	p := appendSum(append(make([]byte, 0, len(prefix)+digits), prefix...), m.mac, domain, name, digits)
	if m.Seen != nil {
		m.Seen(k, name, p)
	}
	c.put(name, p)
	return p
}

// Session returns the pseudonym of a session id: its HMAC in hexadecimal.
func (m *Mask) Session(id []byte) []byte {
	if m.Key == nil || len(id) == 0 {
		return id
	}
	if p, ok := m.sessions[string(id)]; ok {
		return p
	}
	p := appendSum(nil, m.mac, sessionDomain, id, 2*digits)
	m.sessions.put(id, p)
	return p
}

// put adds a pseudonym. A full cache starts again from empty.
func (c cache) put(name, p []byte) {
	if len(c) >= maxCached {
		clear(c)
	}
	if len(name) <= longestCache {
		c[string(name)] = p
	}
}

// Text returns b without names: those of the current line, addresses and e-mail addresses,
// and the values of parameters and JSON keys that name a user. If anything is replaced,
// credentials are redacted first, because a pseudonym could break apart what Redact
// recognises them by.
func (m *Mask) Text(b []byte) []byte { return m.text(b, true) }

// Agent is Text for a user agent. It keeps the names of the line, because programs are
// often named like the software a user signs in with.
func (m *Mask) Agent(b []byte) []byte { return m.text(b, false) }

func (m *Mask) text(b []byte, own bool) []byte {
	if len(b) == 0 || len(m.find(b, own)) == 0 {
		return b
	}
	m.clean = Redact(m.clean[:0], b)
	spans := m.find(m.clean, own)
	if cap(m.buf)-len(m.buf) < len(m.clean)+len(spans)*(len(userPrefix)+digits) {
		m.buf = make([]byte, 0, 2*(len(m.clean)+len(spans)*(len(userPrefix)+digits))+1024)
	}
	start, from := len(m.buf), 0
	for _, s := range spans {
		m.buf = append(append(m.buf, m.clean[from:s.start]...), s.with...)
		from = s.end
	}
	m.buf = append(m.buf, m.clean[from:]...)
	if cap(m.clean) > keptScratch {
		m.clean = nil // a line of a MiB must not pin that much for ever
	}
	return m.buf[start:len(m.buf):len(m.buf)]
}

// keptScratch is the largest scratch in bytes that is kept for the next text.
const keptScratch = 64 << 10

// address returns the pseudonym of an address found in a text.
func (m *Mask) address(a netip.Addr) []byte {
	var scratch [64]byte
	return m.Address(a.Unmap().WithZone("").AppendTo(scratch[:0]))
}
