package detect

import (
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
	"logscan/parse/field"
)

// statedPermissions returns a finding for every route whose refusals state themselves
// that the user, whose credentials are good, lacks a permission (IIS 401.3, OAuth's
// insufficient_scope, RBAC). It needs no comparison of users: the server's own reason
// stands above what could be inferred.
func statedPermissions(d *Diagnosis) []candidate {
	if !slices.ContainsFunc(d.State.Reasons, permissionStated) {
		return nil
	}
	claims := map[uint32][]uint32{} // by endpoint
	for i := range d.Refusals {
		r := &d.Refusals[i]
		if d.open(i) && (r.Named || r.Good) && d.reasonClass(i) == field.PermissionReason {
			claims[r.Endpoint] = append(claims[r.Endpoint], uint32(i))
		}
	}
	var found []candidate
	for endpoint, list := range claims {
		if len(list) >= routeRefused {
			found = append(found, d.statedPermission(endpoint, list))
		}
	}
	slices.SortFunc(found, func(a, b candidate) int { return int(a.claims[0]) - int(b.claims[0]) })
	return found
}

func permissionStated(r timeline.Reason) bool { return r.Class == field.PermissionReason }

// statedPermission returns the finding of a route.
func (d *Diagnosis) statedPermission(endpoint uint32, claims []uint32) candidate {
	e := &d.State.Endpoints[endpoint]
	c := candidate{claims: claims}
	c.Subject, c.Onset, c.Severity = endpointSubject(e), parse.NoTime, result.Medium
	// The route had accepted requests for a while: then the permission was withdrawn.
	if first := d.State.Refusals[claims[0]].Time; e.FirstAccepted != parse.NoTime && e.FirstAccepted < first-session.Nearby*1000 {
		c.Onset = first
	}
	actors := int(distinctActors(d, claims))
	c.Confidence = confidence(0, stats.WilsonLower(int64(len(claims)), int64(len(claims)), stats.Z95))
	c.Details = &Permission{Refused: actors, Stated: len(claims)}
	return c
}
