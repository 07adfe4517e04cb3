package main

import (
	"bytes"
	"io"
	"log/slog"
)

// structured is a standard error for programs: what is told becomes a JSON
// object a line.
type structured struct{ log *slog.Logger }

func newStructured(w io.Writer) *structured {
	return &structured{slog.New(slog.NewJSONHandler(w, nil))}
}

// Write tells text that was made for people, a line at a time.
func (s *structured) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			s.log.Info(printable(string(line)))
		}
	}
	return len(p), nil
}
