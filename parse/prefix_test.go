package parse

import (
	"testing"
	"time"
)

// TestPrefix checks that the formats of nearly all logs use the common prefix.
func TestPrefix(t *testing.T) {
	for name, steps := range map[string]int{
		"combined": 8, "main": 8, "combinedio": 9, "combined-ident": 9, "common": 7, "ingress-nginx": 8,
		"combined-and-more": 8, "traefik-clf": 8, "vhost_combined": 11, "vhost_main": 9, "vhost_combined_portless": 10, "vhost_common": 9,
	} {
		f, ok := Lookup(name)
		if !ok {
			t.Fatalf("no format %s", name)
		}
		if got := f.programs[0].prefix.steps; got != steps {
			t.Errorf("%s: prefix of %d steps, want %d", name, got, steps)
		}
	}
	// Fields that the user assigns are not those of the common format.
	f, _ := Lookup("combined")
	f, err := f.WithFields(map[string]string{"session": "remote_user"})
	if err != nil || f.programs[0].prefix.steps != 0 {
		t.Errorf("%v, prefix of %d steps", err, f.programs[0].prefix.steps)
	}
}

// sameDayAs compares the time from a parser that has parsed another time before with
// that from a new parser.
func sameDayAs(t *testing.T, before, when string) {
	t.Helper()
	f := formatNamed(t, "common")
	p, fresh := f.NewParser(), f.NewParser()
	fresh.values.general = true
	line := func(when string) []byte { return []byte(`192.0.2.1 - - [` + when + `] "GET / HTTP/1.1" 200 612`) }
	var e, want Entry
	for _, w := range []string{before, when, before, when} {
		v, u := p.Parse(line(w), &e), fresh.Parse(line(w), &want)
		if v != u || e.Time != want.Time && v == Parsed {
			t.Fatalf("%q after %q is %v %d, want %v %d", w, before, v, e.Time, u, want.Time)
		}
	}
}

func TestTimesOfOneDay(t *testing.T) {
	const before = "10/Oct/2000:13:55:36 -0700"
	for i := range len(before) {
		for _, c := range "0123456789:/ +-AZaz\x00\x2f\x3a\xb0" {
			sameDayAs(t, before, before[:i]+string(c)+before[i+1:])
		}
	}
	for seconds := 0; seconds < 24*60*60; seconds += 61 {
		sameDayAs(t, before, time.Date(2000, 10, 10, 0, 0, seconds, 0, time.FixedZone("", -7*60*60)).Format("02/Jan/2006:15:04:05 -0700"))
	}
	for _, clock := range []string{"00:00:00", "23:59:59", "23:59:60", "24:00:00", "00:60:00", "00:00:61", "1:00:000", "13:5536 "} {
		sameDayAs(t, before, "10/Oct/2000:"+clock+" -0700")
	}
	// The first and last times that a log can have.
	for _, pair := range [][2]string{
		{"01/Jan/1990:00:30:00 +0000", "01/Jan/1990:00:00:00 +0000"}, {"01/Jan/1990:01:30:00 +0100", "01/Jan/1990:00:30:00 +0100"},
		{"31/Dec/2100:23:00:00 +0000", "31/Dec/2100:23:59:59 +0000"}, {"31/Dec/2100:22:59:59 -0100", "31/Dec/2100:23:00:00 -0100"},
		{before, "10/Oct/2000:13:55:36 -0800"}, {before, "11/Oct/2000:13:55:36 -0700"}, {before, "10/Nov/2000:13:55:37 -0700"}, {before, "10/Oct/2001:13:55:37 -0700"},
		{"10-10-2000:13:55:36 -07000", before}, {"2000-10-10T13:55:36.123456", before},
	} {
		sameDayAs(t, pair[0], pair[1])
		sameDayAs(t, pair[1], pair[0])
	}
}

func FuzzTimesOfOneDay(f *testing.F) {
	f.Add("10/Oct/2000:13:55:36 -0700", "10/Oct/2000:13:55:37 -0700")
	f.Add("10/Oct/2000:13:55:36 -0700", "10/Oct/2000:23:59:60 -0700")
	f.Fuzz(func(t *testing.T, before, when string) { sameDayAs(t, before, when) })
}

// TestCommonLinesAreFast checks that common lines use the fast path. Results would be
// right without it, but slow.
func TestCommonLinesAreFast(t *testing.T) {
	for name, lines := range map[string][]string{
		"common": {
			`192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 0`, `192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 304 -`,
		},
		"combined": {
			combinedLine,
			`1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "DELETE /a/b?c=d HTTP/2.0" 204 12345678 "https://www.example.org/" "curl/8.5"`,
			`255.255.255.255 - bob@example.org [10/Oct/2000:13:55:36 -0700] "POST /login HTTP/1.1" 401 162 "-" "-"`,
			`2001:db8:ca:769::11 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/2.0" 200 5 "-" "x"`,
			`2001:db8:1:2:3:4:5:6 - bob [10/Oct/2000:13:55:36 -0700] "-" 400 0 "-" "-"`,
		},
	} {
		for _, line := range lines {
			p := formatNamed(t, name).NewParser()
			var e Entry
			if v := p.Parse([]byte(line), &e); v != Parsed {
				t.Errorf("%s: %v", line, v)
			}
			own, origin := p.lines.delimitersOf([]byte(line))
			var first [6]uint32
			copy(first[:], own)
			if _, ok := p.values.format.programs[0].begin(&p.values, &p.lines, []byte(line), &first, origin, &e); !ok {
				t.Errorf("%s does not use the fast path", line)
			}
		}
	}
}
