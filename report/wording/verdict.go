package wording

import (
	"strings"

	"logscan/analyze/result"
	"logscan/parse"
	"logscan/report/document"
)

// Verdict summarises a run.
type Verdict struct {
	Level    string // name of a severity, "ok" only if it reassures, or "unknown" if the logs do not show it
	Sentence string // ends in a full stop
	Rest     string // further sentences, or empty
	Warning  string // why the figures may be too low, or empty

	Reassures bool // nothing needs attention
	Shares    Shares
	BreakIns  []BreakIn
}

// judge returns the verdict on a result. title is that of the worst finding.
//
// A break-in stands first. Then comes the trouble that someone should act on, unless
// more refusals are unexplained than it explains; without any, the largest share.
func judge(res *result.Result, title string) Verdict {
	v := Verdict{Level: "unknown", Warning: Caution(res), Shares: sharesOf(res), BreakIns: breakIns(res)}
	if v.nothingToJudge(res) {
		v.addUnread(res)
		v.addFailures(res)
		return v
	}
	j := judged{res, &v.Shares, nounOf(res), Clip(strings.TrimRight(title, ". "), MaxTitle)}
	switch {
	case v.Shares.Serious > 0:
		v.Level, v.Sentence = res.Findings[0].Severity.String(), j.seriousLead()
		v.Rest = sentences(j.normalUse(), j.unexplained())
		if j.mostlyUnexplained() {
			v.Sentence, v.Rest = sentences(j.unexplainedLead(), v.Sentence), j.normalUse()
		}
	case v.Shares.reassure():
		v.Level, v.Reassures, v.Sentence = "ok", true, j.calm(v.Warning)
		if v.Warning != "" {
			v.Level, v.Reassures = "unknown", false
		}
		v.Rest = sentences(j.minor(), j.normalUse())
	case v.Shares.Unexplained >= max(v.Shares.Trouble, v.Shares.Harmless):
		v.Sentence = j.unexplainedLead()
		v.Rest = sentences(j.minor(), j.normalUse())
	case v.Shares.Trouble >= v.Shares.Harmless:
		v.Level, v.Sentence = res.Findings[0].Severity.String(), j.troubleLead()
		v.Rest = sentences(j.normalUse(), j.unexplained())
	default:
		v.Sentence = j.harmlessLead()
		v.Rest = sentences(j.minor(), j.normalUse())
	}
	if n, much := refusedMuch(res); much {
		refused := Share(n, res.Totals.Parsed) + " of the " + Count(res.Totals.Parsed, "request") + " were refused"
		if v.Reassures {
			v.Level, v.Reassures = "unknown", false
			v.Sentence = refused + ", and no finding explains that: " + j.mix() + "."
		} else {
			v.Rest = sentences(v.Rest, refused+".")
		}
	}
	v.addUnread(res)
	v.Sentence = sentences(entered(v.BreakIns), v.Sentence)
	v.addFailures(res)
	return v
}

// maxBreakIns is how many attacks that succeeded findings.json lists in the verdict.
const maxBreakIns = 50

// document returns the verdict for findings.json.
func (v *Verdict) document() *document.Verdict {
	s := &v.Shares
	d := &document.Verdict{
		Level: v.Level, Sentence: v.Sentence, Rest: v.Rest, Warning: v.Warning, Reassures: v.Reassures,
		Unauthorized: s.Total, Trouble: s.Trouble, Harmless: s.Harmless, Unexplained: s.Unexplained, Muted: s.Muted, BreakIns: []document.BreakIn{},
	}
	for i := range v.BreakIns[:min(len(v.BreakIns), maxBreakIns)] {
		b := &v.BreakIns[i]
		x := document.BreakIn{FindingID: b.FindingID, Users: []string{}, Host: document.Cut(b.Host, MaxName), ClientAddress: b.Address, Addresses: b.Addresses, Time: parse.NoTime}
		for _, name := range b.Accounts {
			x.Users = append(x.Users, document.Cut(name, MaxName))
		}
		if b.At != 0 {
			x.Time = document.Stamp(b.At)
		}
		d.BreakIns = append(d.BreakIns, x)
	}
	return d
}

