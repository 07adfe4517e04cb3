//go:build unix

package main

import (
	"runtime"
	"syscall"
)

// resourceUsage returns the CPU time of this process so far, user and system, in
// seconds, and its peak resident memory in bytes.
func resourceUsage() (cpuSeconds float64, peakRSS int64) {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0, 0
	}
	peakRSS = int64(u.Maxrss)
	if runtime.GOOS != "darwin" {
		peakRSS <<= 10 // in KiB on all systems but Darwin
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9, peakRSS
}
