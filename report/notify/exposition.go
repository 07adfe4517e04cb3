package notify

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// gauge is a Prometheus metric that can go up and down.
type gauge struct {
	name, help string
	labels     []string
	series     map[string]float64 // by their labels in the text format
}

func newGauge(name, help string, labels ...string) *gauge {
	return &gauge{name, help, labels, map[string]float64{}}
}

// add adds v to the series with these values of the gauge's labels. Only series that
// something was added to are written.
func (g *gauge) add(v float64, values ...string) {
	var b strings.Builder
	for i, label := range g.labels {
		b.WriteByte("{,"[min(i, 1)])
		b.WriteString(label)
		b.WriteString(`="`)
		b.WriteString(labelEscapes.Replace(values[i]))
		b.WriteByte('"')
	}
	if len(g.labels) > 0 {
		b.WriteByte('}')
	}
	g.series[b.String()] += v
}

var (
	helpEscapes  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	labelEscapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

// exposition returns gauges in the text format of Prometheus, version 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/), sorted by name and
// without those that have no series. The Prometheus library would add a tenth to the
// time in which the program starts.
func exposition(gauges []*gauge) []byte {
	var b []byte
	for _, g := range slices.SortedFunc(slices.Values(gauges), func(x, y *gauge) int {
		return strings.Compare(x.name, y.name)
	}) {
		if len(g.series) == 0 {
			continue
		}
		b = append(b, "# HELP "+g.name+" "+helpEscapes.Replace(g.help)+"\n# TYPE "+g.name+" gauge\n"...)
		for _, labels := range slices.Sorted(maps.Keys(g.series)) {
			b = append(b, g.name+labels+" "...)
			b = strconv.AppendFloat(b, g.series[labels], 'g', -1, 64)
			b = append(b, '\n')
		}
	}
	return b
}
