package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

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

// Help returns the text that kong prints before the flags.
func (completionCmd) Help() string {
	return `To enable it in the current shell, run: source <(logscan completion bash), or in fish: logscan completion fish | source. To enable it permanently, add that line to ~/.bashrc, ~/.zshrc or ~/.config/fish/config.fish.`
}

// completionScripts have the shell run logscan, found by PATH, with the command
// line in the variable COMP_LINE.
var completionScripts = map[string]string{
	"bash": `complete -o default -o bashdefault -C logscan logscan
`,
	// Works both sourced and as a file _logscan in fpath.
	"zsh": `#compdef logscan
_logscan() {
    local -a found
    found=("${(@f)$(COMP_LINE="${words[1,CURRENT]}" logscan 2>/dev/null)}")
    compadd -- ${found:#*/}
    compadd -S '' -- ${(M)found:#*/}
}
if [[ "$funcstack[1]" = _logscan ]]; then
    _logscan "$@"
else
    (( $+functions[compdef] )) || { autoload -U compinit && compinit }
    compdef _logscan logscan
fi
`,
	"fish": `function __complete_logscan
    set -lx COMP_LINE (commandline -cp)
    test -z (commandline -ct)
    and set COMP_LINE "$COMP_LINE "
    logscan
end
complete -f -c logscan -a "(__complete_logscan)"
`,
}

// Run prints the completion script for a shell.
func (c *completionCmd) Run(std *streams) error {
	_, err := io.WriteString(std.stdout, completionScripts[c.Shell])
	return err
}

// answerCompletion prints completions if a shell asks for them, and reports
// whether one did.
func answerCompletion(parser *kong.Kong, std *streams) (bool, error) {
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

func completeFormats(complete.Args) []string {
	return append([]string{"auto"}, namesOfFormats(parse.Formats())...)
}

// completeFindings returns the ids of the findings in the directory named by the
// previous argument.
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
