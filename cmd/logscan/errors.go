package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"unicode/utf8"
)

// errHelpShown ends a run that only printed help.
var errHelpShown = errors.New("help shown")

// usageError reports an invalid command line or configuration. Nothing was
// done.
type usageError struct {
	err  error
	hint string // what to do next, or empty
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(hint, format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...), hint}
}

// hintedError is a failure with a hint on what to do about it.
type hintedError struct {
	err  error
	hint string
}

func (e *hintedError) Error() string { return e.err.Error() }
func (e *hintedError) Unwrap() error { return e.err }

// severeError reports that the run is done, but has findings at or above the
// severity of --fail-on or --fail-on-new.
type severeError struct {
	text  string
	other error // another error to print first, or nil
}

func (e *severeError) Error() string { return e.text }

// incompleteError reports that the run is done and its output written, but that
// some of the input could not be used.
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

// maxProblems is the number of problems printed one by one: a screenful. The
// report lists every input.
const maxProblems = 10

// incomplete returns an incompleteError of problems, or nil if there are none.
func incomplete(problems []problem) error {
	if len(problems) == 0 {
		return nil
	}
	return &incompleteError{atMost(problems)}
}

// atMost returns the problems that are printed one by one, and how many there are
// besides.
func atMost(problems []problem) []problem {
	if more := len(problems) - maxProblems; more > 0 {
		return append(problems[:maxProblems:maxProblems], problem{text: fmt.Sprintf("and %d more problems", more)})
	}
	return problems
}

const hintUTF16 = "convert it first: iconv -f UTF-16 -t UTF-8"

// unrecognised is the problem of an input whose format is unknown. proposed says that
// logscan formats proposes one.
func unrecognised(path, closest string, utf16, proposed bool, parsed, lines int64) problem {
	p := problem{
		text: fmt.Sprintf("%s: unknown format, %d of %d lines parsed", path, parsed, lines),
		hint: "run logscan formats " + path + ", or set --format",
	}
	if proposed {
		p.hint = "run logscan formats " + path + ", which proposes a --format for it"
	}
	if utf16 {
		p.text, p.hint = p.text+"; the text is UTF-16", hintUTF16
	} else if closest != "" {
		p.text += "; the closest is " + closest
	}
	return p
}

// tooManyRejects returns the problem of a share of rejected lines above limit,
// and reports whether there is one.
func tooManyRejects(rejected, lines int64, limit percent) (problem, bool) {
	share := percent(0)
	if lines > 0 {
		share = percent(100 * float64(rejected) / float64(lines))
	}
	if share <= limit {
		return problem{}, false
	}
	return problem{text: fmt.Sprintf("%d of %d lines rejected (%v, limit %v)", rejected, lines, share, limit)}, true
}

// parseErrorText returns the text of a kong error without the Go types that
// kong names when it converts lists from a configuration file.
func parseErrorText(err error) string {
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

// printError prints an error, and a hint unless it is empty. Both may quote
// file names and log text, so they are made printable.
func printError(w io.Writer, text, hint string) {
	if l, ok := w.(*logWriter); ok {
		if hint != "" {
			l.log.Error(printable(text), "hint", printable(hint))
		} else {
			l.log.Error(printable(text))
		}
		return
	}
	fmt.Fprintf(w, "logscan: error: %s\n", printable(text))
	if hint != "" {
		fmt.Fprintf(w, "logscan: hint: %s\n", printable(hint))
	}
}

// note prints a message that is not an error.
func note(w io.Writer, format string, args ...any) {
	text := printable(fmt.Sprintf(format, args...))
	if l, ok := w.(*logWriter); ok {
		l.log.Info(text)
		return
	}
	fmt.Fprintf(w, "logscan: %s\n", text)
}

// logWriter is the standard error of --log-format json: it logs each message as
// a JSON object on a line.
type logWriter struct{ log *slog.Logger }

func newLogWriter(w io.Writer) *logWriter {
	return &logWriter{slog.New(slog.NewJSONHandler(w, nil))}
}

// Write logs each non-blank line of p as a message.
func (l *logWriter) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			l.log.Info(printable(string(line)))
		}
	}
	return len(p), nil
}

// printable escapes control characters, bidirectional overrides and invalid
// UTF-8 in s, so that a file name or a log line cannot move the cursor, repaint
// the screen or imitate another line.
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
