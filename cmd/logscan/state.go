package main

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"logscan/analyze"
	"logscan/report/outdir"
)

// claimState locks the file of --state and sets the options up to continue from
// it. It returns nil without --state.
func (c *scanCmd) claimState(std *streams, o *analyze.Options) (*outdir.State, error) {
	if c.State == "" {
		return nil, nil
	}
	if err := c.wholeRange(); err != nil {
		return nil, err
	}
	state, err := claimState(c.State, c.Out, o, settings(o, c.Format))
	if err == nil && state.Again() && !c.Quiet {
		note(std.stderr, "note: %s: repeating the last run, which wrote %s", c.State, c.Out)
	}
	return state, err
}

// wholeRange returns a usage error if lines outside of a range are to be left out of a
// state.
func (f *rangeFlags) wholeRange() error {
	if f.Since.text == "" && f.Until.text == "" {
		return nil
	}
	return usagef("remove --since and --until: a run with --state reads only new lines",
		"--state cannot be combined with --since or --until: lines outside the range would never be counted")
}

// claimState locks a state file for a run that writes a directory, and sets the options up
// to continue from it.
func claimState(path, out string, o *analyze.Options, settings map[string]string) (*outdir.State, error) {
	state, err := outdir.ClaimState(path, out, settings)
	if err == nil {
		if o.Carryover, err = state.Carryover(); err != nil {
			state.Release()
		}
	}
	if err != nil {
		return nil, stateError(err)
	}
	return state, nil
}

// settings returns the flags that decide how a line is read. A state can only be
// continued with the same ones.
func settings(o *analyze.Options, format string) map[string]string {
	var fields []string
	for name, key := range o.Fields {
		fields = append(fields, name+"="+key)
	}
	slices.Sort(fields)
	var trusted []string
	for _, p := range o.Parse.Trusted {
		trusted = append(trusted, p.String())
	}
	key := ""
	if k := o.Parse.Privacy.Key; k != nil {
		key = k.ID()
	}
	return map[string]string{
		"--pseudonymize": key, "--redact-email": strconv.FormatBool(o.Parse.Privacy.Emails),
		"--format": format, "--field": strings.Join(fields, ","),
		"--timezone": o.Parse.Timezone.String(), "--trusted-proxies": strings.Join(trusted, ","),
	}
}

// stateError adds a hint to an error of claiming a state.
func stateError(err error) error {
	var locked *outdir.LockedError
	var state *outdir.StateError
	switch {
	case errors.As(err, &locked):
		return &hintedError{err, "wait for the other run to finish, or choose another --state"}
	case errors.As(err, &state):
		return &usageError{err, state.Hint}
	}
	return err
}
