package timeline

import "strings"

// The senders of requests choose the Host header, and a log collected from many
// servers may name any number of upstreams. When there are too many, names are
// grouped. The groups depend on the set of all names in the log, not on which of
// them a worker reads first.

const (
	// maxHosts is the maximum number of virtual hosts. If a log names more, those
	// of one domain are grouped as {name}.example.com; if there are too many
	// domains as well, all hosts are one group.
	maxHosts = 1 << 10
	// maxUpstreams is the maximum number of upstreams. If a log names more, all of
	// them are one group. Events have 16 bits for the upstream.
	maxUpstreams = 1 << 12
)

// boundedNames numbers names, of which a log may contain too many.
type boundedNames struct {
	dict
	limit int
	own   int // names that are not grouped
	// group returns the group of a name; nil if there are no groups.
	group      func(name string) string
	groups     int
	grouped    bool // there are too many names
	overflowed bool // and too many groups
}

func newHosts() boundedNames { return boundedNames{dict: newDict(), limit: maxHosts, group: domain} }

func newUpstreams() boundedNames { return boundedNames{dict: newDict(), limit: maxUpstreams} }

// number returns the number of a name or of its group.
func (b *boundedNames) number(name []byte) uint32 {
	if n, ok := b.numbers[string(name)]; ok {
		return n
	}
	if b.own < b.limit {
		b.own++
		return b.dict.number(name)
	}
	b.grouped = true
	if b.group != nil {
		group := b.group(string(name))
		if n, ok := b.numbers[group]; ok {
			return n
		}
		if b.groups < b.limit {
			b.groups++
			return b.dict.number([]byte(group))
		}
	}
	b.overflowed = true
	return b.dict.number([]byte(OtherName))
}

// mergeBounded merges one table of every worker. It returns the names or groups,
// sorted; for each worker their indexes by number; and whether names are grouped.
func mergeBounded(workers []*Worker, table func(*Worker) *boundedNames) (list []string, indexOf [][]uint32, grouped bool) {
	var names []string
	overflowed := false
	for _, w := range workers {
		t := table(w)
		names = append(names, t.names...)
		grouped, overflowed = grouped || t.grouped, overflowed || t.overflowed
	}
	list, index := rankDistinct(names, func(name *string) string { return *name })
	limit, group := table(workers[0]).limit, table(workers[0]).group
	if grouped || len(list) > limit {
		grouped = true
		list, index = rankDistinct(names, func(name *string) string {
			if group == nil || overflowed {
				return OtherName
			}
			return group(*name)
		})
		if len(list) > limit {
			list = []string{OtherName}
			clear(index)
		}
	}
	for _, w := range workers {
		n := len(table(w).names)
		indexOf = append(indexOf, index[:n:n])
		index = index[n:]
	}
	return list, indexOf, grouped
}

// domain returns the group of a virtual host: {name} and what follows the first
// label, or {address}. The group of a group is the group itself.
func domain(host string) string {
	dot := strings.IndexByte(host, '.')
	last := host[strings.LastIndexByte(host, '.')+1:]
	switch {
	case host == "" || host[0] == '{' && dot < 0:
		return host
	case strings.Contains(host, ":") || last != "" && last[0] >= '0' && last[0] <= '9':
		return "{address}"
	case dot < 0:
		return namePlaceholder
	}
	return namePlaceholder + host[dot:]
}
