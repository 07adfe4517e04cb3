package object

import (
	"context"
	"path"
	"strings"
	"sync"

	"github.com/minio/minio-go/v7"
	"golang.org/x/sync/errgroup"
)

const (
	// listedAtOnce is the number of requests that list objects at the same time. One takes
	// about 100 ms.
	listedAtOnce = 16
	// maxDirectories is the maximum number of directories that are listed one by one. In a
	// bucket with more of them, such as one for each user, listing the objects below, a
	// thousand in each answer, takes fewer requests.
	maxDirectories = 10_000
)

// ListTree is List, but does not look into a directory, the part of keys up to a slash, for
// whose URL descend returns false. descend is not called concurrently.
func (s *Stores) ListTree(arg string, descend func(dir string) bool) (list []*Object, err error) {
	st, key, err := s.store(arg)
	bucket, ok := st.(*s3)
	if err != nil || !ok {
		return s.List(arg)
	}
	literal, isPattern := Literal(key)
	t := &tree{store: bucket, most: maxDirectories, descend: func(dir string) bool { return descend(bucket.address(dir)) }}
	if isPattern {
		if _, err := path.Match(key, ""); err != nil {
			return s.List(arg) // which returns the error
		}
		t.pattern = key
	} else {
		o, prefix, err := bucket.named(s.ctx, key)
		if err != nil {
			return nil, err
		}
		if o != nil {
			return s.completed([]*Object{o}, st), nil
		}
		literal = prefix
	}
	list, err = t.walk(s.ctx, literal)
	return s.completed(list, st), err
}

// ListBelow returns the objects that a URL names and that are in a directory, which ListTree
// has found and not looked into.
func (s *Stores) ListBelow(arg, dir string) (list []*Object, err error) {
	st, key, err := s.store(arg)
	if err != nil {
		return nil, err
	}
	_, below, err := s.store(dir)
	bucket, ok := st.(*s3)
	if err != nil || !ok {
		return nil, err
	}
	t := &tree{store: bucket}
	if _, isPattern := Literal(key); isPattern {
		t.pattern = key
	}
	err = bucket.list(s.ctx, below, func(o Object) bool {
		t.add(o)
		return true
	})
	return s.completed(t.list, st), err
}

// Literal returns the part of a path before its first character with a meaning in
// path.Match, and reports whether there is one.
func Literal(pattern string) (before string, isPattern bool) {
	i := strings.IndexAny(pattern, `*?[\`)
	if i < 0 {
		return pattern, false
	}
	return pattern[:i], true
}

// tree lists the objects of a bucket by directories.
type tree struct {
	store   *s3
	pattern string // that keys match; "" for all
	descend func(dir string) bool
	most    int // directories that are listed one by one; see maxDirectories

	mu   sync.Mutex
	list []*Object
}

// walk lists the objects whose keys begin with a prefix, and the directories that they are
// in, level by level.
func (t *tree) walk(ctx context.Context, prefix string) ([]*Object, error) {
	level, asked := []string{prefix}, 0
	for len(level) > 0 {
		if asked += len(level); asked > t.most {
			err := t.flat(ctx, level) // which adds to the list
			return t.list, err
		}
		next := make([][]string, len(level))
		g, ctx := errgroup.WithContext(ctx)
		g.SetLimit(listedAtOnce)
		for i, prefix := range level {
			g.Go(func() (err error) {
				next[i], err = t.one(ctx, prefix)
				return err
			})
		}
		if err := g.Wait(); err != nil {
			return nil, err
		}
		level = level[:0]
		for _, dirs := range next {
			for _, dir := range dirs {
				if t.matchesDirectory(dir) && t.descend(dir) {
					level = append(level, dir)
				}
			}
		}
	}
	return t.list, nil
}

// one lists what is directly below a prefix: it adds objects, and returns directories.
func (t *tree) one(ctx context.Context, prefix string) (dirs []string, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop() // ends the goroutine that lists
	for i := range t.store.client.ListObjectsIter(ctx, t.store.bucket, minio.ListObjectsOptions{Prefix: prefix}) {
		switch {
		case i.Err != nil:
			return nil, t.store.failed(ctx, i.Err)
		case !strings.HasSuffix(i.Key, "/"):
			t.add(t.store.object(i))
		case i.Key != prefix && !hidden(strings.TrimSuffix(i.Key, "/")):
			dirs = append(dirs, i.Key)
		}
	}
	return dirs, ctx.Err()
}

// add adds an object unless it is hidden, or does not match.
func (t *tree) add(o Object) {
	if hidden(o.key) {
		return
	}
	if t.pattern != "" {
		if ok, _ := path.Match(t.pattern, o.key); !ok {
			return
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list = append(t.list, &o)
}

// matchesDirectory reports whether objects in a directory may match.
func (t *tree) matchesDirectory(dir string) bool {
	if t.pattern == "" {
		return true
	}
	depth := strings.Count(dir, "/")
	segments := strings.Split(t.pattern, "/")
	if depth >= len(segments) {
		return false
	}
	ok, _ := path.Match(strings.Join(segments[:depth], "/")+"/", dir)
	return ok
}

// flat lists all objects whose keys begin with prefixes, and looks at the directories in
// their keys.
func (t *tree) flat(ctx context.Context, prefixes []string) error {
	wanted := map[string]bool{}
	for _, prefix := range prefixes {
		err := t.store.list(ctx, prefix, func(o Object) bool {
			for i := len(prefix); i < len(o.key); i++ {
				if o.key[i] != '/' {
					continue
				}
				dir := o.key[:i+1]
				ok, known := wanted[dir]
				if !known {
					ok = !hidden(dir[:i]) && t.matchesDirectory(dir) && t.descend(dir)
					wanted[dir] = ok
				}
				if !ok {
					return true
				}
			}
			t.add(o)
			return true
		})
		if err != nil {
			return err
		}
		clear(wanted)
	}
	return nil
}
