package page

import (
	"regexp"
	"strings"
	"sync"
	"time"

	"logscan/report/wording"
)

// moment is a time that the script can show in another time zone, or a piece of text
// without one (ISO is empty).
type moment struct{ ISO, Text string }

func newMoment(us int64) moment {
	return moment{time.UnixMicro(us).UTC().Format(time.RFC3339), wording.At(us)}
}

// writtenTimes matches times and periods as package wording writes them.
var writtenTimes = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(\d{4}-\d\d-\d\d)(,?) (\d\d:\d\d:\d\d)(?: to (?:(\d{4}-\d\d-\d\d) )?(\d\d:\d\d:\d\d))? UTC`)
})

// timed divides a sentence into times and the text between them, so that headlines and
// texts follow the time zone that the reader chooses.
func timed(s string) (parts []moment) {
	end := 0
	add := func(iso, text string) {
		if text != "" {
			parts = append(parts, moment{iso, text})
		}
	}
	for _, m := range writtenTimes().FindAllStringSubmatchIndex(s, -1) {
		group := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return s[m[2*i]:m[2*i+1]]
		}
		day, clock, lastDay, lastClock := group(1), group(3), group(4), group(5)
		add("", s[end:m[0]])
		if lastClock == "" {
			add(day+"T"+clock+"Z", s[m[0]:m[1]])
		} else {
			add(day+"T"+clock+"Z", day+group(2)+" "+clock)
			add("", " to ")
			if lastDay == "" {
				lastDay = day
			}
			add(lastDay+"T"+lastClock+"Z", strings.TrimSpace(group(4)+" "+lastClock)+" UTC")
		}
		end = m[1]
	}
	add("", s[end:])
	return parts
}
