package outdir

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"logscan/parse/source/object"
	"logscan/report/document"
)

// In an object store nothing can be renamed, and no two objects appear at the same time. So
// the manifest is the mark of a complete output: it is removed first and written last. All
// other objects are sent before, but become visible between the two. See
// Prefix.publish for what happens if two runs write at the same time.

const (
	// incompleteName is an object that is there while an output is replaced, and stays if
	// that fails: the objects beside it are logscan's, though there is no manifest. Readers
	// of tables skip names that begin so.
	incompleteName = "_incomplete"
	incompleteText = "The output that logscan has begun to write here is not complete.\n"
	// publishTimeout limits how long an output is incomplete: some requests of a megabyte
	// at most, repeated if the store is busy.
	publishTimeout = 5 * time.Minute
	// publishedAtOnce is the number of objects that become visible at the same time.
	publishedAtOnce = 8
	// maxListed is the maximum number of objects of an output that are listed: far more
	// than it has.
	maxListed = 1000
)

// Prefix is the prefix of an object store below which a run writes its output.
type Prefix struct {
	url       string // ends in a slash
	ctx       context.Context
	stores    *object.Stores
	last      []string // names of the objects of the last output
	temporary string   // directory for files of the run; "" before it is made
}

// ClaimPrefix checks that an s3 URL that ends in a slash is empty or holds an output with the
// named files only. The error is a *NotOutputError, or says why it cannot be read. Another
// run is not kept out.
func ClaimPrefix(ctx context.Context, url string, files []string) (*Prefix, error) {
	p := &Prefix{url: url, ctx: ctx, stores: object.NewStores(ctx)}
	there, err := p.stores.Below(ctx, url, maxListed)
	if err != nil {
		return nil, p.failed(err)
	}
	if len(there) == 0 {
		return p, nil
	}
	m := &document.Manifest{}
	if slices.Contains(there, document.ManifestName) {
		if m, err = p.manifest(); err != nil {
			return nil, err
		}
	} else if !slices.Contains(there, incompleteName) {
		return nil, &NotOutputError{url, errNoManifest}
	}
	known := knownFiles(m, files)
	known[incompleteName] = true
	for _, name := range there {
		if !known[name] {
			return nil, notOurs(url, name)
		}
	}
	p.last = there
	return p, nil
}

// manifest reads the manifest of the last output.
func (p *Prefix) manifest() (*document.Manifest, error) {
	o, err := p.stores.Stat(Join(p.url, document.ManifestName))
	if err != nil {
		return nil, p.failed(err)
	}
	f := o.Open()
	defer f.Close() // it is only read
	defer o.Release()
	m, err := decodeManifest(io.NewSectionReader(f, 0, o.Size), o.Size)
	if err != nil {
		return nil, &NotOutputError{p.url, err.Error()}
	}
	return m, nil
}

func (p *Prefix) failed(err error) error { return fmt.Errorf("write %s: %w", p.url, err) }

// Temporary implements Place.
func (p *Prefix) Temporary(dir string) (string, error) {
	if dir != "" {
		if _, err := makeParents(dir, directoryMode); err != nil {
			return "", err
		}
	}
	made, err := os.MkdirTemp(dir, "logscan-*") // mode 0700
	p.temporary = made
	return filepath.Join(made, "spill"), err
}

// Release implements Place.
func (p *Prefix) Release() {
	if p.temporary != "" {
		_ = os.RemoveAll(p.temporary) // what it holds was removed before
		p.temporary = ""
	}
}

// Replace implements Place. If fill fails, or sending what it wrote, the last output stays as
// it is.
func (p *Prefix) Replace(fill func(temporary string) error) (err error) {
	if p.temporary == "" {
		if _, err := p.Temporary(""); err != nil {
			return p.failed(err)
		}
	}
	dir := filepath.Join(p.temporary, "output")
	if err := os.Mkdir(dir, directoryMode); err != nil {
		return p.failed(err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := fill(dir); err != nil {
		return p.failed(err)
	}
	output, err := p.send(dir)
	if err == nil {
		err = p.publish(output)
	}
	if err = errors.Join(err, output.close()); err != nil {
		return p.failed(err)
	}
	return nil
}

// sending is an output on its way into a store.
type sending struct {
	names   []string
	uploads []*object.Upload
	files   []*os.File
}

// close closes the files, and removes what was sent and is not visible.
func (s *sending) close() error {
	var errs []error
	for _, u := range s.uploads {
		if u != nil {
			errs = append(errs, u.Abort())
		}
	}
	for _, f := range s.files {
		f.Close() // it was only read
	}
	return errors.Join(errs...)
}

// send sends the files of a directory, the manifest last.
func (p *Prefix) send(dir string) (*sending, error) {
	s := &sending{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return s, err
	}
	for _, e := range entries {
		if e.Name() != document.ManifestName {
			s.names = append(s.names, e.Name())
		}
	}
	s.names = append(s.names, document.ManifestName)
	s.uploads = make([]*object.Upload, len(s.names))
	for i, name := range s.names {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			return s, err
		}
		s.files = append(s.files, f)
		info, err := f.Stat()
		if err != nil {
			return s, err
		}
		if s.uploads[i], err = p.stores.Upload(p.url+name, f, info.Size(), contentType(name)); err != nil {
			return s, fmt.Errorf("%s: %w", name, err)
		}
	}
	return s, nil
}

// contentType returns the media type of a file of the output.
func contentType(name string) string {
	switch filepath.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".json":
		return "application/json"
	case ".ndjson":
		return "application/x-ndjson"
	case tableSuffix:
		return "application/vnd.apache.parquet"
	}
	return "application/octet-stream"
}

