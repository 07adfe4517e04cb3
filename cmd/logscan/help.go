package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	mangokong "github.com/alecthomas/mango-kong"
	"github.com/muesli/roff"
)

const description = `Find out from access logs (nginx, Apache, JSON and others) why a site answers HTTP 401.`

const examples = `Examples:
  logscan /var/log/nginx                    scan, and write logscan-out/report.html
  logscan scan -o lake/dt=2026-11-22 'web*/access.log*.gz'
  logscan formats access.log                detect the format and show the parsed fields
  logscan parse --format '$remote_addr [$time_local] "$request" $status' access.log
  zcat old.log.Z | logscan -                read standard input
  logscan show logscan-out                  show the findings in the terminal
  logscan scan --baseline lake/dt=2026-11-21 -o lake/dt=2026-11-22 --fail-on high /var/log/nginx
                                            nightly job: compare with the last night, and
                                            exit 3 if there is a severe finding

Every flag can also be set in the environment (LOGSCAN_OUT for --out) or in a
configuration file (see logscan config check). A flag takes precedence over the
environment, and the environment over the file.

Exit codes: 0 done; 1 failed, nothing written; 2 usage or configuration error;
3 done, with findings at or above --fail-on; 4 done, but some input was unreadable
or too many lines were rejected; 130 interrupted, nothing written.`

// helpFlag prints the help of the command that it follows.
type helpFlag bool

// BeforeReset is called by kong before it validates the command line, so that
// help is shown even if arguments are missing.
func (helpFlag) BeforeReset(ctx *kong.Context) error {
	topLevel := !slices.Contains(ctx.Args, ctx.Selected().Name) // scan was selected by default
	if topLevel {
		fmt.Fprintf(ctx.Stdout, "%s\n\nCommands:\n", description)
		for _, command := range ctx.Model.Children {
			fmt.Fprintf(ctx.Stdout, "  %-10s  %s\n", command.Name, command.Help)
		}
		fmt.Fprintln(ctx.Stdout)
	}
	if err := ctx.PrintUsage(false); err != nil {
		return err
	}
	if topLevel {
		fmt.Fprintf(ctx.Stdout, "\n%s\n", examples)
	}
	return errHelpShown
}

type manCmd struct{}

// Help returns the text that kong prints before the flags.
func (manCmd) Help() string {
	return `View it with: logscan man | man -l -`
}

// Run prints the manual page, generated from the same model as --help.
func (manCmd) Run(app *kong.Kong, std *streams) error {
	for _, command := range app.Model.Children {
		// mango prints details next to the command's name: move them into the
		// description.
		command.Help, command.Detail = strings.TrimSpace(command.Help+" "+command.Detail), ""
	}
	page := mangokong.NewManPage(1, app.Model)
	text, codes, _ := strings.Cut(examples, "\n\n")
	page = page.WithSection("Examples", strings.TrimPrefix(text, "Examples:\n"))
	page = page.WithSection("Environment and exit codes", codes)
	_, err := fmt.Fprintln(std.stdout, page.Build(roff.NewDocument()))
	return err
}
