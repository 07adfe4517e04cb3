package fold

// emptySlots gives the slots of a hash table. They are written at once: a page of
// fresh memory that is read first, as a table is, is shared by the kernel until
// it is written to, and then every CPU that runs the process is interrupted to
// forget it.
func emptySlots[T any](n int) []T {
	s := make([]T, n)
	clear(s)
	return s
}
