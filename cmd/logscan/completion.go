package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"
	"github.com/posener/complete"

	"logscan/analyze/result"
	"logscan/parse"
	"logscan/report/outdir"
)

type completionCmd struct {
	Shell string `arg:"" name:"shell" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help is shown below the command's flags.
func (completionCmd) Help() string {
	return `For this shell: source <(logscan completion bash), or with fish: logscan completion fish | source. For every shell, put that line into ~/.bashrc, ~/.zshrc or ~/.config/fish/config.fish.`
}

// The shells ask the program itself, through the variable COMP_LINE.
var completionScripts = map[string]string{
	"bash": `complete -o default -o bashdefault -C %[1]s logscan
`,
	"zsh": `autoload -U +X compinit && compinit
autoload -U +X bashcompinit && bashcompinit
complete -o default -o bashdefault -C %[1]s logscan
`,
	"fish": `function __complete_logscan
    set -lx COMP_LINE (commandline -cp)
    test -z (commandline -ct)
    and set COMP_LINE "$COMP_LINE "
    %[1]s
end
complete -f -c logscan -a "(__complete_logscan)"
`,
}

// Run prints the script that makes a shell complete the command line.
func (c *completionCmd) Run(std *streams) error {
	path, err := os.Executable()
	if err != nil {
		path = "logscan"
	}
	_, err = fmt.Fprintf(std.stdout, completionScripts[c.Shell], "'"+strings.ReplaceAll(path, "'", `'\''`)+"'")
	return err
}

// completing answers a shell that asks for completions, and tells whether one
// did.
func completing(parser *kong.Kong, std *streams) (bool, error) {
	if os.Getenv("COMP_LINE") == "" {
		return false, nil
	}
	command, err := kongcompletion.Command(parser, kongcompletion.WithPredictors(map[string]complete.Predictor{
		"format":   complete.PredictFunc(completeFormats),
		"severity": complete.PredictSet(severityNames()...),
		"file":     complete.PredictFiles("*"),
		"dir":      complete.PredictDirs("*"),
		"finding":  complete.PredictFunc(completeFindings),
	}))
	if err != nil {
		return true, fmt.Errorf("BUG: completion: %w", err)
	}
	c := complete.New("logscan", command)
	c.Out = std.stdout
	return c.Complete(), nil
}

func severityNames() (names []string) {
	for s := result.Info; s <= result.Critical; s++ {
		names = append(names, s.String())
	}
	return names
}

func completeFormats(complete.Args) (names []string) {
	names = append(names, "auto")
	for _, f := range parse.Formats() {
		names = append(names, f.Name)
	}
	return names
}

// completeFindings gives the ids of the findings in the directory that is the
// argument before.
func completeFindings(a complete.Args) (ids []string) {
	r, err := outdir.Open(filepath.Clean(a.LastCompleted))
	if err != nil {
		return nil
	}
	for i := range r.Findings {
		ids = append(ids, r.Findings[i].ID)
	}
	return ids
}
