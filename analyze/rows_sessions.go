package analyze

import (
	"encoding/hex"
	"iter"
	"logscan/analyze/result"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// sessionRows yields what is told of the sessions.
func (c *assembly) sessionRows() iter.Seq2[*result.Session, error] {
	sites := textsOf(c.sites)
	return func(yield func(*result.Session, error) bool) {
		var row result.Session
		for s, err := range c.eachSession() {
			if err != nil {
				yield(nil, err)
				return
			}
			row = result.Session{
				Address: c.addresses[s.client.Address], UserAgent: c.agents[s.client.Agent], Host: sites[s.site],
				Start: s.start * 1000, LastAccepted: microseconds(s.lastAccepted), End: microseconds(s.end),
				Requests: int64(s.requests), Accepted: int64(s.accepted), Unauthorized: int64(s.unauthorized),
				LongestGap: s.longestGap * 1000, StartSeen: s.startSeen, Open: s.open,
			}
			if s.named {
				row.ID = hex.EncodeToString(s.id[:])
			}
			if s.user != 0 {
				row.User = c.users[s.user-1]
			}
			switch {
			case s.endRefusal == timeline.EarlierEvent:
				row.EndCause = SessionEnd.String() // which an earlier run told
			case s.endRefusal != timeline.NoRefusal:
				row.EndCause = CauseNames[c.cause(int(s.endRefusal))]
				if n := c.Of[s.endRefusal]; n != 0 {
					row.FindingID = c.Findings[n-1].ID
				}
			}
			if !yield(&row, nil) {
				return
			}
		}
	}
}

// microseconds gives a time of a record as a Result has it.
func microseconds(ms int64) int64 {
	if ms == before {
		return parse.NoTime
	}
	return ms * 1000
}

// textsOf makes names fit to leave.
func textsOf(names []string) []string {
	told := make([]string, len(names))
	for i, n := range names {
		told[i] = textOf(n)
	}
	return told
}
