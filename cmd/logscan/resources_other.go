//go:build !unix

package main

// resourceUsage returns zeros: it is not implemented on this platform.
func resourceUsage() (cpuSeconds float64, peakRSS int64) { return 0, 0 }
