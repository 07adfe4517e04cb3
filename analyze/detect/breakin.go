package detect

import "logscan/analyze/result"

// BreakIn returns who got in, and whether anybody did.
func (a *Attack) BreakIn(s *result.Subject) (result.BreakIn, bool) {
	return result.BreakIn{Accounts: a.Compromised, Host: s.Host, Address: s.ClientAddress, Addresses: a.Addresses, At: a.FirstSuccess}, a.Successes > 0
}

// BreakIn returns who got in, and whether anybody did.
func (d *Distributed) BreakIn(s *result.Subject) (result.BreakIn, bool) {
	return result.BreakIn{Accounts: []string{s.User}, Host: s.Host, Addresses: d.EnteredFrom}, d.EnteredFrom > 0
}
