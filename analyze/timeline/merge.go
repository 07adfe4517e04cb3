package timeline

import (
	"cmp"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"logscan/analyze/spill"
	"logscan/parse"
)

// Merge builds the state from the parts of all workers, which must not be used
// afterwards. It fails only if spilled data cannot be read, or more not written.
func Merge(workers []*Worker) (*State, error) { return merge(workers, MaxNames) }

// merge is Merge with another limit than MaxNames.
func merge(workers []*Worker, maxNames int) (*State, error) {
	s, err := newState(workers)
	if err != nil {
		return nil, err
	}
	err = s.concurrently(
		func() error { return s.mergeClients(maxNames) },
		func() error {
			s.sumStatuses()
			lineBase := s.lineBases()
			s.mergeRejected(lineBase)
			return cmp.Or(s.mergeMessages(lineBase), s.mergeRefusals(lineBase))
		},
		func() error { return s.mergeUsers(maxNames) },
		s.mergeSignIns,
		func() error {
			hosts, hostOf, folded := mergeBounded(workers, func(w *Worker) *boundedNames { return &w.hosts })
			s.HostsFolded = folded
			s.naming.hosts = hosts
			s.Endpoints, s.endpointOf, s.naming.collapse = mergeEndpoints(workers, hosts, hostOf, maxEndpoints)
			s.EndpointsFolded = s.naming.collapse.detail > wholePath
			s.mergeMinutes(hosts, hostOf)
			return nil
		},
		func() error {
			s.mergeUpstreams()
			return nil
		},
	)
	if err != nil {
		return nil, err
	}
	if err := s.resolveRedirects(); err != nil {
		return nil, err
	}
	if s.recalled >= 0 {
		s.addKnown()
	}
	for _, w := range workers { // free what has been merged
		w.part.users, w.part.clients, w.part.signIns = userTable{}, clientTable{}, nil
	}
	return s, nil
}

// newState ends the parts of the workers, and returns a state with all their parts and their
// ledgers.
func newState(workers []*Worker) (*State, error) {
	s := &State{workers: workers, seed: workers[0].seed, recalled: -1, long: &longActors{}, limit: newVisitLimits(workers[0]), Servers: workers[0].servers, ServerOf: workers[0].serverOf}
	s.Inputs = slices.Repeat([]Ledger{emptyLedger}, workers[0].inputs)
	var ending []func() error
	for _, w := range workers {
		for i := range w.ledgers {
			s.Inputs[i].merge(&w.ledgers[i])
		}
		for _, l := range w.sealedLedgers {
			s.Inputs[l.input].merge(&l.Ledger)
		}
		ending = append(ending, func() error { return w.end(len(workers)) })
	}
	if !s.severalServers() {
		s.Servers, s.ServerOf, s.oneServer = nil, nil, true
	}
	if err := s.concurrently(ending...); err != nil {
		return nil, err
	}
	for i, w := range workers {
		s.Schemes = s.Schemes || w.schemes
		s.Sessions = s.Sessions || w.sessions
		for _, d := range w.spilled {
			s.parts = append(s.parts, origin{worker: i, disk: d})
		}
		s.parts = append(s.parts, origin{worker: i, part: &w.part})
		if w.recalled != nil {
			s.recalled = i
		}
	}
	return s, nil
}

// severalServers reports whether the logs of several servers hold requests: an error
// log beside an access log is no other server.
func (s *State) severalServers() bool {
	first := uint8(0)
	for i, server := range s.ServerOf {
		switch {
		case s.Inputs[i].Verdicts[parse.Parsed] == 0:
		case first == 0:
			first = server
		case server != first:
			return true
		}
	}
	return false
}

// concurrently runs independent tasks on as many goroutines as there are workers.
func (s *State) concurrently(tasks ...func() error) error {
	var g errgroup.Group
	g.SetLimit(len(s.workers))
	for _, task := range tasks {
		g.Go(task)
	}
	return g.Wait()
}

// sources returns one kind of sorted record of every part, on disk or in memory.
func sources[T any](s *State, c spill.Codec[T], disk func(*spilled) *spill.Run, memory func(*part) spill.Source[T]) []spill.Source[T] {
	all := make([]spill.Source[T], len(s.parts))
	var g sync.WaitGroup
	for i, p := range s.parts {
		if p.disk != nil {
			all[i] = spill.FromRun(disk(p.disk), c)
		} else {
			g.Go(func() { all[i] = memory(p.part) })
		}
	}
	g.Wait()
	return all
}

// mergeSignIns builds the index of sign-ins, on disk if any worker has spilled.
func (s *State) mergeSignIns() (err error) {
	var file *spill.File
	for _, w := range s.workers {
		switch {
		case !w.sealed:
			file = cmp.Or(file, w.file)
		case file == nil && w.space != nil: // parts are only read
			if file, err = w.space.Create(); err != nil {
				return err
			}
		}
	}
	signIns := sources(s, signInCodec, func(d *spilled) *spill.Run { return d.signIns }, func(p *part) spill.Source[SignIn] { return spill.FromSlice(p.signIns) })
	s.signIns, err = newSignInIndex(signIns, file)
	return err
}

func (s *State) mergeUpstreams() {
	var names []string
	names, s.upstreamOf, s.UpstreamsFolded = mergeBounded(s.workers, func(w *Worker) *boundedNames { return &w.upstreams })
	s.Upstreams = make([]NamedTally, len(names))
	for i, n := range names {
		s.Upstreams[i] = NamedTally{Name: n, Tally: newTally()}
	}
	for i, w := range s.workers {
		for n := range w.upstreamTally {
			s.Upstreams[s.upstreamOf[i][n]].Tally.Merge(&w.upstreamTally[n])
		}
	}
}
