package policy

import (
	"sync"

	"logscan/parse/privacy"
)

// pseudonyms are the pseudonyms of the addresses and users that a policy matches.
type pseudonyms struct {
	mu                         sync.Mutex
	monitors, shared, services map[string]bool
}

// Pseudonymize prepares the policy for findings with pseudonyms in place of names. It
// must be called before the log is read: names are matched while o replaces them,
// because they are not available afterwards.
func (p *Policy) Pseudonymize(o *privacy.Options) {
	matched := &pseudonyms{monitors: map[string]bool{}, shared: map[string]bool{}, services: map[string]bool{}}
	named := *p
	o.Seen = func(kind privacy.Kind, name, replacement []byte) {
		s := string(name)
		service := kind == privacy.User && named.service(s)
		shared := kind == privacy.Address && named.shared(s)
		monitor := kind == privacy.Address && named.monitorAddress(s)
		if !service && !shared && !monitor {
			return
		}
		matched.mu.Lock()
		defer matched.mu.Unlock()
		if service {
			matched.services[string(replacement)] = true
		}
		if shared {
			matched.shared[string(replacement)] = true
		}
		if monitor {
			matched.monitors[string(replacement)] = true
		}
	}
	p.pseudonyms = matched
}
