// Command logscan reads access logs and tells why there are HTTP 401s.
//
// This package is the command line alone: flags become options, one call does
// the work, its error becomes messages and an exit code.
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

// The exit codes. Cron jobs branch on them.
const (
	exitDone        = 0
	exitFailed      = 1 // nothing was written
	exitUsage       = 2 // usage or configuration error, nothing was done
	exitGrave       = 3 // done, and there are findings at or above --fail-on
	exitIncomplete  = 4 // done, but not every line could be used
	exitInterrupted = 130
)

// grace is how long an interrupted run may take to clean up after itself. A
// read from a terminal or a pipe cannot be called off, so a run that waits for
// one is left behind.
const grace = 2 * time.Second

// streams are what a command talks through.
type streams struct {
	stdin  io.Reader
	stdout io.Writer // data
	stderr io.Writer // talk
	args   []string  // the arguments as given, for the manifest
}

func main() {
	// Go ends a process that writes to a closed pipe with a signal. A reader
	// that has seen enough (head) is no error: it is told by EPIPE instead.
	signal.Ignore(syscall.SIGPIPE)
	os.Exit(run(&streams{os.Stdin, os.Stdout, os.Stderr, os.Args[1:]}))
}

// run does what the arguments ask and gives the exit code.
func run(std *streams) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- dispatch(ctx, std) }()
	select {
	case err := <-done:
		return conclude(std.stderr, err)
	case <-ctx.Done():
	}
	stop() // a second signal ends the process at once
	select {
	case err := <-done:
		return conclude(std.stderr, err)
	case <-time.After(grace):
		return conclude(std.stderr, context.Canceled)
	}
}

// dispatch parses the arguments and runs the command that they name.
func dispatch(ctx context.Context, std *streams) error {
	var c cli
	parser, err := kong.New(&c, options(std)...)
	if err != nil {
		return fmt.Errorf("BUG: command line: %w", err)
	}
	if done, err := completing(parser, std); done || err != nil {
		return err
	}
	command, err := parser.Parse(std.args)
	if err != nil {
		return err
	}
	command.BindTo(ctx, (*context.Context)(nil))
	return command.Run(std)
}

// conclude tells the user how it ended and gives the exit code: the one place
// where errors become codes.
func conclude(stderr io.Writer, err error) int {
	var usage *usageError
	var parse *kong.ParseError
	var incomplete *incompleteError
	var grave *graveError
	var hinted *hintedError
	switch {
	case err == nil, errors.Is(err, errHelpShown):
		return exitDone
	case errors.Is(err, syscall.EPIPE):
		return exitDone // the reader of standard output has seen enough
	case errors.Is(err, context.Canceled):
		complain(stderr, "interrupted", "")
		return exitInterrupted
	case errors.As(err, &incomplete):
		for _, p := range incomplete.problems {
			complain(stderr, p.text, p.hint)
		}
		return exitIncomplete
	case errors.As(err, &grave):
		conclude(stderr, grave.other)
		note(stderr, "%s", grave.Error())
		return exitGrave
	case errors.As(err, &usage):
		complain(stderr, usage.Error(), usage.hint)
		return exitUsage
	case errors.As(err, &parse):
		complain(stderr, parseText(parse), "see logscan --help")
		return exitUsage
	case errors.As(err, &hinted):
		complain(stderr, err.Error(), hinted.hint)
		return exitFailed
	default:
		complain(stderr, err.Error(), "")
		return exitFailed
	}
}
