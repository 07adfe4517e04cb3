package parse

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// object returns a request as a JSON object.
func object(i int) string {
	return fmt.Sprintf(`{"ts":"2026-03-09T14:05:%02dZ","request":{"method":"GET","uri":"/item/%d?a={}","headers":{"X-A":["[",{"b":"}"}]}},"status":401,"remote_ip":"192.0.2.%d"}`, i%60, i, i%200)
}

// objectLayouts lay objects out in lines.
var objectLayouts = map[string]func(objects []string) string{
	"one a line":          func(o []string) string { return strings.Join(o, "\n") + "\n" },
	"side by side":        func(o []string) string { return strings.Join(o, "") + "\n" },
	"with blanks":         func(o []string) string { return strings.Join(o, "  ") + "\r\n" },
	"three a line":        func(o []string) string { return every(o, 3, " ", "\n") },
	"array in a line":     func(o []string) string { return "[" + strings.Join(o, ",") + "]" },
	"array, one a line":   func(o []string) string { return "[" + strings.Join(o, ",\n") + "]\n" },
	"array with brackets": func(o []string) string { return "[\n" + strings.Join(o, "\n,") + "\n]\n" },
	"records":             func(o []string) string { return `{"records": [` + strings.Join(o, ", ") + "]}\n" },
	"records, one a line": func(o []string) string { return "{\"Records\":[\n" + strings.Join(o, ",\n") + "\n]}\n" },
	"indented":            func(o []string) string { return indented(o, "", "  ", "\n") },
	"indented, commas":    func(o []string) string { return indented(o, "", "\t", ",\n") },
	"indented, joined":    func(o []string) string { return indented(o, "", "", " ") },
	"indented array":      func(o []string) string { return "[\n    " + indented(o, "    ", "  ", ",\n    ") + "]\n" },
	"indented records": func(o []string) string {
		return "{\n \"records\": [\n    " + indented(o, "    ", "  ", ",\n    ") + " ]\n}\n"
	},
}

// every joins texts with between, and with end after every n of them.
func every(texts []string, n int, between, end string) string {
	var b strings.Builder
	for i, t := range texts {
		b.WriteString(t)
		if i%n == n-1 || i == len(texts)-1 {
			b.WriteString(end)
		} else {
			b.WriteString(between)
		}
	}
	return b.String()
}

func indented(objects []string, prefix, indent, between string) string {
	var all []string
	for _, o := range objects {
		var b bytes.Buffer
		if err := json.Indent(&b, []byte(o), prefix, indent); err != nil {
			panic(err)
		}
		all = append(all, b.String())
	}
	return strings.Join(all, between) + "\n"
}

// TestObjects reads every object of a text as a request, however they are laid out.
func TestObjects(t *testing.T) {
	const n = 40
	var objects []string
	for i := range n {
		objects = append(objects, object(i))
	}
	for name, layOut := range objectLayouts {
		text := []byte(layOut(objects))
		d := Detect(text, Formats())
		if d.Format == nil {
			t.Errorf("%s: not detected", name)
			continue
		}
		p := NewParser(d.Formats...)
		p.Lines(text)
		parsed, lines := 0, 0
		var e Entry
		for {
			line, v, ok := p.Next(&e)
			if !ok {
				break
			}
			lines++
			if v.Rejected() || v == Parsed && string(e.Path) != fmt.Sprint("/item/", parsed) {
				t.Errorf("%s: %s: %v, %s", name, d.Format.Name, v, line)
				break
			}
			if v != Parsed {
				continue
			}
			parsed++
			want := show(&e)
			kept := bytes.Clone(p.Line(line))
			var again Entry
			if v := NewParser(d.Formats...).Parse(kept, &again); v != Parsed || show(&again) != want || bytes.IndexByte(kept, '\n') >= 0 || bytes.Count(kept, []byte("ts")) > 1 {
				t.Errorf("%s: kept %s: %v", name, kept, v)
			}
		}
		if physical := bytes.Count(text, newline); parsed != n || lines < physical {
			t.Errorf("%s: %d of %d objects in %d lines, %d with those of several objects", name, parsed, n, physical, lines)
		}
	}
}

// TestDamagedObject goes on after an object that is cut off or that cannot be parsed.
func TestDamagedObject(t *testing.T) {
	good, f := object(1), formatOf(t, "json", object(1))
	for text, want := range map[string]string{
		good + `{"status":"x","ts":1}` + good + "\n" + good: "parsed status parsed parsed",
		good + `{"a":` + good + "\n" + good:                 "parsed json parsed",
		good + ` and more`:                                  "json",
		good + good[:len(good)-1] + "\n" + good:             "parsed json parsed",
		"[" + good + ",\n\n]\n,\n":                          "parsed blank partial partial",
		good + "]" + good:                                   "parsed parsed",
		good + "}" + good:                                   "json",
	} {
		var got []string
		p := f.NewParser()
		p.Lines([]byte(text))
		var e Entry
		for {
			_, v, ok := p.Next(&e)
			if !ok {
				break
			}
			got = append(got, v.String())
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("%s:\n got %s\nwant %s", text, got, want)
		}
	}
}

// TestMixedObjects has lines with several objects among lines of a text format.
func TestMixedObjects(t *testing.T) {
	line := `192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "x"`
	text := strings.Repeat(line+"\n"+object(1)+object(2)+object(3)+"\n"+line+"\n", 20)
	d := Detect([]byte(text), Formats())
	p := NewParser(d.Formats...)
	p.Lines([]byte(text))
	n := map[string]int{}
	var e Entry
	for {
		_, v, ok := p.Next(&e)
		if !ok {
			break
		}
		if v != Parsed {
			t.Fatal(v)
		}
		n[string(e.Path)]++
	}
	if want := map[string]int{"/a": 40, "/item/1": 20, "/item/2": 20, "/item/3": 20}; fmt.Sprint(n) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", n, want)
	}
}
