//go:build !unix

package main

// unixFaults returns no faults on this platform.
func unixFaults() []fault { return nil }
