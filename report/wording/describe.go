package wording

import (
	"fmt"
	"reflect"
	"strings"
	"text/template"

	"logscan/analyze/detect"
	"logscan/analyze/result"
)

// Describer makes the texts of findings from the templates of the catalogue. It must not
// be used by several goroutines at once.
type Describer struct {
	Noun  Noun // what the refusals of the run are called
	kinds map[string]*kindTexts
}

// kindTexts are the parsed templates of a kind.
type kindTexts struct {
	title, explanation *template.Template
	remedy             []*template.Template
}

// Text returns the text of a finding: its own if it was read back from an earlier
// output, otherwise the text that the templates of its kind make.
func (d *Describer) Text(f *result.Finding) result.Text {
	t := d.texts(f.Kind)
	_, readBack := f.Details.(map[string]any) // never passed to templates, whatever it holds
	if readBack || f.Title != "" || t == nil {
		return f.Text
	}
	if f.Fold != nil {
		return d.foldText(f)
	}
	text := result.Text{Title: execute(t.title, f), Explanation: execute(t.explanation, f)}
	text.Title += configuredTitle(f.Configuration)
	for _, s := range []string{event(f), stated(f.Reason, f.AnsweredBy, d.Noun), judgement(f.Judgement), configured(f)} {
		if s = strings.TrimSpace(s); s != "" {
			text.Explanation += " " + s
		}
	}
	if s := reasonStep(f.Reason); s != "" && f.Category != string(detect.AttackCategory) {
		text.Remediation = append(text.Remediation, s)
	}
	text.Remediation = append(text.Remediation, configuredSteps(f.Configuration)...)
	for _, step := range t.remedy {
		if s := execute(step, f); s != "" {
			text.Remediation = append(text.Remediation, s)
		}
	}
	return text
}

// texts returns the templates of a kind, nil for an unknown kind.
func (d *Describer) texts(kind string) *kindTexts {
	if t, ok := d.kinds[kind]; ok {
		return t
	}
	if d.kinds == nil {
		d.kinds = map[string]*kindTexts{}
	}
	k, ok := detect.KindOf(kind)
	if !ok {
		d.kinds[kind] = nil
		return nil
	}
	t := &kindTexts{title: d.compile(k.Name, k.Title), explanation: d.compile(k.Name, k.Explanation)}
	for _, step := range k.Remedy {
		t.remedy = append(t.remedy, d.compile(k.Name, step))
	}
	d.kinds[kind] = t
	return t
}

// functions are what the templates of the catalogue may call. Numbers may have
// any of Go's numeric types, or be pointers to them.
var functions = template.FuncMap{
	"number":   func(n any) string { return Number(integer(n)) },
	"count":    func(n any, one string) string { return Count(integer(n), one) },
	"plural":   func(n any, one, many string) string { return Plural(integer(n), one, many) },
	"share":    func(s any) string { return Percent(float(s)) },
	"part":     func(part, whole any) string { return Share(integer(part), integer(whole)) },
	"fixed":    func(digits int, x any) string { return Fixed(float(x), digits) },
	"duration": func(s any) string { return Duration(float(s)) },
	"between":  func(low, high any) string { return Between(float(low), float(high)) },
	"time":     func(t any) string { return At(integer(t)) },
	"since":    func(t any) string { return Since(integer(t)) },
	"list":     List,
	"route":    func(s result.Subject) string { return s.Endpoint() },
}

func integer(n any) int64 {
	switch v := reflect.Indirect(reflect.ValueOf(n)); {
	case v.CanInt():
		return v.Int()
	case v.CanUint():
		return int64(v.Uint())
	default:
		return int64(v.Float())
	}
}

func float(n any) float64 {
	if v := reflect.Indirect(reflect.ValueOf(n)); v.CanFloat() {
		return v.Float()
	}
	return float64(integer(n))
}

func (d *Describer) compile(name, text string) *template.Template {
	named := template.FuncMap{"refusals": d.Noun.Many}
	return template.Must(template.New(name).Funcs(functions).Funcs(named).Option("missingkey=error").Parse(text))
}

// execute returns the text that a template makes of a finding, on one line. A
// template that does not fit the details of its kind is a bug that a test finds.
func execute(t *template.Template, f *result.Finding) string {
	var b strings.Builder
	if err := t.Execute(&b, f); err != nil {
		panic(fmt.Sprintf("BUG: %v", err))
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// event says what operators say has happened when a finding began.
func event(f *result.Finding) string {
	if f.Event == nil {
		return ""
	}
	when := Duration(float64(f.Onset-f.Event.Time)/1e6) + " after"
	if f.Onset < f.Event.Time {
		when = Duration(float64(f.Event.Time-f.Onset)/1e6) + " before"
	} else if f.Onset == f.Event.Time {
		when = "at the time of"
	}
	return "It began " + when + " “" + Clip(f.Event.Text, MaxName) + "” (" + At(f.Event.Time) + ")."
}

func judgement(j result.Judgement) string {
	switch j {
	case result.KnownMonitor:
		return "The client is a known monitor."
	case result.SharedAddress:
		return "Many people are known to share this address, so some of them mistyping is likely."
	case result.ServiceAccount:
		return "It is a service account: nobody notices when it fails."
	}
	return ""
}
