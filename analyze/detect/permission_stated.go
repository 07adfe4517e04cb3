package detect

import (
	"slices"
	"strings"

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
// stands above what could be inferred. Routes of one directory are one finding, since
// permissions are those of directories.
func statedPermissions(d *Diagnosis) []candidate {
	if !slices.ContainsFunc(d.State.Reasons, permissionStated) {
		return nil
	}
	claims := map[result.Subject][]uint32{} // by directory
	for i, r := range d.eachOpen() {
		if (r.Named || r.Good) && d.State.ReasonClass(i) == field.PermissionReason {
			s := directorySubject(&d.State.Endpoints[r.Endpoint])
			claims[s] = append(claims[s], uint32(i))
		}
	}
	var found []candidate
	for directory, list := range claims {
		if len(list) >= routeRefused {
			found = append(found, d.statedPermission(directory, list))
		}
	}
	slices.SortFunc(found, func(a, b candidate) int { return int(a.claims[0]) - int(b.claims[0]) })
	return found
}

func permissionStated(r timeline.Reason) bool { return r.Class == field.PermissionReason }

// directorySubject returns the subject of an endpoint without the last segment of its
// route, unless that is the only one.
func directorySubject(e *timeline.Endpoint) result.Subject {
	s := endpointSubject(e)
	if i := strings.LastIndexByte(s.Route, '/'); i > 0 {
		s.Route = s.Route[:i+1]
	}
	return s
}

// statedPermission returns the finding of a directory, or of a route if only one
// of the directory is refused.
func (d *Diagnosis) statedPermission(directory result.Subject, claims []uint32) candidate {
	c := candidate{claims: claims}
	// Stated, not inferred. But if everybody is refused from a time on, the route has
	// changed, which endpoint_misconfigured dates.
	if !slices.ContainsFunc(claims, func(i uint32) bool {
		return d.State.Endpoints[d.Refusals.At(int(i)).Endpoint].N[timeline.Accepted] > 0
	}) {
		c.weight = certainty
	}
	c.Subject, c.Onset, c.Severity = directory, parse.NoTime, result.Medium
	first, accepted := d.State.Refusals.At(int(claims[0])).Time, int64(parse.NoTime)
	endpoint, single := d.Refusals.At(int(claims[0])).Endpoint, true
	for _, r := range d.Refusals.Of(slices.Values(claims)) {
		e := &d.State.Endpoints[r.Endpoint]
		single = single && r.Endpoint == endpoint
		if e.FirstAccepted != parse.NoTime && (accepted == parse.NoTime || e.FirstAccepted < accepted) {
			accepted = e.FirstAccepted
		}
	}
	if single {
		c.Subject = endpointSubject(&d.State.Endpoints[endpoint])
	}
	// It had accepted requests for a while: then the permission was withdrawn.
	if accepted != parse.NoTime && accepted < first-session.Nearby*1000 {
		c.Onset = first
	}
	actors := int(distinctActors(d, claims))
	c.Confidence = confidence(0, stats.WilsonLower(int64(len(claims)), int64(len(claims)), stats.Z95))
	c.Details = &Permission{Refused: actors, Stated: len(claims)}
	return c
}
