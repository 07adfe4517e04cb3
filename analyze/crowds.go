package analyze

import (
	"fmt"

	"github.com/dustin/go-humanize"

	"logscan/analyze/timeline"
)

// Logs may name more users, clients, hosts than can be told apart, mostly because
// somebody makes them up. What is told together is nobody's: no finding is made
// of it, and a reader is told.

// crowdNotes says what is told together.
func crowdNotes(s *timeline.State) (notes []string) {
	if s.OtherUsers > 0 {
		notes = append(notes, fmt.Sprintf("The logs name %s users. The %s with most 401s are told by name, the others together as %s.",
			humanize.Comma(s.OtherUsers+int64(len(s.Users))), humanize.Comma(int64(len(s.Users))), timeline.OtherName))
	}
	if s.OtherClients > 0 {
		notes = append(notes, fmt.Sprintf("The logs hold more clients than can be told apart: %s, beside those with most 401s, are told together as %s, and no attack is looked for among them.",
			humanize.Comma(s.OtherClients), timeline.OtherName))
	}
	if s.HostsFolded {
		notes = append(notes, "The logs name more virtual hosts than can be told apart: those of one domain are told together, as in {name}.example.com. Unknown hosts are better refused by a default server (nginx: return 444, Apache: a first VirtualHost that denies).")
	}
	if s.UpstreamsFolded {
		notes = append(notes, "The logs name more upstreams than can be told apart: they are told together.")
	}
	if s.EndpointsFolded {
		notes = append(notes, "The logs hold more routes than can be told apart: names in their paths are told as {name}.")
	}
	if s.Grain > timeline.MinuteStep {
		notes = append(notes, fmt.Sprintf("The logs hold so many hosts or dates that the timeline is told in steps of %s instead of minutes.", stepName(s.Grain)))
	}
	return notes
}

// stepName names a step of so many microseconds.
func stepName(step int64) string {
	switch {
	case step <= 60*timeline.MinuteStep:
		return "an hour"
	case step <= 24*60*timeline.MinuteStep:
		return "a day"
	case step <= 366*24*60*timeline.MinuteStep:
		return "a year"
	}
	return "all time"
}
