package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"logscan/parse/source/object"
	"logscan/report"
	"logscan/report/outdir"
)

// lakeFlags name a place by night, for a job that runs every night.
type lakeFlags struct {
	Lake   string `predictor:"dir" placeholder:"DIR" group:"output" help:"Write to DIR/dt=DATE, with the last night that had requests as baseline: for a job that runs every night."`
	Night  night  `placeholder:"DATE" group:"output" help:"Date of --lake, such as 2026-03-09 (default: today in --timezone). Repeating a night replaces it."`
	Layout string `enum:"night,table" default:"night" placeholder:"night|table" group:"output" help:"Layout of --lake: night is DIR/dt=DATE/TABLE.parquet; table also makes DIR/TABLE/dt=DATE/part.parquet, which Athena, Glue and Trino need (default: ${default})."`
	Keep   days   `placeholder:"DAYS" group:"output" help:"Remove nights of --lake that are older, when the run is done (default: keep all)."`
}

// layoutTable is the value of --layout for files by table.
const layoutTable = "table"

// defaultOut is the output directory of a run without --out and --lake.
const defaultOut = "logscan-out"

// setPlace sets the output directory, and the baseline unless it is given, of a run with
// --lake.
func (c *reportFlags) setPlace(started time.Time, zone *time.Location) error {
	if c.Lake == "" {
		switch {
		case !c.Night.IsZero():
			return usagef("name the directory of all nights with --lake", "--night is the date of a night in --lake")
		case c.Layout == layoutTable:
			return usagef("name the directory of all nights with --lake", "--layout table is a layout of --lake")
		case c.Keep > 0:
			return usagef("name the directory of all nights with --lake", "--keep removes nights of --lake")
		case c.Out == "":
			c.Out = defaultOut
		case object.Scheme(c.Out) != "" && !strings.HasSuffix(c.Out, "/"):
			c.Out += "/" // a prefix
		}
		return nil
	}
	if c.Out != "" {
		return usagef("remove one of them", "--out %s and --lake %s both name where to write", c.Out, c.Lake)
	}
	if c.Night.IsZero() {
		y, m, d := started.In(zone).Date()
		c.Night.Time = time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	lake := outdir.Lake{Dir: c.Lake}
	c.Out = lake.Night(c.Night.Time)
	if c.Baseline != "" {
		return nil
	}
	var err error
	if c.Baseline, err = lake.Before(c.Night.Time); err != nil {
		return fmt.Errorf("read %s: %w", c.Lake, err)
	}
	return nil
}

// arrange makes the files by table of --layout, and removes the nights that --keep no
// longer keeps. It returns what failed.
func (c *reportFlags) arrange(std *streams) (problems []problem) {
	lake := outdir.Lake{Dir: c.Lake}
	if c.Layout == layoutTable {
		if err := lake.LinkTables(c.Night.Time, report.TableNames()); err != nil {
			problems = append(problems, problem{"--layout table: " + err.Error(), "the report was written; run the night again"})
		}
	}
	if c.Keep == 0 {
		return problems
	}
	removed, err := report.Prune(lake, c.Night.Time, int(c.Keep))
	if c.Layout == layoutTable {
		err = errors.Join(err, lake.PruneTables(removed, report.TableNames()))
	}
	if !c.Quiet {
		for _, path := range removed {
			note(std.stderr, "removed %s: older than --keep %d", path, c.Keep)
		}
	}
	if err != nil {
		problems = append(problems, problem{"remove old nights: " + err.Error(), "the report was written; the next run tries again"})
	}
	return problems
}

// night is a date. The zero value is none.
type night struct{ time.Time }

// UnmarshalText parses a date such as 2026-03-09.
func (n *night) UnmarshalText(text []byte) (err error) {
	if n.Time, err = time.Parse(time.DateOnly, string(text)); err != nil {
		return fmt.Errorf("%q is not a date such as 2026-03-09", text)
	}
	return nil
}

// days is a number of days. 0 means no limit.
type days int

// maxDays bounds --keep: a thousand years.
const maxDays = 366_000

// UnmarshalText parses a number from 1 on.
func (d *days) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 || n > maxDays {
		return fmt.Errorf("%q is not a number of days from 1 to %d", text, maxDays)
	}
	*d = days(n)
	return nil
}
