package detect

import (
	"strings"

	"logscan/analyze/result"
)

// maxSoftware is the maximum length in bytes of the name of a product, and of its
// version: user agents are written by clients.
const maxSoftware = 64

// isEngine reports whether a product token of a user agent names an engine or a
// predecessor that many browsers claim to be (RFC 9110, section 10.1.5, has the most
// significant product first, which browsers do not heed).
func isEngine(product string) bool {
	switch product {
	case "Mozilla", "AppleWebKit", "Gecko", "Safari", "Mobile", "Version", "KHTML", "like", "Build":
		return true
	}
	return false
}

// softwareOf returns the product that a user agent names and its version, both empty
// if it names none. Programs name themselves first (AcmeApp/5.4.0 (iOS 17.6)), browsers
// and applications that embed one name themselves last, behind Mozilla/5.0.
func softwareOf(agent string) (family, version string) {
	browser := strings.HasPrefix(agent, "Mozilla/")
	safari := ""
	for token := range strings.FieldsSeq(withoutComments(agent)) {
		product, v, ok := strings.Cut(token, "/")
		switch {
		case !ok && !browser && family == "":
			family = product // AcmeApp 5.4.0
		case !ok && !browser && version == "" && isVersion(token):
			version = strings.TrimPrefix(token, "v")
		case !ok:
		case product == "Version":
			safari = v
		case browser && isEngine(product):
		case browser || family == "":
			family, version = product, v
		}
		if !browser && version != "" {
			break
		}
	}
	if browser && family == "" && safari != "" {
		family, version = "Safari", safari
	}
	return shorten(family), shorten(version)
}

// isBrowser reports whether a user agent is that of a browser that a person may look at.
// It is in a session, and has no key of its own.
func isBrowser(agent string) bool {
	return strings.HasPrefix(agent, "Mozilla/5.0 (") && !strings.Contains(agent, "compatible;") && !strings.Contains(agent, "Headless") &&
		(strings.Contains(agent, "AppleWebKit/") || strings.Contains(agent, "Gecko/")) && !strings.Contains(agent, "Thunderbird/")
}

// isVersion reports whether a word is a version: digits and dots, perhaps behind a v.
func isVersion(s string) bool {
	s = strings.TrimPrefix(s, "v")
	return s != "" && s[0] >= '0' && s[0] <= '9'
}

func shorten(s string) string { return result.Clean(s[:min(len(s), maxSoftware)]) }

// withoutComments returns a user agent without what stands in parentheses.
func withoutComments(s string) string {
	var b strings.Builder
	depth := 0
	for _, c := range []byte(s) {
		switch {
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case depth == 0:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// software numbers the versions of software, and the families of those with several.
type software struct {
	names []string    // "AcmeApp/5.4.0", or "AcmeApp" for all versions
	of    [][2]uint32 // by user agent: its version and its family, plus one; 0 for none
	// family is, by version, its family plus one; 0 for none.
	family []uint32
}

// software returns the software of all user agents.
func (d *Diagnosis) software() *software {
	d.softwareOnce.Do(func() { d.byAgent = newSoftware(d.State.Agents) })
	return d.byAgent
}

func newSoftware(agents []string) *software {
	s := &software{of: make([][2]uint32, len(agents))}
	number := map[string]uint32{}
	add := func(name string) uint32 {
		n, ok := number[name]
		if !ok {
			s.names = append(s.names, name)
			s.family = append(s.family, 0)
			n = uint32(len(s.names))
			number[name] = n
		}
		return n
	}
	versions := map[string]map[string]bool{}
	parsed := make([][2]string, len(agents))
	for i, agent := range agents {
		family, version := softwareOf(agent)
		parsed[i] = [2]string{family, version}
		if versions[family] == nil {
			versions[family] = map[string]bool{}
		}
		versions[family][version] = true
	}
	for i, p := range parsed {
		family, version := p[0], p[1]
		if family == "" {
			continue
		}
		if version == "" {
			s.of[i][0] = add(family)
			continue
		}
		s.of[i][0] = add(family + "/" + version)
		if len(versions[family]) > 1 {
			s.of[i][1] = add(family)
			s.family[s.of[i][0]-1] = s.of[i][1]
		}
	}
	return s
}
