package wording

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"logscan/analyze/detect"
	"logscan/analyze/result"
)

// Figure is one of a finding's details, for people.
type Figure struct{ Name, Value string }

// maxFigure is how many characters of a figure are shown.
const maxFigure = 300

// Figures returns the details of a finding as findings.json has them, in the
// order of their keys. The type that the kind has for its details says their
// units.
func Figures(kind string, details map[string]any) []Figure {
	var all []Figure
	for _, f := range typedFigures(kind, details) {
		name := f.Label
		if name == "" {
			name = strings.ReplaceAll(strings.TrimSuffix(f.Key, "_seconds"), "_", " ")
		}
		all = append(all, Figure{Clip(name, 60), figure(f.Value)})
	}
	return all
}

// typedFigures returns the figures with the types of their kind, or as JSON has
// them where the kind is unknown.
func typedFigures(kind string, details map[string]any) []result.Figure {
	k, ok := detect.KindOf(kind)
	if !ok || k.Details == nil {
		return result.Figures(details)
	}
	typed := k.Details()
	if b, err := json.Marshal(details); err != nil || result.DecodeDetails(b, typed) != nil {
		return result.Figures(details)
	}
	all := result.Figures(typed)
	for _, key := range []string{"absorbed", "absorbed_count"} {
		if v, ok := details[key]; ok {
			all = append(all, result.Figure{Key: key, Value: v})
		}
	}
	slices.SortFunc(all, func(a, b result.Figure) int { return strings.Compare(a.Key, b.Key) })
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
	case []any: // of a kind that this version does not know
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = figure(x)
		}
		return Clip(strings.Join(parts, ", "), maxFigure)
	}
	return Clip(fmt.Sprint(v), maxFigure)
}
