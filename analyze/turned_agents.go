package analyze

import (
	"math"

	"logscan/parse"
)

// A program whose address changes from request to request, or is masked in the log, looks like
// many strangers, each of which is refused once. But all clients with its user agent were
// accepted until a time, and since then all are refused: its key has expired. By chance, of a
// clients that are accepted and r that are refused, in any order, all r come last with a chance
// of 1 / C(a+r, r).

// turns is what the clients of one user agent show.
type turns struct {
	accepted, refused int64 // clients that are answered nothing else, but for what is missing
	lastAccepted      int64 // Unix microseconds, of all clients
	firstRefused      int64
}

// turnedAgents returns the user agents whose clients were all accepted first and are all refused
// since.
func (a *assembly) turnedAgents() map[uint32]bool {
	agents := map[uint32]*turns{}
	for i, r := range a.Refusals.All() {
		if a.Of[i] == 0 && r.Actor != 0 && strange(r) && agents[r.Agent] == nil && a.State.Agents[r.Agent] != "" {
			agents[r.Agent] = &turns{lastAccepted: math.MinInt64, firstRefused: math.MaxInt64}
		}
	}
	if len(agents) == 0 {
		return nil
	}
	for c, s := range a.Clients {
		x := agents[c.Agent]
		if x == nil {
			continue
		}
		if a.State.Unlisted(c) {
			delete(agents, c.Agent)
			continue
		}
		if s.Tally.FirstAccepted != parse.NoTime {
			x.lastAccepted = max(x.lastAccepted, s.Tally.LastAccepted)
			x.accepted++
		}
		if s.Tally.FirstRefused != parse.NoTime {
			x.firstRefused = min(x.firstRefused, s.Tally.FirstRefused)
			x.refused++
		}
	}
	tests, found := math.Log(float64(len(agents))), map[uint32]bool{}
	for agent, x := range agents {
		if x.refused > fewEnds && x.accepted > fewEnds && x.lastAccepted < x.firstRefused && tests-logChoose(x.accepted+x.refused, x.refused) <= math.Log(doubtful) {
			found[agent] = true
		}
	}
	return found
}

// logChoose returns the logarithm of the number of ways to choose k of n.
func logChoose(n, k int64) float64 {
	lgamma := func(x int64) float64 {
		y, _ := math.Lgamma(float64(x + 1))
		return y
	}
	return lgamma(n) - lgamma(k) - lgamma(n-k)
}
