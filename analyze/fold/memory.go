package fold

import "slices"

// emptySlots gives the slots of a hash table. They are written at once: a page of
// fresh memory that is read first, as a table is, is shared by the kernel until
// it is written to, and then every CPU that runs the process is interrupted to
// forget it.
func emptySlots[T any](n int) []T {
	s := make([]T, n)
	clear(s)
	return s
}

// roomy gives a list with room for one more. It doubles a list of thousands, to
// which append would add a quarter: less is copied, and less fresh memory touched.
func roomy[T any](list []T) []T {
	const most = 1 << 15 // what is left empty counts from here on
	if n := len(list); n == cap(list) && n < most {
		return slices.Grow(list, max(n, 16))
	}
	return list
}

// sized gives a list of n things, in the memory of list where they fit; else with
// room for a few more, because what comes next is about as large. What is in the
// list is of no meaning.
func sized[T any](list []T, n int) []T {
	if cap(list) < n {
		list = make([]T, n+n/4)
	}
	return list[:n]
}
