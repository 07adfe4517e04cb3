package object

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"logscan/fixtures/bucket"
)

// start starts a store with objects and makes it the endpoint of the test.
func start(t *testing.T, objects map[string][]byte) *bucket.Bucket {
	t.Helper()
	b := bucket.StartFor(t)
	for key, data := range objects {
		if err := b.Put(key, data); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// noise returns n bytes that differ everywhere.
func noise(n int) []byte {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return data
}

func TestList(t *testing.T) {
	objects := map[string][]byte{}
	for _, key := range []string{"a.log", "web/2026/1.log.gz", "web/2026/2.log.gz", "web/2026/.tmp/3.log", "web/x%20y?z.log", "webs.log"} {
		objects[key] = []byte("x")
	}
	start(t, objects)
	for _, test := range []struct {
		url  string
		want string // keys
	}{
		{"s3://logs/a.log", "a.log"},
		{"s3://logs/web", "web/2026/1.log.gz web/2026/2.log.gz web/x%20y?z.log"},
		{"s3://logs/web/2026/", "web/2026/1.log.gz web/2026/2.log.gz"},
		{"s3://logs/web/*/2.log.gz", "web/2026/2.log.gz"},
		{"s3://logs/web/2027", ""},
		{"S3://logs", "a.log web/2026/1.log.gz web/2026/2.log.gz web/x%20y?z.log webs.log"},
	} {
		list, err := NewStores(t.Context()).List(test.url)
		if err != nil {
			t.Errorf("%s: %v", test.url, err)
		}
		var keys []string
		for _, o := range list {
			keys = append(keys, strings.TrimPrefix(o.Path, "s3://logs/"))
			if o.Size != 1 || o.ETag == "" || o.Modified.IsZero() {
				t.Errorf("%s: incomplete: %+v", o.Path, o)
			}
		}
		if got := strings.Join(keys, " "); got != test.want {
			t.Errorf("%s: %s, want %s", test.url, got, test.want)
		}
	}
	for url, want := range map[string]string{
		"s3://nobucket/a":   "bucket nobucket does not exist",
		"s3:///a":           "names no bucket",
		"s3://logs/[":       "invalid",
		"https://%zz/a?k=v": "not valid",
	} {
		if _, err := NewStores(t.Context()).List(url); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "k=v") {
			t.Errorf("%s: error %v, want %s", url, err, want)
		}
	}
}

// Listing the objects below some directories gives the same objects as listing directory by
// directory, and asks for the same directories.
func TestTreeFlat(t *testing.T) {
	objects := map[string][]byte{}
	for site := range 4 {
		for day := range 5 {
			for _, name := range []string{"a.log", "b.log.gz", ".hidden", "deep/er/c.log", ".tmp/d.log"} {
				objects[fmt.Sprintf("web/site-%d/2026-03-%02d/%s", site, day+1, name)] = []byte("x")
			}
		}
		objects[fmt.Sprintf("web/site-%d/readme", site)] = []byte("x")
	}
	start(t, objects)
	s := NewStores(t.Context())
	st, _, err := s.store("s3://logs/web/")
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"", "web/*/2026-03-0[24]/*.log"} {
		for _, avoided := range []string{"none", "site-2/", "2026-03-04/", "deep/"} {
			listed := func(most int) string {
				var asked, keys []string
				x := &tree{store: st.(*s3), pattern: pattern, most: most, descend: func(dir string) bool {
					asked = append(asked, dir)
					return !strings.HasSuffix(dir, avoided)
				}}
				list, err := x.walk(t.Context(), "web/")
				if err != nil {
					t.Fatal(err)
				}
				for _, o := range list {
					keys = append(keys, o.key)
				}
				slices.Sort(asked)
				slices.Sort(keys)
				return fmt.Sprint(keys, asked)
			}
			want := listed(maxDirectories)
			if !strings.Contains(want, "a.log") {
				t.Fatalf("%q without %q: nothing found: %s", pattern, avoided, want)
			}
			for _, most := range []int{0, 1, 5, 30} {
				if got := listed(most); got != want {
					t.Errorf("%q without %q, %d directories one by one: %s, want %s", pattern, avoided, most, got, want)
				}
			}
		}
	}
}