// nothingToJudge sets the verdict on a run without refusals or without requests, and
// reports whether it is one.
func (v *Verdict) nothingToJudge(res *result.Result) bool {
	t := &res.Totals
	switch {
	case len(res.Inputs) == 0:
		v.Sentence = "No input was read."
	case t.Parsed == 0 && t.Lines == t.Skipped && EventsOf(res) > 0:
		v.Sentence = "No access log was read, only " + Count(EventsOf(res), "event") + " of error logs or identity providers: which requests were accepted is unknown."
	case t.Parsed == 0 && t.Lines == t.Skipped:
		v.Sentence = "There are no requests in " + theInputs(len(res.Inputs)) + "."
	case t.Parsed == 0:
		v.Sentence = "No line in " + theInputs(len(res.Inputs)) + " could be parsed as a request."
		v.Rest = "Set the format with --format, or run logscan formats to see why no format fits."
	case t.NoStatus == t.Parsed:
		v.Sentence = "No line in " + theInputs(len(res.Inputs)) + " has a status code, so the log does not show which requests were refused."
		v.Rest = LogStatus
	case t.Unauthorized == 0:
		v.Level, v.Reassures = "ok", true
		v.Sentence = "No " + nounOf(res).many + " in " + Count(t.Parsed, "request") + "."
		if other := otherStatuses(res); other != "" {
			v.Level, v.Reassures, v.Rest = "unknown", false, other
		}
	default:
		return false
	}
	return true
}

// addUnread adds the lines whose status is unknown and that look like refusals, such as those
// of a second format in the same file. What was read says nothing about them, so that no run
// with many of them reassures.
func (v *Verdict) addUnread(res *result.Result) {
	if !manyUnread(res) {
		return
	}
	if v.Reassures {
		v.Level, v.Reassures = "unknown", false
	}
	v.Sentence = sentences(Number(res.Totals.Unread)+" lines look like "+nounOf(res).many+" and could not be read: they are not counted.", v.Sentence)
	v.Rest = sentences(v.Rest, "Set their format with --format, or run logscan formats to see which lines do not fit.")
}

// manyUnread reports whether the lines whose status is unknown and that look like refusals are
// not few beside those that were read.
func manyUnread(res *result.Result) bool {
	s := Shares{Total: res.Totals.Unread + res.Totals.Unauthorized}
	return res.Totals.Parsed > 0 && !s.Small(res.Totals.Unread)
}

// EventsOf returns the number of events of error logs and identity providers.
func EventsOf(res *result.Result) (n int64) {
	if res.AuthEvents != nil {
		for i := range res.AuthEvents.Sources {
			n += res.AuthEvents.Sources[i].Events
		}
	}
	return n
}

// LogStatus says what to do about a log without status codes.
const LogStatus = "Log the status ($status in nginx, %>s in Apache), or name the key that holds it with --field status=KEY."

// otherMuch is the share of requests from which on a run without 401s is not said to
// be fine while another status may stand for them.
const otherMuch = 0.01

