package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"logscan/analyze/result"
	"logscan/parse/source"
	"logscan/parse/source/object"
	"logscan/report/wording"
)

// nothingReadError reports that no input could be used. Nothing was written: the
// output of an earlier run says more than an empty one.
type nothingReadError struct {
	problems []problem
	out      string // output directory
}

func (e *nothingReadError) Error() string {
	return fmt.Sprintf("no request could be read; %s was not written", e.out)
}

// nothingRead returns a nothingReadError if neither this run nor an earlier one has read
// a request of the inputs, and no input explains it by being empty; nil otherwise.
func (c *reportFlags) nothingRead(res *result.Result) error {
	earlier := func(in result.Input) bool { return in.BytesBefore > 0 }
	if res.Totals.Parsed > 0 || slices.ContainsFunc(res.Inputs, earlier) || res.Totals.Rejected == 0 && onlyEvents(res) {
		return nil
	}
	all := c.problems(res, "run logscan parse to see why")
	if res.Totals.Rejected > 0 && c.MaxRejects < 100 || !slices.ContainsFunc(res.Inputs, func(in result.Input) bool { return c.usable(&in) }) {
		for i := range res.Inputs {
			if in := &res.Inputs[i]; in.NoRequests {
				all = append(all, problem{fmt.Sprintf("%s: %s, which holds no requests", in.Path, in.Format), "name the access logs beside it"})
			}
		}
		return &nothingReadError{all, c.Out}
	}
	return nil
}

// onlyEvents reports whether the inputs hold no request, but events of error logs or
// identity providers, which say something without the requests.
func onlyEvents(res *result.Result) bool {
	return res.Totals.Parsed == 0 && wording.EventsOf(res) > 0
}

// usable reports whether an input was read as a log of requests, though it may hold
// none.
func (c *reportFlags) usable(in *result.Input) bool {
	return in.Error == "" && !in.NoRequests && !c.emptyStdin(in)
}

// emptyStdin reports whether an input is standard input without a byte, as a command
// before a pipe leaves it that failed.
func (c *reportFlags) emptyStdin(in *result.Input) bool {
	return in.Path == source.Stdin && in.Bytes+in.BytesBefore+in.BytesLeft == 0 && !c.acceptEmpty && !in.OutOfRange && in.DuplicateOf == ""
}

// noteLogsWithoutRequests prints which inputs were skipped because they hold no
// requests.
func noteLogsWithoutRequests(std *streams, res *result.Result) {
	var names []string
	lines := int64(0)
	for i := range res.Inputs {
		if in := &res.Inputs[i]; in.NoRequests {
			names = append(names, in.Path)
			lines += in.Lines
		}
	}
	if len(names) == 0 {
		return
	}
	more := ""
	if n := len(names) - mostNamed; n > 0 {
		names, more = names[:mostNamed], fmt.Sprintf(" and %d more", n)
	}
	note(std.stderr, "note: skipped (error log): %s%s: %d lines", strings.Join(names, ", "), more, lines)
}

// mostNamed is how many inputs a note names: a line of text.
const mostNamed = 3

// checkInputs returns a usage error for an input that is a URL which cannot be read.
func checkInputs(args []string) error {
	for _, arg := range args {
		scheme := object.Scheme(arg)
		if scheme == "" || object.Supported(scheme) {
			continue
		}
		if _, err := os.Lstat(arg); err == nil {
			continue
		}
		how := "download it first, or use a pipe: curl -fsS URL | logscan -"
		if scheme == "gs" {
			how = "set AWS_ENDPOINT_URL_S3=https://storage.googleapis.com with an HMAC key and name s3://BUCKET, or use a pipe: gcloud storage cat URL | logscan -"
		}
		return usagef(how, "%s: URLs of the scheme %s are not supported: only s3, https and http", object.Label(arg), scheme)
	}
	return nil
}
