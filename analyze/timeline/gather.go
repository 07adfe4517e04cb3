package timeline

// Gather puts the timelines that several parts of tasks hold side by side, so that the
// visits that follow need not decrypt, decode and merge those of all parts each time. It
// takes about as long as one visit. No shard may be visited before. Shards with more events
// than are sorted in memory stay as they are.
func (s *State) Gather(goroutines int) error {
	var sealed, other []origin
	for _, o := range s.parts {
		if s.workers[o.worker].sealed {
			sealed = append(sealed, o)
		} else {
			other = append(other, o)
		}
	}
	const origins = 2 // of one part: what it holds, and what its worker has in memory, nothing
	if len(sealed) <= origins {
		return nil
	}
	first := s.workers[0]
	w := newWorker(s.seed, first.inputs)
	w.sealed = true
	w.Limit(first.limit, first.space)
	worker := len(s.workers)
	s.workers = append(s.workers, w)
	s.numberAsState()
	g := &gathered{disk: &spilled{}}
	for i := range g.origins {
		g.origins[i] = s.parts
	}
	memory := append(other[:len(other):len(other)], origin{worker: worker, part: &w.part})
	disk := append(other[:len(other):len(other)], origin{worker: worker, disk: g.disk})
	held := int64(0)
	wanted := func(events uint64) bool { return events <= sortedEvents }
	err := s.eachRearranged(sealed, goroutines, wanted, func(i int, built *shard) error {
		if size := built.size(); w.limit == 0 || held+size <= w.limit*int64(goroutines) {
			w.part.shards[i], g.origins[i], held = *built, memory, held+size
			return nil
		}
		file, err := w.spillFile()
		if err != nil {
			return err
		}
		g.origins[i] = disk
		return g.disk.shards[i].write(file, built)
	})
	s.gathered = g
	return err
}

// gathered says where the timelines of each shard are.
type gathered struct {
	origins [Shards][]origin
	disk    *spilled
}

// originsOf returns the parts of a shard.
func (s *State) originsOf(shard int) []origin {
	if s.gathered == nil {
		return s.parts
	}
	return s.gathered.origins[shard]
}

// numberAsState adds a worker to the tables of numbers, whose numbers are those of the
// State.
func (s *State) numberAsState() {
	same := func(n int) []uint32 {
		numbers := make([]uint32, n)
		for i := range numbers {
			numbers[i] = uint32(i)
		}
		return numbers
	}
	s.endpointOf = append(s.endpointOf, same(len(s.Endpoints)))
	s.upstreamOf = append(s.upstreamOf, same(len(s.Upstreams)))
	s.refusalOf = append(s.refusalOf, same(s.Refusals.Len()))
}
