package wording

import (
	"slices"
	"strings"

	"logscan/analyze/result"
	"logscan/parse"
	"logscan/report/document"
)

// most is the share of unexplained refusals from which on a place is said to hold most
// of them.
const most = 0.5

// dimensionWords name the dimensions of a residual, and introduce one place of them.
var dimensionWords = []struct{ name, in, one, many, label string }{
	{"endpoint", "on ", "endpoint", "endpoints", "Endpoints"},
	{"client_address", "from ", "address", "addresses", "Addresses"},
	{"user_agent", "by ", "user agent", "user agents", "User agents"},
	{"user", "of user ", "user", "users", "Users"},
	{"host", "at ", "host", "hosts", "Hosts"},
	{"upstream", "by backend ", "backend", "backends", "Backends"},
	{"file", "in ", "input", "inputs", "Inputs"},
}

// dimensionWord returns the index of a dimension in dimensionWords, -1 for an unknown
// one.
func dimensionWord(name string) int {
	for i := range dimensionWords {
		if dimensionWords[i].name == name {
			return i
		}
	}
	return -1
}

// lift is how much larger a place's share of the unexplained refusals must be than its
// share of the requests: most requests of a site come from the commonest browser, and so
// do most of its refusals.
const lift = 1.5

// concentrates reports whether most of the unexplained refusals are at a place, by more
// than its share of the requests accounts for.
func concentrates(res *result.Result, p *result.Place) bool {
	share := float64(p.Unexplained) / float64(res.Residual.Unexplained)
	return p.Name != "" && share >= most && share*float64(res.Totals.Parsed) >= lift*float64(p.Requests)
}

// DimensionLabel returns the label of a dimension of a residual.
func DimensionLabel(name string) string {
	if i := dimensionWord(name); i >= 0 {
		return dimensionWords[i].label
	}
	return Clip(name, MaxName)
}

// concentration says where most of the unexplained refusals are: by the first
// dimensions that have one place with most of them, "" for none.
func concentration(res *result.Result) string {
	r := res.Residual
	var parts []string
	for i := range r.Dimensions {
		d := &r.Dimensions[i]
		w := dimensionWord(d.Name)
		if w < 0 || w > 2 || !concentrates(res, &d.Top[0]) {
			continue
		}
		parts = append(parts, dimensionWords[w].in+Clip(d.Top[0].Name, maxAccount))
	}
	return strings.Join(parts, " ")
}

// DescribeResidual returns the residual of a result as a document with its sentences,
// nil if nothing is unexplained.
func DescribeResidual(res *result.Result) *document.Residual {
	r := res.Residual
	if r == nil {
		return nil
	}
	d := &document.Residual{
		Unauthorized: r.Unexplained, Clients: r.Clients, AcceptedClients: r.AcceptedClients, OtherRequests: document.NewCounts(&r.Others),
		FirstTime: document.Stamp(r.FirstTime), LastTime: document.Stamp(r.LastTime),
		BusiestHour: document.Stamp(r.BusiestHour), InBusiestHour: r.InBusiestHour,
		Reason: document.NewReason(r.Reason), AnsweredBy: r.AnsweredBy.String(),
		Dimensions: []document.Dimension{}, Missing: []document.MissingField{},
		Text: residualSentences(res),
	}
	for i := range r.Dimensions {
		x := &r.Dimensions[i]
		places := make([]document.Place, len(x.Top))
		for j, p := range x.Top {
			places[j] = document.Place(p)
		}
		d.Dimensions = append(d.Dimensions, document.Dimension{Name: x.Name, Distinct: x.Distinct, Top: places})
	}
	for i := range r.Faults {
		d.Configuration = append(d.Configuration, FactLines(&r.Faults[i])...)
	}
	for i := range r.Missing {
		d.Missing = append(d.Missing, document.MissingField{Field: r.Missing[i].Name(), Why: r.Missing[i].Why})
	}
	return d
}

