package pseudonym

import (
	"bytes"
	"hash"
	"net/netip"

	"logscan/parse/redact"
	"logscan/parse/redact/view"
)

// Options say what is to become of names. The zero value leaves them.
type Options struct {
	// Key makes pseudonyms of users, addresses and session ids, and of what
	// looks like a user or an address in any text.
	Key *Key
	// Emails makes every e-mail address in a text {email}. Who is named as the
	// user of a request stays, unless there is a Key.
	Emails bool
	// Seen, where it is set, is told whose a pseudonym is whenever one is made of
	// a field, perhaps many times. It is called by many goroutines, and must keep
	// neither value.
	Seen func(k Kind, name, pseudonym []byte)
}

// Kind is what a name is a name of.
type Kind uint8

// The kinds.
const (
	User Kind = iota
	Address
)

// Mask puts pseudonyms in place, line by line. It belongs to one goroutine; what
// it gives is valid until the next Line.
type Mask struct {
	Options
	mac hash.Hash

	users, addresses, sessions cache

	own     []own     // names of the line at hand
	keep    [2][]byte // addresses of servers in it, which stay
	client  []byte    // canonical address in it, which never stays
	session []byte
	spans   []span
	clean   []byte // scratch: a text without credentials
	buf     []byte // what was given for the line at hand
}

// NewMask makes a mask, nil where the options want nothing.
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

// cache remembers pseudonyms: most lines name whom a line before has named.
type cache map[string][]byte

const (
	maxCached    = 1 << 16 // names
	longestCache = 256     // bytes of a name: with it the memory that strangers can fill is bounded
)

// own is a name that the line at hand has in a field of its own, and what stands
// for it.
type own struct {
	name []byte
	kind Kind
	full []byte // whose pseudonym it gets: CORP\jane where name is jane
}

// shortName is a name of fewer bytes, that is part of too many other words: it
// is replaced only where it stands between separators.
const shortName = 3

// Line begins a line. What it is told is what the line says, and must stay valid
// as long as the line is at hand: the user, the addresses of the client and its
// peer, the session id, and the host and backend, whose addresses are no
// person's.
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
	for _, o := range m.own { // a name with an escape in it, as it shows in a view
		if v := view.Of(o.name); v.Decoded() && len(v.Text) > 0 {
			m.own = append(m.own, own{v.Text, o.kind, o.full})
		}
	}
}

// Also names a client of the line, such as those that X-Forwarded-For lists: a host
// name, or whatever else is no address, since those are known
// wherever they stand.
func (m *Mask) Also(client []byte) {
	if m.Key == nil || len(client) == 0 || client[len(client)-1] == ':' || len(m.own) >= maxOwn { // unix: is nobody
		return
	}
	if _, n := addressAt(client, 0); n == 0 {
		m.own = append(m.own, own{client, Address, client})
	}
}

// maxOwn names of a line are looked for in it: a list of thousands must not make
// it slow.
const maxOwn = 16

// LoggedSession is the session id of the line at hand as it was logged: a
// credential.
func (m *Mask) LoggedSession() []byte { return m.session }

// User gives the pseudonym of a user, the name itself where there is no key.
func (m *Mask) User(name []byte) []byte {
	if m.Key == nil || len(name) == 0 {
		return name
	}
	return m.made(m.users, name, userPrefix, userDomain, User)
}

// Address gives the pseudonym of an address in its canonical spelling (RFC 5952,
// IPv4 in IPv6 as IPv4), or of whatever else names a client, such as a host.
func (m *Mask) Address(a []byte) []byte {
	if m.Key == nil || len(a) == 0 {
		return a
	}
	return m.made(m.addresses, a, addressPrefix, addressDomain, Address)
}

func (m *Mask) made(c cache, name []byte, prefix, domain string, k Kind) []byte {
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

// Session gives what stands for a session id: its HMAC in hexadecimal.
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

func (c cache) put(name, p []byte) {
	if len(c) >= maxCached {
		clear(c)
	}
	if len(name) <= longestCache {
		c[string(name)] = p
	}
}

// Text gives b without names: those of the line at hand, addresses and e-mail
// addresses, and the values of parameters and JSON keys that name a user. Where
// anything is to be replaced credentials are taken out first, so that no
// pseudonym breaks apart what package redact knows them by.
func (m *Mask) Text(b []byte) []byte { return m.text(b, true) }

// Agent gives a user agent as Text does, but leaves the names of the line: a
// program often has the name of its software.
func (m *Mask) Agent(b []byte) []byte { return m.text(b, false) }

func (m *Mask) text(b []byte, own bool) []byte {
	if len(b) == 0 || len(m.find(b, own)) == 0 {
		return b
	}
	m.clean = redact.Append(m.clean[:0], b)
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
		m.clean = nil // a line of a MiB must not pin its size for ever
	}
	return m.buf[start:len(m.buf):len(m.buf)]
}

// keptScratch is the most bytes of scratch that are kept from text to text.
const keptScratch = 64 << 10

// address gives the pseudonym of an address that stands in a text.
func (m *Mask) address(a netip.Addr) []byte {
	var scratch [64]byte
	return m.Address(a.Unmap().WithZone("").AppendTo(scratch[:0]))
}
