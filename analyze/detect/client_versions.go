package detect

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
)

// A version that forgets its credentials now and then, or does not renew its tokens, is
// refused everywhere, and on no route far more often than chance allows. It shows beside
// the other versions of its family, which do the same work for the same kind of people.
//
// Not: an attack's tool (its clients are never accepted, and carry no session), and other
// strangers; those of an application of the site's own ask for what its people ask for,
// on several routes.
//
// Statistic: the share of each client's requests that is refused, so that each client
// counts once; the rank sum test of Mann and Whitney (stats.RankSums) against the clients
// of the other versions, adjusted by Benjamini and Hochberg over the versions.

const (
	// versionRequests is the minimum number of requests of a client whose share counts.
	versionRequests = 3
	// versionWins is the minimum share of the pairs of a client of the version and one of
	// another version in which the former is refused more: beside it, a difference that is
	// certain may still be small.
	versionWins = 0.7
	// Of the requests of a client of such a version, at least softwareLeast are refused, and
	// softwareTimes as many as with other versions, on average: twice, because where sessions
	// are short, all versions are refused often.
	softwareTimes = 2
	softwareLeast = 0.1
	// softwareRoutes is the minimum number of routes on which such clients are refused if
	// nothing shows that they have accounts: people use several.
	softwareRoutes = 3
	// versionOnRoutes is the share of the refusals of such a version from which on a finding
	// about single routes has them all.
	versionOnRoutes = 0.8
	// versionMost is the minimum share that such a version has of the refusals that look as if
	// all clients were refused at random: most.
	versionMost = 0.5
	// versionExpected is the number of visits that a version would have made before a time, if
	// its share of its family's were the same, from which on it appeared at that time: none of
	// seven is as likely as one in a thousand.
	versionExpected = 7
)

// versionTest compares the clients of a version with those of the others of its family.
type versionTest struct {
	version     uint32 // index in software.names
	clients     int64  // with refusals
	own, others stats.Cell
	ownMean     float64 // mean refused share of its clients
	othersMean  float64
	lower       float64 // 95% bound of ownMean
	wins        float64 // see versionWins
	p           float64
	unrenewed   bool // compared are the ends of tokens, not all requests: see tokenEnds
}

// versionClient is a client whose requests are compared.
type versionClient struct {
	family, version uint32
	refused, all    int64
	proven          bool     // it is accepted otherwise, or has a session
	browser         bool     // its user agent is that of a browser, which strangers use as well
	routes          []uint32 // some protected ones that refused it
}

func (c *versionClient) share() float64 { return float64(c.refused) / float64(c.all) }

// compareVersions returns the versions that are refused far more than the others of
// their families.
func (d *Diagnosis) compareVersions(s *software) (worse []versionTest) {
	tests := compareFamilies(d.versionClients(s), len(s.names))
	for _, t := range compareFamilies(d.tokenEnds(s), len(s.names)) {
		t.unrenewed = true
		tests = append(tests, t)
	}
	return worseVersions(tests)
}

// worseVersions returns the tests of versions that are refused far more than the others of their
// families.
func worseVersions(tests []versionTest) (worse []versionTest) {
	p := make([]float64, len(tests))
	for i := range tests {
		p[i] = tests[i].p
	}
	for i, adjusted := range stats.BenjaminiHochberg(p) {
		t := tests[i]
		t.p = adjusted
		if adjusted <= softwareFalse && t.wins >= versionWins && t.ownMean >= softwareLeast && t.ownMean >= softwareTimes*t.othersMean {
			worse = append(worse, t)
		}
	}
	return worse
}

// compareFamilies tests each version of each family. versions is the number of versions and
// families.
func compareFamilies(clients []versionClient, versions int) (tests []versionTest) {
	if !mayDiffer(clients, versions) {
		return nil // and clients need not be ranked
	}
	slices.SortFunc(clients, compareVersionClients)
	for len(clients) > 0 {
		n := 0
		for n < len(clients) && clients[n].family == clients[0].family {
			n++
		}
		tests = append(tests, compareFamily(clients[:n])...)
		clients = clients[n:]
	}
	return tests
}

