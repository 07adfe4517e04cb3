package object

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// tries is how often a request is made that fails for a reason that may pass.
	tries = 5
	// firstPause is the mean pause before the second try; each is twice the one before.
	firstPause = 200 * time.Millisecond
	// answerTimeout is the longest wait for the header of an answer.
	answerTimeout = 60 * time.Second
)

// web is files of web servers. Their key is the whole URL.
type web struct{ client *http.Client }

func newWeb() *web {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout, t.DisableCompression = answerTimeout, true
	return &web{&http.Client{Transport: t}}
}

func (w *web) address(key string) string { return key }

// stat asks for the first byte: a URL that is signed for GET may not allow HEAD.
func (w *web) stat(ctx context.Context, key string) (Object, error) {
	r, err := w.do(ctx, key, "bytes=0-0", "")
	if err != nil {
		return Object{}, err
	}
	defer r.Body.Close() // it is not needed
	o := Object{key: key, ETag: strongETag(r), Modified: modified(r)}
	switch {
	case r.StatusCode == http.StatusRequestedRangeNotSatisfiable && size(r) == 0:
		return o, nil // an empty file
	case r.StatusCode == http.StatusPartialContent && size(r) > 0:
		o.Size = size(r)
		return o, nil
	case r.StatusCode == http.StatusOK && r.ContentLength == 0:
		return o, nil
	case r.StatusCode == http.StatusOK:
		return o, ErrRanges
	}
	return o, fmt.Errorf("the server answered %s", r.Status)
}

func (w *web) get(ctx context.Context, o *Object, from, to int64) (io.ReadCloser, error) {
	r, err := w.do(ctx, o.key, fmt.Sprintf("bytes=%d-%d", from, to-1), o.ETag)
	if err != nil {
		return nil, err
	}
	changed := strongETag(r) != o.ETag || o.ETag == "" && !modified(r).Equal(o.Modified) || size(r) != o.Size
	switch {
	case r.StatusCode == http.StatusPartialContent && !changed:
		return r.Body, nil
	case r.StatusCode == http.StatusPartialContent, r.StatusCode == http.StatusPreconditionFailed, r.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		err = ErrChanged
	case r.StatusCode == http.StatusOK:
		err = ErrRanges
	default:
		err = fmt.Errorf("the server answered %s", r.Status)
	}
	r.Body.Close() // it is not read
	return nil, err
}

// do makes a request, again if the server is busy or cannot be reached. The caller closes
// the body.
func (w *web) do(ctx context.Context, key, bytes, etag string) (*http.Response, error) {
	for try := 1; ; try++ {
		q, err := http.NewRequestWithContext(ctx, http.MethodGet, key, nil)
		if err != nil {
			return nil, errors.New("the URL is not valid")
		}
		q.Header.Set("Range", bytes)
		if etag != "" {
			q.Header.Set("If-Match", etag)
		}
		r, err := w.client.Do(q)
		switch {
		case ctx.Err() != nil:
			if err == nil {
				r.Body.Close() // it is not read
			}
			return nil, ctx.Err()
		case err == nil && !busy(r.StatusCode), err == nil && try == tries:
			return r, nil
		case err == nil:
			r.Body.Close() // it is not read
		case try == tries:
			return nil, withoutURL(err)
		}
		if err := pause(ctx, try); err != nil {
			return nil, err
		}
	}
}

// busy reports whether a later request may be answered otherwise.
func busy(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// pause waits after a try that failed, for a random time so that many workers do not come
// back at once.
func pause(ctx context.Context, try int) error {
	t := time.NewTimer(time.Duration((0.5 + rand.Float64()) * float64(firstPause<<(try-1))))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// strongETag returns the ETag of an answer if equal ones mean equal bytes (RFC 9110,
// section 8.8.3), else "".
func strongETag(r *http.Response) string {
	if tag := r.Header.Get("ETag"); !strings.HasPrefix(tag, "W/") {
		return tag
	}
	return ""
}

// modified returns when the file was last changed, the zero time if the server does not
// say.
func modified(r *http.Response) time.Time {
	t, err := http.ParseTime(r.Header.Get("Last-Modified"))
	if err != nil {
		return time.Time{}
	}
	return t
}

// size returns the size of the whole file that the answer states, -1 if it does not.
func size(r *http.Response) int64 {
	_, all, _ := strings.Cut(r.Header.Get("Content-Range"), "/")
	n, err := strconv.ParseInt(all, 10, 64)
	if err != nil {
		return -1
	}
	return n
}
