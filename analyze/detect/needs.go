package detect

import (
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/timeline"
)

// needs are the fields of the contract that Detector.Needs speaks of.
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

// holds tells which of the needs any line of the run has.
func holds(s *timeline.State) map[string]bool {
	h := map[string]bool{
		needTime: len(s.Minutes) > 0, needScheme: s.Schemes, needSession: s.Sessions,
		needUser: len(s.Users) > 0, needUpstream: len(s.Upstreams) > 0,
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

func named(s string) bool { return s != "" }

// able gives the detectors whose needs the log meets, and what the others lack.
// Where nothing was read, nothing is missing.
func able(all []Kind, s *timeline.State) (list []Kind, not []result.Undetectable) {
	held := holds(s)
	for _, d := range all {
		missing := slices.DeleteFunc(slices.Clone(d.Needs), func(need string) bool { return held[need] })
		if len(missing) == 0 {
			list = append(list, d)
		} else if len(s.Endpoints) > 0 {
			not = append(not, result.Undetectable{Kind: d.Name, Missing: missing})
		}
	}
	return list, not
}
