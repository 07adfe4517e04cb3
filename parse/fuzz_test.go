package parse

import "testing"

// FuzzAfter compares parsing a line after another, from which the parser has learnt
// the order of JSON keys and the last time, with a new parser.
func FuzzAfter(f *testing.F) {
	for _, g := range Formats() {
		for i, s := range g.Samples {
			f.Add([]byte(s), []byte(g.Samples[(i+1)%len(g.Samples)]))
		}
	}
	f.Add([]byte(`{"time":"2026-03-09T14:05:00Z","status":200,"remote_addr":"192.0.2.1"}`), []byte(`{"status":401,"time":"2026-03-09T14:05:00Z","remote_addr":"192.0.2.1"}`))
	f.Add([]byte(`{"a":1,"status":200,"request":{"uri":"/a"}}`), []byte(`{"a":1,"status":{"x":200},"request":"GET / HTTP/1.1"}`))
	f.Add([]byte(`{"time":1773065100,"level":"info","status":200}`), []byte(`{"time":1773065100,"time":1773065101,"status":200,"status":401}`))
	f.Fuzz(func(t *testing.T, before, line []byte) {
		for _, g := range Formats() {
			if g.kind == kindW3C || g.carrier != nil {
				continue // the meaning of a line depends on those before it
			}
			var e, again Entry
			p := g.NewParser()
			for range 3 { // an order is used the second time
				p.Parse(before, &e)
			}
			fresh := g.NewParser()
			fresh.values.general = true
			v, w := p.Parse(line, &e), fresh.Parse(line, &again)
			if v != w || v == Parsed && show(&e) != show(&again) {
				t.Errorf("%s: after %q, %q is %v %s, want %v %s", g.Name, before, line, v, show(&e), w, show(&again))
			}
		}
	})
}
