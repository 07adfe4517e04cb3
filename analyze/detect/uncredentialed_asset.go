package detect

import (
	"fmt"
	"path"
	"strings"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// uncredentialedAsset finds files behind authentication that browsers fetch
// without cookies.
//
// Sign: a web app manifest, an icon, a font or a source map is refused for
// clients that are signed in: they were accepted elsewhere a moment before or
// after. Not: visitors who are not signed in, pages and calls (browsers send
// cookies with those).
//
// Statistic: Wilson's lower bound of the share of its 401s that have such a
// neighbour, and of the refused share of its requests without credentials.
var uncredentialedAsset = Kind{
	Name:     "uncredentialed_asset",
	Label:    "Asset without cookies",
	Meaning:  "Browsers fetch it without cookies, even for people who are signed in.",
	Category: EndpointCategory,
	Needs:    []string{needTime, needStatus, needPath, needClient},
	certain:  true,
	observe: func(c *Diagnosis) observer {
		return observeNeighbours(c, assetWindow, c.bareAsset)
	},
	inspect: inspectAssets,
}

const (
	// assetWindow in milliseconds is how close a page of the same client must
	// have been accepted: the file is loaded with the page.
	assetWindow = 60_000
	// assetSignedIn bounds from below the share of the 401s whose clients are
	// signed in: of visitors nobody is, and of those who are, a log without
	// session ids shows a part.
	assetSignedIn = 0.2
	// assetRefused bounds from below the refused share of its requests without
	// credentials.
	assetRefused = 0.5
)

// fetchedBare tells whether browsers fetch a file of this name without cookies,
// or may do so: manifests (unless crossorigin is use-credentials), icons that
// the manifest or the system asks for, fonts (CORS anonymous mode), source maps.
func fetchedBare(template string) bool {
	name := strings.ToLower(path.Base(template))
	switch path.Ext(name) {
	case ".webmanifest", ".map", ".woff", ".woff2", ".ttf", ".otf", ".eot", ".ico":
		return true
	}
	return name == "manifest.json" || name == "browserconfig.xml" ||
		session.IsAsset(template) && (strings.Contains(name, "icon") || strings.Contains(name, "touch"))
}

func (c *Diagnosis) bareAsset(f *session.Refusal) bool {
	return !f.Named && !f.Session && fetchedBare(c.State.Endpoints[f.Endpoint].Template)
}

func inspectAssets(c *Diagnosis, seen observer) ([]candidate, error) {
	if seen == nil {
		return nil, nil
	}
	o := seen.(*neighbours)
	var found []candidate
	endpoints, claims := c.byEndpoint(c.bareAsset)
	for _, n := range endpoints {
		e, list := &c.State.Endpoints[n], claims[n]
		clients := c.clientsOf(list)
		k, near := int64(len(list)), o.count(list)
		signedIn := stats.WilsonLower(near, k, stats.Z95)
		refused := stats.WilsonLower(k, k+e.Bare, stats.Z95)
		if clients < routeClients || signedIn < assetSignedIn || refused < assetRefused {
			continue
		}
		cand := candidate{claims: list}
		cand.Subject, cand.Onset = endpointSubject(e), parse.NoTime
		cand.Severity, cand.Confidence = result.Medium, confidence(0, refused)
		cand.Title = fmt.Sprintf("%s is refused for signed-in users: browsers fetch it without cookies", endpointLabel(e))
		cand.Explanation = Say("%d requests of %s were answered 401, none of them with a session; %s of the clients were accepted on protected routes within a minute before or after. Browsers leave cookies out when they fetch manifests, icons, fonts and source maps.",
			k, count(clients, "client"), percent(float64(near)/float64(k)))
		cand.Remediation = []string{
			`For a manifest: <link rel="manifest" href="..." crossorigin="use-credentials">; for a font: crossorigin="use-credentials" on its preload, or make it public.`,
			"Better: let the server give such files without authentication. nginx: a location for them with auth_basic off or auth_request off; Apache: <Files> with Require all granted.",
			"Source maps: do not publish them where nobody needs them.",
		}
		cand.Details = map[string]any{"clients": clients, "signed_in_share": round(float64(near)/float64(k), 4), "accepted": e.N[timeline.Accepted]}
		found = append(found, cand)
	}
	return found, nil
}
