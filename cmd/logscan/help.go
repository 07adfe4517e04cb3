package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	mangokong "github.com/alecthomas/mango-kong"
	"github.com/muesli/roff"
)

// description begins with a summary line, which heads the manual page.
const description = `Explain the HTTP 401s in access logs.

Reads the access logs of nginx, Apache and other servers and finds out which
sessions expire, which endpoints and accounts are broken and since when, who
attacks, and what is harmless.`

// examples are shown at the end of the help and in the manual page.
var examples = []struct{ command, purpose string }{
	{"logscan /var/log/nginx", "Scan, and write logscan-out/report.html."},
	{"logscan scan -o lake/dt=2026-11-22 'web*/access.log*.gz'", "Scan the logs of several servers together."},
	{"logscan show logscan-out", "Show the findings in the terminal."},
	{"logscan check /etc/nginx/nginx.conf", "Show what protects which route, and likely faults."},
	{"logscan formats access.log", "Detect the format, and show the parsed and the missing fields."},
	{"logscan parse --format '$remote_addr [$time_local] \"$request\" $status' access.log", "Try a format string."},
	{"zcat old.log.Z | logscan -", "Read standard input."},
	{"logscan scan --lake lake --fail-on-new high /var/log/nginx", "Nightly: write lake/dt=DATE, compare with the night before, and exit 3 if there is a new severe finding."},
}

const environment = `Every flag can also be set in the environment (LOGSCAN_OUT for --out) or in a
configuration file (see logscan config check). A flag takes precedence over the
environment, and the environment over the file.`

const exitCodes = `  0    done
  1    failed, or no request could be read; nothing written
  2    usage or configuration error
  3    done, with findings or faults at or above --fail-on or --fail-on-new
  4    done, but input was unreadable, too many lines were rejected, or state, metrics or webhook failed
  130  interrupted, nothing written`

const files = `/etc/logscan/config.yaml, ~/.config/logscan/config.yaml: flag values by name; those of the user take precedence.
logscan-out: the output directory without --out and --lake: report.html, findings.json, manifest.json, rejects.ndjson, *.parquet.`

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
		fmt.Fprintln(ctx.Stdout, "\nExamples:")
		for _, e := range examples {
			fmt.Fprintf(ctx.Stdout, "  %s\n      %s\n", e.command, e.purpose)
		}
		fmt.Fprintf(ctx.Stdout, "\n%s\n\nExit codes:\n%s\n", environment, exitCodes)
	}
	return errHelpShown
}

// parseHint returns what to do about a command line that cannot be parsed.
func parseHint(err *kong.ParseError) string {
	help := "logscan"
	for _, x := range err.Context.Path {
		if x.Command == nil || !slices.Contains(err.Context.Args, x.Command.Name) { // scan is selected by default
			continue
		}
		help += " " + x.Command.Name
		if c := x.Command.Name; (c == "plan" || c == "map" || c == "reduce") && strings.HasPrefix(err.Error(), "unknown flag --requests") {
			return "parts hold the 401s and not every request; for requests.parquet, scan on one machine: logscan scan --requests"
		}
	}
	return "see " + help + " --help"
}

type helpCmd struct {
	Command []string `arg:"" optional:"" name:"command" help:"Command to explain (default: the whole program)."`
}

// Run prints the help of a command, like its flag --help.
func (c *helpCmd) Run(app *kong.Kong) error {
	node := app.Model.Node
	for _, name := range c.Command {
		i := slices.IndexFunc(node.Children, func(n *kong.Node) bool { return n.Name == name })
		if i < 0 {
			var names []string
			for _, n := range node.Children {
				names = append(names, n.Name)
			}
			hint := "the commands are " + strings.Join(names, ", ")
			if near := nearest(name, names, 3); near != "" {
				hint = "did you mean logscan help " + near + "?"
			}
			return usagef(hint, "%q is not a command", name)
		}
		node = node.Children[i]
	}
	_, err := app.Parse(append(c.Command, "--help"))
	return err
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
	// mango prints each line as a paragraph.
	summary, details, _ := strings.Cut(app.Model.Help, "\n\n")
	app.Model.Help = summary + "\n" + strings.ReplaceAll(details, "\n", " ")
	page := mangokong.NewManPage(1, app.Model)
	var text strings.Builder
	for _, e := range examples {
		fmt.Fprintf(&text, "%s\n    %s\n", e.purpose, e.command)
	}
	page = page.WithSection("Examples", strings.TrimSpace(text.String()))
	page = page.WithSection("Environment", strings.ReplaceAll(environment, "\n", " "))
	page = page.WithSection("Files", files)
	page = page.WithSection("Exit codes", exitCodes)
	_, err := fmt.Fprintln(std.stdout, page.Build(roff.NewDocument()))
	return err
}
