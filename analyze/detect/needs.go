package detect

import (
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/timeline"
)

// The fields that kinds need, by the names of their columns.
const (
	needTime     = "timestamp"
	needStatus   = "http_response_status_code"
	needMethod   = "http_request_method"
	needPath     = "url_path"
	needScheme   = "url_scheme"
	needHost     = "server_address"
	needClient   = "client_address"
	needAgent    = "user_agent_original"
	needUser     = "user_name"
	needSession  = "session_id"
	needUpstream = "upstream_address"
)

// heldFields reports for each field whether any line of the run has it.
func heldFields(s *timeline.State) map[string]bool {
	named := func(s string) bool { return s != "" }
	h := map[string]bool{
		needTime: len(s.Minutes) > 0, needScheme: s.Schemes, needSession: s.Sessions,
		needUser: len(s.Users) > 0, needUpstream: len(s.Upstreams) > 0 || len(s.Servers) > 1,
		needClient: slices.ContainsFunc(s.Addresses, named), needAgent: slices.ContainsFunc(s.Agents, named),
	}
	for i := range s.Endpoints {
		e := &s.Endpoints[i]
		h[needMethod] = h[needMethod] || named(e.Method)
		h[needPath] = h[needPath] || named(e.Template)
		h[needHost] = h[needHost] || named(e.Host)
		for o := range timeline.Other {
			h[needStatus] = h[needStatus] || e.N[o] > 0
		}
	}
	return h
}

// detectable returns the kinds whose needs the log meets, and what the other kinds
// lack. If nothing was read, nothing is lacking.
func detectable(all []Kind, s *timeline.State) (kinds []Kind, others []result.Undetectable) {
	held := heldFields(s)
	for _, k := range all {
		missing := slices.DeleteFunc(slices.Clone(k.Needs), func(need string) bool { return held[need] })
		if len(missing) == 0 {
			kinds = append(kinds, k)
		} else if len(s.Endpoints) > 0 {
			others = append(others, result.Undetectable{Kind: k.Name, Missing: missing})
		}
	}
	return kinds, others
}
