package result

import (
	"logscan/parse"
	"logscan/parse/advice"
)

// LogFormat is a format that some of the inputs have, and what they cannot tell.
type LogFormat struct {
	Name     string
	Inputs   int64
	Presence parse.Presence // of the samples of these inputs
	Advice   advice.Advice
}
