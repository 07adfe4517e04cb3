package fresh

import (
	"os"

	"golang.org/x/sys/unix"
)

var page = uintptr(os.Getpagesize())

// populate has the kernel give all pages that lie within size bytes from start, at
// once. Before Linux 5.14 it refuses, and gives them one by one as ever.
func populate(start, size uintptr) {
	first, end := (start+page-1)/page*page, (start+size)/page*page
	if first < end {
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, first, end-first, unix.MADV_POPULATE_WRITE)
	}
}
