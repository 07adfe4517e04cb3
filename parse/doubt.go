package parse

import (
	"bytes"
	"slices"

	"logscan/parse/field"
	"logscan/parse/infer"
)

// A format string says where a field is, not what is in it. A line of another format
// may have the same blanks and quotes, so that a host is read as a client, or an
// address and a name as a name. The values show it.

// doubts counts the lines whose values are not what their fields should hold.
type doubts struct {
	lines    int // that were read
	doubtful int // with a user, client, upstream or method that is none
	hosted   int // with a virtual host in front
	numbered int // of them, with an address for it
	listed   int // with an X-Forwarded-For
	unlisted int // of them, with one that is no list of addresses
	texts    int // with a referrer or a user agent
	others   int // of them, with one that is something else
	hosts    map[string]bool
}

// fewHosts is how many different addresses a server has: requests for one by its
// address are usual, requests for many are lists of clients.
const fewHosts = 3

// add counts a line, and reports whether its reading is doubtful. forwarded is the
// X-Forwarded-For in it. JSON and logs with named columns say themselves what a value is.
func (d *doubts) add(f *Format, e *Entry, forwarded []byte) bool {
	if f.kind != kindText {
		return false
	}
	d.lines++
	if strangeUser(e.User) || strangeClient(e.Client) || strangeUpstream(e.Upstream) || !isToken(e.Method) || bytes.IndexByte(e.Protocol, '"') >= 0 {
		d.doubtful++
		return true
	}
	if len(forwarded) > 0 {
		d.listed++
		if last, _ := field.LastListed(forwarded); !field.IsAddress(last) && string(last) != "unknown" {
			d.unlisted++
			if f.programs[0].steps[0].field == fieldForwarded {
				d.doubtful++
				return true
			}
		}
	}
	if len(e.Referrer)+len(e.UserAgent) > 0 {
		d.texts++
		if infer.IsAgent(e.Referrer) || infer.IsURL(e.UserAgent) || infer.LooksLikeSession(e.Referrer) || infer.LooksLikeSession(e.UserAgent) {
			d.others++
		}
	}
	if f.hostFirst() && len(e.Host) > 0 {
		d.hosted++
		if _, isTime := field.ParseStamp(e.Host); isTime || bytes.IndexByte(e.Host, '/') >= 0 || infer.IsNumber(e.Host) || bytes.IndexByte(e.Host, '.') < 0 && infer.LooksLikeSession(e.Host) {
			d.doubtful++
			return true
		}
	}
	if f.hostFirst() && field.IsAddress(e.Host) {
		d.numbered++
		if len(e.Client) == 0 || !field.IsAddress(e.Client) {
			d.doubtful++
			return true
		}
		if d.hosts == nil {
			d.hosts = map[string]bool{}
		}
		d.hosts[string(e.Host)] = true
	}
	return false
}

// hostFirst reports whether lines may begin with a virtual host and a blank, which may as
// well be something else. With a port behind it, it is a host.
func (f *Format) hostFirst() bool {
	return slices.ContainsFunc(f.programs, func(g *program) bool {
		s := &g.steps[0]
		return s.field == fieldHost && len(s.literal) == 0 && string(s.end) == " "
	})
}

// none reports whether no line is doubtful.
func (d *doubts) none() bool { return d.doubtful == 0 && d.numbered == 0 }

// distrusted reports whether the format is not that of the lines: more than half of
// them are doubtful, or have the addresses of many hosts, or what should be a list of
// addresses, a referrer or a user agent mostly is none. Clients can send anything in its
// place, but most do not.
func (d *doubts) distrusted() bool {
	return 2*d.doubtful > d.lines || 2*d.numbered > d.hosted && len(d.hosts) > fewHosts || 2*d.unlisted > d.listed || 2*d.others > d.texts
}

// strangeUser reports whether a user has fields of its own: it begins in a bracket or
// with a blank or an address, or ends in a key or an address, or a lone dash is in it. Other names contain
// blanks, too.
func strangeUser(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	if b[0] == '[' || b[0] == '\t' {
		return true
	}
	first, rest, more := bytes.Cut(b, blank)
	return more && (field.Missing(first) || bytes.HasPrefix(rest, dashBlank) || string(rest) == "-" || bytes.Contains(rest, loneDash) || bytes.HasSuffix(rest, loneDash[:2]) || field.IsAddress(first) || field.IsAddress(b[bytes.LastIndexByte(b, ' ')+1:]) || infer.LooksLikeSession(rest))
}

var (
	blank     = []byte(" ")
	dashBlank = []byte("- ")
	loneDash  = []byte(" - ")
)

// strangeUpstream reports whether an upstream is a text in brackets, but no IPv6 address.
func strangeUpstream(b []byte) bool {
	return len(b) > 0 && b[0] == '[' && bytes.IndexByte(b, ':') < 0
}

// strangeClient reports whether a client is neither an address nor the name of a host.
func strangeClient(b []byte) bool {
	if len(b) == 0 || field.PlainAddress(b) || bytes.HasPrefix(b, unixSocket) {
		return false
	}
	colons := 0
	for _, c := range b {
		if c == ':' {
			colons++
		} else if c-'0' > 9 && c|0x20-'a' > 25 && c != '.' && c != '-' && c != '_' && c != '%' && c < 0x80 {
			return true
		}
	}
	return colons > 1 && !field.IsAddress(b) // such as a time
}

var unixSocket = []byte("unix:")

// values returns how many fields of the entry hold a value.
func (e *Entry) values() (n uint8) {
	for _, b := range [...][]byte{e.Method, e.Scheme, e.Host, e.Path, e.Query, e.Protocol, e.Referrer, e.UserAgent, e.User, e.Session, e.Client, e.Peer, e.Upstream, e.UpstreamStatus, e.Reason} {
		if len(b) > 0 {
			n++
		}
	}
	for _, has := range [...]bool{e.Time != NoTime, e.Status >= 0, e.BodySize >= 0, e.Duration >= 0, e.TokenExpiry != NoTime, e.HasUpstream} {
		if has {
			n++
		}
	}
	return n
}