// otherStatuses names the statuses that stand where 401s would, "" for none.
func otherStatuses(res *result.Result) string {
	var parts []string
	for i := range res.Notes {
		if n := &res.Notes[i]; n.Kind == result.NoteOtherStatus && float64(n.N) >= otherMuch*float64(res.Totals.Parsed) {
			parts = append(parts, Number(n.N)+" were answered "+n.Name)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "But " + List(parts) + ": see the notes."
}

// sentences joins sentences, of which some may be empty.
func sentences(parts ...string) string {
	var all []string
	for _, p := range parts {
		if p != "" {
			all = append(all, p)
		}
	}
	return strings.Join(all, " ")
}

// judged is a result that the sentences of a verdict are about.
type judged struct {
	res    *result.Result
	shares *Shares
	noun   Noun
	title  string // of the worst finding
}

// seriousLead is the first sentence of a run with findings that someone should act on.
func (j *judged) seriousLead() string {
	explains := j.explains(j.findings(serious), j.shares.Serious)
	if strings.Contains(j.title, ": ") {
		return j.title + ". " + capital(explains)
	}
	return j.title + ": " + explains
}

// mostlyUnexplained reports whether the unexplained refusals are the largest share, and
// not small.
func (j *judged) mostlyUnexplained() bool {
	u := j.shares.Unexplained
	return u > max(j.shares.Trouble, j.shares.Harmless) && !j.shares.SmallUnexplained()
}

// explains says how many refusals a number of findings explain.
func (j *judged) explains(findings int, claimed int64) string {
	s := "this explains "
	if findings > 1 {
		s = "with " + Count(int64(findings-1), "other finding") + ", this explains "
	}
	if j.shares.Total == 1 {
		return s + "the only " + j.noun.one + "."
	}
	return s + j.counted(claimed) + "."
}

// counted returns a number of refusals with its share: "60 of 100 401s (60%)".
func (j *judged) counted(n int64) string {
	if n == j.shares.Total && n > 1 {
		return "all " + j.noun.Count(n)
	}
	return Number(n) + " of " + j.noun.Count(j.shares.Total) + " (" + Share(n, j.shares.Total) + ")"
}

// troubleLead is the first sentence of a run most of whose refusals have minor causes.
func (j *judged) troubleLead() string {
	n := j.findings(result.Low)
	s := "A minor trouble explains "
	if n > 1 {
		s = "Minor troubles explain "
	}
	s += j.counted(j.shares.Trouble) + ": " + j.title
	if n > 1 {
		s += ", and " + Count(int64(n-1), "other")
	}
	return s + "."
}

// harmlessLead is the first sentence of a run most of whose refusals are harmless, but
// not enough of them.
func (j *judged) harmlessLead() string {
	var but []string
	if n := j.shares.Unexplained; !j.shares.SmallUnexplained() {
		but = append(but, Number(n)+" ("+Share(n, j.shares.Total)+") are unexplained"+j.concentrated())
	}
	if n := j.shares.Trouble; !j.shares.Small(n) {
		but = append(but, Number(n)+" ("+Share(n, j.shares.Total)+") have a minor cause: "+j.title)
	}
	return j.counted(j.shares.Harmless) + " are harmless, but " + List(but) + "."
}

// unexplainedLead is the first sentence of a run most of whose refusals are unexplained.
func (j *judged) unexplainedLead() string {
	switch n := j.shares.Unexplained; {
	case n == j.shares.Total && n == 1:
		return "The only " + j.noun.one + " could not be explained."
	case n == j.shares.Total:
		return "None of the " + j.noun.Count(n) + " could be explained" + j.concentrated() + "."
	}
	return j.counted(j.shares.Unexplained) + " are unexplained" + j.concentrated() + "."
}

// concentrated says where the unexplained refusals concentrate, "" for nowhere.
func (j *judged) concentrated() string {
	if j.res.Residual == nil {
		return ""
	}
	if where := concentration(j.res); where != "" {
		return ": most are " + where
	}
	return ""
}

// findings returns how many findings are not muted and have at least a severity.
func (j *judged) findings(least result.Severity) (n int) {
	for i := range j.res.Findings {
		if f := &j.res.Findings[i]; f.Severity >= least && f.Muted == nil {
			n += f.Count()
		}
	}
	return n
}

// minor counts the minor and the muted findings.
func (j *judged) minor() string {
	n := j.findings(result.Info)
	s := ""
	if n > 0 {
		s = Count(int64(n), "minor finding") + " below."
	}
	if muted := result.CountFindings(j.res.Findings) - n; muted > 0 {
		s = sentences(s, Count(int64(muted), "finding")+" muted.")
	}
	return s
}

// calm is the sentence for a run in which nothing needs attention, or in what could be
// read of it if there is a warning.
func (j *judged) calm(warning string) string {
	calm := "Nothing needs attention: "
	switch {
	case manyUnread(j.res):
		calm = "Of what could be read, "
	case warning != "":
		calm = "Nothing stands out in what could be read: "
	}
	normal := NormalUse(j.res)
	switch {
	case normal == j.shares.Total && normal == 1:
		return calm + "the only " + j.noun.one + " is part of normal use."
	case normal == j.shares.Total:
		return calm + "all " + j.noun.Count(normal) + " are part of normal use."
	case j.shares.Total == 1 && j.shares.Muted == 1:
		return calm + "the only " + j.noun.one + " has a muted cause."
	case j.shares.Total == 1:
		return calm + "the only " + j.noun.one + " has a minor cause."
	}
	return calm + j.mix() + "."
}

// mix divides the refusals into what they are.
func (j *judged) mix() string {
	var parts []string
	add := func(n int64, one, many string) {
		if n > 0 {
			parts = append(parts, Plural(n, one, many))
		}
	}
	normal := NormalUse(j.res)
	if normal == 1 && j.shares.Total == 1 {
		return "by itself, the only " + j.noun.one + " looks like normal use"
	}
	if normal == j.shares.Total {
		return "one by one, all " + j.noun.Count(normal) + " look like normal use"
	}
	add(normal, "is normal use", "are normal use")
	add(j.shares.Trouble, "has a minor cause", "have a minor cause")
	add(j.shares.Harmless-normal-j.shares.Muted, "is expected", "are expected")
	add(j.shares.Muted, "has a muted cause", "have a muted cause")
	add(j.shares.Unexplained, "is unexplained", "are unexplained")
	return "of " + j.noun.Count(j.shares.Total) + ", " + List(parts)
}

// normalUse says what the refusals of normal use are; it is empty without any.
func (j *judged) normalUse() string {
	n := NormalUse(j.res)
	if n == 0 {
		return ""
	}
	var kinds []string
	for _, c := range Causes() {
		if k := j.res.Causes[c.Name]; c.Group == groupOrdinary && k > 0 {
			kinds = append(kinds, ordinaryWords(c.Name, k))
		}
	}
	return Share(n, j.shares.Total) + " of all " + j.noun.many + " are normal use: " + List(kinds) + "."
}

// unexplained says how many refusals have no cause.
func (j *judged) unexplained() string {
	n := j.shares.Unexplained
	if n == 0 {
		return "No " + j.noun.one + " is unexplained."
	}
	verb := " are"
	if n == 1 {
		verb = " is"
	}
	s := capital(j.noun.Count(n)) + " (" + Share(n, j.shares.Total) + ")" + verb + " unexplained"
	if !j.shares.SmallUnexplained() {
		s += j.concentrated()
	}
	return s + "."
}

// ordinaryWords counts the 401s of a cause that is part of normal use.
func ordinaryWords(name string, n int64) string {
	switch name {
	case "challenge":
		return Plural(n, "sign-in challenge", "sign-in challenges")
	case "login_failure":
		return Plural(n, "mistyped password", "mistyped passwords")
	case "session_end":
		return Plural(n, "expired session", "expired sessions")
	case "token_renewal":
		return Plural(n, "refused renewal", "refused renewals")
	}
	return Plural(n, "request without credentials", "requests without credentials")
}

// manyRejected is the share of rejected lines above which the report warns.
const manyRejected = 0.05

// Caution says why the figures may be too low; it is empty if nothing does.
func Caution(res *result.Result) string {
	failed := 0
	for i := range res.Inputs {
		if res.Inputs[i].Error != "" {
			failed++
		}
	}
	var parts []string
	if failed > 0 {
		parts = append(parts, Number(int64(failed))+" of "+Count(int64(len(res.Inputs)), "input")+" could not be read to the end")
	}
	if t := &res.Totals; float64(t.Rejected) > manyRejected*float64(t.Lines) {
		parts = append(parts, Share(t.Rejected, t.Lines)+" of the lines were rejected")
	}
	if len(parts) == 0 {
		return ""
	}
	return "The figures may be too low: " + List(parts) + "."
}

func theInputs(n int) string {
	if n == 1 {
		return "the input"
	}
	return "the " + Number(int64(n)) + " inputs"
}
