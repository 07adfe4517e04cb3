package detect

import (
	"sync"

	"logscan/parse/privacy"
)

// known remembers which pseudonyms stand for whom a policy knows.
type known struct {
	mu                         sync.Mutex
	monitors, shared, services map[string]bool
}

// disguise prepares the policy for findings that tell pseudonyms. What it knows
// of names is found out where pseudonyms are made of them: nothing else meets a
// name.
func (p *Policy) Disguise(o *privacy.Options) {
	k := &known{monitors: map[string]bool{}, shared: map[string]bool{}, services: map[string]bool{}}
	named := *p
	o.Seen = func(kind privacy.Kind, name, told []byte) {
		s := string(name)
		service := kind == privacy.User && named.service(s)
		shared := kind == privacy.Address && named.shared(s)
		monitor := kind == privacy.Address && named.monitors(s)
		if !service && !shared && !monitor {
			return
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		if service {
			k.services[string(told)] = true
		}
		if shared {
			k.shared[string(told)] = true
		}
		if monitor {
			k.monitors[string(told)] = true
		}
	}
	p.known = k
}
