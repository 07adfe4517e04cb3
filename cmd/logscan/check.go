package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"logscan/analyze/result"
	"logscan/parse/serverconf/rules"
	"logscan/report/document"
	"logscan/report/outdir"
	"logscan/report/tables"
	"logscan/report/terminal"
	"logscan/report/wording"
)

type checkCmd struct {
	Conf string `arg:"" predictor:"file" name:"config" help:"Configuration of nginx or Apache: the main file, or one that it includes; manifests of Ingresses for ingress-nginx; or the dynamic configuration of Traefik (YAML, labels in Compose files, or IngressRoutes). The last two may be directories."`

	Against string   `predictor:"dir" placeholder:"DIR" help:"Output directory of a finished run: show which of its routes turn open or protected with CONFIG, and how many requests they had."`
	Old     string   `predictor:"file" placeholder:"CONFIG" help:"Configuration to compare with (default: the one that the run was given)."`
	JSON    bool     `name:"json" help:"Print JSON."`
	FailOn  severity `predictor:"severity" placeholder:"SEVERITY" help:"Exit 3 if a fault has this severity or above: certain faults are high, likely ones medium, possible ones info (default: never)."`
}

// Help returns the text that kong prints before the flags.
func (checkCmd) Help() string {
	return `Prints what protects each route of a configuration of nginx, Apache, ingress-nginx or Traefik, with file and line, and likely faults: directives that answer requests with 401 or leave them open by mistake. Includes are followed; nothing is executed or sent. With --against, replays the routes of a finished run: a dry run of a changed configuration.`
}

// Run prints the rules of a configuration.
func (c *checkCmd) Run(ctx context.Context, std *streams) error {
	r, err := rules.Read(c.Conf)
	if err != nil {
		return usagef("name nginx.conf, httpd.conf or apache2.conf, a file that they include, or YAML of ingress-nginx or Traefik", "%w", err)
	}
	for _, n := range r.Notes {
		note(std.stderr, "note: %s", n)
	}
	d := wording.Check(r)
	if d.Comparison, err = c.compare(ctx, r); err != nil {
		return err
	}
	if c.JSON {
		err = document.Write(std.stdout, d)
	} else {
		err = terminal.ShowCheck(std.stdout, d, paintFor(std.stdout))
	}
	if err != nil {
		return err
	}
	return c.checkFaults(d.Faults)
}

// faultSeverities are the severities of faults by their certainty: a certain one refuses
// requests or leaves routes open, a possible one may be on purpose.
var faultSeverities = map[string]result.Severity{
	rules.Certain.String(): result.High, rules.Likely.String(): result.Medium, rules.Possible.String(): result.Info,
}

// checkFaults returns a severeError if there are faults at or above --fail-on.
func (c *checkCmd) checkFaults(faults []document.Fault) error {
	n := 0
	for i := range faults {
		if faultSeverities[faults[i].Certainty] >= c.FailOn.least {
			n++
		}
	}
	if !c.FailOn.set || n == 0 {
		return nil
	}
	return &severeError{fmt.Sprintf("%s at or above %v (--fail-on)", wording.Count(int64(n), "fault"), c.FailOn.least), nil}
}

// compare replays the routes of a run with the old and the new rules; it returns nil without
// --against.
func (c *checkCmd) compare(ctx context.Context, now *rules.Rules) (*document.Comparison, error) {
	if c.Against == "" {
		if c.Old != "" {
			return nil, usagef("add --against DIR, the output directory of a run", "--old is for --against")
		}
		return nil, nil
	}
	if err := checkLocal("--against", c.Against); err != nil {
		return nil, err
	}
	run, err := openRun(ctx, c.Against)
	if err != nil {
		return nil, err
	}
	old := c.Old
	if old == "" {
		if old = configurationOf(run, now.Server); old == "" {
			return nil, usagef("name the old configuration with --old", "the run in %s was not given a configuration of %s", c.Against, now.Server)
		}
	}
	before, err := rules.Read(old)
	if err != nil {
		return nil, usagef("name the old configuration with --old", "%w", err)
	}
	endpoints, err := tables.ReadEndpoints(filepath.Join(c.Against, tables.EndpointsName))
	if err != nil {
		return nil, usagef("", "read %s: %w", c.Against, err)
	}
	var traffic []rules.Traffic
	for i := range endpoints {
		e := &endpoints[i]
		q := rules.Request{Host: e.Host, Method: e.Method, Path: rules.Filled(e.Template)}
		if strings.HasPrefix(q.Path, "/") {
			traffic = append(traffic, rules.Traffic{Request: q, Template: e.Template, Requests: e.Requests, Unauthorized: e.Unauthorized})
		}
	}
	return wording.Comparison(rules.Compare(before, now, traffic), c.Against, old), nil
}

// configurationOf returns the configuration of a server that a run was given; "" for none.
func configurationOf(run *outdir.Report, server string) string {
	flag := "--proxy-conf"
	if server == "nginx" || server == "apache" {
		flag = "--" + server + "-conf"
	}
	for i, arg := range run.Manifest.Arguments {
		if value, ok := strings.CutPrefix(arg, flag+"="); ok {
			return value
		}
		if arg == flag && i+1 < len(run.Manifest.Arguments) {
			return run.Manifest.Arguments[i+1]
		}
	}
	return ""
}
