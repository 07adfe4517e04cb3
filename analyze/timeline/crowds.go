package timeline

import (
	"bytes"
)

// Who sends a request chooses its Host header, and a log that has gone through
// many hands may hold any upstream. Both are few where nobody plays with them,
// and where they are not, what is told of them depends on all that the log names
// and on nothing else: not on which of them a worker met first.

const (
	// maxHosts is how many virtual hosts are told apart. Where a log names more,
	// those of one domain are told together, {name}.example.com; where there are
	// too many domains as well, all hosts are.
	maxHosts = 1 << 10
	// maxUpstreams is how many upstreams are told apart; where a log names more,
	// all of them are told together. Events have 16 bits for them.
	maxUpstreams = 1 << 12
)

// crowd numbers names of which there may be too many. It is bounded.
type crowd struct {
	dict
	most int
	own  int // names told apart
	// group gives the name, appended to dst, under which a name is told with its
	// like; nil where there are no groups.
	group   func(dst, name []byte) []byte
	groups  int
	crowded bool // there are too many names
	flooded bool // and too many groups
}

func newHosts(seed uint64) crowd {
	return crowd{dict: newDict(seed), most: maxHosts, group: appendDomain}
}

func newUpstreams(seed uint64) crowd { return crowd{dict: newDict(seed), most: maxUpstreams} }

// number gives the number of a name, or of what stands for it.
func (c *crowd) number(name []byte) uint32 {
	if n, ok := c.find(name); ok {
		return n
	}
	if c.own < c.most {
		c.own++
		return c.dict.number(name)
	}
	c.crowded = true
	if c.group != nil {
		var scratch [256]byte
		group := c.group(scratch[:0], name)
		if n, ok := c.find(group); ok {
			return n
		}
		if c.groups < c.most {
			c.groups++
			return c.dict.number(group)
		}
	}
	c.flooded = true
	return c.dict.number([]byte(OtherName))
}

// merged gives all names of the workers that are told, sorted, for each of the
// workers the index by number, and whether some are told together.
func merged(crowds []*crowd) (list []string, of [][]uint32, folded bool) {
	var dicts []*dict
	crowded, flooded := false, false
	for _, c := range crowds {
		dicts = append(dicts, &c.dict)
		crowded, flooded = crowded || c.crowded, flooded || c.flooded
	}
	names, of := unify(dicts)
	most, group := crowds[0].most, crowds[0].group
	if !crowded && len(names) <= most {
		return names, of, false
	}
	told := make([][]byte, len(names))
	for i, name := range names {
		if told[i] = []byte(OtherName); group != nil && !flooded {
			told[i] = group(nil, []byte(name))
		}
	}
	list, place := ranked(told, func(name *[]byte) []byte { return *name })
	if len(list) > most {
		list = []string{OtherName}
		clear(place)
	}
	for _, numbers := range of {
		for n, i := range numbers {
			numbers[n] = place[i]
		}
	}
	return list, of, true
}

// appendDomain appends what a virtual host has in common with its like: its name
// without the first label, or that it is an address. It leaves what it gave as
// it is.
func appendDomain(dst, host []byte) []byte {
	dot := bytes.IndexByte(host, '.')
	last := host[bytes.LastIndexByte(host, '.')+1:]
	switch {
	case len(host) == 0 || host[0] == '{' && dot < 0:
		return append(dst, host...)
	case bytes.IndexByte(host, ':') >= 0 || len(last) > 0 && last[0] >= '0' && last[0] <= '9':
		return append(dst, "{address}"...)
	case dot < 0:
		return append(dst, folderName...)
	}
	return append(append(dst, folderName...), host[dot:]...)
}
