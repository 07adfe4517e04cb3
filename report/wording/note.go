package wording

import (
	"fmt"
	"math"

	"logscan/analyze/result"
	"logscan/analyze/timeline"
)

// Notes returns the sentences of notes. noun is what the refusals of the run are called.
func Notes(notes []result.Note, noun Noun) []string {
	all := make([]string, len(notes))
	for i := range notes {
		all[i] = note(&notes[i], noun)
	}
	return all
}

func note(n *result.Note, noun Noun) string {
	switch n.Kind {
	case result.NoteNoUsers:
		return "No line names a user, so failing accounts cannot be found: log $remote_user (nginx) or %u (Apache)."
	case result.NoteNoSessions:
		return "No line has a session id, so sessions are told apart by address and user agent only: log the session cookie ($cookie_NAME in nginx, %{NAME}C in Apache) and name it with --field session=."
	case result.NoteUnknownFormat:
		return unknownFormat(n)
	case result.NotePseudonyms:
		s := "Users and addresses are pseudonyms, made with the key " + n.Name + "."
		if n.N > 0 {
			s += " The text of rejected lines is left out, because the names in it are unknown."
		}
		return s
	case result.NoteBaselineKey:
		return "The findings are not compared with the baseline: only one of the two runs has pseudonyms, or their keys differ."
	case result.NoteEarly:
		return Count(n.N, "input") + " not read: last modified before the time range."
	case result.NoteDuplicates:
		s := fmt.Sprintf("%s has the same content as %s and was not read.", n.Name, n.Text)
		if n.N > 1 {
			s += " " + Count(n.N-1, "more file") + " skipped as copies."
		}
		return s
	case result.NoteDone:
		return Plural(n.N, "input holds", "inputs hold") + " nothing new since the last run."
	case result.NoteManyUsers:
		return fmt.Sprintf("The logs name %s users. The %s with most %s are listed; the others are summed up as %s.", Number(n.N), Number(n.M), noun.many, timeline.OtherName)
	case result.NoteManyClients:
		return fmt.Sprintf("%s clients beyond those with most %s are summed up as %s; attacks by them are not detected.", Number(n.N), noun.many, timeline.OtherName)
	case result.NoteManyHosts:
		return "The logs name too many virtual hosts: those of one domain are grouped, as in {name}.example.com. Let a default server refuse unknown hosts (nginx: return 444; Apache: a first VirtualHost that denies)."
	case result.NoteManyUpstreams:
		return "The logs name too many upstreams: they are grouped as one."
	case result.NoteManyRoutes:
		return "The logs hold too many routes: names in their paths are grouped as {name}."
	case result.NoteCoarseTimeline:
		return "The logs hold so many hosts or dates that the timeline has steps of " + step(n.N) + " instead of minutes."
	case result.NoteOtherStatus:
		return otherStatus(n)
	case result.NoteServerErrors:
		return Plural(n.M, "protected route answers", "protected routes answer") + " most requests with a server error (" + Count(n.N, "request") + ", most to " + Clip(n.Text, MaxName) +
			"): a service for authentication that is down may answer so instead of 401."
	case result.NoteRedirects:
		return Plural(n.M, "route accepts", "routes accept") + " some requests and " + Plural(n.M, "redirects", "redirect") + " others (" + Count(n.N, "request") + ", most to " + Clip(n.Text, MaxName) +
			"). If they go to a page for signing in, they are refusals: count them with --status 302."
	case result.NoteStatuses:
		return "Requests answered " + n.Name + " count as refusals (--status); columns that say unauthorized, and advice that says 401, mean all of them."
	case result.NoteClockOffset:
		return clockOffset(n)
	case result.NoteManyEvents:
		return Plural(n.N, "event of the error logs is", "events of the error logs are") + " not joined with 401s: there are more than can be kept. Divide the logs by time."
	case result.NoteEventsOfRun:
		return "Events of error logs are joined with the 401s of the same run only: --state keeps none of them."
	case result.NoteMuteEnded:
		return fmt.Sprintf("The mute of %s ended on %s.", n.Name, n.Text)
	case result.NoteMuteUnused:
		return fmt.Sprintf("There is no finding %s, which is muted until %s.", n.Name, n.Text)
	}
	return n.Name + ": " + n.Text + "."
}

// otherStatus says that refusals by another status do not count.
func otherStatus(n *result.Note) string {
	s := Plural(n.N, "request was", "requests were") + " answered " + n.Name
	if n.M > 0 {
		s += ", to " + Plural(n.M, "client that was", "clients that were") + " accepted elsewhere"
	}
	return s + ". They do not count here; if the site refuses credentials so, add --status " + n.Name + "."
}

// clockOffset says that a log of events has another clock than the access logs.
func clockOffset(n *result.Note) string {
	offset := Duration(math.Abs(float64(n.N) / 1e6))
	way := "ahead of"
	if n.N < 0 {
		way = "behind"
	}
	s := "The times in " + Clip(n.Name, MaxName) + " are " + offset + " " + way + " those of the access logs. They are corrected."
	if n.N%(15*60e6) != 0 {
		return s + " Check the clocks of both servers (chronyc tracking)."
	}
	return s + " They seem to be in another time zone."
}

func unknownFormat(n *result.Note) string {
	s := fmt.Sprintf("%s has an unknown format: %s of its %s lines could be parsed.", n.Name, Number(n.N), Number(n.M))
	if n.Text != "" {
		return s + " It is " + n.Text + " text: convert it to UTF-8."
	}
	if m := Match(n.Match); m != "" {
		s += " The closest known format is " + m + "."
	}
	return s + " Name the format of the server's configuration with --format."
}

// Match names the format that matches most of an input, "" for none.
func Match(m result.Match) string {
	if m.Format == "" {
		return ""
	}
	return m.Format + " (" + Percent(float64(m.Share)) + " of the sampled lines)"
}

// step names a step of the timeline, given in microseconds.
func step(us int64) string {
	switch {
	case us <= 60*timeline.MinuteStep:
		return "an hour"
	case us <= 24*60*timeline.MinuteStep:
		return "a day"
	case us <= 366*24*60*timeline.MinuteStep:
		return "a year"
	}
	return "all time"
}
