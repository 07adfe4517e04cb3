// Package object reads files from object stores and web servers by ranges, and writes whole
// objects.
//
// In: URLs of the schemes s3 and https (or http). Out: Objects, whose Files are
// io.ReaderAt. An object that is replaced while it is read is an error, never a mixture. An
// Upload makes content an object of an s3 store, all of it or nothing.
package object

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// ErrChanged is the error of an object that was replaced after it was listed.
var ErrChanged = errors.New("the object has changed since it was listed")

// ErrNoObject is the error of an s3 URL that no object has.
var ErrNoObject = errors.New("no such object")

// ErrRanges is the error of a web server that does not answer requests for ranges.
var ErrRanges = errors.New("the server does not support ranges; use a pipe: curl -fsS URL | logscan -")

// Object is a file in a store, as it was when it was listed.
type Object struct {
	Path     string // the URL without credentials, for display
	Size     int64  // bytes
	ETag     string // "" if the store has none
	Modified time.Time

	ctx   context.Context // of the run: its end ends all requests
	store store
	key   string
	cache *cache
	*content
}

// content is what is known of the content of an object.
type content struct {
	small      atomic.Pointer[[]byte] // all of it, if it is in the cache
	prefetched atomic.Bool
}

// cache bounds the content of small objects that is kept. An object is opened several
// times: for its format, for copies, and to be read.
type cache struct{ bytes atomic.Int64 }

// maxCached is the greatest size of a cache in bytes.
const maxCached = 64 << 20

// put keeps the content of a small object, if there is room.
func (o *Object) put(data []byte) {
	n := int64(len(data))
	if o.cache.bytes.Add(n) > maxCached || !o.small.CompareAndSwap(nil, &data) {
		o.cache.bytes.Add(-n)
	}
}

// store is where objects are.
type store interface {
	// address returns the URL of a key.
	address(key string) string
	// stat returns the object of a key.
	stat(ctx context.Context, key string) (Object, error)
	// get returns the bytes of an object from an offset to another, exclusive. Its
	// error is ErrChanged if the object is not the one that was listed.
	get(ctx context.Context, o *Object, from, to int64) (io.ReadCloser, error)
}

// Scheme returns the scheme of an argument that is a URL in lower case, "" for paths.
func Scheme(arg string) string {
	scheme, _, found := strings.Cut(arg, "://")
	if !found || scheme == "" || strings.ContainsFunc(scheme, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '+'
	}) {
		return ""
	}
	return strings.ToLower(scheme)
}

// Label returns an argument for display: without user information and query, which may hold
// credentials.
func Label(arg string) string {
	scheme := Scheme(arg)
	if scheme == "" || scheme == "s3" {
		return arg
	}
	u, err := url.Parse(arg)
	if err != nil {
		return scheme + "://"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// Supported reports whether List knows a scheme.
func Supported(scheme string) bool { return scheme == "s3" || scheme == "https" || scheme == "http" }

// Stores are the stores that a run uses. All requests end with the context of the run. It is
// safe for concurrent use.
type Stores struct {
	ctx   context.Context
	cache cache
	web   *web

	mu      sync.Mutex
	buckets map[string]*s3 // by name
}

// NewStores returns the stores of a run.
func NewStores(ctx context.Context) *Stores {
	return &Stores{ctx: ctx, buckets: map[string]*s3{}, web: newWeb()}
}

// List returns the objects that a URL names, in order of their keys.
//
//	https://host/path       one file; the server must answer requests for ranges
//	s3://bucket/key         one object, or all below key/
//	s3://bucket/prefix/     all objects below it
//	s3://bucket/a*/b.gz     all keys that match, in the syntax of path.Match
//
// Keys of which a segment begins with a dot, and those that end in a slash, are left out, as
// hidden files and directories are. The error is that of the first request that failed,
// without credentials.
func (s *Stores) List(arg string) (list []*Object, err error) {
	st, key, err := s.store(arg)
	if err != nil {
		return nil, err
	}
	bucket, ok := st.(*s3)
	if !ok {
		o, err := st.stat(s.ctx, key)
		return []*Object{s.complete(&o, st)}, err
	}
	list, err = bucket.find(s.ctx, key)
	return s.completed(list, st), err
}

// completed is complete for a list.
func (s *Stores) completed(list []*Object, st store) []*Object {
	for _, o := range list {
		s.complete(o, st)
	}
	return list
}

// Restore returns an object that was listed before, by its URL, without a request.
func (s *Stores) Restore(address string, size int64, etag string, modified time.Time) (*Object, error) {
	st, key, err := s.store(address)
	if err != nil {
		return nil, err
	}
	return s.complete(&Object{Size: size, ETag: etag, Modified: modified, key: key}, st), nil
}

// complete sets what an object needs to be read.
func (s *Stores) complete(o *Object, st store) *Object {
	o.Path = Label(st.address(o.key))
	o.ctx, o.store, o.cache, o.content = s.ctx, st, &s.cache, &content{}
	return o
}

// store returns the store of a URL, and the key in it.
func (s *Stores) store(arg string) (st store, key string, err error) {
	if Scheme(arg) != "s3" {
		u, err := url.Parse(arg)
		if err != nil || u.Host == "" {
			return nil, "", errors.New("the URL is not valid") // the error of url.Parse quotes it
		}
		return s.web, u.String(), nil
	}
	_, name, _ := strings.Cut(arg, "://")
	bucket, key, _ := strings.Cut(name, "/") // a key is no path of a URL: % and ? stand for themselves
	if bucket == "" {
		return nil, "", errors.New("the URL names no bucket")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.buckets[bucket] == nil {
		if s.buckets[bucket], err = newS3(bucket); err != nil {
			return nil, "", err
		}
	}
	return s.buckets[bucket], key, nil
}

// URL returns where the object is, with all that is needed to read it.
func (o *Object) URL() string { return o.store.address(o.key) }

// Check returns ErrChanged if the object is not in the store as it was listed.
func (o *Object) Check() error {
	now, err := o.store.stat(o.ctx, o.key)
	if err == nil && (now.Size != o.Size || now.ETag != o.ETag) {
		err = ErrChanged
	}
	return err
}

// Sum identifies the content: the ETag and the size. ok is false if there is no ETag.
func (o *Object) Sum() (sum [sha256.Size]byte, ok bool) {
	return sha256.Sum256(fmt.Appendf(nil, "%d %s", o.Size, o.ETag)), o.ETag != ""
}
