package document_test

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"logscan/analyze/result"
	"logscan/parse"
	"logscan/report/document"
	"logscan/report/reporttest"
)

func TestManifestResources(t *testing.T) {
	for _, c := range []struct {
		wall float64
		want int64
	}{{2, 8_500_000}, {0, 0}, {math.Inf(1), 0}, {math.NaN(), 0}} {
		m := document.NewManifest(document.Run{WallSeconds: c.wall, CPUSeconds: math.NaN()}, reporttest.Result(), nil, nil)
		if m.Resources.BytesPerSecond != c.want {
			t.Errorf("in %v s: %d bytes a second, want %d", c.wall, m.Resources.BytesPerSecond, c.want)
		}
	}
}

func TestRejectsAreBounded(t *testing.T) {
	res := reporttest.Empty()
	res.RejectedLines = make([]result.RejectedLine, result.MaxRejectedLines+5)
	var b bytes.Buffer
	if err := document.WriteRejects(&b, res.RejectedLines); err != nil {
		t.Fatal(err)
	}
	if got := bytes.Count(b.Bytes(), []byte{'\n'}); got != result.MaxRejectedLines {
		t.Errorf("%d lines, want %d", got, result.MaxRejectedLines)
	}
}

func TestStamp(t *testing.T) {
	for _, c := range []struct {
		us   int64
		want string
	}{
		{parse.NoTime, `null`},
		{0, `"1970-01-01T00:00:00Z"`},
		{reporttest.At(14, 5, 12), `"2026-03-09T14:05:12Z"`},
		{reporttest.At(14, 5, 12) + 123_456, `"2026-03-09T14:05:12.123456Z"`},
		{-1, `"1969-12-31T23:59:59.999999Z"`},
	} {
		b, err := json.Marshal(document.Stamp(c.us))
		if err != nil || string(b) != c.want {
			t.Errorf("%d: got %s (%v), want %s", c.us, b, err, c.want)
		}
		var back document.Stamp
		if err := json.Unmarshal(b, &back); err != nil || int64(back) != c.us {
			t.Errorf("%s: read back as %d (%v), want %d", b, back, err, c.us)
		}
	}
	for _, bad := range []string{`5`, `"yesterday"`, `{}`} {
		var s document.Stamp
		if err := json.Unmarshal([]byte(bad), &s); err == nil {
			t.Errorf("%s was read as a time", bad)
		}
	}
}

// FuzzWrite checks that escaping leaves values unchanged.
func FuzzWrite(f *testing.F) {
	for _, s := range reporttest.Hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		value := map[string]string{s: s}
		plain, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := document.Write(&b, value); err != nil {
			t.Fatal(err)
		}
		reporttest.Printable(t, "JSON", b.String())
		var want, got any
		if err := json.Unmarshal(plain, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(b.String()), &got); err != nil {
			t.Fatalf("%q became %q: %v", plain, b.String(), err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q became %q, which has another meaning", plain, b.String())
		}
	})
}

// TestWriteIndents compares the indentation with that of json.Indent.
func TestWriteIndents(t *testing.T) {
	for _, v := range []any{
		nil, 0, "", []int{}, map[string]int{}, []any{[]any{}, map[string]any{}, []any{1, "a", nil}},
		map[string]any{"a": 1.5, "b": map[string]any{"c": []string{"{", "}", "[,]", `"`, `\`, `\"`, `a\\`}}, `k":,{`: true},
		document.Manifest{Inputs: []document.Input{{Path: "a\u2028\x00<b>"}, {}}, Skips: map[string]int64{"x": 1}},
	} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var want bytes.Buffer
		if err := json.Indent(&want, append(b, '\n'), "", "  "); err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := document.Write(&got, v); err != nil || !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Errorf("%s: %v:\n%s\nwant\n%s", b, err, got.Bytes(), want.Bytes())
		}
	}
}