// residualSentences describe what is unexplained.
func residualSentences(res *result.Result) []string {
	r := res.Residual
	j := judged{res: res, shares: &Shares{Total: res.Totals.Unauthorized}, noun: nounOf(res)}
	all := []string{capital(j.counted(r.Unexplained)) + " have no known cause."}
	if r.Unexplained == 1 {
		all[0] = "One of " + j.noun.Count(res.Totals.Unauthorized) + " has no known cause."
	}
	all = append(all, where(res, j.noun)...)
	for i := range r.Faults {
		what, remedy := FactText(&r.Faults[i])
		all = append(all, "The configuration may be at fault: "+what, remedy)
	}
	all = append(all, clientsOf(r), when(r), stated(r.Reason, r.AnsweredBy, j.noun), reasonStep(r.Reason))
	if len(r.Missing) > 0 {
		var names []string
		for i := range r.Missing {
			names = append(names, r.Missing[i].Name())
		}
		all = append(all, "To learn more, log "+List(names)+": "+r.Missing[0].Why)
	}
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}

// where says on which endpoints, clients and so on they concentrate.
func where(res *result.Result, noun Noun) []string {
	r := res.Residual
	var all, spread []string
	for i := range r.Dimensions {
		d := &r.Dimensions[i]
		w := dimensionWord(d.Name)
		if w < 0 {
			continue
		}
		p := &d.Top[0]
		switch {
		case concentrates(res, p):
			all = append(all, capital(dimensionWords[w].in)+Clip(p.Name, MaxName)+": "+Number(p.Unexplained)+" ("+Share(p.Unexplained, r.Unexplained)+"), of "+
				noun.Count(p.Unauthorized)+" in "+Count(p.Requests, "request")+".")
		case d.Distinct > 1:
			spread = append(spread, Plural(d.Distinct, dimensionWords[w].one, dimensionWords[w].many))
		}
	}
	if len(spread) > 0 {
		all = append(all, "They spread over "+List(spread)+".")
	}
	return all
}

// capital returns s with a capital letter.
func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// clientsOf says how else the clients were answered.
func clientsOf(r *result.Residual) string {
	if r.Clients == 0 {
		return ""
	}
	s := "They come from " + Count(r.Clients, "client") + ", "
	switch {
	case r.Clients == 1 && r.AcceptedClients == 0:
		s += "which was never accepted"
	case r.AcceptedClients == 0:
		s += "none of which was ever accepted"
	case r.Clients == 1:
		s += "which was accepted for other requests"
	case r.AcceptedClients == r.Clients:
		s += "all of which were accepted for other requests"
	default:
		s += Number(r.AcceptedClients) + " of which were accepted for other requests"
	}
	o := &r.Others
	if o.Requests == 0 {
		return s + "; they made no other request."
	}
	var parts []string
	for _, x := range []struct {
		n    int64
		what string
	}{
		{o.Accepted, "accepted"}, {o.Redirected, "redirected"}, {o.Unauthorized, "refused for a known cause"}, {o.Forbidden, "forbidden"},
		{o.NotFound, "not found"}, {o.ClientErrors, "other client errors"}, {o.ServerErrors, "server errors"}, {o.Other, "without an answer"},
	} {
		if x.n > 0 {
			parts = append(parts, Number(x.n)+" "+x.what)
		}
	}
	return s + ". Of their " + Count(o.Requests, "other request") + ": " + List(parts) + "."
}

// when says at what times they came.
func when(r *result.Residual) string {
	if r.FirstTime == parse.NoTime {
		return ""
	}
	s := "Time: " + Period(r.FirstTime, r.LastTime)
	if float64(r.InBusiestHour) >= most*float64(r.Unexplained) && r.LastTime-r.FirstTime > hour {
		s += "; " + Share(r.InBusiestHour, r.Unexplained) + " within the hour from " + At(r.BusiestHour)
	}
	return s + "."
}

// hour is an hour in microseconds.
const hour = int64(3600e6)
