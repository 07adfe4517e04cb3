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

// checkWritable returns a usage error for a value of --out that is a URL which nothing can
// be written to.
func checkWritable(value, what string) error {
	switch scheme := object.Scheme(value); {
	case scheme == "":
	case scheme != "s3":
		return usagef("name a local path, or an object store as s3://BUCKET/KEY", "--out %s: nothing can be written to %s:// URLs", object.Label(value), scheme)
	case strings.HasPrefix(value[len("s3://"):], "/"), len(value) == len("s3://"):
		return usagef("name it as s3://BUCKET/KEY", "--out %s: the URL names no bucket", value)
	case strings.HasSuffix(value, "/") && what == writableFile:
		return usagef("name the object, such as "+value+"plan.json", "--out %s: the URL names no object", value)
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
		return checkWritable(c.Out, writableFile)
	}
	if err := checkWritable(c.Out, writablePrefix); err != nil {
		return err
	}
	remote := object.Scheme(c.Out) != ""
	switch {
	case object.Scheme(c.Lake) != "":
		return usagef("write each night with --out s3://BUCKET/lake/dt=DATE/, and name the one before with --baseline s3://BUCKET/lake/dt=DATE/",
			"--lake %s: URLs are not supported", object.Label(c.Lake))
	case remote && c.State != "":
		return usagef("write to a local directory, and copy it to the store afterwards",
			"--state cannot be combined with --out %s: the next run looks into the output whether this one was completed", c.Out)
	}
	for _, f := range []struct{ flag, value string }{{"--state", c.State}, {"--metrics", c.Metrics}} {
		if err := checkLocal(f.flag, f.value); err != nil {
			return err
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
