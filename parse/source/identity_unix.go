//go:build unix

package source

import (
	"io/fs"
	"syscall"
)

// fileID is what os.SameFile compares. As a map key it avoids comparing a hundred thousand
// files pair by pair.
type fileID struct{ device, inode uint64 }

func idOf(info fs.FileInfo) fileID {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fileID{}
	}
	return fileID{uint64(stat.Dev), uint64(stat.Ino)} //nolint:unconvert // their types differ between systems
}
