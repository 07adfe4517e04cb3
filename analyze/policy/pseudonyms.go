package policy

import (
	"maps"
	"slices"
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

// Matched are pseudonyms of names that a policy matches, sorted: what one process that reads
// logs tells another, which never sees the names.
type Matched struct {
	Monitors []string `json:"monitors,omitempty"`
	Shared   []string `json:"shared,omitempty"`
	Services []string `json:"services,omitempty"`
}

// Matched returns the pseudonyms that were matched since Pseudonymize was called.
func (p *Policy) Matched() (m Matched) {
	if x := p.pseudonyms; x != nil {
		x.mu.Lock()
		defer x.mu.Unlock()
		m.Monitors, m.Shared, m.Services = slices.Sorted(maps.Keys(x.monitors)), slices.Sorted(maps.Keys(x.shared)), slices.Sorted(maps.Keys(x.services))
	}
	return m
}

// Match makes the policy that of pseudonyms, and adds some that it matches.
func (p *Policy) Match(m *Matched) {
	if p.pseudonyms == nil {
		p.pseudonyms = &pseudonyms{monitors: map[string]bool{}, shared: map[string]bool{}, services: map[string]bool{}}
	}
	for _, x := range []struct {
		to   map[string]bool
		from []string
	}{{p.pseudonyms.monitors, m.Monitors}, {p.pseudonyms.shared, m.Shared}, {p.pseudonyms.services, m.Services}} {
		for _, name := range x.from {
			x.to[name] = true
		}
	}
}
