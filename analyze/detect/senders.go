package detect

import (
	"cmp"
	"iter"
	"math"
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

// namesProgram reports whether a user agent names a program and is no browser's.
func namesProgram(agent string) bool {
	family, _ := softwareOf(agent)
	return family != "" && !isBrowser(agent)
}

// senders returns the machines of several addresses with one program and one user, or none,
// as one machine each. Nearly all of its addresses are refused in the end, or for long until all
// are accepted again; nothing else is accepted from them meanwhile, and the routes do not refuse
// other programs.
func (o *machineObserver) senders() (all []machine) {
	type sender struct{ agent, user uint32 }
	members := map[sender][]*machine{}
	for i := range o.machines {
		m := &o.machines[i]
		s := sender{m.client.Agent, m.user}
		members[s] = append(members[s], m)
	}
	of := map[uint32]uint32{} // by endpoint: the program that it refuses, plus one; mixed for several
	const mixed = math.MaxUint32
	for _, r := range o.d.Refusals.All() {
		switch agent := of[r.Endpoint]; {
		case r.Cause == session.Challenge:
		case agent == 0:
			of[r.Endpoint] = r.Agent + 1
		case agent != r.Agent+1:
			of[r.Endpoint] = mixed
		}
	}
	for s, list := range members {
		if len(list) < 2 || len(list) > senderAddresses || o.fleets[s.agent] > senderAddresses || !namesProgram(o.d.State.Agents[s.agent]) {
			continue
		}
		one := machine{client: timeline.Client{Agent: s.agent}, user: s.user, addresses: len(list)}
		refused := 0
		for _, m := range list {
			if m.answers[len(m.answers)-1].refused() {
				refused++
			}
			one.answers = append(one.answers, m.answers...)
		}
		slices.SortFunc(one.answers, compareAnswers)
		if float64(refused) < outageShare*float64(len(list)) && !o.refusedTogether(&one) || slices.ContainsFunc(one.answers, func(a answer) bool {
			return a.refused() && (of[a.endpoint] == mixed || o.d.Refusals.At(int(a.refusal)).Alive)
		}) {
			continue
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b machine) int {
		return cmp.Or(cmp.Compare(a.client.Agent, b.client.Agent), cmp.Compare(a.user, b.user))
	})
	return all
}

// refusedTogether reports whether one series of refusals without an acceptance comes from nearly
// all addresses that use the program of a sender.
func (o *machineObserver) refusedTogether(sender *machine) bool {
	all := roundsOf(o.d, sender.answers)
	from, to, rounds := longestRefusal(all)
	if rounds < persistentRounds {
		return false
	}
	addresses := map[uint32]bool{}
	for _, a := range sender.answers[all[from].from:all[to-1].to] {
		addresses[o.d.Refusals.At(int(a.refusal)).Address] = true
	}
	return float64(len(addresses)) >= outageShare*float64(o.fleets[sender.client.Agent])
}

// ofOneSender reports whether refusals are those of one program at few addresses, in one name
// or none, and not of sessions: it is no site that accepts nobody, but one secret that is not
// good any more.
func (d *Diagnosis) ofOneSender(refusals iter.Seq[uint32]) bool {
	var first *session.Refusal
	addresses := map[uint32]bool{}
	for _, r := range d.Refusals.Of(refusals) {
		if first == nil {
			x := *r
			first = &x
		}
		if addresses[r.Address] = true; r.Session || r.Agent != first.Agent || r.User != first.User || len(addresses) > senderAddresses {
			return false
		}
	}
	return first != nil && namesProgram(d.State.Agents[first.Agent])
}
