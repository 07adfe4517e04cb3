package result

import "time"

// Event is something that operators say has happened, such as a deploy.
type Event struct {
	Time int64 // Unix microseconds
	Text string
}

const (
	// eventLead is how long after an event a finding may begin to be told with it:
	// caches, connections and sessions delay the effect of a change.
	eventLead = int64(15 * time.Minute / time.Microsecond)
	// eventLag is how long before: clocks differ, and a deploy begins before it is
	// reported.
	eventLag = int64(time.Minute / time.Microsecond)
)

// SetEvents sets the events of a run, in order of time, and for each finding the one
// that is nearest to its onset, if one is near.
func (res *Result) SetEvents(events []Event) {
	res.Events = events
	for i := range res.Findings {
		f := &res.Findings[i]
		nearest := int64(0)
		for j := range events {
			after := f.Onset - events[j].Time
			if f.Onset < events[j].Time-eventLag || after > eventLead { // Onset may be NoTime
				continue
			}
			if distance := max(after, -after); f.Event == nil || distance < nearest {
				f.Event, nearest = &events[j], distance
			}
		}
	}
}
