// Package fresh makes lists in memory that the process has not used yet, at less
// than what touching it costs. The kernel gives memory page by page, where it is
// touched first: each page interrupts the process, which takes longer than making
// the page.
package fresh

import (
	"reflect"
	"runtime"
	"slices"
)

// least is from how many bytes on a list is worth a call of the kernel.
const least = 16 << 10

// List gives a list of n zero values, most of which are about to be written.
func List[T any](n int) []T {
	list := make([]T, n)
	if size := uintptr(n) * reflect.TypeFor[T]().Size(); size >= least {
		populate(reflect.ValueOf(list).Pointer(), size)
		runtime.KeepAlive(list)
	}
	return list
}

// Slots gives the slots of a hash table. They are written at once: a page that is
// read first, as a table is, is shared by the kernel until it is written to, and
// then every CPU that runs the process is interrupted to forget it.
func Slots[T any](n int) []T {
	s := List[T](n)
	clear(s)
	return s
}

// Sized gives a list of n things, in the memory of list where they fit; else with
// room for a few more, because what comes next is about as large. What is in the
// list is of no meaning.
func Sized[T any](list []T, n int) []T {
	if cap(list) < n {
		list = List[T](n + n/4)
	}
	return list[:n]
}

// Roomy gives a list with room for one more. It doubles a list of thousands, to
// which append would add a quarter: less is copied, and less memory touched.
func Roomy[T any](list []T) []T {
	const most = 1 << 15 // what is left empty counts from here on
	if n := len(list); n == cap(list) && n < most {
		return slices.Grow(list, max(n, 16))
	}
	return list
}