// ofOneVersion reports whether most of the refusals are of a version that is refused far
// more than the others of its family: then it is at fault, and not what all clients have in
// common.
func (d *Diagnosis) ofOneVersion(refusals []uint32) bool {
	s := d.software()
	of := map[uint32]int{} // by version plus one
	for _, r := range d.Refusals.Of(slices.Values(refusals)) {
		of[s.of[r.Agent][0]]++
	}
	mostly := func(version uint32) bool {
		return float64(of[version+1]) >= versionMost*float64(len(refusals))
	}
	if !slices.ContainsFunc(slices.Collect(maps.Keys(of)), func(v uint32) bool { return v > 0 && s.family[v-1] > 0 && mostly(v-1) }) {
		return false
	}
	return slices.ContainsFunc(d.compareVersions(s), func(t versionTest) bool { return mostly(t.version) })
}

// compare returns what compareVersions does, which is not done again until a finding has
// been accepted.
func (o *softwareObserver) compare() []versionTest {
	if n := o.d.closed.Len(); o.comparedAt != n+1 {
		o.compared, o.comparedAt = o.d.compareVersions(o.software), n+1
	}
	return o.compared
}

// versionClients returns the clients of versions that are not the only ones of their
// families, in no order.
func (d *Diagnosis) versionClients(s *software) []versionClient {
	type count struct {
		n      int64
		proven bool
		routes []uint32
	}
	refused := map[timeline.Client]*count{}
	for i, r := range d.Refusals.All() {
		if v := s.of[r.Agent][0]; v == 0 || s.family[v-1] == 0 || !d.open(i) || r.SignIn {
			continue
		}
		c := refused[r.Client()]
		if c == nil {
			c = &count{}
			refused[r.Client()] = c
		}
		c.n++
		c.proven = c.proven || r.Session || provenRefusal(r)
		if d.Protected[r.Endpoint] && len(c.routes) < softwareRoutes && !slices.Contains(c.routes, r.Endpoint) {
			c.routes = append(c.routes, r.Endpoint)
		}
	}
	var all []versionClient
	for c, st := range d.Clients {
		v := s.of[c.Agent][0]
		if v == 0 || s.family[v-1] == 0 || d.State.Unlisted(c) {
			continue
		}
		x := versionClient{family: s.family[v-1], version: v - 1, all: st.Tally.N[timeline.Accepted]}
		if k := refused[c]; k != nil {
			x.refused, x.proven = k.n, k.proven || x.all > 0 && (st.Users > 0 || st.Sessions > 0)
			x.routes, x.browser = k.routes, strings.HasPrefix(d.State.Agents[c.Agent], "Mozilla/")
		}
		if x.all += x.refused; x.all >= versionRequests {
			all = append(all, x)
		}
	}
	return all
}

// mayDiffer reports whether a version is refused so much more than the others of its family
// that compareVersions may return it, whatever the ranks of its clients. versions is the
// number of versions and families. Sums in another order may differ by rounding.
func mayDiffer(clients []versionClient, versions int) bool {
	const rounding = 1e-9
	type sum struct{ n, share float64 }
	own, families := make([]sum, versions), make([]sum, versions+1)
	family := make([]uint32, versions)
	for i := range clients {
		c := &clients[i]
		family[c.version] = c.family
		for _, s := range []*sum{&own[c.version], &families[c.family]} {
			s.n++
			s.share += c.share()
		}
	}
	for version, s := range own {
		all := families[family[version]]
		if s.n == 0 || all.n == s.n {
			continue
		}
		mean, others := s.share/s.n+rounding, (all.share-s.share)/(all.n-s.n)
		if mean >= softwareLeast && mean >= softwareTimes*others {
			return true
		}
	}
	return false
}

// compareVersionClients orders clients by family and share.
func compareVersionClients(a, b versionClient) int {
	switch x, y := a.refused*b.all, b.refused*a.all; { // cmp.Or compares everything
	case a.family != b.family:
		return cmp.Compare(a.family, b.family)
	case x != y:
		return cmp.Compare(x, y)
	case a.version != b.version:
		return cmp.Compare(a.version, b.version)
	}
	return cmp.Compare(a.all, b.all)
}

