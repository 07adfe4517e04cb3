package timeline

import (
	"slices"

	"logscan/analyze/spill"
)

// Many applications do not answer 401 but redirect to a page for signing in. The log
// does not say where a redirect leads, but the next request of its actor does. If the
// user names a redirecting status (Worker.Refuse), the lines of all such redirects are
// kept like those of 401s. Merge then finds the pages for signing in, and redirects
// that lead to them become refusals; the others are what they were.

const (
	// redirectWindow is the time in milliseconds within which a client follows a
	// redirect, in logs of whole seconds and with slow responses.
	redirectWindow = 2500
	// signInSources is the minimum number of routes, which also accept requests, whose
	// redirects lead to one page for it to be the one for signing in, whatever its
	// name: an old address leads to one page too, but is never accepted.
	signInSources = 3
	// maxBeside is how many requests between a redirect and the one that follows it are
	// looked at: those that a page makes at once.
	maxBeside = 16
)

// redirect is a redirect that may be a refusal.
type redirect struct {
	Event
	to uint32 // endpoint requested next plus one; 0 for none within redirectWindow
}

// resolveRedirects decides which redirects are refusals, counts them as such, and drops
// the others from Refusals. It needs a pass over all timelines, which a run without such
// statuses does not make.
func (s *State) resolveRedirects() error {
	if !s.redirects {
		return nil
	}
	redirects := make([]redirect, s.Refusals.Len()) // by refusal
	var scratch Scratch
	for i := range Shards {
		err := s.Shard(i, &scratch, nil, func(_ uint32, a *Actor) { s.followRedirects(a, redirects) })
		if err != nil {
			return err
		}
	}
	pages := s.signInPages(redirects)
	var kept []Refusal
	for i := range s.Refusals.Len() {
		x, r := *s.Refusals.At(i), &redirects[i]
		s.refusalOf[x.worker][x.number] = NoRefusal
		if !x.redirect || r.to != 0 && pages[r.to-1] {
			kept = append(kept, x)
			if x.redirect {
				s.countRedirect(&r.Event, &x)
			}
		}
	}
	if err := s.Refusals.Err(); err != nil {
		return err
	}
	s.setRefusals(spill.TableOf(kept))
	s.long = &longActors{} // their events have the old numbers
	return nil
}

// followRedirects notes where the redirects of an actor lead.
func (s *State) followRedirects(a *Actor, redirects []redirect) {
	for i := range a.Events {
		e := &a.Events[i]
		if e.Refusal >= EarlierEvent || !s.Refusals.At(int(e.Refusal)).redirect {
			continue
		}
		r := &redirects[e.Refusal]
		r.Event = *e
		if from := &s.Endpoints[e.Endpoint]; from.SignOut || NamesSignIn(from.Template) {
			continue
		}
		for j := i + 1; j < len(a.Events) && j <= i+maxBeside && a.Events[j].Time-e.Time <= redirectWindow; j++ {
			if next := &a.Events[j]; next.Outcome != Unauthorized && next.Endpoint != e.Endpoint {
				r.to = next.Endpoint + 1
				break
			}
		}
	}
}

// signInPages reports, by endpoint, which are pages for signing in.
func (s *State) signInPages(redirects []redirect) []bool {
	type way struct{ from, to uint32 }
	seen := map[way]bool{}
	sources := make([]int, len(s.Endpoints))
	pages := make([]bool, len(s.Endpoints))
	for i := range redirects {
		r := &redirects[i]
		if r.to == 0 {
			continue
		}
		to := r.to - 1
		pages[to] = pages[to] || NamesSignIn(s.Endpoints[to].Template)
		if w := (way{r.Endpoint, to}); !seen[w] && s.Endpoints[r.Endpoint].N[Accepted] > 0 {
			seen[w] = true
			sources[to]++
			pages[to] = pages[to] || sources[to] >= signInSources
		}
	}
	return pages
}

// countRedirect counts a redirect as a refusal.
func (s *State) countRedirect(e *Event, r *Refusal) {
	promote := func(t *Tally) {
		t.N[Redirected]--
		t.N[Unauthorized]++
		widen(&t.FirstRefused, &t.LastRefused, r.Time)
	}
	promote(&s.Endpoints[e.Endpoint].Tally)
	if e.User != 0 {
		promote(&s.Users[e.User-1].Tally)
	}
	if e.Upstream != 0 {
		promote(&s.Upstreams[e.Upstream-1].Tally)
	}
	s.Inputs[r.Input].Unauthorized++
	key := Minute{Time: s.Step(r.Time), Host: s.Endpoints[e.Endpoint].Host}
	if i, ok := slices.BinarySearchFunc(s.Minutes, &key, func(m Minute, k *Minute) int { return compareMinutes(&m, k) }); ok {
		s.Minutes[i].N[Redirected]--
		s.Minutes[i].N[Unauthorized]++
	}
}
