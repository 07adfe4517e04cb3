package parse

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"

	"logscan/parse/field"
	"logscan/parse/infer"
)

// A server whose administrator has added a column or a key writes lines that are nearly
// of a known format. What a further column holds is learned from the lines of the sample:
// see package infer for session ids. Only what is certain is taken; lines in which the
// columns stand otherwise are read as the known format reads them.

// Learned is what the lines of a log show about its format beyond a known one.
type Learned struct {
	Native  string `json:"native,omitempty"`  // the format string, with what was learned
	Whole   bool   `json:"whole,omitempty"`   // no more columns follow
	Session string `json:"session,omitempty"` // the key or column that holds session ids
}

// more is the end of the names of formats with further columns.
const more = "-and-more"

// withMore returns the format of lines that go on behind those of f, nil if there is none. What
// goes on behind a format without a status may be the status.
func (f *Format) withMore() *Format {
	if f.kind != kindText || f.openEnd || f.base != nil || !f.programs[0].reads[fieldStatus] {
		return nil
	}
	g := *f
	g.Name, g.Doc, g.openEnd, g.notices = f.Name+more, f.Doc+", with further fields", true, nil
	if g.compile() != nil {
		return nil
	}
	return &g
}

// longerFormats are the formats of lines that go on behind those of Formats.
var longerFormats = sync.OnceValue(func() []*Format { return goingOn(Formats()) })

// withMore returns the formats of lines that go on behind those of known formats.
func withMore(formats []*Format) []*Format {
	if slices.Equal(formats, Formats()) {
		return longerFormats()
	}
	return goingOn(formats)
}

// goingOn implements withMore.
func goingOn(formats []*Format) (longer []*Format) {
	for _, f := range formats {
		if table, ok := Lookup(f.Name); ok && table.Native == f.Native {
			if g := f.withMore(); g != nil {
				longer = append(longer, g)
			}
		}
	}
	return longer
}

// with returns the format with what was learned.
func (f *Format) with(l Learned) (*Format, error) {
	g := *f
	g.base, g.learned = f, l
	if l.Native != "" {
		g.Native, g.Shapes = l.Native, append([]string{f.Native}, f.Shapes...)
	}
	if err := g.compile(); err != nil {
		return nil, err
	}
	if f.described != nil {
		g.described = newColumns(string(f.directive), f.separator, columnsW3C, g.named())
	}
	return &g, nil
}

// known returns the format that f was before something was learned.
func (f *Format) known() *Format {
	if f.base != nil {
		return f.base
	}
	return f
}

// Inferred returns what the values in the lines of a log show of its columns or keys, empty if
// that is nothing.
func (f *Format) Inferred() string {
	switch {
	case f.base == nil:
		return ""
	case f.learned.Session != "":
		return "session ids in " + f.learned.Session
	}
	return "the columns behind those of " + f.base.Name
}

// named returns the fields that variables, columns and keys hold other than usually: those
// that the user assigned, and what was learned.
func (f *Format) named() map[string]fieldID {
	if f.learned.Session == "" {
		return f.assigned
	}
	names := map[string]fieldID{f.learned.Session: fieldSession}
	maps.Copy(names, f.assigned)
	return names
}

// learner learns what columns hold.
type learner struct {
	format *Format
	lines  [][]byte // of the format or of others
}

// learn returns the format with what lines show of it.
func (f *Format) learn(lines func() [][]byte) *Format {
	if table, ok := Lookup(f.Name); !ok || table.Native != f.Native || slices.Contains(slices.Collect(maps.Values(f.assigned)), fieldSession) {
		return f // the user says what the columns are
	}
	more := f.learns()
	if more == nil && f.kind != kindText {
		return f
	}
	l := &learner{f, lines()}
	if more != nil {
		f = more(l)
	}
	if f == l.format {
		f = l.user()
	}
	return f
}

