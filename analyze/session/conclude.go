package session

import (
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
)

// rank orders ways by how likely it is, before anything is learnt, that they begin a
// session, 0 being the most likely: what is known by its name, a form, a redirect, a
// page.
func (ev *Evidence) rank(w way) int {
	e := &ev.State.Endpoints[w/2]
	switch {
	case e.SignIn || e.Renew, w&1 == 1 && takesTickets(e):
		return 0
	case e.Method != "GET" && e.Method != "PROPFIND" && e.Method != "REPORT":
		return 1
	case w&1 == 1:
		return 2
	}
	return 3
}

// plausible reports whether a way led from refusals to acceptances, and hardly occurred
// otherwise.
func (l *lessons) plausible(w way) bool {
	z := stats.Z95
	if l.rank(w) == 3 {
		z = plainZ
	}
	n := l.returns[w]
	return n >= learnReturns && stats.WilsonLower(n, n+l.vain[w], z) >= learnShare &&
		(stats.WilsonLower(n, n+l.amid[w], z) >= learnShare || (l.shown[w/2] || l.rank(w) <= 1 && n >= 2*learnReturns) && l.typical(w))
}

// typical reports whether a way is far more usual before returns than otherwise: people
// come to a form by themselves, too, or are redirected to it, which a log without sessions
// shows amid their requests.
func (l *lessons) typical(w way) bool {
	rare := 1 - stats.WilsonLower(l.allAmid-l.amid[w], l.allAmid, plainZ)
	return stats.WilsonLower(l.returns[w], l.allReturns, plainZ) >= typicalRatio*rare
}

// shownForms reports by endpoint whether it is a form: its page has the same URL.
func (l *lessons) shownForms() []bool {
	type page struct{ host, template string }
	pages := map[page]bool{}
	for i := range l.State.Endpoints {
		if e := &l.State.Endpoints[i]; e.Method == "GET" && e.N[timeline.Accepted] > 0 {
			pages[page{e.Host, e.Template}] = true
		}
	}
	shown := make([]bool, len(l.State.Endpoints))
	for i := range shown {
		e := &l.State.Endpoints[i]
		shown[i] = e.Method == "POST" && pages[page{e.Host, e.Template}]
	}
	return shown
}

// conclude sets the roles that were learnt.
func (l *lessons) conclude() {
	l.shown = l.shownForms()
	for w := range l.returns {
		l.allReturns += l.returns[w]
		l.allAmid += l.amid[w]
	}
	plausible := make([]bool, len(l.returns))
	for w := range plausible {
		plausible[w] = l.rank(way(w)) == 0 || l.plausible(way(w))
	}
	alone := make([]int64, len(l.returns)) // returns that no better way explains
	for i := range l.list {
		best := 4
		for _, w := range l.list[i] {
			if w != 0 && plausible[w-1] {
				best = min(best, l.rank(w-1))
			}
		}
		for _, w := range l.list[i] {
			if w != 0 && plausible[w-1] && l.rank(w-1) == best {
				alone[w-1]++
			}
		}
	}
	for w := range alone {
		n := alone[w]
		if !plausible[w] && l.vain[w]+l.amid[w] >= 2*learnReturns {
			l.unlearn(way(w))
		}
		if l.rank(way(w)) > 0 && n >= learnReturns && float64(n) >= learnAlone*float64(l.returns[w]) {
			l.begins(way(w), l.rank(way(w)) == 1 && l.returns[w] >= 2*learnReturns && float64(l.quick[w]) >= renewQuick*float64(l.returns[w]))
		}
	}
	for x, n := range l.failed {
		if form, page := &l.State.Endpoints[x.form], &l.State.Endpoints[x.page]; n >= learnReturns &&
			float64(n) >= formShare*float64(page.N[timeline.Unauthorized]) && float64(n) <= formFails*float64(form.N[timeline.Redirected]) {
			l.begins(2*x.form+1, false)
		}
	}
	for i := range l.Roles {
		l.reconsider(uint32(i))
		l.redirects(uint32(i))
	}
	l.concludeEnds()
}

// redirects makes an answer without a redirect a failed sign-in where a form redirects
// whom it signs in: it shows the form again.
func (l *lessons) redirects(endpoint uint32) {
	page, redirect := l.decisive[2*endpoint], l.decisive[2*endpoint+1]
	if submitted := l.State.Endpoints[endpoint].Method == "POST"; submitted && redirect >= learnReturns &&
		stats.WilsonLower(redirect, redirect+page, stats.Z95) >= formShare {
		l.Roles[endpoint] &^= SignsIn
	}
}

// concludeEnds sets whether refusals end the sessions of each site.
func (l *lessons) concludeEnds() {
	sticky, loose := make([]int64, len(l.Sites)), make([]int64, len(l.Sites))
	for i, site := range l.siteOf {
		known := &l.State.Endpoints[i].Known
		sticky[site] += l.sticky[i] + known.Sticky
		loose[site] += l.loose[i] + known.Loose
	}
	for site := range l.ends {
		n := sticky[site] + loose[site]
		end := float64(sticky[site]) >= stickyShare*float64(n)
		switch {
		case end && n >= stickyProof:
			l.ends[site] = proven
		case end || n < stickyPairs:
			l.ends[site] = likely
		}
	}
}

// begins sets the role of an endpoint by which sessions were seen to begin, or to be
// renewed.
func (ev *Evidence) begins(w way, renews bool) {
	e, r := &ev.State.Endpoints[w/2], &ev.Roles[w/2]
	if w&1 == 1 {
		*r |= redirectsIn
	} else {
		*r |= SignsIn
		*r &^= Guards
	}
	switch {
	case renews:
		*r |= Renews
	case ev.rank(w) == 1 || w&1 == 1 && e.N[timeline.Accepted]+e.Known.Accepted == 0:
		*r |= Tries
	}
}

// unlearn removes what earlier runs have learnt of a way that does not begin sessions
// any more.
func (l *lessons) unlearn(w way) {
	bit := SignsIn
	if w&1 == 1 {
		bit = redirectsIn
	}
	if e := &l.State.Endpoints[w/2]; Role(e.Known.Learnt)&bit != 0 {
		l.Roles[w/2] = roleOf(e, 0)
	}
}

// reconsider makes a renewal of a token endpoint that programs use while nothing is
// wrong, or at once after a refusal: OAuth 2.0 has one endpoint for both (RFC 6749,
// section 6).
func (l *lessons) reconsider(endpoint uint32) {
	if !l.State.Endpoints[endpoint].Token {
		return
	}
	a, b := 2*endpoint, 2*endpoint+1
	programs := l.quick[a] + l.quick[b] + l.amid[a] + l.amid[b]
	all := l.returns[a] + l.returns[b] + l.amid[a] + l.amid[b]
	if all >= 2*learnReturns && float64(programs) >= renewQuick*float64(all) {
		l.Roles[endpoint] = l.Roles[endpoint]&^Tries | Renews
	}
}
