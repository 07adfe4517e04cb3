package propose

import (
	"bytes"
	"strings"

	"logscan/parse"
	"logscan/parse/field/strftime"
	"logscan/parse/infer"
)

// session is the directive for session ids.
const session = "%{session}C"

// joined marks a column that the one before it includes.
const joined = "\x00"

// meanings are the directives for the columns of lines of one shape.
type meanings struct {
	lines    [][]infer.Column
	names    []string // directives; empty: not known
	prefixes []string // that all values of a column have, such as rt=
	has      map[string]bool
	timed    bool
}

// newMeanings determines the meanings of the columns of lines of the same shape, those that
// are certain first. all are the lines that the columns are of, and others.
func newMeanings(lines [][]infer.Column, all [][]byte) *meanings {
	m := &meanings{lines: lines, names: make([]string, len(lines[0])), prefixes: make([]string, len(lines[0])), has: map[string]bool{}}
	for i := range m.names {
		m.prefixes[i] = infer.Name(m.lines, i)
	}
	m.findTime()
	m.findRequest()
	m.findStatus()
	m.findTexts()
	m.findClient()
	m.findSession(all)
	m.findUser()
	m.findDuration()
	return m
}

// findSession finds a column with session ids in lines that the format string reads.
func (m *meanings) findSession(lines [][]byte) {
	found, most := -1, 0
	for i := range m.names {
		if m.names[i] != "" || !m.most(i, infer.LooksLikeSession) {
			continue
		}
		m.names[i] = session
		if f, err := parse.Compile(m.compose()); err == nil {
			if n := infer.Sessions(f.Uses(lines)); n > most {
				found, most = i, n
			}
		}
		m.names[i] = ""
	}
	if found >= 0 {
		m.set(found, session)
	}
}

// value returns the value of column i in a line, without the common prefix.
func (m *meanings) value(line []infer.Column, i int) []byte {
	return line[i].Value[len(m.prefixes[i]):]
}

// most reports whether nearly all values of a column that are not missing look like
// something, and there is one.
func (m *meanings) most(i int, looks func([]byte) bool) bool {
	values := make([][]byte, len(m.lines))
	for n, line := range m.lines {
		values[n] = m.value(line, i)
	}
	return infer.Nearly(values, looks)
}

// set sets the meaning of a column, unless it has one or another column has it.
func (m *meanings) set(i int, name string) {
	if m.names[i] == "" && !m.has[name] {
		m.names[i], m.has[name] = name, true
	}
}

// times are the spellings of a time that are tried.
var times = []string{
	"%d/%b/%Y:%H:%M:%S %z", "%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S,%f",
	"%Y-%m-%d %H:%M:%S %z", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%d/%b/%Y:%H:%M:%S", "%d/%b/%Y %H:%M:%S", "%d.%m.%Y %H:%M:%S",
	"%a, %d %b %Y %H:%M:%S %Z", "%a %b %d %H:%M:%S %Y", "%b %d %H:%M:%S",
}

// findTime finds the time in one column or in two.
func (m *meanings) findTime() {
	for i := range m.names {
		for _, spelled := range times {
			p, err := strftime.Compile(spelled)
			if err != nil {
				continue
			}
			whole := func(b []byte) bool {
				var c strftime.Civil
				return p.Parse(b, &c) == len(b)
			}
			switch {
			case m.most(i, whole):
				m.names[i] = "%{" + spelled + "}t"
				if m.lines[0][i].Open == '[' && spelled == times[0] && m.prefixes[i] == "" {
					m.names[i] = "%t"
				}
			case i+1 < len(m.names) && m.lines[0][i].Open == 0 && m.lines[0][i+1].Open == 0 && m.lines[0][i+1].Before == " " && m.pair(i, whole):
				m.names[i], m.names[i+1] = "%{"+spelled+"}t", joined
			default:
				continue
			}
			m.timed = true
			return
		}
		if m.most(i, isEpoch) {
			m.names[i], m.timed = "%{sec}t", true
			return
		}
	}
}

// pair reports whether column i and the one after it nearly always look like something
// together.
func (m *meanings) pair(i int, looks func([]byte) bool) bool {
	values := make([][]byte, len(m.lines))
	for n, line := range m.lines {
		values[n] = append(append(bytes.Clone(m.value(line, i)), ' '), line[i+1].Value...)
	}
	return infer.Nearly(values, looks)
}

// findRequest finds the request line in one column, or method, target and protocol in
// three or two.
func (m *meanings) findRequest() {
	for i := range m.names {
		switch {
		case m.names[i] != "":
		case m.most(i, isRequest):
			m.set(i, "%r")
			return
		case m.most(i, isMethod) && i+1 < len(m.names) && m.most(i+1, isTarget):
			m.set(i, "%m")
			m.set(i+1, "%U%q")
			if i+2 < len(m.names) && m.most(i+2, infer.IsProtocol) {
				m.set(i+2, "%H")
			}
			return
		}
	}
	for i := range m.names {
		if m.names[i] == "" && m.most(i, isTarget) {
			m.set(i, "%U%q")
			return
		}
	}
}