// publish makes what was sent the output. It is not interrupted: that would leave no output.
//
// If two runs publish at the same time and a mixture stays, at least the one that verifies last
// finds objects of the other: it does so after both have written all files, so it sees each as
// it stays. It removes the manifest, so that no mixture is taken for an output.
func (p *Prefix) publish(s *sending) error {
	ctx, stop := context.WithTimeout(context.WithoutCancel(p.ctx), publishTimeout)
	defer stop()
	replaces := len(p.last) > 0
	if replaces {
		if err := p.withdraw(ctx); err != nil {
			return err
		}
	}
	err := p.publishFiles(ctx, s)
	last := len(s.names) - 1
	if err == nil {
		err = s.uploads[last].Commit(ctx)
	}
	if err == nil {
		err = s.verify(ctx)
	}
	switch {
	case err != nil && replaces:
		return fmt.Errorf("it is incomplete now, and has no %s: run it again: %w", document.ManifestName, errors.Join(err, p.remove(ctx, document.ManifestName)))
	case err != nil:
		return errors.Join(err, p.remove(ctx, document.ManifestName), p.remove(ctx, s.names[:last]...))
	case replaces:
		return p.remove(ctx, incompleteName)
	}
	return nil
}

// withdraw marks the last output as incomplete.
func (p *Prefix) withdraw(ctx context.Context) error {
	u, err := p.stores.Upload(p.url+incompleteName, strings.NewReader(incompleteText), int64(len(incompleteText)), "text/plain")
	if err == nil {
		err = u.Commit(ctx)
	}
	if err != nil {
		return err
	}
	return p.remove(ctx, document.ManifestName)
}

// remove removes objects, if they are there.
func (p *Prefix) remove(ctx context.Context, names ...string) error {
	var errs []error
	for _, name := range names {
		errs = append(errs, p.stores.Remove(ctx, p.url+name))
	}
	return errors.Join(errs...)
}

// publishFiles makes all files but the manifest visible, and removes those of the last output
// that this one does not have.
func (p *Prefix) publishFiles(ctx context.Context, s *sending) error {
	var g errgroup.Group // one that fails ends no others: what a broken request does is not known
	g.SetLimit(publishedAtOnce)
	for _, u := range s.uploads[:len(s.uploads)-1] {
		g.Go(func() error { return u.Commit(ctx) })
	}
	for _, name := range p.last {
		if name != incompleteName && !slices.Contains(s.names, name) {
			g.Go(func() error { return p.remove(ctx, name) })
		}
	}
	return g.Wait()
}

// errMixed is the error of two runs that wrote to the same place.
var errMixed = errors.New("another run has written to it at the same time")

// verify returns errMixed unless the objects are those that were sent.
func (s *sending) verify(ctx context.Context) error {
	var g errgroup.Group
	g.SetLimit(publishedAtOnce)
	for _, u := range s.uploads {
		g.Go(func() error {
			ok, err := u.Holds(ctx)
			if err == nil && !ok {
				err = errMixed
			}
			return err
		})
	}
	return g.Wait()
}

// OpenURL is Open for an output in an object store or on a web server. The error is
// object.ErrChanged if it was replaced meanwhile.
func OpenURL(ctx context.Context, url string) (*Report, error) {
	stores := object.NewStores(ctx)
	read := func(name string, into any) (*object.Object, error) {
		o, err := stores.Stat(Join(url, name))
		if err == nil {
			err = readObject(o, into)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return o, nil
	}
	var m document.Manifest
	first, err := read(document.ManifestName, &m)
	if err != nil {
		return nil, err
	}
	if err := checkManifest(&m); err != nil {
		return nil, err
	}
	var f document.Findings
	if _, err := read(document.FindingsName, &f); err != nil {
		return nil, err
	}
	if err := first.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", document.ManifestName, err)
	}
	return newReport(strings.TrimSuffix(url, "/"), &m, &f)
}

// readObject decodes the JSON of an object.
func readObject(o *object.Object, into any) error {
	f := o.Open()
	defer f.Close() // it is only read
	defer o.Release()
	return decode(filepath.Base(o.Path), bufio.NewReader(io.NewSectionReader(f, 0, o.Size)), into)
}
