package detect

import (
	"context"
	"slices"

	"logscan/analyze/session"
	"logscan/analyze/timeline"
)

// Every big log has some refused people on every part of a site, so that a few observers
// are nearly always asked for. That nearly everybody else is accepted there a sample of the
// clients shows as well. So in big logs the sample is visited first; most observers need
// not see the others then.

const (
	// sampleOf is the number of clients of which one is in the sample.
	sampleOf = 8
	// sampleWeight is how many acceptances one in the sample counts for: half of what is to
	// be expected, because chance may have brought in those who are accepted most.
	sampleWeight = sampleOf / 2
	// sampleRequests and sampleClients are the numbers of requests and clients of a log
	// from which on a sample is taken: less is soon walked over, and an eighth of fewer
	// clients might differ from the others.
	sampleRequests = 1 << 20
	sampleClients  = 1 << 12
)

// dismissible is an observer that finds nothing if enough is accepted.
type dismissible interface {
	observer
	// dismissed reports whether it finds nothing if each acceptance that its parts have
	// seen counts weight times. Refusals are known without a walk. It is neither called
	// nor gathered afterwards.
	dismissed(weight int32) bool
}

// firstWalk walks over the timelines for observers, and returns those that are left and
// those that have been dismissed.
func (d *Diagnosis) firstWalk(ctx context.Context, observers []observer) (left, dismissed []observer, err error) {
	parts := d.partsOf(observers)
	if !d.sampled || !slices.ContainsFunc(observers, isDismissible) {
		return observers, nil, d.walk(ctx, parts, wantedBy(observers))
	}
	sampled := func(_ uint32, w timeline.ActorSummary) bool { return session.InSample(w, sampleOf) }
	if err := d.walk(ctx, parts, sampled); err != nil {
		return nil, nil, err
	}
	parts = slices.DeleteFunc(parts, func(p observerParts) bool {
		if o, ok := p.observer.(dismissible); ok && o.dismissed(sampleWeight) {
			dismissed = append(dismissed, p.observer)
			return true
		}
		left = append(left, p.observer)
		return false
	})
	wanted := wantedBy(left)
	return left, dismissed, d.walk(ctx, parts, func(id uint32, w timeline.ActorSummary) bool {
		return !sampled(id, w) && (wanted == nil || wanted(id, w))
	})
}

func isDismissible(o observer) bool {
	_, ok := o.(dismissible)
	return ok
}

// weigh multiplies the acceptances of cells, and drops the refusals of the sample.
func weigh(cells [][]cell, weight int32) {
	for _, steps := range cells {
		for i := range steps {
			steps[i].accepted *= weight
			steps[i].refused = 0
		}
	}
}
