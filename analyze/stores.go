package analyze

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"logscan/analyze/spill"
	"logscan/parse/source/object"
)

// fetchedAtOnce is the number of parts that are copied from stores and checked at the same
// time: a connection to a store is slower than a disk.
const fetchedAtOnce = 4

// errSpace is the error of a caller that gives no directory for what is sent to stores or
// comes from them.
var errSpace = errors.New("BUG: parts in stores need a directory for temporary files")

// destination is where a part is written to: a file, or an object that is made of a file of
// the space.
type destination struct {
	name  string // a path or a URL
	space *spill.Space
}

// path returns the path of the file.
func (d destination) path() (string, error) {
	if object.Scheme(d.name) == "" {
		return d.name, nil
	}
	if d.space == nil {
		return "", errSpace
	}
	dir, err := d.space.Dir()
	return filepath.Join(dir, "sent"), err
}

// deliver sends the complete file to the store, if that is where the part belongs.
func (d destination) deliver(ctx context.Context, path string) error {
	if object.Scheme(d.name) == "" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() // it is only read
	info, err := f.Stat()
	if err == nil {
		err = object.NewStores(ctx).Put(d.name, f, info.Size(), "application/octet-stream")
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", object.Label(d.name), err)
	}
	return nil
}

// fetch copies the part at a URL to a file of the space, whose name has a number.
func (m *merging) fetch(stores *object.Stores, url string, n int) (path string, err error) {
	if m.space == nil {
		return "", errSpace
	}
	dir, err := m.space.Dir()
	if err != nil {
		return "", err
	}
	o, err := stores.Stat(url)
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, fmt.Sprint("fetched-", n))
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", &spill.Error{Doing: "make a temporary file", Err: err}
	}
	return path, errors.Join(o.CopyTo(f), f.Close())
}
