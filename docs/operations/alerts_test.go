package operations

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// expressions returns the queries of the rules and the dashboard, and the texts that show
// labels, by what they are for.
func expressions(t *testing.T) (queries, texts map[string]string) {
	t.Helper()
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Annotations map[string]string
			}
		}
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct {
				Expr         string
				LegendFormat string `yaml:"legendFormat"`
			}
		}
		Templating struct {
			List []struct{ Name, Type, Query string }
		}
	}
	for path, into := range map[string]any{"alerts.yaml": &rules, "dashboard.json": &dashboard} {
		if err := yaml.Unmarshal([]byte(read(t, path)), into); err != nil {
			t.Fatal(err)
		}
	}
	queries, texts = map[string]string{}, map[string]string{}
	for _, r := range rules.Groups[0].Rules {
		queries[r.Alert], texts[r.Alert] = r.Expr, r.Annotations["summary"]+r.Annotations["description"]
	}
	for _, p := range dashboard.Panels {
		for _, x := range p.Targets {
			queries[p.Title], texts[p.Title] = x.Expr, x.LegendFormat
		}
	}
	for _, v := range dashboard.Templating.List {
		if v.Type == "query" {
			queries["variable "+v.Name] = v.Query
		}
	}
	return queries, texts
}

var (
	metric   = regexp.MustCompile(`(logscan_\w+)(\{[^}]*\})?`)
	matcher  = regexp.MustCompile(`(\w+)(=~?|!=|!~)"([^"]*)"`)
	grouping = regexp.MustCompile(`\b(?:by|without|on|ignoring) \(([^)]*)\)`)
	inText   = regexp.MustCompile(`\{\{ *(?:\$labels\.)?(\w+) *\}\}`)
)

// target are the labels that Prometheus sets.
const target = `instance=" job="`

// TestQueries checks that the rules and the dashboard use metrics that logscan writes, with
// labels and values that they have.
func TestQueries(t *testing.T) {
	written := map[string]string{} // labels by metric
	for _, m := range regexp.MustCompile(`(?m)^(logscan_\w+)(\{[^}]*\})? `).FindAllStringSubmatch(read(t, "../../report/notify/testdata/logscan.prom"), -1) {
		written[m[1]] += m[2] + target
	}
	queries, texts := expressions(t)
	if len(queries) < 12 {
		t.Errorf("only %d queries", len(queries))
	}
	for name, query := range queries {
		labels := target
		for _, m := range metric.FindAllStringSubmatch(query, -1) {
			if _, ok := written[m[1]]; !ok {
				t.Errorf("%s: logscan does not write %s", name, m[1])
			}
			labels += written[m[1]]
			for _, l := range matcher.FindAllStringSubmatch(m[2], -1) {
				if !strings.Contains(written[m[1]], l[1]+`="`) || l[2] == "=" && !strings.Contains(written[m[1]], l[1]+`="`+l[3]+`"`) {
					t.Errorf("%s: %s never has %s", name, m[1], l[0])
				}
			}
		}
		for _, g := range grouping.FindAllStringSubmatch(query, -1) {
			for l := range strings.SplitSeq(g[1], ", ") {
				if !strings.Contains(labels, l+`="`) {
					t.Errorf("%s: no metric of the query has the label %s", name, l)
				}
			}
		}
		for _, l := range inText.FindAllStringSubmatch(texts[name], -1) {
			if !strings.Contains(labels, l[1]+`="`) {
				t.Errorf("%s: the text shows the label %s, which no metric of the query has", name, l[1])
			}
		}
	}
}

// TestRules checks the rules with promtool, and runs their tests.
func TestRules(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed")
	}
	for _, args := range [][]string{{"check", "rules", "alerts.yaml"}, {"test", "rules", "alerts_test.yaml"}} {
		if out, err := exec.CommandContext(t.Context(), promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %q: %v\n%s", args, err, out)
		}
	}
}
