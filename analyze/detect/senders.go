package detect

import (
	"cmp"
	"iter"
	"slices"

	"logscan/analyze/session"
	"logscan/analyze/timeline"
)

// A sender of events, such as a payment provider or a fleet of build machines, uses one program
// and one secret at several addresses. If the secret is rotated on one side, each address looks
// like a client of its own, without a pace, and all of them like the people of a site that
// accepts nobody.

// senderAddresses is the maximum number of addresses of a sender: providers publish a few dozen.
const senderAddresses = 64

// isProgram reports whether a user agent is that of a program that names itself.
func isProgram(agent string) bool { return agent != "" && !isBrowser(agent) }

// senders returns the machines of several addresses with one program and one user, or none,
// as one machine each. Nearly all of its addresses are refused in the end.
func (o *machineObserver) senders() (all []machine) {
	type sender struct{ agent, user uint32 }
	members := map[sender][]*machine{}
	for i := range o.machines {
		m := &o.machines[i]
		if isProgram(o.d.State.Agents[m.client.Agent]) {
			s := sender{m.client.Agent, m.user}
			members[s] = append(members[s], m)
		}
	}
	for s, list := range members {
		if len(list) < 2 || len(list) > senderAddresses || o.fleets[s.agent] > senderAddresses {
			continue
		}
		one := machine{client: timeline.Client{Agent: s.agent}, user: s.user, addresses: len(list)}
		refused := 0
		for _, m := range list {
			if m.answers[len(m.answers)-1].refusal != timeline.NoRefusal {
				refused++
			}
			one.answers = append(one.answers, m.answers...)
		}
		if float64(refused) < outageShare*float64(len(list)) {
			continue
		}
		slices.SortFunc(one.answers, func(a, b answer) int {
			return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.endpoint, b.endpoint), cmp.Compare(a.refusal, b.refusal))
		})
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b machine) int {
		return cmp.Or(cmp.Compare(a.client.Agent, b.client.Agent), cmp.Compare(a.user, b.user))
	})
	return all
}

// ofOneSender reports whether refusals are those of one program, in one name or none, and not
// of sessions: it is no site that accepts nobody, but one secret that is not good any more.
func (d *Diagnosis) ofOneSender(refusals iter.Seq[uint32]) bool {
	var first *session.Refusal
	for _, r := range d.Refusals.Of(refusals) {
		if first == nil {
			x := *r
			first = &x
		}
		if r.Session || r.Agent != first.Agent || r.User != first.User {
			return false
		}
	}
	return first != nil && isProgram(d.State.Agents[first.Agent])
}
