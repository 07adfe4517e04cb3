package object

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"golang.org/x/sync/errgroup"
)

const (
	// sliceSize is the size in bytes of a request that sends content. What is larger is
	// sent in several requests, of which stores accept 10,000.
	sliceSize = 16 << 20
	maxSlices = 10_000
	// commitSize is the maximum size in bytes of content that Commit sends: several objects
	// are to appear at nearly the same time.
	commitSize = 1 << 20
	// slicesAtOnce is the number of requests that send content at the same time: like
	// reading, a connection to a store is slower than a disk.
	slicesAtOnce = 4
	// sumKey is the key of the SHA-256 of the content among the metadata of an object. ETags of
	// what is sent in slices differ between stores.
	sumKey = "Sha256"
	// abortTimeout limits how long a run that has failed waits to remove what it sent.
	abortTimeout = 10 * time.Second
)

// ErrReadOnly is the error of a URL that nothing can be written to.
var ErrReadOnly = errors.New("only s3:// URLs can be written to")

// Upload is content on its way into a store. Nobody sees it before Commit, and then all of
// it.
type Upload struct {
	store   *s3
	key     string
	content io.ReaderAt
	size    int64
	sum     string // SHA-256, hexadecimal
	options minio.PutObjectOptions
	id      string // of what was sent so far; "" if Commit sends all
	slices  []minio.CompletePart
}

// Upload sends content that is to be the object at an s3 URL. Small content is sent by
// Commit, so it must not change before.
func (s *Stores) Upload(url string, content io.ReaderAt, size int64, contentType string) (*Upload, error) {
	u, err := s.newUpload(url, content, size, contentType)
	if err != nil || size <= commitSize {
		return u, err
	}
	return u, u.begin(s.ctx)
}

// newUpload returns an upload of which nothing was sent.
func (s *Stores) newUpload(url string, content io.ReaderAt, size int64, contentType string) (*Upload, error) {
	st, key, err := s.store(url)
	if err != nil {
		return nil, err
	}
	bucket, ok := st.(*s3)
	if !ok {
		return nil, ErrReadOnly
	}
	if key == "" || strings.HasSuffix(key, "/") {
		return nil, errors.New("the URL names no object")
	}
	u := &Upload{store: bucket, key: key, content: content, size: size}
	if u.sum, err = sumOf(u.body(0, size)); err != nil {
		return nil, err
	}
	u.options = minio.PutObjectOptions{
		ContentType: contentType, DisableContentSha256: true, // the requests have that of the whole body
		UserMetadata: map[string]string{sumKey: u.sum},
	}
	return u, nil
}

// body returns some bytes of the content.
func (u *Upload) body(from, n int64) *io.SectionReader {
	return io.NewSectionReader(u.content, from, n)
}

// begin sends the content, but does not make it an object.
func (u *Upload) begin(ctx context.Context) (err error) {
	if u.id, err = u.store.client.NewMultipartUpload(ctx, u.store.bucket, u.key, u.options); err != nil {
		return u.store.failedTo(ctx, writing, err)
	}
	if err := u.send(ctx); err != nil {
		return errors.Join(err, u.Abort())
	}
	return nil
}

// send sends the content in slices.
func (u *Upload) send(ctx context.Context) error {
	size := max(sliceSize, (u.size+maxSlices-1)/maxSlices)
	u.slices = make([]minio.CompletePart, (u.size+size-1)/size)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(slicesAtOnce)
	for i := range u.slices {
		g.Go(func() error {
			from := int64(i) * size
			body := u.body(from, min(size, u.size-from))
			sum, err := sumOf(body)
			if err != nil {
				return err
			}
			p, err := u.store.client.PutObjectPart(ctx, u.store.bucket, u.key, u.id, i+1, body, body.Size(),
				minio.PutObjectPartOptions{Sha256Hex: sum, DisableContentSha256: true})
			if err != nil {
				return u.store.failedTo(ctx, writing, err)
			}
			u.slices[i] = minio.CompletePart{PartNumber: i + 1, ETag: p.ETag}
			return nil
		})
	}
	return g.Wait()
}

