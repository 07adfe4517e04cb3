package object

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
)

// TestPut writes objects in one request and in several, and reads them back.
func TestPut(t *testing.T) {
	start(t, nil)
	stores := NewStores(t.Context())
	for _, size := range []int{0, 1000, 2*sliceSize + 4711} {
		want := noise(size)
		const url = "s3://logs/dir/a [b]*?.part"
		if err := stores.Put(url, bytes.NewReader(want), int64(size), "text/plain"); err != nil {
			t.Fatal(err)
		}
		o, err := stores.Stat(url)
		if err != nil || o.Size != int64(size) || o.URL() != url {
			t.Fatal(o, err)
		}
		var got bytes.Buffer
		if err := o.CopyTo(&got); err != nil || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%d of %d bytes are read: %v", got.Len(), size, err)
		}
	}
	if _, err := stores.Stat("s3://logs/other"); !errors.Is(err, ErrNoObject) {
		t.Error(err)
	}
}

// TestUpload checks that nobody sees content before it is committed, and that nothing stays
// of what is not.
func TestUpload(t *testing.T) {
	b := start(t, map[string][]byte{"a": []byte("before")})
	stores := NewStores(t.Context())
	content := noise(sliceSize + 1)
	u, err := stores.Upload("s3://logs/a", bytes.NewReader(content), int64(len(content)), "")
	if err != nil {
		t.Fatal(err)
	}
	if data, err := b.Get("a"); err != nil || string(data) != "before" {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	if err := u.Abort(); err != nil {
		t.Error(err)
	}
	if err := u.Commit(t.Context()); err != nil { // all in one request
		t.Error(err)
	}
	if data, err := b.Get("a"); err != nil || !bytes.Equal(data, content) {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	if ok, err := u.Holds(t.Context()); err != nil || !ok {
		t.Error("not the content that was sent:", err)
	}
	if err := stores.Put("s3://logs/a", bytes.NewReader(content), 10, ""); err != nil {
		t.Fatal(err)
	}
	if ok, err := u.Holds(t.Context()); err != nil || ok {
		t.Error("not another object:", err)
	}
	left, err := stores.buckets["logs"].client.ListMultipartUploads(t.Context(), "logs", "", "", "", "", 10)
	if err != nil || len(left.Uploads) > 0 {
		t.Error("uploads are left:", left.Uploads, err)
	}
}

func TestPutErrors(t *testing.T) {
	b := start(t, nil)
	content := noise(sliceSize + 1)
	for url, want := range map[string]string{
		"https://example.com/a?sig=secret": "only s3:// URLs",
		"s3://logs/":                       "names no object",
		"s3://nobucket/a":                  "bucket nobucket does not exist",
	} {
		for _, size := range []int64{10, int64(len(content))} {
			err := NewStores(t.Context()).Put(url, bytes.NewReader(content), size, "")
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: error %v, want %s", url, err, want)
			}
		}
	}
	b.Trouble = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		w.Write([]byte("<Error><Code>AccessDenied</Code></Error>")) // to a recorder
		return true
	}
	for _, size := range []int64{10, int64(len(content))} {
		if err := NewStores(t.Context()).Put("s3://logs/a", bytes.NewReader(content), size, ""); err == nil || !strings.Contains(err.Error(), "s3:PutObject") {
			t.Error(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := NewStores(ctx).Put("s3://logs/a", bytes.NewReader(content), 10, ""); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if keys, err := b.Keys(""); err != nil || len(keys) > 0 {
		t.Error(keys, err)
	}
}

// TestBusy writes to a store that is busy for a while.
func TestBusy(t *testing.T) {
	b := start(t, nil)
	n := 0
	b.Trouble = func(w http.ResponseWriter, _ *http.Request) bool {
		if n++; n <= 2 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return n <= 2
	}
	if err := NewStores(t.Context()).Put("s3://logs/a", strings.NewReader("content"), 7, ""); err != nil {
		t.Fatal(err)
	}
	if data, err := b.Get("a"); err != nil || string(data) != "content" {
		t.Errorf("%q, %v", data, err)
	}
}
