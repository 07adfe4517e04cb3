package parse

import (
	"encoding/json"
	"testing"

	"logscan/parse/carrier"
)

// A format that is made again from its recipe is the same.
func TestRecipe(t *testing.T) {
	fields := map[string]string{"session": "cookie_sid"}
	var all []*Format
	for _, f := range Formats() {
		all = append(all, f, f.withRest())
		for _, c := range carrier.Carriers() {
			all = append(all, f.carriedBy(c).withRest())
		}
		with, err := f.WithFields(fields)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, with, with.describedBy([]byte("#Fields: date time sc-status\tx")))
	}
	given, err := Compile(`log_format main '$remote_addr [$time_local] "$request" $status';`)
	if err != nil {
		t.Fatal(err)
	}
	own, err := Configured{Server: "nginx", Name: "main", Spec: `$remote_addr [$time_local] "$request" $status`, Raw: true, Host: "a.example"}.Format()
	if err != nil {
		t.Fatal(err)
	}
	errorLog, err := Configured{Server: "apache", Spec: `[%{u}t] [%-m:%l] [pid %P] %M`, Errors: true}.Format()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(all, given, errorLog, errorLog.withRest(), own, own.carriedBy(carrier.Carriers()[0])) {
		b, err := json.Marshal(f.Recipe())
		if err != nil {
			t.Fatal(err)
		}
		var r Recipe
		if err := json.Unmarshal(b, &r); err != nil {
			t.Fatal(err)
		}
		g, err := r.Format(fields)
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
			continue
		}
		if g.Key() != f.Key() || g.Name != f.Name || g.Native != f.Native || g.kind != f.kind || g.rest != f.rest || string(g.host) != string(f.host) ||
			(g.carrier == nil) != (f.carrier == nil) || (g.described == nil) != (f.described == nil) || len(g.assigned) != len(f.assigned) {
			t.Errorf("%s: made again as %s by %s", f.Key(), g.Key(), b)
		}
	}
}
