package detect

import (
	"path"
	"strings"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// uncredentialedAsset finds files behind authentication that browsers fetch without
// cookies.
//
// Sign: a web app manifest, an icon, a font, a source map, or an image that nobody ever
// gets, is refused to clients
// that are signed in: they were accepted elsewhere a moment before or after. Where no route
// is known to be protected, any page that they got then will do, if nobody ever gets the
// file. Not: visitors who are not signed in, pages and API calls (browsers send cookies with
// those).
//
// Statistic: Wilson's lower bound of the share of its refusals that are near such
// an acceptance, and of the refused share of its requests without credentials.
var uncredentialedAsset = Kind{
	Name:     "uncredentialed_asset",
	Label:    "Asset without cookies",
	Meaning:  "Browsers fetch the file without cookies, even for people who are signed in.",
	Category: EndpointCategory,
	Subjects: []string{"endpoint"},
	folds:    byHost,
	Needs:    []string{needTime, needStatus, needPath, needClient},
	Uses:     []parse.Extra{parse.ExtraReferrer},
	Details:  func() any { return new(Asset) },
	Title:    `{{route .Subject}} is refused to signed-in users: browsers fetch it without cookies`,
	Explanation: `{{with .Details}}
		{{plural .Requests "request" "requests"}} of {{count .Clients "client"}} {{if eq .Requests 1}}was{{else}}were{{end}} refused, none of them with a session: {{share .Refused}} of the requests without one (at least {{share .RefusedLow}} with 95% confidence).
		{{if .Pages}}{{share .Pages}} came within {{duration .Window}} of a page that the same client got.{{else}}{{share .SignedIn}} came within {{duration .Window}} of an accepted request by the same client to a protected route, so its user was signed in.{{end}}
		Browsers send no cookies when they fetch manifests, icons, fonts and source maps.{{end}}`,
	Remedy: []string{
		`Serve such files without authentication. nginx: a location for them with auth_basic off or auth_request off. Apache: <Files> with Require all granted.`,
		`Or make browsers send cookies: <link rel="manifest" href="..." crossorigin="use-credentials"> for a manifest, crossorigin="use-credentials" on the preload of a font.`,
		`Do not publish source maps that nobody needs.`,
	},
	certain: true,
	observe: func(d *Diagnosis) observer {
		endpoints, refusals := d.refusalsByEndpoint(d.bareAsset, routeRefused)
		return observeNeighbours(d, assetWindow, endpoints, refusals)
	},
	inspect: inspectAssets,
}

// Asset is the details of an uncredentialed_asset finding.
type Asset struct {
	Requests int            `json:"-"` // refused
	Window   result.Seconds `json:"-"` // assetWindow
	Clients  int            `json:"clients"`
	SignedIn result.Share   `json:"signed_in_share"` // share of the refused requests by signed-in clients
	Pages    result.Share   `json:"-"`               // share of them near any page of the client, if that is all there is to know
	// Refused is the refused share of the requests without credentials.
	Refused    result.Share `json:"refused_share"`
	RefusedLow result.Share `json:"refused_share_low" label:"refused share (at least)"` // 95% bound
	Accepted   int64        `json:"accepted"`                                           // requests in the whole log
}

const (
	// assetWindow is how long before or after, in milliseconds, a page of the same
	// client must have been accepted: the file is loaded with the page.
	assetWindow = 60_000
	// assetSignedIn is the minimum of the lower bound of the share of refusals to
	// signed-in clients. Visitors have none; of signed-in clients, a log without
	// session ids shows a part.
	assetSignedIn = 0.2
	// assetRefused is the minimum of the lower bound of the refused share of the
	// requests without credentials.
	assetRefused = 0.5
	// assetPages is the minimum of the lower bound of the share of refusals near any page,
	// where that is all there is to know.
	assetPages = 0.8
)

// fetchedBare reports whether browsers fetch a file of this name without cookies:
// manifests (unless crossorigin is use-credentials), icons that the system asks for,
// fonts (CORS anonymous mode), source maps.
func fetchedBare(template string) bool {
	name := strings.ToLower(path.Base(template))
	switch path.Ext(name) {
	case ".webmanifest", ".map", ".woff", ".woff2", ".ttf", ".otf", ".eot", ".ico":
		return true
	}
	return name == "manifest.json" || name == "browserconfig.xml" ||
		session.IsAsset(template) && (strings.Contains(name, "icon") || strings.Contains(name, "touch"))
}

// isImage reports whether a file is an image by its name: a manifest may name any
// as an icon.
func isImage(template string) bool {
	switch path.Ext(strings.ToLower(path.Base(template))) {
	case ".png", ".svg", ".webp", ".gif", ".jpg", ".jpeg", ".avif":
		return true
	}
	return false
}

// bareAsset reports whether a refused request without credentials is for a file that
// browsers fetch, or may fetch, without cookies. Of an image, whose name shows nothing,
// they always do: with cookies somebody would get it.
func (d *Diagnosis) bareAsset(r *session.Refusal) bool {
	if r.Named || r.Session {
		return false
	}
	e := &d.State.Endpoints[r.Endpoint]
	return fetchedBare(e.Template) || isImage(e.Template) && e.N[timeline.Accepted] == 0
}

func inspectAssets(d *Diagnosis, seen observer) ([]candidate, error) {
	if seen == nil {
		return nil, nil
	}
	o := seen.(*neighbours)
	var found []candidate
	endpoints, refusals := d.refusalsByEndpoint(d.bareAsset, routeRefused)
	for _, n := range endpoints {
		e, list := &d.State.Endpoints[n], refusals[n]
		clients := d.distinctClients(list)
		k, near := int64(len(list)), o.count(list)
		signedIn := stats.WilsonLower(near, k, stats.Z95)
		refused := stats.WilsonLower(k, k+e.Bare, stats.Z95)
		few := clients < routeClients
		pages := int64(0)
		if signedIn < assetSignedIn && fetchedBare(e.Template) && e.N[timeline.Accepted] == 0 {
			pages = o.pages(list)
		}
		if signedIn < assetSignedIn && stats.WilsonLower(pages, k, stats.Z95) < assetPages || refused < assetRefused || few && (k < routeCertain || e.Bare > 0) {
			continue
		}
		cand := candidate{claims: list}
		cand.Subject, cand.Onset = endpointSubject(e), parse.NoTime
		cand.Severity, cand.Confidence = result.Medium, confidence(0, refused)
		if few {
			cand.Severity = result.Low
		}
		cand.Details = &Asset{
			Requests: len(list), Window: assetWindow / 1000, Clients: clients,
			SignedIn: result.Share(round(float64(near)/float64(k), 4)), Pages: result.Share(round(float64(pages)/float64(k), 4)), Accepted: e.N[timeline.Accepted],
			Refused: result.Share(round(float64(k)/float64(k+e.Bare), 4)), RefusedLow: result.Share(round(refused, 4)),
		}
		found = append(found, cand)
	}
	return found, nil
}
