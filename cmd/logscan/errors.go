package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// errHelpShown ends a run that was asked for help only.
var errHelpShown = errors.New("help shown")

// usageError is a command line or a configuration that cannot be followed.
// Nothing was done.
type usageError struct {
	err  error
	hint string // what to do next, or empty
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(hint, format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...), hint}
}

// hintedError is a failure that something can be done about.
type hintedError struct {
	err  error
	hint string
}

func (e *hintedError) Error() string { return e.err.Error() }
func (e *hintedError) Unwrap() error { return e.err }

// graveError says that the work was done, and that there are findings of the
// severity that was asked about.
type graveError struct {
	findings int
	least    string
	other    error // what else is to be told, or nil
}

func (e *graveError) Error() string {
	if e.findings == 1 {
		return "there is 1 finding at or above " + e.least
	}
	return fmt.Sprintf("there are %d findings at or above %s", e.findings, e.least)
}

// parseText is what kong says is wrong, without the Go types that it converts
// lists of a configuration between.
func parseText(err error) string {
	text := err.Error()
	name, rest, ok := strings.Cut(text, "[]interface {}{")
	if !ok {
		return text
	}
	if _, rest, ok = strings.Cut(rest, " -> *"); !ok {
		return text
	}
	if _, rest, ok = strings.Cut(rest, ": "); !ok {
		return text
	}
	return name + rest
}

// incompleteError says that the work was done and its output written, but that
// not every line could be used.
type incompleteError struct{ problems []problem }

// problem is one reason for an incompleteError, and what to do about it.
type problem struct{ text, hint string }

func (e *incompleteError) Error() string {
	texts := make([]string, len(e.problems))
	for i, p := range e.problems {
		texts[i] = p.text
	}
	return strings.Join(texts, "; ")
}

// incomplete makes an error of problems, nil of none. Of very many only the
// first maxProblems are told: the report lists every input.
func incomplete(problems []problem) error {
	if len(problems) == 0 {
		return nil
	}
	if more := len(problems) - maxProblems; more > 0 {
		problems = append(problems[:maxProblems:maxProblems], problem{text: fmt.Sprintf("and %d more like these", more)})
	}
	return &incompleteError{problems}
}

// maxProblems is how many problems are told one by one: a screenful.
const maxProblems = 10

// complain tells an error, and a hint when there is one. Error texts quote file
// names and log text, which may hold anything.
func complain(w io.Writer, text, hint string) {
	if s, ok := w.(*structured); ok {
		if hint != "" {
			s.log.Error(printable(text), "hint", printable(hint))
		} else {
			s.log.Error(printable(text))
		}
		return
	}
	fmt.Fprintf(w, "logscan: error: %s\n", printable(text))
	if hint != "" {
		fmt.Fprintf(w, "logscan: hint: %s\n", printable(hint))
	}
}

// note tells something that is worth knowing and no error.
func note(w io.Writer, format string, args ...any) {
	text := printable(fmt.Sprintf(format, args...))
	if s, ok := w.(*structured); ok {
		s.log.Info(text)
		return
	}
	fmt.Fprintf(w, "logscan: %s\n", text)
}

// printable makes control characters, bidirectional overrides and invalid
// UTF-8 in s visible as escapes, so that a file name or a log line cannot move
// the cursor, repaint the screen or pretend to be another line.
func printable(s string) string {
	clean := true
	for _, r := range s {
		if r == utf8.RuneError || !strconv.IsPrint(r) {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for i, width := 0, 0; i < len(s); i += width {
		var r rune
		r, width = utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && width == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case strconv.IsPrint(r):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}
