//go:build !linux

package fresh

// populate does nothing: pages are given one by one.
func populate(_, _ uintptr) {}
