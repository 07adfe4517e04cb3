package analyze

import (
	"path"
	"slices"
	"strings"

	"logscan/analyze/timeline"
	"logscan/parse/source"
)

// serverName returns the name of the server whose log has a path: a log file is one
// server's, and so are its rotated files. They have the same directory and the same
// name but for dates, numbers and compression.
func serverName(p string) string {
	folder, base := path.Split(strings.ReplaceAll(p, `\`, "/"))
	parts := slices.DeleteFunc(strings.Split(folder, "/"), func(part string) bool {
		_, date, ok := strings.Cut(part, "=") // of a Hive-partitioned directory
		return part != "" && (isDated(part) || ok && isDated(date))
	})
	for {
		dot := strings.LastIndexAny(base, ".-_")
		if dot <= 0 {
			break
		}
		switch end := strings.ToLower(base[dot+1:]); {
		case slices.Contains(rotationEnds[:], end), len(end) <= maxRotation && isNumber(end) && base[dot] == '.', isDated(end):
			base = base[:dot]
			continue
		}
		break
	}
	return strings.Join(parts, "/") + strings.TrimRight(withoutDate(base), ".-_")
}

// rotationEnds are the ends of the names of logs that were rotated or compressed.
var rotationEnds = [...]string{"gz", "zst", "bz2", "xz", "br", "lz4", "old", "bak", "prev"}

// maxRotation is the maximum number of digits of the number of a rotated log.
const maxRotation = 4

func isNumber(s string) bool {
	return s != "" && strings.IndexFunc(s, func(c rune) bool { return c < '0' || c > '9' }) < 0
}

// isDated reports whether a text is a date, perhaps with a time: at least the six digits
// of the shortest ones, and dashes, underscores or a T between them.
func isDated(s string) bool {
	digits := strings.Map(func(c rune) rune {
		if c == '-' || c == '_' || c == 'T' {
			return -1
		}
		return c
	}, s)
	return len(digits) >= 6 && len(digits) <= 14 && isNumber(digits)
}

// withoutDate returns a name without the dates in it: access-2026-01-02.log and
// u_ex260102.log are the logs access.log and u_ex.log.
func withoutDate(name string) string {
	isPart := func(c byte) bool { return c >= '0' && c <= '9' || c == '-' || c == '_' }
	var b strings.Builder
	for i := 0; i < len(name); {
		j := i
		for j < len(name) && isPart(name[j]) {
			j++
		}
		switch {
		case j > i && isDated(name[i:j]):
			i = j
		case j > i:
			b.WriteString(name[i:j])
			i = j
		default:
			b.WriteByte(name[i])
			i++
		}
	}
	return b.String()
}

// listServers returns the names of the servers whose logs the inputs are, sorted, and by
// input the index of its server plus one. With one server, or too many, there are none.
func listServers(inputs []source.Input) (names []string, of []uint8) {
	all := make([]string, len(inputs))
	for i := range inputs {
		all[i] = serverName(inputs[i].Path)
	}
	names = slices.Clone(all)
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) < 2 || len(names) > timeline.MaxServers {
		return nil, nil
	}
	of = make([]uint8, len(inputs))
	for i, name := range all {
		n, _ := slices.BinarySearch(names, name)
		of[i] = uint8(n + 1)
	}
	return names, of
}
