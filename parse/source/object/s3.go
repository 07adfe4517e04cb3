package object

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// metadataTimeout limits the wait for credentials of the machine, where there may be no
// service that has them.
const metadataTimeout = 2 * time.Second

// s3 is a bucket of a store with the S3 interface.
type s3 struct {
	bucket string
	client *minio.Core
}

// newS3 returns a bucket. Endpoint, region and credentials are those of the AWS tools: the
// variables AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and
// others, the shared credentials file, and the role of the machine, pod or task. Without
// credentials requests are anonymous.
func newS3(bucket string) (*s3, error) {
	endpoint := &url.URL{Scheme: "https", Host: "s3.amazonaws.com"}
	for _, name := range []string{"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"} {
		value := os.Getenv(name)
		if value == "" {
			continue
		}
		u, err := url.Parse(value)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" {
			return nil, fmt.Errorf("%s is not a URL such as https://s3.example.com", name)
		}
		endpoint = u
		break
	}
	providers := []credentials.Provider{&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}}
	if os.Getenv("AWS_EC2_METADATA_DISABLED") != "true" {
		providers = append(providers, &credentials.IAM{Client: &http.Client{Timeout: metadataTimeout}})
	}
	region := os.Getenv("AWS_REGION")
	if region == "" {
		region = os.Getenv("AWS_DEFAULT_REGION")
	}
	client, err := minio.NewCore(endpoint.Host, &minio.Options{
		Creds: credentials.NewChainCredentials(providers), Secure: endpoint.Scheme == "https", Region: region, MaxRetries: tries,
	})
	if err != nil {
		return nil, fmt.Errorf("s3 endpoint %s: %w", endpoint.Host, err)
	}
	return &s3{bucket: bucket, client: client}, nil
}

func (s *s3) address(key string) string { return "s3://" + s.bucket + "/" + key }

func (s *s3) object(i minio.ObjectInfo) Object {
	return Object{Size: i.Size, ETag: i.ETag, Modified: i.LastModified, key: i.Key}
}

func (s *s3) stat(ctx context.Context, key string) (Object, error) {
	i, err := s.client.StatObject(ctx, s.bucket, key, minio.StatObjectOptions{})
	if err != nil {
		return Object{}, s.failed(ctx, err)
	}
	i.Key = key
	return s.object(i), nil
}

// find returns the objects that a key names.
func (s *s3) find(ctx context.Context, key string) (list []*Object, err error) {
	add := func(o Object) bool {
		if !hidden(o.key) {
			list = append(list, &o)
		}
		return true
	}
	literal, isPattern := Literal(key)
	if !isPattern {
		o, prefix, err := s.named(ctx, key)
		if err != nil {
			return nil, err
		}
		if o != nil {
			return []*Object{o}, nil
		}
		err = s.list(ctx, prefix, add)
		return list, err
	}
	if _, err := path.Match(key, ""); err != nil {
		return nil, fmt.Errorf("pattern %q is invalid", key)
	}
	err = s.list(ctx, literal, func(o Object) bool {
		if ok, _ := path.Match(key, o.key); ok {
			add(o)
		}
		return true
	})
	return list, err
}

// named returns the object that a key without a pattern names, or else the prefix of the
// objects below it.
func (s *s3) named(ctx context.Context, key string) (o *Object, prefix string, err error) {
	if key == "" || strings.HasSuffix(key, "/") {
		return nil, key, nil
	}
	found, err := s.stat(ctx, key)
	switch {
	case err == nil:
		return &found, "", nil
	case errors.Is(err, ErrNoObject):
		return nil, key + "/", nil
	}
	return nil, "", err
}

// hidden reports whether an object is left out: a segment of its key begins with a dot, or
// it marks a directory.
func hidden(key string) bool {
	return strings.HasSuffix(key, "/") || slices.ContainsFunc(strings.Split(key, "/"), func(s string) bool { return strings.HasPrefix(s, ".") })
}

// list calls add for the objects whose key begins with a prefix, in order, until it returns
// false.
func (s *s3) list(ctx context.Context, prefix string, add func(Object) bool) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop() // ends the goroutine that lists
	for i := range s.client.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if i.Err != nil {
			return s.failed(ctx, i.Err)
		}
		if !add(s.object(i)) {
			break
		}
	}
	return ctx.Err()
}

func (s *s3) get(ctx context.Context, o *Object, from, to int64) (io.ReadCloser, error) {
	var opts minio.GetObjectOptions
	if err := opts.SetRange(from, to-1); err != nil {
		return nil, err
	}
	if o.ETag != "" {
		if err := opts.SetMatchETag(o.ETag); err != nil {
			return nil, err
		}
	}
	body, i, _, err := s.client.GetObject(ctx, s.bucket, o.key, opts)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	if i.ETag != o.ETag { // a server may not heed If-Match
		body.Close() // it is not read
		return nil, ErrChanged
	}
	return body, nil
}

// failed is failedTo for requests that read.
func (s *s3) failed(ctx context.Context, err error) error { return s.failedTo(ctx, reading, err) }

// What requests do: the permissions that they need.
const (
	reading  = "s3:ListBucket and s3:GetObject"
	writing  = "s3:PutObject"
	removing = "s3:DeleteObject"
)

// failedTo returns what went wrong without the URL, which may hold a signature. doing is
// what the request was to do.
func (s *s3) failedTo(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r := minio.ToErrorResponse(err)
	switch {
	case r.Code == "NoSuchKey":
		return ErrNoObject
	case r.Code == "NoSuchBucket":
		return fmt.Errorf("bucket %s does not exist", s.bucket)
	case r.StatusCode == http.StatusPreconditionFailed:
		return ErrChanged
	case r.StatusCode == http.StatusForbidden:
		return fmt.Errorf("bucket %s: %s: check the credentials, which need %s", s.bucket, r.Code, doing)
	case r.Code != "":
		return fmt.Errorf("bucket %s: %s (status %d)", s.bucket, r.Code, r.StatusCode)
	}
	return withoutURL(err)
}

// withoutURL returns the error of a request without its URL.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
