package source

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"logscan/parse/source/object"
)

// TestSpecOfObject reads an object that was planned. Its server states neither an ETag nor
// when it was changed.
func TestSpecOfObject(t *testing.T) {
	const text = "a line\nanother\n"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "a.log", time.Time{}, strings.NewReader(text))
	}))
	defer server.Close()
	x, err := ExpandURLs(t.Context(), []string{server.URL + "/a.log"}, nil, Dates{})
	if err != nil || len(x.Inputs) != 1 {
		t.Fatal(x, err)
	}
	spec, err := x.Inputs[0].Spec()
	if err != nil {
		t.Fatal(err)
	}
	in, err := spec.Reopen(object.NewStores(t.Context()), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !in.Modified().IsZero() {
		t.Errorf("it was changed at %v, want an unknown time", in.Modified())
	}
	f, err := in.open(0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	if got, err := io.ReadAll(f.stream()); err != nil || string(got) != text {
		t.Errorf("%q, %v", got, err)
	}
}