// compareFamily tests each version of a family, whose clients are sorted by share.
func compareFamily(clients []versionClient) []versionTest {
	place := map[uint32]int32{}
	var tests []versionTest
	shares, group := make([]float64, len(clients)), make([]int32, len(clients))
	type sum struct {
		n, share, squares float64
		cell              stats.Cell
		proven            int64
		browser           bool
		routes            map[uint32]bool
	}
	var sums []sum
	var all sum
	for i := range clients {
		c := &clients[i]
		g, ok := place[c.version]
		if !ok {
			g = int32(len(tests))
			place[c.version] = g
			tests = append(tests, versionTest{version: c.version})
			sums = append(sums, sum{routes: map[uint32]bool{}})
		}
		shares[i], group[i] = c.share(), g
		for _, s := range []*sum{&sums[g], &all} {
			s.n++
			s.share += shares[i]
			s.squares += shares[i] * shares[i]
			s.cell.Merge(stats.Cell{Hits: c.refused, Trials: c.all})
		}
		if c.refused > 0 {
			tests[g].clients++
			if c.proven {
				sums[g].proven++
			}
			sums[g].browser = sums[g].browser || c.browser
			for _, r := range c.routes {
				sums[g].routes[r] = true
			}
		}
	}
	ranks := stats.RankSums(shares, group, len(tests))
	kept := tests[:0]
	for g := range tests {
		t, s := tests[g], &sums[g]
		own := float64(s.proven) >= softwareProven*float64(t.clients) || !s.browser && len(s.routes) >= softwareRoutes
		if t.clients < softwareActors || all.n-s.n < softwareActors || !own {
			continue
		}
		t.own, t.others = s.cell, all.cell.Minus(s.cell)
		t.ownMean, t.othersMean = s.share/s.n, (all.share-s.share)/(all.n-s.n)
		deviation := math.Sqrt(max(0, s.squares/s.n-t.ownMean*t.ownMean))
		t.lower = max(0, t.ownMean-stats.Z95*deviation/math.Sqrt(s.n))
		t.lower = min(t.lower, stats.WilsonLower(int64(math.Round(t.ownMean*s.n)), int64(s.n), stats.Z95)) // all may be alike
		t.wins, t.p = ranks[g].Wins, ranks[g].P
		kept = append(kept, t)
	}
	return kept
}

// failingVersion returns the finding of a version that is refused on all routes; false if nearly
// all of its refusals are by one, which has a test of its own, unless it goes on after most of them.
func (o *softwareObserver) failingVersion(t *versionTest) (c candidate, ok bool) {
	routes, first, reopened := map[uint32]int{}, session.Never, 0
	for i, r := range o.d.Refusals.All() {
		if o.software.of[r.Agent][0] == t.version+1 && o.d.open(i) && !r.SignIn && (!t.unrenewed || r.Known && !r.Renewed()) {
			c.claims = append(c.claims, uint32(i))
			routes[r.Endpoint]++
			first = min(first, r.Time)
			if o.d.reopened.Has(i) {
				reopened++
			}
		}
	}
	if len(c.claims) == 0 || !t.unrenewed && 2*reopened < len(c.claims) && float64(routes[mostAsked(routes)]) >= versionOnRoutes*float64(len(c.claims)) {
		return c, false
	}
	details := &FailingSoftware{
		Everywhere: true, Unrenewed: t.unrenewed, Refused: t.clients, RefusedShare: result.Share(round(t.ownMean, 4)), RefusedLow: result.Share(round(t.lower, 4)),
		OthersShare: result.Share(round(t.othersMean, 4)), PValue: result.Probability(t.p),
		OddsRatio: round(min(oddsRatio(t.own, t.others), 1e6), 1), NoCredentials: o.naked(t.version, c.claims),
		Ongoing: o.d.ongoing(c.claims[len(c.claims)-1]),
	}
	o.countRoutes(details, routes)
	details.Versions = o.versions(t.version, func(*session.Refusal) bool { return true })
	onset := session.Never
	if n := o.place[t.version]; t.unrenewed {
		onset = o.d.stopsRenewing(o.software, t)
	} else if n > 0 {
		cells := o.versionCells[n-1]
		switch s, ok := refusingSpan(cells, t.othersMean); {
		case ok && s.accepted && o.worked(t.version, s.from):
			onset, _ = o.d.onsetOf(cells, s)
		case o.appeared(t.version, first):
			onset = first
		}
		c.Exhibit = o.d.actorTrend(cells)
	}
	o.complete(&c, t.version, details, onset)
	c.Confidence = confidence(t.p, t.wins)
	return c, true
}

