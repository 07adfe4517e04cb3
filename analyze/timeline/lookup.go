package timeline

import (
	"encoding/binary"
	"slices"
)

// naming is how the hosts and paths of requests become endpoints of a State.
type naming struct {
	hosts    []string // sorted; names or groups
	collapse collapse
}

// Template returns the template of the endpoint of any request of the log, as
// State.Endpoints has it. It may be called concurrently.
func (s *State) Template(host, meth, path []byte, status int32) string {
	if uint32(status) < Statuses && s.workers[0].outcomes[status] == NotFound {
		return string(notFound)
	}
	key := binary.LittleEndian.AppendUint32(make([]byte, 0, 64), s.naming.host(string(host)))
	key = append(append(key, method(meth)...), 0)
	return s.naming.collapse.template(string(key), string(appendTemplate(nil, path)))
}

// host returns the index of a host, or of the group that it belongs to.
func (n *naming) host(name string) uint32 {
	for _, candidate := range []string{name, domain(name), OtherName} {
		if i, ok := slices.BinarySearch(n.hosts, candidate); ok {
			return uint32(i)
		}
	}
	return 0
}
