package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
	mangokong "github.com/alecthomas/mango-kong"
	"github.com/muesli/roff"
)

type manCmd struct{}

// Help is shown below the command's flags.
func (manCmd) Help() string {
	return `Read it at once with: logscan man | man -l -`
}

// Run prints the manual page, made of what --help is made of.
func (manCmd) Run(app *kong.Kong, std *streams) error {
	for _, command := range app.Model.Children {
		// A command's details belong to what it does, not behind its name.
		command.Help, command.Detail = strings.TrimSpace(command.Help+" "+command.Detail), ""
	}
	page := mangokong.NewManPage(1, app.Model)
	text, codes, _ := strings.Cut(examples, "\n\n")
	page = page.WithSection("Examples", strings.TrimPrefix(text, "Examples:\n"))
	page = page.WithSection("Environment and exit codes", codes)
	_, err := fmt.Fprintln(std.stdout, page.Build(roff.NewDocument()))
	return err
}
