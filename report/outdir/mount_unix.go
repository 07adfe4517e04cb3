//go:build unix

package outdir

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// isMountPoint reports whether another file system is mounted at dir. It does not
// recognise bind mounts of the same file system: for those, the swap fails.
func isMountPoint(dir string, info fs.FileInfo) bool {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return false
	}
	above, err := os.Stat(filepath.Join(real, ".."))
	if err != nil {
		return false
	}
	a, known := above.Sys().(*syscall.Stat_t)
	b, ok := info.Sys().(*syscall.Stat_t)
	return known && ok && a.Dev != b.Dev
}
