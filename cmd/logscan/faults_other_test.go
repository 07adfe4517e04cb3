//go:build !unix

package main

// unixFaults are none here.
func unixFaults() []fault { return nil }
