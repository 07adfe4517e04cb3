package session

// span is a duration in four bytes, because there is one for each refusal: in
// milliseconds up to 24 days, and in seconds above. It holds -1 to 68 years.
type span uint32

const (
	inSeconds   = 1 << 31 // the bit of a span in seconds
	unknownSpan = ^span(0)
)

func spanOf(ms int64) span {
	switch {
	case ms < 0:
		return unknownSpan
	case ms < inSeconds:
		return span(ms)
	}
	return span(min(ms/1000, inSeconds-2)) | inSeconds
}

// ms returns the duration in milliseconds.
func (s span) ms() int64 {
	switch {
	case s == unknownSpan:
		return -1
	case s&inSeconds != 0:
		return int64(s&^inSeconds) * 1000
	}
	return int64(s)
}