// findStatus finds the status, and the size right behind it.
func (m *meanings) findStatus() {
	from := 0
	for i, name := range m.names {
		if name == "%r" || name == "%H" || name == "%U%q" {
			from = i + 1
		}
	}
	order := make([]int, 0, len(m.names))
	for i := range m.names { // a status mostly stands behind the request
		order = append(order, (from+i)%len(m.names))
	}
	for _, i := range order {
		if m.names[i] == "" && m.most(i, isStatus) {
			m.set(i, "%>s")
			if i+1 < len(m.names) && m.names[i+1] == "" && m.most(i+1, infer.IsNumber) {
				m.set(i+1, "%b")
			}
			return
		}
	}
}

// findTexts finds the user agent and the referrer.
func (m *meanings) findTexts() {
	for i := range m.names {
		if m.names[i] == "" && m.isText(i) && m.some(i, infer.IsAgent) {
			m.set(i, "%{User-Agent}i")
		}
	}
	for i := range m.names {
		if m.names[i] == "" && m.most(i, infer.IsURL) {
			m.set(i, "%{Referer}i")
		}
	}
	if agent := m.column("%{User-Agent}i"); agent > 0 && !m.has["%{Referer}i"] && m.names[agent-1] == "" && m.isText(agent-1) {
		m.set(agent-1, "%{Referer}i") // never sent
	}
}

// isText reports whether column i may hold a text with blanks.
func (m *meanings) isText(i int) bool {
	c := &m.lines[0][i]
	return c.Open == '"' || c.Open == 0 && i > 0 && strings.Trim(c.Before, " \t") != ""
}

// findClient finds the client, the virtual host and a list of forwarded addresses.
func (m *meanings) findClient() {
	for i := range m.names {
		if m.names[i] == "" && m.most(i, infer.IsAddress) {
			m.set(i, "%h")
		}
	}
	for i := range m.names {
		switch {
		case m.names[i] != "":
		case m.lines[0][i].Open == '"' && m.most(i, infer.IsAddresses):
			m.set(i, "%{X-Forwarded-For}i")
		case m.most(i, isHost):
			m.set(i, "%v")
		}
	}
}

// findUser finds the user, who stands before the time in formats like common, and the
// answer of identd before it.
func (m *meanings) findUser() {
	client := m.column("%h")
	if client < 0 {
		return
	}
	switch unknown := m.unknownAfter(client); {
	case unknown == 2 && m.lines[0][client+1].Open == 0:
		m.set(client+1, "%l")
		m.set(client+2, "%u")
	case unknown == 1 && (m.timeAt(client+2) || client+2 < len(m.names) && m.names[client+2] == session):
		m.set(client+1, "%u")
	}
}

// unknownAfter returns how many columns without a meaning follow column i.
func (m *meanings) unknownAfter(i int) (n int) {
	for i+1+n < len(m.names) && m.names[i+1+n] == "" {
		n++
	}
	return n
}

// timeAt reports whether the time begins at column i.
func (m *meanings) timeAt(i int) bool {
	return i < len(m.names) && strings.HasSuffix(m.names[i], "t") && strings.HasPrefix(m.names[i], "%")
}

// findDuration finds a duration in seconds with a fraction.
func (m *meanings) findDuration() {
	for i := range m.names {
		if m.names[i] == "" && m.most(i, infer.IsFraction) {
			m.set(i, "%T")
		}
	}
}

// column returns the column with a meaning, -1 if there is none.
func (m *meanings) column(name string) int {
	for i, n := range m.names {
		if n == name {
			return i
		}
	}
	return -1
}

// some reports whether at least half of the values of a column look like something:
// user agents are whatever clients send.
func (m *meanings) some(i int, looks func([]byte) bool) bool {
	n := 0
	for _, line := range m.lines {
		if looks(m.value(line, i)) {
			n++
		}
	}
	return 2*n >= len(m.lines)
}

func isRequest(b []byte) bool {
	method, rest, ok := bytes.Cut(b, []byte(" "))
	target, _, _ := bytes.Cut(rest, []byte(" "))
	return ok && isMethod(method) && isTarget(target)
}

func isMethod(b []byte) bool {
	for _, c := range b {
		if c-'A' > 25 {
			return false
		}
	}
	return len(b) > 2 && len(b) < 20
}

func isTarget(b []byte) bool {
	return len(b) > 0 && (b[0] == '/' || infer.IsURL(b) || string(b) == "*") && !bytes.ContainsAny(b, ` "`)
}

func isStatus(b []byte) bool { return len(b) == 3 && b[0]-'1' < 5 && b[1]-'0' < 10 && b[2]-'0' < 10 }

// isEpoch reports whether b counts seconds since 1970, of this century, with or without
// a fraction.
func isEpoch(b []byte) bool {
	seconds, fraction, _ := bytes.Cut(b, []byte("."))
	return len(seconds) == 10 && infer.IsNumber(seconds) && seconds[0] == '1' && (len(fraction) == 0 || infer.IsNumber(fraction))
}

// isHost reports whether b is a name with a dot, with or without a port.
func isHost(b []byte) bool {
	name, _, _ := bytes.Cut(b, []byte(":"))
	for _, c := range name {
		if c-'0' > 9 && c|0x20-'a' > 25 && c != '.' && c != '-' {
			return false
		}
	}
	last := bytes.LastIndexByte(name, '.')
	return last > 0 && last+2 < len(name) && name[last+1]|0x20-'a' <= 25
}
