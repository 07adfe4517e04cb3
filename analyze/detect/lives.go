package detect

import (
	"cmp"
	"iter"
	"slices"

	"logscan/analyze/session"
	"logscan/analyze/spill"
	"logscan/analyze/timeline"
)

// Timeouts are compared with the sessions of one host after the other. In a log of many hosts they
// are sorted by host for that, so that each is read for its own host only.

// life is a session, as far as a timeout concerns it.
type life struct {
	Order                 int64 // among all sessions
	Start, Last, End, Gap int64 // see session.Record
	Client                timeline.Client
	Site                  uint32
	Door                  uint8
	StartSeen             bool
}

const (
	// lifeSize is the size of a life in memory, in bytes.
	lifeSize = 64
	// fewSites is the number of hosts up to which all sessions are read for each.
	fewSites = 8
)

func lifeOfRecord(order int64, s *session.Record) life {
	return life{order, s.Start, s.LastAccepted, s.End, s.LongestGap, s.Client, s.Site, s.Door, s.StartSeen}
}

var lifeCodec = spill.FixedCodec(func(a, b *life) int { return cmp.Or(cmp.Compare(a.Site, b.Site), cmp.Compare(a.Order, b.Order)) })

// lives are the sessions of hosts whose lifetimes are kept, by host and start.
type lives struct {
	table *spill.Table[life]
	ends  []int // by site: those of its sessions in table
	err   error // of making it
}

// sessionsOf yields the sessions of hosts by start. A life is valid until the next one.
func (d *Diagnosis) sessionsOf(hosts []string) iter.Seq2[*life, error] {
	if len(d.Sites) > fewSites {
		d.livesOnce.Do(func() { d.lives = d.newLives(d.Memory()) })
		return d.lives.of(d.Sites, hosts)
	}
	return func(yield func(*life, error) bool) {
		order := int64(0)
		for s, err := range d.EachSession() {
			if err != nil {
				yield(nil, err)
				return
			}
			order++
			if !slices.Contains(hosts, d.Sites[s.Site]) {
				continue
			}
			if x := lifeOfRecord(order, s); !yield(&x, nil) {
				return
			}
		}
	}
}

// newLives returns the sessions of all hosts whose lifetimes are kept, on disk if m limits them.
func (d *Diagnosis) newLives(m spill.Memory) *lives {
	sorter := &spill.Sorter[life]{Codec: lifeCodec, Space: m.Space, Limit: m.Records(1, lifeSize)}
	x := &lives{ends: make([]int, len(d.Sites))}
	n := 0
	for s, err := range d.EachSession() {
		if err != nil {
			x.err = err
			return x
		}
		if d.Lifetimes[d.Sites[s.Site]] == nil {
			continue
		}
		n++
		x.ends[s.Site]++
		if x.err = sorter.Add(lifeOfRecord(int64(n), s)); x.err != nil {
			return x
		}
	}
	for i := range x.ends[1:] {
		x.ends[i+1] += x.ends[i]
	}
	sorter.Sort()
	x.table, x.err = tableOf(sorter, n, m)
	return x
}

// tableOf returns the n records of a sorter as a table, on disk if memory is limited.
func tableOf(sorter *spill.Sorter[life], n int, m spill.Memory) (*spill.Table[life], error) {
	if m.Space == nil {
		list := make([]life, 0, n)
		for x, err := range spill.Sorted(sorter) {
			if err != nil {
				return nil, err
			}
			list = append(list, *x)
		}
		return spill.TableOf(list), nil
	}
	file, err := m.Space.Create()
	if err != nil {
		return nil, err
	}
	table, err := sorter.Table(file, 0)
	return table, cmp.Or(err, sorter.Drop())
}

// failed returns the first error of making or reading them; nil receivers have none.
func (x *lives) failed() error {
	if x == nil {
		return nil
	}
	return cmp.Or(x.err, x.table.Err())
}

// of yields the sessions of hosts, which are some of the sites.
func (x *lives) of(sites, hosts []string) iter.Seq2[*life, error] {
	return func(yield func(*life, error) bool) {
		if x.err != nil {
			yield(nil, x.err)
			return
		}
		var sources []spill.Source[life]
		for _, host := range hosts {
			if site, ok := slices.BinarySearch(sites, host); ok {
				sources = append(sources, x.source(site))
			}
		}
		for s, err := range spill.Merge(sources, func(a, b *life) int { return cmp.Compare(a.Order, b.Order) }) {
			if !yield(s, err) || err != nil {
				return
			}
		}
		if err := x.failed(); err != nil {
			yield(nil, err)
		}
	}
}

// source returns the sessions of a site one after the other.
func (x *lives) source(site int) spill.Source[life] {
	read, i := x.table.Reader(), 0
	if site > 0 {
		i = x.ends[site-1]
	}
	return func() (*life, error) {
		if i == x.ends[site] {
			return nil, nil
		}
		i++
		return read(i - 1), nil
	}
}
