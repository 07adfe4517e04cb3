package analyze

import (
	"fmt"
	"maps"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/timeline"
	"logscan/parse"
	"logscan/parse/advice"
)

// survey notes what the sample of an input holds. It costs nothing for a line:
// samples are taken anyway.
func (d *detected) survey(sample []byte) { d.presence = parse.Survey(sample, d.formats[0]) }

// missing gives the names of the fields that no sampled line holds.
func (d *detected) missing() []string {
	var names []string
	for _, x := range d.presence.Missing() {
		names = append(names, x.String())
	}
	return names
}

// formats puts together what inputs of the same format hold.
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

// seen makes up for what all samples missed where the run met it: one line in
// thousands may be the only one that names a user.
func seen(s *timeline.State, p *parse.Presence) {
	if len(s.Users) > 0 {
		p.Has[parse.ExtraUser] = max(p.Has[parse.ExtraUser], 1)
	}
	if s.Sessions {
		p.Has[parse.ExtraSession] = max(p.Has[parse.ExtraSession], 1)
	}
}

// Closest says which format came closest to explaining an input that none
// explains, and how close; it is empty where none explains any line.
func Closest(d *parse.Detection) string {
	if d.Best == nil || d.Explained == 0 {
		return ""
	}
	return fmt.Sprintf("%s, with %.2g %% of the sampled lines", d.Best.Name, 100*float64(d.Explained)/float64(d.Lines))
}
