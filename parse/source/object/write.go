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
	// slicesAtOnce is the number of requests that send content at the same time: like
	// reading, a connection to a store is slower than a disk.
	slicesAtOnce = 4
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
	options minio.PutObjectOptions
	id      string // of what was sent so far; "" if Commit sends all
	slices  []minio.CompletePart
}

// Upload sends content that is to be the object at an s3 URL. Small content is sent by
// Commit, so it must not change before.
func (s *Stores) Upload(url string, content io.ReaderAt, size int64, contentType string) (*Upload, error) {
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
	u := &Upload{store: bucket, key: key, content: content, size: size, options: minio.PutObjectOptions{
		ContentType: contentType, DisableContentSha256: true, // the requests have that of the whole body
	}}
	if size <= sliceSize {
		return u, nil
	}
	if u.id, err = bucket.client.NewMultipartUpload(s.ctx, bucket.bucket, key, u.options); err != nil {
		return nil, bucket.failedTo(s.ctx, "write", err)
	}
	if err := u.send(s.ctx); err != nil {
		return nil, errors.Join(err, u.Abort())
	}
	return u, nil
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
			body := io.NewSectionReader(u.content, from, min(size, u.size-from))
			sum, err := sumOf(body)
			if err != nil {
				return err
			}
			p, err := u.store.client.PutObjectPart(ctx, u.store.bucket, u.key, u.id, i+1, body, body.Size(),
				minio.PutObjectPartOptions{Sha256Hex: sum, DisableContentSha256: true})
			if err != nil {
				return u.store.failedTo(ctx, "write", err)
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

// Commit makes the content the object, in place of one that is there, and returns its ETag.
func (u *Upload) Commit(ctx context.Context) (etag string, err error) {
	var done minio.UploadInfo
	if u.id != "" {
		done, err = u.store.client.CompleteMultipartUpload(ctx, u.store.bucket, u.key, u.id, u.slices, u.options)
	} else {
		body := io.NewSectionReader(u.content, 0, u.size)
		var sum string
		if sum, err = sumOf(body); err != nil {
			return "", err
		}
		done, err = u.store.client.PutObject(ctx, u.store.bucket, u.key, body, u.size, "", sum, u.options)
	}
	if err != nil {
		return "", u.store.failedTo(ctx, "write", err)
	}
	u.id = ""
	return done.ETag, nil
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
		return fmt.Errorf("remove what was sent: %w", u.store.failedTo(ctx, "write", err))
	}
	u.id = ""
	return nil
}

// Put writes an object, completely or not at all.
func (s *Stores) Put(url string, content io.ReaderAt, size int64, contentType string) error {
	u, err := s.Upload(url, content, size, contentType)
	if err != nil {
		return err
	}
	if _, err := u.Commit(s.ctx); err != nil {
		return errors.Join(err, u.Abort())
	}
	return nil
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
