package fresh

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// Lists are there at once: touching them interrupts nobody.
func TestListIsThere(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector, for which this is left out, has a page of its own for each")
	}
	room, err := unix.Mmap(-1, 0, int(page), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Munmap(room) }()
	if err := unix.Madvise(room, unix.MADV_POPULATE_WRITE); err != nil {
		t.Skip("this kernel gives pages one by one: ", err)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	faults := func() int64 {
		var u unix.Rusage
		if err := unix.Getrusage(unix.RUSAGE_THREAD, &u); err != nil {
			t.Fatal(err)
		}
		return u.Minflt
	}
	const pages = 4096
	list := List[uint64](pages * int(page) / 8)
	before := faults()
	for i := 0; i < len(list); i += int(page) / 8 {
		list[i] = 1
	}
	if n := faults() - before; n > pages/8 {
		t.Errorf("%d pages were touched for the first time of %d", n, pages)
	}
}
