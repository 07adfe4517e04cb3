//go:build !linux

package outdir

import "errors"

// exchange swaps two names atomically, which needs Linux.
func exchange(a, b string) error { return errors.ErrUnsupported }
