package wording

import (
	"logscan/analyze/detect"
	"logscan/analyze/result"
)

// addFailures adds the findings to a verdict that are no 401s: requests whose credentials
// could not be checked, as error logs say. With them, no run reassures.
func (v *Verdict) addFailures(res *result.Result) {
	n, worst := int64(0), result.Info
	for i := range res.Findings {
		if f := &res.Findings[i]; f.Muted == nil && detect.Failed(f) > 0 {
			n, worst = n+detect.Failed(f), max(worst, f.Severity)
		}
	}
	if n == 0 {
		return
	}
	stated := "Error logs report " + Count(n, "failure") + " to check credentials, answered with other statuses than 401."
	if v.Reassures || v.Level == "unknown" {
		v.Level, v.Reassures, v.Sentence = worst.String(), false, sentences(stated, v.Sentence)
		return
	}
	v.Rest = sentences(v.Rest, stated)
}
