package detect

import (
	"context"
	"fmt"
	"os"
	"text/template"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/spill"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// refusedRobots is an example. A real kind is a file like this with a row in Catalogue,
// and a scenario in package fixtures with the same Kind.
//
// Sign: /robots.txt is refused. Not: it is missing (404).
var refusedRobots = Kind{
	Name: "refused_robots", Label: "Refused robots.txt", Meaning: "Crawlers cannot read /robots.txt.",
	Category: EndpointCategory, Subjects: []string{"endpoint"}, Needs: []string{needStatus, needPath},
	Details:     func() any { return new(Robots) },
	Title:       "/robots.txt{{with .Subject.Host}} on {{.}}{{end}} is refused",
	Explanation: "{{.Details.Crawlers}} crawlers were refused {{.Unauthorized}} times.", // functions: package report/wording
	Remedy:      []string{"Serve /robots.txt without authentication."},
	inspect:     inspectRobots,
}

// Robots is the details of a refused_robots finding. The tags name its figures.
type Robots struct {
	Crawlers int `json:"crawlers"`
}

// inspectRobots claims the refusals that no finding explains yet.
func inspectRobots(d *Diagnosis, _ observer) ([]candidate, error) {
	c, crawlers := candidate{}, map[uint32]bool{}
	for i := range d.Refusals.Len() {
		r := d.Refusals.At(i)
		if e := &d.State.Endpoints[r.Endpoint]; d.open(i) && e.Template == "/robots.txt" {
			c.claims, c.Subject, crawlers[r.Actor] = append(c.claims, uint32(i)), endpointSubject(e), true
		}
	}
	if len(c.claims) == 0 {
		return nil, nil
	}
	c.Onset, c.Severity, c.Confidence, c.Details = parse.NoTime, result.Medium, 1, &Robots{len(crawlers)}
	return []candidate{c}, nil
}

func ExampleKind() {
	w := timeline.NewWorker(1, 1)
	for i := range 6 { // two refusals for each of three crawlers
		e := parse.Entry{Status: 401, Time: int64(i), Path: []byte("/robots.txt"), Client: fmt.Appendf(nil, "192.0.2.%d", i%3)}
		w.Entry(0, int64(i), &e, nil)
	}
	state, _ := timeline.Merge([]*timeline.Worker{w})
	evidence, _ := session.Correlate(context.Background(), state, 1, spill.Memory{}, nil)
	d := newDiagnosis(evidence)
	found, _ := d.explain([]Kind{refusedRobots})
	d.measure(found[0])
	_ = template.Must(template.New("").Parse(refusedRobots.Explanation)).Execute(os.Stdout, found[0])
	// Output: 3 crawlers were refused 6 times.
}
