package detect

import "logscan/analyze/session"

// A program renews its token after a 401, and goes on. Where tokens expire, nothing is
// refused soon after a renewal. Where one process of several refuses all tokens, or each
// those of the others, the new token is refused like the old one, now and then, at any age.

// youngTokens returns the hosts that refuse young tokens, of several clients: there a
// renewal neither ends nor begins anything.
func youngTokens(ev *session.Evidence) map[string]bool {
	type young struct {
		refused int
		actors  actorSet
		count   int
	}
	hosts := map[string]*young{}
	for _, r := range ev.Refusals.All() {
		if !Young(r) {
			continue
		}
		host := ev.State.Endpoints[r.Endpoint].Host
		x := hosts[host]
		if x == nil {
			x = &young{}
			hosts[host] = x
		}
		if x.refused++; !x.actors.has(r.Actor) {
			x.actors.add(r.Actor)
			x.count++
		}
	}
	found := map[string]bool{}
	for host, x := range hosts {
		if x.refused >= mixedRefused && x.count >= mixedSessions {
			found[host] = true
		}
	}
	return found
}

// Young reports whether a refusal hit a token that had been given within the minute, and was
// renewed once more: no timeout that anybody sets ends tokens so soon.
func Young(r *session.Refusal) bool {
	age := r.TokenAge()
	return age > freshFrom && age <= freshTo
}
