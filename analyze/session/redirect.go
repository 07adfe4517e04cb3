package session

import (
	"strings"

	"logscan/analyze/timeline"
)

// redirectReach is how many requests may lie between a redirect and the request
// that follows it: the calls of a page run in parallel.
const redirectReach = 8

// RedirectedBy returns the endpoint, as its index plus one, that redirected the
// actor to event i: shortly before it, or at the same instant, because logs of
// whole seconds do not give their order. It returns 0 if there is none. Sign-ins
// and sign-outs redirect for reasons of their own and do not count, nor does a
// redirect that can hardly lead to the endpoint of event i.
func (ev *Evidence) RedirectedBy(a *timeline.Actor, i int) uint32 {
	e := &a.Events[i]
	redirects := func(r *timeline.Event) bool {
		return r.Outcome == timeline.Redirected && ev.redirects(r.Endpoint, e.Endpoint)
	}
	if j := EventBefore(a, i, redirects); j >= 0 {
		return a.Events[j].Endpoint + 1
	}
	return 0
}

// redirectBefore is like RedirectedBy, but takes any redirect of a GET if there is none that is
// likely to lead to event i: a link may lead to any page. See Follows.
func (ev *Evidence) redirectBefore(a *timeline.Actor, i int) uint32 {
	if from := ev.RedirectedBy(a, i); from != 0 {
		return from
	}
	j := EventBefore(a, i, func(r *timeline.Event) bool {
		return r.Outcome == timeline.Redirected && ev.State.Endpoints[r.Endpoint].Method == "GET"
	})
	if j < 0 {
		return 0
	}
	return a.Events[j].Endpoint + 1
}

// Follows reports whether the redirect before a refusal is likely to have led to it, and would
// have led others there: see RedirectedBy.
func (ev *Evidence) Follows(r *Refusal) bool {
	return r.Redirect != 0 && ev.redirects(r.Redirect-1, r.Endpoint)
}

// redirects reports whether a redirect by one endpoint, which neither signs in nor out, is likely
// to lead to another.
func (ev *Evidence) redirects(from, to uint32) bool {
	return ev.Roles[from]&(redirectsIn|SignsOut) == 0 && leadsTo(&ev.State.Endpoints[from], &ev.State.Endpoints[to])
}

// EventBefore returns the index of the last event that matches shortly before event i,
// or at the same instant; -1 if there is none.
func EventBefore(a *timeline.Actor, i int, matches func(*timeline.Event) bool) int {
	e := &a.Events[i]
	for j := i - 1; j >= max(0, i-redirectReach) && e.Time-a.Events[j].Time <= RedirectWindow; j-- {
		if matches(&a.Events[j]) {
			return j
		}
	}
	for j := i + 1; j < min(len(a.Events), i+redirectReach) && a.Events[j].Time == e.Time; j++ {
		if matches(&a.Events[j]) {
			return j
		}
	}
	return -1
}

// eventAfter returns the index of the first event that matches shortly after event i,
// or at the same instant; -1 if there is none.
func eventAfter(a *timeline.Actor, i int, matches func(*timeline.Event) bool) int {
	e := &a.Events[i]
	for j := i + 1; j < min(len(a.Events), i+redirectReach) && a.Events[j].Time-e.Time <= RedirectWindow; j++ {
		if matches(&a.Events[j]) {
			return j
		}
	}
	for j := i - 1; j >= max(0, i-redirectReach) && a.Events[j].Time == e.Time; j-- {
		if matches(&a.Events[j]) {
			return j
		}
	}
	return -1
}

// leadsTo reports whether a redirect of one endpoint may lead to another, which logs do
// not state: the path is the same, on this or another host or scheme, but for a slash
// or the name of an index page; or it ends alike, and at least half of its segments
// are the same: a prefix has been added, removed or replaced, such as a version.
// Clients turn POST into GET (RFC 9110, section 15.4.2): what was submitted may also be
// shown above or below the path of the form.
func leadsTo(from, to *timeline.Endpoint) bool {
	if from.Method != to.Method && to.Method != "GET" {
		return false
	}
	a, b := pathSegments(from.Template), pathSegments(to.Template)
	shorter := min(len(a), len(b))
	prefix, suffix, literal := 0, 0, false
	for prefix < shorter && strings.EqualFold(a[prefix], b[prefix]) {
		prefix++
	}
	if prefix == len(a) && prefix == len(b) {
		return true
	}
	if from.Method != to.Method && prefix == shorter && prefix >= 2 && max(len(a), len(b)) == prefix+1 {
		return true
	}
	for suffix < shorter-prefix && strings.EqualFold(a[len(a)-1-suffix], b[len(b)-1-suffix]) {
		literal = literal || a[len(a)-1-suffix][0] != '{'
		suffix++
	}
	return literal && 2*(prefix+suffix) >= max(len(a), len(b))
}

// pathSegments returns the segments of a template that are not empty, without the name
// of an index page.
func pathSegments(template string) []string {
	list := strings.FieldsFunc(template, func(r rune) bool { return r == '/' })
	if n := len(list) - 1; n >= 0 {
		if name, _, ok := strings.Cut(strings.ToLower(list[n]), "."); ok && (name == "index" || name == "default") {
			return list[:n]
		}
	}
	return list
}
