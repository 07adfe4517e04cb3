// Command logscan reads access logs and finds out why there are HTTP 401s.
//
// This package is only the command line: it turns flags into options, calls the
// packages that do the work, and turns their errors into messages and exit
// codes.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// Exit codes. Cron jobs branch on them.
const (
	exitDone        = 0
	exitFailed      = 1 // no request could be read, or something else failed; nothing was written
	exitUsage       = 2 // usage or configuration error, nothing was done
	exitSevere      = 3 // done, with findings or faults at or above --fail-on
	exitIncomplete  = 4 // done, but some of the input could not be used
	exitInterrupted = 130
)

// gracePeriod is how long an interrupted run may take to clean up. A run that
// waits for a terminal or a pipe cannot be cancelled and is abandoned then.
const gracePeriod = 2 * time.Second

// streams are the standard streams and arguments of a command.
type streams struct {
	stdin  io.Reader
	stdout io.Writer // data
	stderr io.Writer // messages
	args   []string  // as given, for the manifest
}

func main() {
	// By default a write to a closed pipe kills the process. With the signal
	// ignored it returns EPIPE, which is not an error: the reader (head, say)
	// has read enough.
	signal.Ignore(syscall.SIGPIPE)
	os.Exit(run(&streams{os.Stdin, os.Stdout, os.Stderr, os.Args[1:]}))
}

// run executes the command line and returns the exit code.
func run(std *streams) int {
	stopping := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // nohup ignores it, and the run goes on
		stopping = append(stopping, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), stopping...)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- dispatch(ctx, std) }()
	select {
	case err := <-done:
		return conclude(std.stderr, err)
	case <-ctx.Done():
	}
	stop() // a second signal kills the process
	select {
	case err := <-done:
		return conclude(std.stderr, err)
	case <-time.After(gracePeriod):
		return conclude(std.stderr, context.Canceled)
	}
}

// dispatch parses the arguments and runs the selected command.
func dispatch(ctx context.Context, std *streams) error {
	var c cli
	parser, err := kong.New(&c, options(std)...)
	if err != nil {
		return fmt.Errorf("BUG: command line: %w", err)
	}
	if done, err := answerCompletion(parser, std); done || err != nil {
		return err
	}
	command, err := parser.Parse(std.args)
	if err != nil {
		return err
	}
	warnOfEnvironment(parser, command, std)
	command.BindTo(ctx, (*context.Context)(nil))
	return command.Run(std)
}

// conclude prints err and returns the exit code. It is the only place where
// errors become exit codes.
func conclude(stderr io.Writer, err error) int {
	var usage *usageError
	var parse *kong.ParseError
	var incomplete *incompleteError
	var nothing *nothingReadError
	var severe *severeError
	var hinted *hintedError
	switch {
	case err == nil, errors.Is(err, errHelpShown):
		return exitDone
	case errors.Is(err, syscall.EPIPE):
		return exitDone // the reader of standard output has read enough
	case errors.Is(err, context.Canceled):
		printError(stderr, "interrupted", "")
		return exitInterrupted
	case errors.As(err, &nothing):
		for _, p := range atMost(nothing.problems) {
			printError(stderr, p.text, p.hint)
		}
		printError(stderr, nothing.Error(), "")
		return exitFailed
	case errors.As(err, &incomplete):
		for _, p := range incomplete.problems {
			printError(stderr, p.text, p.hint)
		}
		return exitIncomplete
	case errors.As(err, &severe):
		conclude(stderr, severe.other)
		note(stderr, "%s", severe.Error())
		return exitSevere
	case errors.As(err, &usage):
		printError(stderr, usage.Error(), usage.hint)
		return exitUsage
	case errors.As(err, &parse):
		printError(stderr, parseErrorText(parse), parseHint(parse))
		return exitUsage
	case errors.As(err, &hinted):
		printError(stderr, err.Error(), hinted.hint)
		return exitFailed
	default:
		printError(stderr, err.Error(), "")
		return exitFailed
	}
}
