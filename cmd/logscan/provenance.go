package main

import (
	"fmt"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"logscan/analyze/spill"
	"logscan/parse/source/object"
	"logscan/report/document"
)

type versionCmd struct{}

// Run prints one line: name, version, commit, Go version, platform.
func (versionCmd) Run(std *streams) error {
	version, commit := buildVersion()
	_, err := fmt.Fprintf(std.stdout, "logscan %s commit %s %s %s/%s\n", version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// versionFlag prints the version instead of running a command.
type versionFlag bool

// BeforeReset is called by kong before it validates the command line.
func (versionFlag) BeforeReset(std *streams) error {
	if err := (versionCmd{}).Run(std); err != nil {
		return err
	}
	return errHelpShown
}

// buildVersion returns the version and commit that the Go command stamped into
// the program, or "unknown" if it was built outside of a checkout.
func buildVersion() (version, commit string) {
	version, commit = "unknown", "unknown"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return version, commit
	}
	if info.Main.Version != "" {
		version = info.Main.Version
	}
	modified := false
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			commit = s.Value
		case "vcs.modified":
			modified = s.Value == "true"
		}
	}
	if modified {
		commit += "+dirty"
	}
	return version, commit
}

// provenance describes a run for the manifest: which program ran with which
// arguments, when, and what it cost.
type provenance struct {
	started   time.Time
	watch     *stopwatch
	space     *spill.Space      // nil if nothing may spill
	arguments []string          // without secrets
	baseline  string            // path, empty for none
	state     *document.StateID // nil without --state
}

// run returns the provenance so far. It is called as late as possible, to
// include the time of writing.
func (p *provenance) run() document.Run {
	version, commit := buildVersion()
	cpu, rss := resourceUsage()
	finished := time.Now()
	spilled := int64(0)
	if p.space != nil {
		spilled = p.space.Written()
	}
	return document.Run{
		ToolName: "logscan", Version: version, Commit: commit, Arguments: p.arguments, Baseline: p.baseline,
		Started: p.started, Finished: finished,
		WallSeconds: finished.Sub(p.started).Seconds(), CPUSeconds: cpu, PeakRSSBytes: rss, SpilledBytes: spilled, Phases: p.watch.read(),
		State: p.state,
	}
}

// confidential is the value of a flag that is never printed or written.
type confidential string

var (
	// confidentialFlags are the flags with a confidential value.
	confidentialFlags = []string{"webhook"}
	// namingFlags are the flags whose values may name users and addresses.
	namingFlags = []string{"monitor", "shared-address", "service-account"}
)

// secretFlags returns the names of the flags whose values the manifest must not
// hold.
func (c *scanCmd) secretFlags() []string {
	if c.Pseudonymize == "" {
		return confidentialFlags
	}
	return slices.Concat(confidentialFlags, namingFlags)
}

// withoutSecrets returns a copy of args with the values of the given flags
// redacted, and without the queries of URLs.
func withoutSecrets(args, flags []string) []string {
	redacted := slices.Clone(args)
	for i, a := range redacted {
		redacted[i] = object.Label(a) // a URL may be signed
		for _, f := range flags {
			switch {
			case strings.HasPrefix(a, "--"+f+"="):
				redacted[i] = "--" + f + "=REDACTED"
			case a == "--"+f && i+1 < len(redacted):
				redacted[i+1] = "REDACTED"
			}
		}
	}
	return redacted
}

// stopwatch times consecutive phases. The zero value is ready to use.
type stopwatch struct {
	phase   string // the running phase, or empty
	since   time.Time
	seconds map[string]float64 // of finished phases
}

// begin ends the running phase and begins another.
func (w *stopwatch) begin(phase string) {
	w.seconds = w.read()
	w.phase, w.since = phase, time.Now()
}

// read returns the seconds of every phase, including the running one.
func (w *stopwatch) read() map[string]float64 {
	all := maps.Clone(w.seconds)
	if all == nil {
		all = map[string]float64{}
	}
	if w.phase != "" {
		all[w.phase] += time.Since(w.since).Seconds()
	}
	return all
}
