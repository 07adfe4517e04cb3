package detect

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
)

// The sessions of one application, or of one version of it, may have a limit that those of
// others do not have: it does not renew its token, or asks for a shorter one. Where the
// sessions of a host together show no timeout, those of each software are looked at.
//
// Statistic: that of session_expiry, with one survival a session, its age at the last
// acceptance or its longest silence, because requests are not counted by software. The gain
// of likelihood is corrected for the number of products, versions and agents.

const (
	// softwareSurvivors is the minimum number of sessions of other software that outlived the
	// limit, and softwareLethal the maximum share of those that old or idle which ended: or else
	// the limit is not that of the software.
	softwareSurvivors = 8
	softwareLethal    = expiryLethal / 2
	// softwareEnds is the minimum share of the software's ends that are beyond the limit.
	softwareEnds = 0.7
	// maxLimited is the maximum number of products, versions and agents that are looked at,
	// those with most ends: anybody can make up agents, and each may take two histograms.
	maxLimited = 128
)

// mortalSoftware is the ends and survivals of the sessions of one software at a host.
type mortalSoftware struct {
	host      *mortalHost
	name      string
	deaths    []uint32
	sessions  int64
	ages, gap stats.Durations // that sessions reached: seen from the sign-in, and silences
	fit       timeout
}

// softwareLimits finds the timeouts of the sessions of single software.
type softwareLimits struct {
	d      *Diagnosis
	names  map[uint32][]string // by agent, the products and versions that it is one of
	groups map[string]map[string]*mortalSoftware
	// ages and gaps are those of all sessions, by host.
	ages, gaps map[string]*stats.Durations
}

// softwarePolicies returns the timeouts of sessions of single software at hosts that have none
// for all.
func (d *Diagnosis) softwarePolicies(hosts []*mortalHost) ([]candidate, error) {
	x := &softwareLimits{d: d, names: map[uint32][]string{}, groups: map[string]map[string]*mortalSoftware{},
		ages: map[string]*stats.Durations{}, gaps: map[string]*stats.Durations{}}
	var all []*mortalSoftware
	for _, h := range hosts {
		all = append(all, x.softwareAt(h)...)
	}
	if len(all) == 0 {
		return nil, nil
	}
	slices.SortStableFunc(all, func(a, b *mortalSoftware) int { return cmp.Compare(len(b.deaths), len(a.deaths)) })
	for _, g := range all[:min(len(all), maxLimited)] {
		x.follow(g)
	}
	for s, err := range d.EachSession() {
		if err != nil {
			return nil, err
		}
		x.addSession(s)
	}
	var found []candidate
	for _, h := range hosts {
		found = append(found, x.limits(h)...)
	}
	return found, nil
}

