//go:build !unix

package main

// used gives zeros: this platform does not tell what a process used.
func used() (cpuSeconds float64, peakRSS int64) { return 0, 0 }
