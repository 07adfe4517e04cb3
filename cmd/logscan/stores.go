package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"logscan/parse/source/object"
)

// What can be an object of a store, beside the inputs.
const (
	writableFile   = "a file" // one object
	writablePrefix = "files"  // one object, or objects below a prefix that ends in a slash
)

// checkWritable returns a usage error for the value of a flag that is a URL which nothing
// can be written to.
func checkWritable(flag, value, what string) error {
	switch scheme := object.Scheme(value); {
	case scheme == "":
	case scheme != "s3":
		return usagef("name a local path, or an object store as s3://BUCKET/KEY", "%s %s: nothing can be written to %s:// URLs", flag, object.Label(value), scheme)
	case strings.HasSuffix(value, "/") && what == writableFile:
		return usagef("name the object, such as "+value+"plan.json", "%s %s: the URL names no object", flag, value)
	}
	return nil
}

// checkLocal returns a usage error for the value of a flag that is a URL, but names what
// is changed in place.
func checkLocal(flag, value string) error {
	if object.Scheme(value) == "" {
		return nil
	}
	return usagef("name a local path", "%s %s: URLs are not supported", flag, object.Label(value))
}

// checkPlaces returns a usage error for an output that cannot be a URL. With part, --out is
// a part.
func (c *reportFlags) checkPlaces(part bool) error {
	if part {
		return checkWritable("--out", c.Out, writableFile)
	}
	for _, f := range []struct{ flag, value string }{{"--out", c.Out}, {"--state", c.State}, {"--metrics", c.Metrics}, {"--baseline", c.Baseline}} {
		if object.Scheme(f.value) != "" {
			return usagef("name a local path, and copy the output afterwards", "%s %s: URLs are not supported", f.flag, f.value)
		}
	}
	return nil
}

// writeNamed writes a file that only its owner can read, or an object, completely or not at
// all.
func writeNamed(ctx context.Context, name string, content []byte, contentType string) error {
	if object.Scheme(name) == "" {
		return writeWhole(name, content)
	}
	if err := object.NewStores(ctx).Put(name, bytes.NewReader(content), int64(len(content)), contentType); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

var (
	// errPublic is the error of a file with a secret that other users can read.
	errPublic = errors.New("is readable by other users")
	// errTooLarge is the error of a file or object that cannot be what it is read for.
	errTooLarge = errors.New("is too large")
)

// readNamed reads a file that only its owner can read, or an object, of at most limit bytes.
func readNamed(ctx context.Context, name string, limit int64) ([]byte, error) {
	if object.Scheme(name) != "" {
		content, err := readObject(ctx, name, limit)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", object.Label(name), err)
		}
		return content, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() // it is only read
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&othersMode != 0 && runtime.GOOS != "windows" {
		return nil, errPublic
	}
	return io.ReadAll(io.LimitReader(f, limit))
}

// readObject reads an object of at most limit bytes.
func readObject(ctx context.Context, url string, limit int64) ([]byte, error) {
	o, err := object.NewStores(ctx).Stat(url)
	if err != nil {
		return nil, err
	}
	if o.Size > limit {
		return nil, errTooLarge
	}
	var content bytes.Buffer
	err = o.CopyTo(&content)
	return content.Bytes(), err
}
