package authevents

import (
	"sync"

	"logscan/parse/field"
)

// name is a text that events repeat, and what it means: as a reason, and as the name of a
// log.
type name struct {
	text   string
	number uint32
	class  field.ReasonClass
}

// names numbers texts. It is safe for concurrent use. The numbers depend on the order of the
// calls: they only distinguish the texts.
type names struct {
	mu    sync.Mutex
	known map[string]*name
	all   []*name // by number
}

func (n *names) of(text string) *name {
	n.mu.Lock()
	defer n.mu.Unlock()
	x := n.known[text]
	if x == nil {
		x = &name{text, uint32(len(n.all)), field.ClassOf(text)}
		n.known[text] = x
		n.all = append(n.all, x)
	}
	return x
}

// recentNames is a cache of names for one goroutine.
type recentNames struct {
	names *names
	slots [recentSlots]*name
}

// recentSlots is how many texts are remembered of those that come again and again: a log has
// a few. It is a power of two.
const recentSlots = 64

// recentSlot returns the slot of a text.
func recentSlot[T string | []byte](b T) int {
	n := len(b)
	if n == 0 {
		return 0
	}
	return (n + 5*int(b[0]) + 17*int(b[n/2]) + 31*int(b[n-1])) % recentSlots
}

func (r *recentNames) of(text string) *name {
	slot := &r.slots[recentSlot(text)]
	if *slot == nil || (*slot).text != text {
		*slot = r.names.of(text)
	}
	return *slot
}