// namesOf returns the names under which a user agent is looked at: its product, the
// product with its version, and the whole.
func (x *softwareLimits) namesOf(agent uint32) []string {
	names, known := x.names[agent]
	if !known {
		text := x.d.State.Agents[agent]
		family, version := softwareOf(text)
		for _, name := range []string{family, family + " " + version, text} {
			if name != "" && name != " " && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		x.names[agent] = names
	}
	return names
}

// softwareAt returns the software whose sessions end often enough at a host, by name.
func (x *softwareLimits) softwareAt(h *mortalHost) []*mortalSoftware {
	if len(h.deaths) < expiryDeaths {
		return nil
	}
	groups := map[string]*mortalSoftware{}
	for i, r := range x.d.Refusals.Of(slices.Values(h.deaths)) {
		client := r.Client()
		if x.d.State.Unlisted(client) {
			continue
		}
		for _, name := range x.namesOf(client.Agent) {
			if groups[name] == nil {
				groups[name] = &mortalSoftware{host: h, name: name}
			}
			groups[name].deaths = append(groups[name].deaths, i)
		}
	}
	maps.DeleteFunc(groups, func(_ string, g *mortalSoftware) bool {
		return len(g.deaths) < expiryDeaths || distinctActors(x.d, g.deaths) < expiryUnseen
	})
	return slices.SortedFunc(maps.Values(groups), func(a, b *mortalSoftware) int { return cmp.Compare(a.name, b.name) })
}

// follow adds a software whose sessions are looked at.
func (x *softwareLimits) follow(g *mortalSoftware) {
	groups := x.groups[g.host.names[0]]
	if groups == nil {
		groups = map[string]*mortalSoftware{}
		var ages, gaps stats.Durations
		for _, host := range g.host.names {
			x.groups[host], x.ages[host], x.gaps[host] = groups, &ages, &gaps
		}
	}
	groups[g.name] = g
}

// addSession adds what a session survived to its host and software.
func (x *softwareLimits) addSession(s *session.Record) {
	site := x.d.Sites[s.Site]
	groups := x.groups[site]
	if groups == nil || s.LastAccepted < s.Start || x.d.State.Unlisted(s.Client) {
		return
	}
	age := s.LastAccepted - s.Start
	x.gaps[site].Add(s.LongestGap)
	if s.StartSeen {
		x.ages[site].Add(age)
	}
	for _, name := range x.namesOf(s.Client.Agent) {
		g := groups[name]
		if g == nil {
			continue
		}
		g.sessions++
		g.gap.Add(s.LongestGap)
		if s.StartSeen {
			g.ages.Add(age)
		}
	}
}

// limits returns the timeouts at a host, those that are clearest first. Software is of one only.
func (x *softwareLimits) limits(h *mortalHost) (found []candidate) {
	groups := x.groups[h.names[0]]
	var fitted []*mortalSoftware
	for _, g := range groups {
		if x.fits(g, len(groups)) {
			fitted = append(fitted, g)
		}
	}
	slices.SortFunc(fitted, func(a, b *mortalSoftware) int {
		return cmp.Or(cmp.Compare(b.fit.Above.Hits, a.fit.Above.Hits), cmp.Compare(b.fit.Gain, a.fit.Gain), cmp.Compare(a.name, b.name))
	})
	taken := map[uint32]bool{}
	for _, g := range fitted {
		if slices.ContainsFunc(g.deaths, func(i uint32) bool { return taken[i] }) {
			continue
		}
		part := mortalHost{names: h.names, lifetimes: &session.Lifetimes{Sessions: g.sessions}, deaths: g.deaths,
			runs: func(c timeline.Client) bool {
				return !x.d.State.Unlisted(c) && slices.Contains(x.namesOf(c.Agent), g.name)
			}}
		if cand, ok := x.d.expiry(&part, &g.fit); ok {
			cand.Subject.UserAgent = result.Clean(g.name)
			found = append(found, cand)
			for _, i := range g.deaths {
				taken[i] = true
			}
		}
	}
	return found
}

// fits reports whether the sessions of a software have a limit, of age or of silence, that
// others outlive.
func (x *softwareLimits) fits(g *mortalSoftware, tests int) bool {
	host := g.host.names[0]
	gain := math.Inf(-1)
	for _, t := range []timeout{
		{absolute: true, measure: ageOf, deaths: durations(x.d, g.deaths, true, ageOf), survived: &g.ages},
		{measure: idleTimeAny, deaths: durations(x.d, g.deaths, false, idleTimeAny), survived: &g.gap},
	} {
		all := x.gaps[host]
		if t.absolute {
			all = x.ages[host]
		}
		var ok bool
		if t.Threshold, ok = stats.FindThreshold(t.deaths, t.survived); !ok || t.Gain <= gain ||
			t.Gain < expiryGain+math.Log(float64(tests)) || t.Above.Hits < expiryDeaths ||
			float64(t.Above.Hits) < expiryLethal*float64(t.Above.Trials) || float64(t.Above.Hits) < softwareEnds*float64(len(g.deaths)) {
			continue
		}
		others := all.CountsAbove()(t.High) - t.survived.CountsAbove()(t.High)
		died := int64(0)
		for _, r := range x.d.Refusals.Of(slices.Values(g.host.deaths)) {
			if t.measure(r) >= t.High {
				died++
			}
		}
		died = max(died-t.Above.Hits, 0)
		if others < softwareSurvivors || float64(died) > softwareLethal*float64(died+others) {
			continue
		}
		t.bic = math.Inf(1)
		g.fit, gain = t, t.Gain
	}
	return !math.IsInf(gain, -1)
}
