package detect

import (
	"strings"

	"logscan/analyze/session"
	"logscan/analyze/timeline"
)

// A version of an application that forgets its token is refused in the midst of use, renews the token
// and repeats the request: by itself, each of these refusals is a handshake. It shows beside the other
// versions of its family, which are seldom challenged in use; see client_versions.go. Not: clients
// that are challenged at nearly each request, which wait for it, or that name their users, as with
// Basic, Digest and NTLM: how often they are challenged depends on their connections.

// habitualShare is the share of the requests in use from which on being challenged is a habit.
const habitualShare = 0.9

// reopen opens the challenges of the versions whose clients are challenged in use far more than those
// of the others: they are no handshakes.
func (d *Diagnosis) reopen() {
	if len(d.ChallengedInUse) == 0 {
		return
	}
	s := d.software()
	doubted := map[uint32]bool{} // versions plus one
	for _, t := range worseVersions(compareFamilies(d.clientsInUse(s), len(s.names))) {
		doubted[t.version+1] = true
	}
	if len(doubted) == 0 {
		return
	}
	for i, r := range d.Refusals.All() {
		if x, ok := d.ChallengedInUse[r.Client()]; ok && r.Cause == session.Challenge && r.Known && doubted[s.of[r.Agent][0]] && !habitual(x.Hits, x.Trials) {
			d.reopened.Add(i)
		}
	}
	d.closed.Remove(d.reopened)
}

func habitual(challenged, all int64) bool { return float64(challenged) >= habitualShare*float64(all) }

// clientsInUse returns the clients of versions that are not the only ones of their families, with their
// requests in use, in no order. Of a client that was never challenged in use, its accepted requests
// stand for them.
func (d *Diagnosis) clientsInUse(s *software) (all []versionClient) {
	for c, st := range d.Clients {
		v := s.of[c.Agent][0]
		if v == 0 || s.family[v-1] == 0 || d.State.Unlisted(c) || st.Users > 0 {
			continue
		}
		x := versionClient{family: s.family[v-1], version: v - 1, proven: true, browser: strings.HasPrefix(d.State.Agents[c.Agent], "Mozilla/")}
		if use, ok := d.ChallengedInUse[c]; ok {
			x.refused, x.all = use.Hits, use.Trials
		} else {
			x.all = st.Tally.N[timeline.Accepted]
		}
		if x.all >= versionRequests && !habitual(x.refused, x.all) {
			all = append(all, x)
		}
	}
	return all
}

// challenge reports whether a refusal is a leg of a handshake, as far as it is known.
func (d *Diagnosis) challenge(i uint32, r *session.Refusal) bool {
	return r.Cause == session.Challenge && !d.reopened.Has(int(i))
}
