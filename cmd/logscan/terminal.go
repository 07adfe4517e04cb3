package main

import (
	"io"
	"os"

	"golang.org/x/term"

	"logscan/report/terminal"
)

// defaultWidth is the width in characters of output that is not a terminal.
const defaultWidth = 100

// terminalOf returns the file descriptor of w and reports whether w is a
// terminal.
func terminalOf(w io.Writer) (fd int, ok bool) {
	f, ok := w.(*os.File)
	if !ok {
		return 0, false
	}
	fd = int(f.Fd())
	return fd, term.IsTerminal(fd)
}

// widthOf returns the width of w in characters.
func widthOf(w io.Writer) int {
	if fd, ok := terminalOf(w); ok {
		if width, _, err := term.GetSize(fd); err == nil && width > 0 {
			return width
		}
	}
	return defaultWidth
}

// paintFor reports whether to colour output to w: on a terminal, unless the
// environment says otherwise (no-color.org, bixense.com/clicolors).
func paintFor(w io.Writer) terminal.Paint {
	_, ok := terminalOf(w)
	return terminal.Paint(colored(ok, os.Getenv))
}

func colored(terminal bool, env func(string) string) bool {
	switch force := env("CLICOLOR_FORCE"); {
	case env("NO_COLOR") != "":
		return false
	case force != "" && force != "0":
		return true
	case env("CLICOLOR") == "0", env("TERM") == "dumb":
		return false
	}
	return terminal
}
