package result

// BreakIn is the success of an attack.
type BreakIn struct {
	Accounts  []string // the first that were opened; empty where the log names none
	Host      string
	Address   string // of the attacker; empty where there were several
	Addresses int    // from which the accounts were opened, where there were several
	At        Time   // of the first success; 0 where it is not known
}