// learns returns how to learn of columns and keys that the format does not know, nil if there
// can be none.
func (f *Format) learns() func(*learner) *Format {
	switch {
	case f.kind == kindText && f.openEnd:
		return (*learner).columns
	case f.kind == kindText && strings.HasPrefix(f.Native, identified):
		return (*learner).ident
	case f.hashEscapes:
		return (*learner).captures
	case f.kind == kindJSON, f.kind == kindLTSV, f.kind == kindLogfmt, f.kind == kindW3C && f.described != nil:
		return (*learner).keys
	}
	return nil
}

// Uses returns the use of session ids by those of some lines that the format reads.
func (f *Format) Uses(lines [][]byte) (uses []infer.Use) {
	p := f.NewParser()
	var e Entry
	for _, line := range lines {
		if p.Parse(line, &e) == Parsed && e.Time != NoTime {
			uses = append(uses, infer.Use{Time: e.Time, Client: string(e.Client), Agent: string(e.UserAgent), Path: string(e.Path), Value: bytes.Clone(e.Session)})
		}
	}
	return uses
}

// fewSessions is the reciprocal of the least share of requests with a session id of which
// no other is looked for.
const fewSessions = 10

// hasSessions reports whether the format reads session ids already.
func (l *learner) hasSessions() bool {
	n := 0
	p := l.format.NewParser()
	var e Entry
	few := some(l.lines, detectLines)
	for _, line := range few {
		if p.Parse(line, &e) == Parsed && len(e.Session) > 0 {
			n++
		}
	}
	return n > 0 && n*fewSessions >= len(few)
}

// some returns up to n of the lines, spread evenly.
func some(lines [][]byte, n int) [][]byte {
	if len(lines) <= n {
		return lines
	}
	few := make([][]byte, n)
	for i := range few {
		few[i] = lines[i*len(lines)/n]
	}
	return few
}

// best returns the one of some formats whose session ids are that, and most of them, nil if
// there is none.
func (l *learner) best(tries []*Format) (best *Format) {
	most := 0
	for _, g := range tries {
		if n := infer.Sessions(g.Uses(l.lines)); n > most {
			best, most = g, n
		}
	}
	return best
}

// looksLikeSessions reports whether nearly all values of some lines look like session ids.
func (l *learner) looksLikeSessions(value func(line []byte, e *Entry) []byte) bool {
	var e Entry
	var values [][]byte
	p := l.format.NewParser()
	for _, line := range some(l.lines, surveyedKeys) {
		if p.Parse(line, &e) == Parsed {
			values = append(values, bytes.Clone(value(line, &e)))
		}
	}
	return infer.Nearly(values, infer.LooksLikeSession)
}

// identified begins formats with the answer of identd, which hardly any server asks for.
const identified = "%h %l "

// ident returns the format with a session id in place of the answer of identd, if it is
// one.
func (l *learner) ident() *Format {
	looks := l.looksLikeSessions(func(line []byte, _ *Entry) []byte {
		if words := bytes.Fields(line); len(words) > 1 {
			return words[1]
		}
		return nil
	})
	if !looks {
		return l.format
	}
	g, err := l.format.with(Learned{Native: "%h %{session}C " + l.format.Native[len(identified):], Whole: true})
	if err != nil {
		return l.format
	}
	return cmp.Or(l.best([]*Format{g}), l.format)
}

// users are the names of the variables and directives of users in the formats of text.
var users = [...]string{"remote_user", "%u"}

// user returns the format with session ids in the place of users, if they are that: a server
// logs what it is told to log, and session ids must not be written as names.
func (l *learner) user() *Format {
	if l.format.kind != kindText || !l.looksLikeSessions(func(_ []byte, e *Entry) []byte { return e.User }) || l.hasSessions() {
		return l.format
	}
	for _, name := range users {
		g, err := l.format.with(Learned{Session: name})
		if err != nil || !g.programs[0].reads[fieldSession] {
			continue
		}
		if uses := g.Uses(l.lines); infer.Sessions(uses) > 0 && infer.SeveralEach(uses) {
			return g
		}
	}
	return l.format
}

