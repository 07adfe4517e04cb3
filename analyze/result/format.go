package result

import (
	"logscan/parse"
	"logscan/parse/advice"
)

// LogFormat is a format of some inputs, and what it should log as well.
type LogFormat struct {
	Name     string
	Inputs   int64
	Presence parse.Presence // in the samples of these inputs
	Advice   advice.Advice
}