// sumOf returns the SHA-256 of a body, by which the store checks what it receives, and goes
// back to its beginning.
func sumOf(body *io.SectionReader) (string, error) {
	sum := sha256.New()
	if _, err := io.Copy(sum, body); err != nil {
		return "", err
	}
	_, err := body.Seek(0, io.SeekStart)
	return hex.EncodeToString(sum.Sum(nil)), err
}

// Commit makes the content the object, in place of one that is there.
func (u *Upload) Commit(ctx context.Context) (err error) {
	if u.id != "" {
		_, err = u.store.client.CompleteMultipartUpload(ctx, u.store.bucket, u.key, u.id, u.slices, u.options)
	} else {
		_, err = u.store.client.PutObject(ctx, u.store.bucket, u.key, u.body(0, u.size), u.size, "", u.sum, u.options)
	}
	if err != nil {
		return u.store.failedTo(ctx, writing, err)
	}
	u.id = ""
	return nil
}

// Holds reports whether the object is there now with the content that was sent.
func (u *Upload) Holds(ctx context.Context) (bool, error) {
	i, err := u.store.client.StatObject(ctx, u.store.bucket, u.key, minio.StatObjectOptions{})
	if err = u.store.failedTo(ctx, reading, err); errors.Is(err, ErrNoObject) {
		return false, nil
	}
	return i.UserMetadata[sumKey] == u.sum, err
}

// Abort removes what was sent, unless Commit has made it an object.
func (u *Upload) Abort() error {
	if u.id == "" {
		return nil
	}
	ctx, stop := context.WithTimeout(context.Background(), abortTimeout) // that of the run may be over
	defer stop()
	err := u.store.client.AbortMultipartUpload(ctx, u.store.bucket, u.key, u.id)
	if err != nil {
		return fmt.Errorf("remove what was sent: %w", u.store.failedTo(ctx, writing, err))
	}
	u.id = ""
	return nil
}

// Put writes an object, completely or not at all.
func (s *Stores) Put(url string, content io.ReaderAt, size int64, contentType string) error {
	u, err := s.newUpload(url, content, size, contentType)
	if err == nil && size > sliceSize {
		err = u.begin(s.ctx)
	}
	if err != nil {
		return err
	}
	if err := u.Commit(s.ctx); err != nil {
		return errors.Join(err, u.Abort())
	}
	return nil
}

// Remove removes the object at an s3 URL, if there is one.
func (s *Stores) Remove(ctx context.Context, url string) error {
	st, key, err := s.store(url)
	if err != nil {
		return err
	}
	bucket, ok := st.(*s3)
	if !ok {
		return ErrReadOnly
	}
	if err := bucket.client.RemoveObject(ctx, bucket.bucket, key, minio.RemoveObjectOptions{}); err != nil {
		return bucket.failedTo(ctx, removing, err)
	}
	return nil
}

// Below returns the rest of the keys of the objects below an s3 URL, which ends in a slash, of
// at most limit objects. An object that only marks the prefix is left out.
func (s *Stores) Below(ctx context.Context, url string, limit int) (names []string, err error) {
	st, prefix, err := s.store(url)
	if err != nil {
		return nil, err
	}
	bucket, ok := st.(*s3)
	if !ok {
		return nil, ErrReadOnly
	}
	err = bucket.list(ctx, prefix, func(o Object) bool {
		if o.key != prefix {
			names = append(names, strings.TrimPrefix(o.key, prefix))
		}
		return len(names) < limit
	})
	return names, err
}

// Stat returns the object that a URL names. No character of a key has a special meaning.
func (s *Stores) Stat(url string) (*Object, error) {
	st, key, err := s.store(url)
	if err != nil {
		return nil, err
	}
	o, err := st.stat(s.ctx, key)
	if err != nil {
		return nil, err
	}
	return s.complete(&o, st), nil
}

// CopyTo writes the content of an object to w. Its error is ErrChanged if the object was
// replaced meanwhile.
func (o *Object) CopyTo(w io.Writer) error {
	f := o.Open()
	defer f.Close() // it is only read
	defer o.Release()
	_, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{io.NewSectionReader(f, 0, o.Size)}, make([]byte, blockSize))
	return err
}
