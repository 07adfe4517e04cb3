package wording

import (
	"logscan/analyze/detect"
	"logscan/analyze/result"
	"logscan/analyze/stats"
)

// Shares divides the refusals of a run: the three add up to all of them.
type Shares struct {
	Total       int64
	Trouble     int64 // findings explain them that are not muted and above info
	Harmless    int64 // ordinary causes, and findings that are expected (info) or muted
	Unexplained int64
	Muted       int64 // part of Harmless
	Serious     int64 // part of Trouble: of findings that someone should act on
	clients     int64 // of Unexplained
}

// serious is the lowest severity that someone should act on at once.
const serious = result.Medium

const (
	// fewRefusals is the number below which a share never matters: one person's bad
	// morning.
	fewRefusals = 10
	// fewClients is the number of clients up to which so few refusals are those of one person,
	// whose address or browser may change.
	fewClients = 2
	// smallShare is the share of all refusals up to which trouble, or what is
	// unexplained, is small: no classification is better than that on labelled logs.
	smallShare = 0.05
	// manyRefusals is the number from which on a share is never small, however large
	// the site: thousands of refusals have a cause that somebody should know.
	manyRefusals = 1000
)

// sharesOf divides the refusals of a result.
func sharesOf(res *result.Result) Shares {
	s := Shares{Total: res.Totals.Unauthorized, Unexplained: res.Totals.Unexplained}
	if res.Residual != nil {
		s.clients = res.Residual.Clients
	}
	for i := range res.Findings {
		f := &res.Findings[i]
		switch {
		case f.Muted != nil:
			s.Muted += f.Unauthorized
		case f.Severity > result.Info:
			s.Trouble += f.Unauthorized
			if f.Severity >= serious {
				s.Serious += f.Unauthorized
			}
		}
	}
	s.Harmless = s.Total - s.Trouble - s.Unexplained
	return s
}

// Small reports whether a part of the refusals is too small to matter.
func (s *Shares) Small(part int64) bool {
	return part < fewRefusals || part < manyRefusals && float64(part) <= smallShare*float64(s.Total)
}

// SmallUnexplained reports whether what is unexplained is too small to matter. In a log with few
// refusals, a few of several clients do, if their share is not small: the lower bound of it
// (Wilson) decides.
func (s *Shares) SmallUnexplained() bool {
	return s.Small(s.Unexplained) && (s.clients <= fewClients || stats.WilsonLower(s.Unexplained, s.Total, stats.Z95) <= smallShare)
}

// reassure reports whether nothing needs attention: what is trouble and what is
// unexplained are both small, and most refusals are explained, however few there are.
func (s *Shares) reassure() bool {
	return s.Small(s.Trouble) && s.SmallUnexplained() && 2*s.Unexplained <= s.Total
}

// refusedMuch returns how many requests were refused, first legs of handshakes left
// out, and whether that are so many that the site cannot be fine.
func refusedMuch(res *result.Result) (n int64, much bool) {
	n = res.Totals.Unauthorized - res.Causes["challenge"]
	return n, n > 0 && float64(n) >= result.MuchRefused*float64(res.Totals.Parsed)
}

// NormalUse returns how many 401s are part of normal use.
func NormalUse(res *result.Result) int64 {
	n := int64(0)
	for _, c := range detect.Causes() {
		if c.Category == detect.OrdinaryCategory {
			n += res.Causes[c.Name]
		}
	}
	return n
}
