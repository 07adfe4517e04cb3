package wording

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"logscan/analyze/detect"
	"logscan/analyze/result"
	"logscan/parse"
)

// fill sets every field of a details struct to something that is not zero.
func fill(details any) {
	v := reflect.ValueOf(details).Elem()
	for i := range v.NumField() {
		f := v.Field(i)
		if f.Kind() == reflect.Pointer {
			f.Set(reflect.New(f.Type().Elem()))
			f = f.Elem()
		}
		switch {
		case f.CanInt():
			f.SetInt(3_000_000) // a time of whole seconds
		case f.CanFloat():
			f.SetFloat(0.5)
		case f.Kind() == reflect.String:
			f.SetString("name")
		case f.Kind() == reflect.Bool:
			f.SetBool(true)
		case f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.Int64:
			f.Set(reflect.MakeSlice(f.Type(), 2, 2)) // times
		case f.Kind() == reflect.Slice:
			f.Set(reflect.ValueOf([]string{"one", "two"}))
		}
	}
}

// The templates of all kinds fit the details of their kind, empty or not.
func TestTemplates(t *testing.T) {
	d := Describer{Noun: unauthorized}
	for _, k := range detect.Catalogue() {
		t.Run(k.Name, func(t *testing.T) {
			if k.Details == nil || k.Title == "" || k.Explanation == "" || len(k.Remedy) == 0 || len(k.Subjects) == 0 {
				t.Fatal("the row is not complete")
			}
			empty, full := k.Details(), k.Details()
			fill(full)
			for _, f := range []result.Finding{
				{Onset: parse.NoTime, Details: empty},
				{Onset: 1_700_000_000_000_000, Details: full, Subject: result.Subject{Host: "www.example.org", Method: "GET", Route: "/a/{id}", User: "alice", ClientAddress: "192.0.2.1", UserAgent: "curl/8", Upstream: "10.0.0.1:80"}},
			} {
				f.Kind = k.Name
				text := d.Text(&f)
				for _, s := range append([]string{text.Title, text.Explanation}, text.Remediation...) {
					if s == "" || strings.Contains(s, "<no value>") || strings.Contains(s, "{{") || strings.Contains(s, "%!") || strings.Contains(s, " ,") || strings.Contains(s+" ", " . ") {
						t.Errorf("%q", s)
					}
				}
			}
			// Details survive being written and read.
			b, err := json.Marshal(full)
			if err != nil {
				t.Fatal(err)
			}
			read := k.Details()
			if err := result.DecodeDetails(b, read); err != nil {
				t.Fatal(err)
			}
			if again, _ := json.Marshal(read); string(again) != string(b) {
				t.Errorf("read %s, written %s", again, b)
			}
		})
	}
}
