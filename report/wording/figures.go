package wording

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"

	"logscan/analyze/detect"
	"logscan/analyze/result"
)

// Figure is one of a finding's details, for people.
type Figure struct{ Name, Value string }

// maxFigure is how many characters of a figure are shown.
const maxFigure = 300

// Figures returns the details of a finding, in the order of their keys. The type of the
// details of the kind determines the units.
func Figures(kind string, details map[string]any) []Figure {
	typed := typedFigures(kind, details)
	var all []Figure
	for _, key := range SortedKeys(details) {
		name, value := strings.ReplaceAll(strings.TrimSuffix(key, "_seconds"), "_", " "), details[key]
		if f, ok := typed[key]; ok && value != nil {
			value = f.Value
			if f.Label != "" {
				name = f.Label
			}
		}
		all = append(all, Figure{Clip(name, maxLabel), figure(value)})
	}
	return all
}

// maxLabel is how many characters of the name of a figure are shown.
const maxLabel = 60

// typedFigures returns the figures that the details of the kind have, by key. It is
// empty for an unknown kind and for details that another version wrote differently.
func typedFigures(kind string, details map[string]any) map[string]result.Figure {
	k, ok := detect.KindOf(kind)
	if !ok || k.Details == nil {
		return nil
	}
	typed := k.Details()
	if b, err := json.Marshal(details); err != nil || result.DecodeDetails(b, typed) != nil {
		return nil
	}
	all := map[string]result.Figure{}
	for _, f := range result.Figures(typed) {
		all[f.Key] = f
	}
	return all
}

// figure returns a value in the unit of its type.
func figure(v any) string {
	switch v := v.(type) {
	case nil:
		return "–"
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case result.Seconds:
		if v < 120 {
			return Duration(float64(v))
		}
		return Duration(float64(v)) + " (" + humanize.Commaf(float64(v)) + " s)"
	case result.Share:
		return Percent(float64(v))
	case result.Time:
		return At(int64(v))
	case result.Probability:
		return Real(float64(v))
	case float64:
		return Real(v)
	case int64:
		return Number(v)
	case int:
		return Number(int64(v))
	case string:
		return Clip(v, maxFigure)
	case []string:
		return Clip(strings.Join(v, ", "), maxFigure)
	case []any: // of an unknown kind
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = figure(x)
		}
		return Clip(strings.Join(parts, ", "), maxFigure)
	}
	return Clip(fmt.Sprint(v), maxFigure)
}