// TestReadAt reads a file from one end to the other, and at random, by several readers at once.
func TestReadAt(t *testing.T) {
	want := noise(21<<20 + 4711)
	b := start(t, map[string][]byte{"big": want, "small": want[:1000], "empty": nil})
	list, err := NewStores(t.Context()).List("s3://logs/big")
	if err != nil {
		t.Fatal(err)
	}
	f := list[0].Open()
	defer f.Close()
	before := b.Requests.Load()
	got, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size))
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d bytes differ from those of the object: %v", len(got), err)
	}
	if n := b.Requests.Load() - before; n > 6 {
		t.Errorf("%d requests for 22 MiB", n)
	}
	f.mu.Lock()
	if len(f.blocks) > keptBlocks {
		t.Errorf("%d blocks are kept", len(f.blocks))
	}
	f.mu.Unlock()
	var g errgroup.Group
	for reader := range 8 {
		g.Go(func() error {
			r := rand.New(rand.NewPCG(2, uint64(reader)))
			for range 50 {
				off, n := r.IntN(len(want)), r.IntN(100_000)
				p := make([]byte, n)
				m, err := f.ReadAt(p, int64(off))
				if end := min(off+n, len(want)); m != end-off || !bytes.Equal(p[:m], want[off:end]) || err != nil && (err != io.EOF || end < len(want)) {
					return fmt.Errorf("%d bytes at %d: got %d: %w", n, off, m, errors.Join(errors.New("wrong"), err))
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	part := list[0].Open()
	defer part.Close()
	part.ReadTo(10<<20 + 1)
	for _, size := range []int64{10 << 20, part.Size} {
		got, err := io.ReadAll(io.NewSectionReader(part, 0, size))
		if err != nil || !bytes.Equal(got, want[:size]) {
			t.Errorf("%d bytes differ from the first %d of the object: %v", len(got), size, err)
		}
		part.mu.Lock()
		if size < part.Size && slices.Contains(part.asked[11:], true) {
			t.Error("blocks are asked for that are not to be read")
		}
		part.mu.Unlock()
	}
	for _, key := range []string{"small", "empty"} {
		list, err := NewStores(t.Context()).List("s3://logs/" + key)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			f := list[0].Open()
			got, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size))
			if err != nil || !bytes.Equal(got, want[:list[0].Size]) {
				t.Errorf("%s: %d bytes: %v", key, len(got), err)
			}
			f.Close()
		}
	}
}

// TestChanged replaces an object while it is read.
func TestChanged(t *testing.T) {
	data := noise(30 << 20)
	b := start(t, map[string][]byte{"log": data})
	list, err := NewStores(t.Context()).List("s3://logs/log")
	if err != nil {
		t.Fatal(err)
	}
	f := list[0].Open()
	defer f.Close()
	p := make([]byte, 100)
	if _, err := f.ReadAt(p, 0); err != nil {
		t.Fatal(err)
	}
	if err := b.Put("log", noise(30<<20-1)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.ReadAt(p, 25<<20); !errors.Is(err, ErrChanged) {
		t.Errorf("error %v", err)
	}
}

// webFile serves data by ranges. trouble may answer a request instead; n counts them.
func webFile(t *testing.T, data []byte, trouble func(n int64, w http.ResponseWriter, r *http.Request) bool) string {
	t.Helper()
	var n atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"1"`)
		if !trouble(n.Add(1), w, r) {
			http.ServeContent(w, r, "a.log", time.Unix(1_700_000_000, 0), bytes.NewReader(data))
		}
	}))
	t.Cleanup(server.Close)
	return server.URL + "/dir/a.log?X-Amz-Signature=secret"
}

// TestWeb reads a file of a web server that is busy and whose connections break.
func TestWeb(t *testing.T) {
	data := noise(3<<20 + 5)
	url := webFile(t, data, func(n int64, w http.ResponseWriter, r *http.Request) bool {
		switch {
		case n == 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case n == 4: // breaks off in the middle
			w.Header().Set("Content-Length", "1000")
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %s/%d", strings.TrimPrefix(r.Header.Get("Range"), "bytes="), len(data)))
			w.WriteHeader(http.StatusPartialContent)
			var from int
			fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
			w.Write(data[from : from+500]) // the test is about its failure
		default:
			return false
		}
		return true
	})
	list, err := NewStores(t.Context()).List(url)
	if err != nil {
		t.Fatal(err)
	}
	o := list[0]
	if strings.Contains(o.Path, "secret") || !strings.HasSuffix(o.Path, "/dir/a.log") || o.Size != int64(len(data)) || o.Modified.Unix() != 1_700_000_000 {
		t.Errorf("object %+v", o)
	}
	f := o.Open()
	defer f.Close()
	got, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size))
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes differ: %v", len(got), err)
	}
}

func TestWebErrors(t *testing.T) {
	for name, test := range map[string]struct {
		trouble func(n int64, w http.ResponseWriter, r *http.Request) bool
		list    string // the error of List; empty for none
		read    string // that of ReadAt
	}{
		"not found": {func(_ int64, w http.ResponseWriter, r *http.Request) bool { http.NotFound(w, r); return true }, "404", ""},
		"no ranges": {func(_ int64, w http.ResponseWriter, _ *http.Request) bool {
			io.WriteString(w, "text") // to a recorder
			return true
		}, "ranges", ""},
		"changed": {func(n int64, w http.ResponseWriter, _ *http.Request) bool {
			if n > 1 {
				w.Header().Set("ETag", `"2"`)
			}
			return false
		}, "", "changed"},
		"gone": {func(n int64, w http.ResponseWriter, r *http.Request) bool {
			if n > 1 {
				http.NotFound(w, r)
			}
			return n > 1
		}, "", "404"},
	} {
		t.Run(name, func(t *testing.T) {
			list, err := NewStores(t.Context()).List(webFile(t, noise(1000), test.trouble))
			if test.list != "" {
				if err == nil || !strings.Contains(err.Error(), test.list) || strings.Contains(err.Error(), "secret") {
					t.Errorf("error %v, want %s", err, test.list)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			f := list[0].Open()
			defer f.Close()
			if _, err := f.ReadAt(make([]byte, 10), 0); err == nil || !strings.Contains(err.Error(), test.read) || strings.Contains(err.Error(), "secret") {
				t.Errorf("error %v, want %s", err, test.read)
			}
		})
	}
}

// TestStop ends a read that waits for a server.
func TestStop(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var once sync.Once
	url := webFile(t, noise(1000), func(n int64, _ http.ResponseWriter, r *http.Request) bool {
		if n > 1 {
			once.Do(stop)
			<-r.Context().Done()
		}
		return n > 1
	})
	list, err := NewStores(ctx).List(url)
	if err != nil {
		t.Fatal(err)
	}
	f := list[0].Open()
	defer f.Close()
	if _, err := f.ReadAt(make([]byte, 10), 0); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
