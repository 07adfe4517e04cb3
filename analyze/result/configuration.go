package result

import (
	"logscan/parse/appconf"
	"logscan/parse/serverconf/rules"
)

// Configuration is what configurations show of a finding.
type Configuration struct {
	// Facts are mistakes in the server's configuration that cause the finding, or
	// directives that rule it. Their lines are without credentials.
	Facts []rules.Fact
	// Settings are timeouts of applications that are equal to the one that was measured.
	Settings []appconf.Setting
	// Changed are the files of the server's configuration that were changed shortly
	// before the onset.
	Changed []FileChange
}

// FileChange is the last modification of a file.
type FileChange struct {
	Path string
	Time int64 // Unix microseconds
}

// ConfigurationLine is a line of a configuration, in words.
type ConfigurationLine struct {
	Path      string `json:"file"`
	Line      int    `json:"line"`
	Directive string `json:"directive"`
	Why       string `json:"why"`
}
