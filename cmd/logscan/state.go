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
	if c.Since.text != "" || c.Until.text != "" {
		return nil, usagef("remove --since and --until: a run with --state reads only new lines",
			"--state cannot be combined with --since or --until: lines outside the range would never be counted")
	}
	state, err := outdir.ClaimState(c.State, c.Out, c.settings(o))
	if err == nil {
		if o.Carryover, err = state.Carryover(); err != nil {
			state.Release()
		}
	}
	if err != nil {
		return nil, stateError(err)
	}
	if state.Again() && !c.Quiet {
		note(std.stderr, "note: %s: repeating the last run, which wrote %s", c.State, c.Out)
	}
	return state, nil
}

// settings returns the flags that decide how a line is read. A state can only be
// continued with the same ones.
func (c *scanCmd) settings(o *analyze.Options) map[string]string {
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
		"--format": c.Format, "--field": strings.Join(fields, ","),
		"--timezone": c.Timezone.location.String(), "--trusted-proxies": strings.Join(trusted, ","),
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
