//go:build !linux

package report

import "errors"

// exchange swaps two names in one step, which takes Linux.
func exchange(a, b string) error { return errors.ErrUnsupported }
