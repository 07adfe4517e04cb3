package terminal

import (
	"slices"
	"strings"

	"logscan/parse"
	"logscan/report/document"
	"logscan/report/outdir"
	"logscan/report/wording"
)

// Caveat is a difference between two runs because of which some of their findings or counts
// cannot be compared. Old and New are what differs; they are empty where Text says it.
type Caveat struct {
	What string `json:"what"` // version, statuses, options, formats, kinds, duration, pseudonyms, unread
	Old  string `json:"old"`
	New  string `json:"new"`
	Text string `json:"text"`
}

// RunTotals are the figures of a run. Trouble, harmless and unexplained add up to
// unauthorized.
type RunTotals struct {
	Requests     int64          `json:"requests"`
	Unauthorized int64          `json:"unauthorized"`
	Trouble      *int64         `json:"trouble"` // null if the output is of a version without it
	Harmless     *int64         `json:"harmless"`
	Unexplained  int64          `json:"unexplained"`
	Findings     int64          `json:"findings"`
	FirstTime    document.Stamp `json:"first_time"`
	LastTime     document.Stamp `json:"last_time"`
}

func totalsOf(r *outdir.Report) RunTotals {
	t := &r.Manifest.Totals
	out := RunTotals{Requests: t.Parsed, Unauthorized: t.Unauthorized, Unexplained: t.Unexplained, Findings: t.Findings, FirstTime: t.FirstTime, LastTime: t.LastTime}
	if v := r.Verdict; v != nil {
		out.Trouble, out.Harmless = &v.Trouble, &v.Harmless
	}
	return out
}

// seconds returns how long the logs of a run last; 0 if no line has a time.
func (t *RunTotals) seconds() float64 {
	if int64(t.FirstTime) == parse.NoTime {
		return 0
	}
	return float64(t.LastTime-t.FirstTime) / 1e6
}

// caveats returns what limits the comparison of two runs.
func caveats(before, now *outdir.Report) []Caveat {
	all := []Caveat{}
	add := func(differ bool, what, a, b, text string) {
		if differ {
			all = append(all, Caveat{what, a, b, text})
		}
	}
	a, b := &before.Manifest, &now.Manifest
	differ := func(what, x, y, text string) { add(x != y, what, x, y, text) }
	differ("version", toolOf(a), toolOf(b), "The versions of logscan differ: a finding may be new because this version finds it.")
	differ("statuses", wording.StatusesOf(a.RefusalStatuses), wording.StatusesOf(b.RefusalStatuses), "Other statuses count as refusals, so neither their number nor their shares can be compared.")
	differ("options", optionsOf(a.Arguments), optionsOf(b.Arguments), "Options that change what is read or found differ.")
	differ("formats", formatsOf(a), formatsOf(b), "The logs have other formats: other fields may be known of each request.")
	onlyA, onlyB := undetectable(a), undetectable(b)
	differ("kinds", strings.Join(onlyA, ", "), strings.Join(onlyB, ", "), "The logs cannot show the same kinds of findings. Those that one run cannot show are neither new nor resolved.")
	add(!outdir.SameNames(before, now), "pseudonyms", "", "", "The pseudonym keys differ, or only one run used a key: users and addresses cannot be matched, and findings about them look new and resolved.")
	x, y := totalsOf(before), totalsOf(now)
	const much = 1.5 // below, counts still say more than shares
	long, short := max(x.seconds(), y.seconds()), min(x.seconds(), y.seconds())
	add(long > much*short, "duration", wording.Duration(x.seconds()), wording.Duration(y.seconds()), "The logs last differently long: compare shares, not counts, and expect fewer findings in the shorter one.")
	differ("unread", unreadOf(a), unreadOf(b), "Inputs could not be read in full: what is in the rest is unknown.")
	return all
}

func toolOf(m *document.Manifest) string {
	v := m.Tool.Version
	if c := m.Tool.Commit; c != "" {
		v += " (" + c + ")"
	}
	return v
}

// comparedOptions are the flags that change what is read or found, but those of which the
// manifest holds the effect.
var comparedOptions = []string{
	"--format", "--field", "--nginx-conf", "--apache-conf", "--app-conf", "--proxy-conf", "--timezone", "--trusted-proxies", "--monitor",
	"--shared-address", "--service-account", "--mute", "--redact-email", "--max-ratio",
}

// optionsOf returns the flags of a run that are compared, with their values, sorted.
func optionsOf(arguments []string) string {
	var all []string
	for i, arg := range arguments {
		name, value, assigned := strings.Cut(arg, "=")
		if !slices.Contains(comparedOptions, name) {
			continue
		}
		if !assigned && name != "--redact-email" && i+1 < len(arguments) {
			value = arguments[i+1]
		}
		all = append(all, strings.TrimSpace(name+" "+value))
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), " ")
}

// formatsOf returns the formats of the inputs of a run.
func formatsOf(m *document.Manifest) string {
	var all []string
	for i := range m.Inputs {
		if f := m.Inputs[i].Format; f != "" && m.Inputs[i].Parsed > 0 {
			all = append(all, f)
		}
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ", ")
}

// undetectable returns the kinds of findings that the logs of a run cannot show.
func undetectable(m *document.Manifest) []string {
	var all []string
	for _, u := range m.Undetectable {
		all = append(all, u.Kind)
	}
	slices.Sort(all)
	return all
}

// unreadOf returns the inputs of a run with errors.
func unreadOf(m *document.Manifest) string {
	var all []string
	for i := range m.Inputs {
		if m.Inputs[i].Error != nil {
			all = append(all, m.Inputs[i].Path)
		}
	}
	return strings.Join(all, ", ")
}
