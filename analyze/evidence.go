package analyze

import (
	"cmp"
	"slices"

	"logscan/analyze/result"
)

// maxEventEvidence is how many of the lines of a finding are events, unless it has no
// refusals: a few show what the server says, the requests show whom it concerns.
const maxEventEvidence = 5

// sample is a line that is shown as evidence: a refusal, or a message.
type sample struct {
	index   uint32
	finding int
}

// addEvidence adds the sample lines to the findings: those of refusals, then those of
// events.
func (a *assembly) addEvidence() error {
	var refusals, messages []sample
	for i, list := range a.Samples {
		shown := a.eventSamples(i)
		for _, message := range shown {
			messages = append(messages, sample{message, i})
		}
		for _, refusal := range list[:min(len(list), result.MaxEvidence-len(shown))] {
			refusals = append(refusals, sample{refusal, i})
		}
	}
	// Lines are stored in their order.
	for _, list := range [][]sample{refusals, messages} {
		slices.SortFunc(list, func(x, y sample) int { return cmp.Or(cmp.Compare(x.index, y.index), x.finding-y.finding) })
	}
	read := a.lines.refusals()
	var row result.Unauthorized
	for _, x := range refusals {
		text, err := read(int(x.index), &row, true)
		if err != nil {
			return err
		}
		line := a.State.Refusals.At(int(x.index))
		a.addExample(x.finding, &row)
		f := &a.Findings[x.finding]
		f.Evidence = append(f.Evidence, result.Evidence{Path: a.reader.inputs[line.Input].Path, Line: line.Line, Raw: text})
	}
	return a.addEventEvidence(messages)
}

// eventSamples returns the messages to show as evidence of a finding: those that show it,
// or those about its sample refusals.
func (a *assembly) eventSamples(finding int) []uint32 {
	if a.State.Messages.Len() == 0 {
		return nil // Refusals may be on disk and need not be read
	}
	list := a.Messages[finding]
	refusals := a.Samples[finding]
	for _, refusal := range refusals {
		if m := a.State.Refusals.At(int(refusal)).Message; m != 0 {
			list = append(list, m-1)
		}
	}
	slices.Sort(list)
	list = slices.Compact(list)
	if len(refusals) > 0 {
		list = list[:min(len(list), maxEventEvidence)]
	}
	return list[:min(len(list), result.MaxEvidence)]
}

// addEventEvidence adds the lines of messages.
func (a *assembly) addEventEvidence(messages []sample) error {
	if len(messages) == 0 {
		return nil
	}
	read := a.lines.messages()
	for _, x := range messages {
		said, err := read(int(x.index), true)
		if err != nil {
			return err
		}
		a.addFailureExample(x.finding, said)
		m := a.State.Messages.At(int(x.index))
		f := &a.Findings[x.finding]
		f.Evidence = append(f.Evidence, result.Evidence{Path: a.reader.inputs[m.Input].Path, Line: m.Line, Raw: said.Text})
	}
	return nil
}
