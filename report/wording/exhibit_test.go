package wording

import (
	"testing"

	"logscan/analyze/result"
)

// Every exhibit has a caption of its own, and every kind of part a name.
func TestExhibits(t *testing.T) {
	seen := map[string]bool{}
	for counts := result.CountsExplained; counts <= result.CountsByAccount; counts++ {
		caption := Caption(&result.Exhibit{Counts: counts}, unauthorized)
		if caption == "" || seen[caption] {
			t.Errorf("caption of %d: %q", counts, caption)
		}
		seen[caption] = true
	}
	for kind := result.NamedPart; kind <= result.OverHTTPS; kind++ {
		name := PartName(&result.Part{Kind: kind, Name: "from the log"})
		if name == "" || (name == "from the log") != (kind == result.NamedPart) {
			t.Errorf("name of part %d: %q", kind, name)
		}
	}
}
