package timeline

import (
	"bytes"
)

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
	// group appends the group of a name to dst; nil if there are no groups.
	group      func(dst, name []byte) []byte
	groups     int
	grouped    bool // there are too many names
	overflowed bool // and too many groups
}

func newHosts(seed uint64) boundedNames {
	return boundedNames{dict: newDict(seed), limit: maxHosts, group: appendDomain}
}

func newUpstreams(seed uint64) boundedNames {
	return boundedNames{dict: newDict(seed), limit: maxUpstreams}
}

// number returns the number of a name or of its group.
func (b *boundedNames) number(name []byte) uint32 {
	if n, ok := b.find(name); ok {
		return n
	}
	if b.own < b.limit {
		b.own++
		return b.dict.number(name)
	}
	b.grouped = true
	if b.group != nil {
		var scratch [256]byte
		group := b.group(scratch[:0], name)
		if n, ok := b.find(group); ok {
			return n
		}
		if b.groups < b.limit {
			b.groups++
			return b.dict.number(group)
		}
	}
	b.overflowed = true
	return b.dict.number([]byte(OtherName))
}

// mergeBounded merges one table of every worker. It returns the names or groups,
// sorted; for each worker their indexes by number; and whether names are grouped.
func (s *State) mergeBounded(table func(*Worker) *boundedNames) (list []string, indexOf [][]uint32, grouped bool) {
	var tables []*boundedNames
	for _, w := range s.workers {
		tables = append(tables, table(w))
	}
	return mergeBounded(tables)
}

func mergeBounded(tables []*boundedNames) (list []string, indexOf [][]uint32, grouped bool) {
	var dicts []*dict
	overflowed := false
	for _, t := range tables {
		dicts = append(dicts, &t.dict)
		grouped, overflowed = grouped || t.grouped, overflowed || t.overflowed
	}
	names, indexOf := mergeDicts(dicts)
	limit, group := tables[0].limit, tables[0].group
	if !grouped && len(names) <= limit {
		return names, indexOf, false
	}
	groups := make([][]byte, len(names))
	for i, name := range names {
		if groups[i] = []byte(OtherName); group != nil && !overflowed {
			groups[i] = group(nil, []byte(name))
		}
	}
	list, groupOf := rankDistinct(groups, func(name *[]byte) []byte { return *name })
	if len(list) > limit {
		list = []string{OtherName}
		clear(groupOf)
	}
	for _, index := range indexOf {
		for n, i := range index {
			index[n] = groupOf[i]
		}
	}
	return list, indexOf, true
}

// appendDomain appends the group of a virtual host: {name} and what follows the
// first label, or {address}. The group of a group is the group itself.
func appendDomain(dst, host []byte) []byte {
	dot := bytes.IndexByte(host, '.')
	last := host[bytes.LastIndexByte(host, '.')+1:]
	switch {
	case len(host) == 0 || host[0] == '{' && dot < 0:
		return append(dst, host...)
	case bytes.IndexByte(host, ':') >= 0 || len(last) > 0 && last[0] >= '0' && last[0] <= '9':
		return append(dst, "{address}"...)
	case dot < 0:
		return append(dst, namePlaceholder...)
	}
	return append(append(dst, namePlaceholder...), host[dot:]...)
}