// keys returns the format with the key or column that holds session ids, if one does.
func (l *learner) keys() *Format {
	if l.hasSessions() {
		return l.format
	}
	values := map[string][][]byte{}
	for _, line := range some(l.lines, surveyedKeys) {
		for key, value := range l.format.values(line) {
			values[key] = append(values[key], value)
		}
	}
	var tries []*Format
	for _, key := range slices.Sorted(maps.Keys(values)) {
		named := namesSession(key)
		if !named && namesOther(key) || !l.format.unknown(key) || !infer.Nearly(values[key], infer.LooksLikeSession) {
			continue
		}
		g, err := l.format.with(Learned{Session: key})
		if err != nil {
			continue
		}
		if named {
			return g
		}
		tries = append(tries, g)
	}
	return cmp.Or(l.best(tries), l.format)
}

// namesSession reports whether a key, perhaps that of a cookie, is a usual name of session
// ids.
func namesSession(key string) bool {
	_, cookie, ok := strings.Cut(key, "cookies.")
	if !ok {
		cookie = strings.TrimPrefix(key, "cookie_")
	}
	name := key[strings.LastIndexByte(key, '.')+1:]
	return field.IsSessionName(cookie) || field.IsSessionName(strings.ReplaceAll(name, "-", "_"))
}

// namesOther reports whether a key names something else that comes again with its client, or
// that is about a request.
func namesOther(key string) bool {
	if _, known := keyFields[key]; known {
		return true
	}
	words := strings.FieldsFunc(key[strings.LastIndexByte(key, '.')+1:], func(r rune) bool { return r == '_' || r == '-' })
	return slices.ContainsFunc(words, func(word string) bool {
		switch strings.TrimSuffix(word, "id") {
		case "user", "u", "sub", "subject", "principal", "account", "customer", "member", "owner", "tenant", "org", "organization", "team", "project",
			"device", "client", "app", "application", "key", "apikey", "request", "req", "r", "trace", "span", "correlation", "transaction":
			return true
		}
		return false
	})
}

// unknown reports whether the format takes nothing from a key or column.
func (f *Format) unknown(key string) bool {
	if f.kind == kindW3C {
		return w3cColumns[key] == fieldIgnored
	}
	return f.keys.find(hashOf(key)).hash == 0
}

// values returns the texts in a line by key or column, in lower case.
func (f *Format) values(line []byte) map[string][]byte {
	values := map[string][]byte{}
	switch f.kind {
	case kindJSON:
		var object map[string]any
		if json.Unmarshal(line, &object) == nil {
			addTexts(values, "", object, 0)
		}
	case kindW3C:
		for i, name := range strings.Fields(strings.ToLower(string(f.directive))) {
			if words := bytes.Split(line, []byte{f.separator}); i < len(words) {
				values[name] = words[i]
			}
		}
	case kindLTSV:
		for part := range bytes.SplitSeq(line, []byte("\t")) {
			if label, value, ok := bytes.Cut(part, []byte(":")); ok {
				values[strings.ToLower(string(label))] = value
			}
		}
	default:
		for word := range bytes.FieldsSeq(line) {
			if key, value, ok := bytes.Cut(word, []byte("=")); ok {
				values[strings.ToLower(string(key))] = bytes.Trim(value, `"`)
			}
		}
	}
	return values
}

// addTexts adds the texts in an object by their dotted path, as jsonReader computes it.
func addTexts(values map[string][]byte, path string, object map[string]any, depth int) {
	for key, value := range object {
		key = path + strings.ToLower(key)
		switch v := value.(type) {
		case string:
			values[key] = []byte(v)
		case map[string]any:
			if depth == maxDepth {
				continue
			}
			if key += "."; slices.Contains(wrappers[:], hashOf(key[:len(key)-1])) {
				key = ""
			}
			addTexts(values, key, v, depth+1)
		}
	}
}
