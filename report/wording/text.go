package wording

import (
	"strings"
	"time"
)

// readable writes the times that findings tell, 2006-01-02T15:04:05Z, as people
// read them.
func Readable(s string) string {
	const layout = "2006-01-02T15:04:05Z"
	var b strings.Builder
	for {
		i := strings.IndexByte(s, 'T')
		if i < 0 {
			break
		}
		from, to := i-len(DayLayout), i-len(DayLayout)+len(layout)
		if from >= 0 && to <= len(s) {
			if t, err := time.Parse(layout, s[from:to]); err == nil {
				b.WriteString(s[:from] + t.Format(DayLayout+" "+clockLayout) + " UTC")
				s = s[to:]
				continue
			}
		}
		b.WriteString(s[:i+1])
		s = s[i+1:]
	}
	return b.String() + s
}