// worked reports whether a version was refused no more than the others of its family
// before a step.
func (o *softwareObserver) worked(version uint32, step int) bool {
	var own, family, before stats.Cell
	of := func(s uint32, i int) stats.Cell {
		x := &o.versionCells[o.place[s]-1][i]
		return stats.Cell{Hits: int64(x.refused), Trials: int64(x.refused + x.accepted)}
	}
	for i := range session.MaxSteps {
		own.Merge(of(version, i))
		family.Merge(of(o.families[version]-1, i))
		if i < step {
			before.Merge(of(version, i))
		}
	}
	return before.Trials >= minMeasured && shareOf(before) <= 2*shareOf(family.Minus(own))
}

// oddsRatio returns the odds ratio of two cells, with half a case added to each count
// (Haldane and Anscombe).
func oddsRatio(a, b stats.Cell) float64 {
	odds := func(c stats.Cell) float64 { return (float64(c.Hits) + 0.5) / (float64(c.Trials-c.Hits) + 0.5) }
	return odds(a) / odds(b)
}

// versionSeries follows some versions and their families over time.
type versionSeries struct {
	followed     []uint32 // software
	place        []int32  // by software: its index in followed plus one
	families     []uint32 // by software, plus one; see software
	versionCells [][]cell // by index in followed: requests
}

func newVersionSeries(s *software) versionSeries {
	return versionSeries{place: make([]int32, len(s.names)), families: s.family}
}

// follow adds a version and its family.
func (v *versionSeries) follow(version uint32) {
	for _, s := range []uint32{version, v.families[version] - 1} {
		if v.place[s] == 0 && len(v.followed) < maxFollowed {
			v.followed = append(v.followed, s)
			v.place[s] = int32(len(v.followed))
		}
	}
}

// follows reports whether a version or family of a user agent is followed.
func (o *softwareObserver) follows(agent uint32) bool {
	for _, s := range o.software.of[agent] {
		if s > 0 && o.place[s-1] > 0 {
			return true
		}
	}
	return false
}

// countVersion counts an actor of a version and family that are followed: once per visit
// as accepted, and once as refused.
func (p *softwarePart) countVersion(e *timeline.Event) {
	which := 0
	switch e.Outcome {
	case timeline.Accepted:
	case timeline.Unauthorized:
		if which = 1; p.d.challenge(e.Refusal, p.d.Refusals.At(int(e.Refusal))) {
			return
		}
	default:
		return
	}
	silence := e.Time - p.counted[which]
	p.counted[which] = e.Time
	if silence <= outageVisit {
		return
	}
	for _, s := range p.software.of[e.Client.Agent] {
		if s == 0 || p.place[s-1] == 0 {
			continue
		}
		n, step := p.place[s-1]-1, p.clock.at(e.Time)
		if which == 1 {
			p.versions.addRefused(n, step, e.Time, true)
		} else {
			p.versions.noteAccepted(n, step, e.Time, true)
		}
	}
}

// appeared reports whether a version that was refused first at a time, in Unix
// milliseconds, was not in use before. If its family is not followed, nothing shows that
// it was.
func (o *softwareObserver) appeared(version uint32, at int64) bool {
	family := o.families[version]
	if family == 0 || o.place[version] == 0 || o.place[family-1] == 0 {
		return at > o.d.From+session.Nearby
	}
	var own, all, before, ownBefore float64
	for i := range session.MaxSteps {
		x, y := &o.versionCells[o.place[version]-1][i], &o.versionCells[o.place[family-1]-1][i]
		n, m := float64(max(x.accepted, x.refused)), float64(max(y.accepted, y.refused))
		own, all = own+n, all+m
		if o.d.From+int64(i+1)*o.d.Width <= at {
			before, ownBefore = before+m, ownBefore+n
		}
	}
	return ownBefore == 0 && before*own/max(all, 1) >= versionExpected
}
