package main

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"logscan/analyze"
	"logscan/report/outdir"
)

// claimState claims the state that --state names, nil where it names none, and
// has the run begin with what it holds.
func (c *scanCmd) claimState(std *streams, o *analyze.Options) (*outdir.State, error) {
	if c.State == "" {
		return nil, nil
	}
	if c.Since.text != "" || c.Until.text != "" {
		return nil, usagef("leave --since and --until away: what is new is counted",
			"--state counts every line once, and --since or --until would leave lines that are never counted")
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
		note(std.stderr, "note: %s: %s is the last output that was written with it: it is written again, with what was counted for it", c.State, c.Out)
	}
	return state, nil
}

// settings are the flags that decide what a line means: a state is of no use
// with others.
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

// stateError is why a state cannot be used, and what to do about it.
func stateError(err error) error {
	var locked *outdir.LockedError
	var state *outdir.StateError
	switch {
	case errors.As(err, &locked):
		return &hintedError{err, "wait for it to end, or choose another --state"}
	case errors.As(err, &state):
		return &usageError{err, state.Hint}
	}
	return err
}
