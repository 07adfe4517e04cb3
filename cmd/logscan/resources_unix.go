//go:build unix

package main

import (
	"runtime"
	"syscall"
)

// used gives what this process used so far: CPU time in seconds, user and
// system together, and the most resident memory it ever had, in bytes.
func used() (cpuSeconds float64, peakRSS int64) {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0, 0
	}
	peakRSS = int64(u.Maxrss)
	if runtime.GOOS != "darwin" {
		peakRSS <<= 10 // all but Darwin count kibibytes
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9, peakRSS
}
