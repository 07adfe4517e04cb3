package source

// Watcher is a Handler that wants to know how reading goes on.
type Watcher interface {
	// Took is called now and then, at most once a block, with bytes of an
	// input that were taken from its file or stream, as they are stored. It is
	// called by many goroutines at a time.
	Took(input int, stored int64)
}

// took tells the handler, where it wants to know.
func (w *worker) took(input int, stored int64) {
	if watcher, ok := w.handler.(Watcher); ok {
		watcher.Took(input, stored)
	}
}

// StoredSize is how many bytes the inputs have as they are stored, and whether
// that is known of all of them.
func StoredSize(inputs []Input) (bytes int64, all bool) {
	all = true
	for i := range inputs {
		if inputs[i].size < 0 {
			all = false
			continue
		}
		bytes += inputs[i].size
	}
	return bytes, all
}
