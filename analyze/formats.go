package analyze

import (
	"maps"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/timeline"
	"logscan/parse"
	"logscan/parse/advice"
)

// survey finds out which fields the sample of an input holds.
func (d *detected) survey(sample []byte) { d.presence = parse.Survey(sample, d.formats[0]) }

// missing returns the names of the fields that no sampled line holds.
func (d *detected) missing() []string {
	var names []string
	for _, x := range d.presence.Missing() {
		names = append(names, x.String())
	}
	return names
}

// formatsRead returns the formats of the inputs, by name, with what they should log as
// well.
func (r *reader) formatsRead(s *timeline.State) []result.LogFormat {
	byName := map[string]*result.LogFormat{}
	of := map[string]*parse.Format{}
	for i := range r.chosen {
		d := &r.chosen[i]
		if d.presence.Lines == 0 {
			continue
		}
		f := byName[d.name]
		if f == nil {
			f = &result.LogFormat{Name: d.name}
			byName[d.name], of[d.name] = f, d.formats[0]
		}
		f.Inputs++
		f.Presence.Add(&d.presence)
	}
	var all []result.LogFormat
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		f := byName[name]
		if len(byName) == 1 {
			seen(s, &f.Presence)
		}
		f.Advice = advice.For(of[name], &f.Presence, r.options.Fields)
		all = append(all, *f)
	}
	return all
}

// seen adds the fields to a presence that the run found outside the samples: one line
// in thousands may be the only one that names a user.
func seen(s *timeline.State, p *parse.Presence) {
	if len(s.Users) > 0 {
		p.Has[parse.ExtraUser] = max(p.Has[parse.ExtraUser], 1)
	}
	if s.Sessions {
		p.Has[parse.ExtraSession] = max(p.Has[parse.ExtraSession], 1)
	}
}

// Closest returns the format that matches most sampled lines of an input that no
// format explains.
func Closest(d *parse.Detection) result.Match {
	if d.Best == nil || d.Explained == 0 {
		return result.Match{}
	}
	return result.Match{Format: d.Best.Name, Share: result.Share(float64(d.Explained) / float64(d.Lines))}
}
