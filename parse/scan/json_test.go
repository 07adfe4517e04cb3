package scan

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// members formats the members of an object as key=value, strings in quotes.
func members(text string) (list string, whole bool) {
	var all []string
	m := ObjectMembers([]byte(text))
	for m.Next() {
		value := string(m.Value())
		if m.Quoted {
			value = `"` + value + `"`
		}
		all = append(all, fmt.Sprintf("%s=%s", m.Key, value))
	}
	return strings.Join(all, " "), m.Whole()
}

func TestMembers(t *testing.T) {
	for _, tt := range []struct {
		text, want string
		whole      bool
	}{
		{`{"a":1,"b":"x"}`, `a=1 b="x"`, true},
		{` { "a" : "x\"y" , "b" : {"c":["}",1]} } `, `a="x\"y" b={"c":["}",1]} `, true},
		{`{}`, ``, true},
		{`{"a":[1,{"b":2}],"c":null}`, `a=[1,{"b":2}] c=null`, true},
		{`{"a":1} x`, `a=1`, false},
		{`{"a":1,}`, `a=1`, false},
		{`{"a":,"b":2}`, `a= b=2`, false},
		{`{,"a":1}`, `a=1`, false},
		{`{"a":"x" "b":2}`, `a="x" b=2`, false},
		{`{"a":12`, `a=12`, false},
		{`{"a":"x","b`, `a="x"`, false},
		{`["a"]`, ``, false},
		{``, ``, false},
	} {
		if got, whole := members(tt.text); got != tt.want || whole != tt.whole {
			t.Errorf("%s: %s, whole %v; want %s, %v", tt.text, got, whole, tt.want, tt.whole)
		}
	}
}

// FuzzMembers checks that valid objects are whole, with as many members as the
// standard library finds.
func FuzzMembers(f *testing.F) {
	f.Add(`{"a":1,"b":{"c":"}"},"d":[1,2]}`)
	f.Add(`{"a":"\\","b":""}`)
	f.Fuzz(func(t *testing.T, text string) {
		m := ObjectMembers([]byte(text))
		keys := map[string]bool{}
		for m.Next() {
			if m.Start > m.End || m.End > len(text) {
				t.Fatalf("%q: value from %d to %d", text, m.Start, m.End)
			}
			var key string
			if json.Unmarshal([]byte(`"`+string(m.Key)+`"`), &key) == nil {
				keys[key] = true
			}
		}
		var object map[string]json.RawMessage
		if json.Unmarshal([]byte(text), &object) == nil && object != nil && (!m.Whole() || len(keys) != len(object)) {
			t.Errorf("%q: whole %v, %d members, want %d", text, m.Whole(), len(keys), len(object))
		}
	})
}
