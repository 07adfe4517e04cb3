package timeline

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"

	"logscan/analyze/spill"
	auth "logscan/parse/events"
)

// Recorder turns lines into what may be kept of them in a part. Its functions are called
// by one goroutine.
type Recorder struct {
	// Inputs are the inputs of the workers, ascending, as indexes into those of the run, of
	// which there are All.
	Inputs []int
	All    int
	// Refusal and Message append the record of the line of a 401 to dst, or that of a
	// message, which has a record of its own with these texts. State.Lines and State.MessageRecords then
	// return these.
	Refusal func(dst []byte, input int, line []byte) ([]byte, error)
	Message func(dst []byte, texts *auth.Texts, record, line []byte) ([]byte, error)
	// Rejected replaces the text of a rejected line.
	Rejected func(r *Rejected)
}

// WritePart merges the parts of workers, which must not be used afterwards, and writes
// them to a file. It returns the index, from which OpenPart makes a worker in their place:
// Merge gives the same State as with the workers. What is written depends on the lines
// alone: not on how they were spread over workers or spilled to disk.
//
// The workers have read one contiguous range of each input, and r makes the records of
// their lines. If r is nil, they were opened by OpenPart. Session ids become SessionSums.
func WritePart(workers []*Worker, r *Recorder, file *spill.File, goroutines int) (index []byte, err error) {
	for _, w := range workers {
		if w.err != nil {
			return nil, w.err
		}
	}
	s, err := newState(workers)
	if err != nil {
		return nil, err
	}
	c := &condenser{State: s, recorder: r, file: file, goroutines: max(goroutines, 1)}
	x := &indexWriter{}
	x.uvarint(uint64(c.all()))
	c.names(x)
	if err := c.lines(x); err != nil {
		return nil, err
	}
	if err := c.runs(x); err != nil {
		return nil, err
	}
	if err := c.shards(x); err != nil {
		return nil, err
	}
	return x.b, nil
}

// condenser merges the parts of workers into one.
type condenser struct {
	*State
	recorder   *Recorder
	file       *spill.File
	goroutines int
	blocks     []blockRef // of the part, by input and place
	before     []int64    // by block: lines of the input in those before it
}

// names writes what is counted by name, and by input.
func (c *condenser) names(x *indexWriter) {
	x.flag(c.Schemes)
	x.flag(c.Sessions)
	hosts, hostOf := c.bounded(x, func(w *Worker) *boundedNames { return &w.hosts })
	endpoints, endpointOf, collapsed := mergeEndpoints(c.workers, hosts, hostOf, maxWorkerEndpoints)
	c.endpointOf = endpointOf
	x.endpoints(endpoints, &collapsed, hosts)
	c.mergeMinutes(hosts, hostOf)
	x.minutes(c.Grain, c.Minutes, hosts)
	c.mergeUpstreams()
	c.bounded(x, func(w *Worker) *boundedNames { return &w.upstreams })
	for i := range c.Upstreams {
		x.tally(&c.Upstreams[i].Tally)
	}
	c.bounded(x, func(w *Worker) *boundedNames { return &w.reasons })
	c.sumStatuses()
	for _, n := range c.Statuses {
		x.varint(n)
	}
	x.ledgers(c.Inputs, c.inputOf)
}

// all returns the number of inputs of the run.
func (c *condenser) all() int {
	if c.recorder == nil {
		return c.workers[0].inputs
	}
	return c.recorder.All
}

// inputOf returns an input of the workers as an index into those of the run.
func (c *condenser) inputOf(input int) int {
	if c.recorder == nil {
		return input
	}
	return c.recorder.Inputs[input]
}

// bounded merges and writes one table of names.
func (c *condenser) bounded(x *indexWriter, table func(*Worker) *boundedNames) (list []string, indexOf [][]uint32) {
	list, indexOf, grouped := mergeBounded(c.workers, table)
	overflowed := grouped && len(list) == 1 && list[0] == OtherName ||
		slices.ContainsFunc(c.workers, func(w *Worker) bool { return table(w).overflowed })
	x.flag(grouped)
	x.flag(overflowed)
	x.texts(list)
	return list, indexOf
}

// lines writes the blocks, and what is kept of lines.
func (c *condenser) lines(x *indexWriter) error {
	base := c.lineBases()
	if err := c.mergeBlocks(); err != nil {
		return err
	}
	x.blocks(c.blocks, c.inputOf)
	c.mergeRejected(base)
	x.length(len(c.Rejected))
	for i := range c.Rejected {
		r := &c.Rejected[i]
		if c.recorder != nil {
			c.recorder.Rejected(r)
		}
		block, line := c.locate(r.Input, r.Line)
		x.uvarint(uint64(block))
		x.uvarint(uint64(line - 1))
		x.uvarint(uint64(r.Verdict))
		x.text(string(r.Raw))
	}
	if err := cmp.Or(c.mergeMessages(base), c.mergeRefusals(base)); err != nil {
		return err
	}
	if err := c.refusals(x); err != nil {
		return err
	}
	return c.messages(x)
}

// mergeBlocks sets the blocks of the part: one for each input that lines were read of, or
// those of the parts that are merged, between which others may be missing.
func (c *condenser) mergeBlocks() error {
	for _, w := range c.workers {
		c.blocks = append(c.blocks, w.blocks...)
	}
	c.blocks = slices.DeleteFunc(c.blocks, func(b blockRef) bool { return b.lines == 0 })
	slices.SortFunc(c.blocks, compareBlocks)
	if c.recorder != nil {
		merged := c.blocks[:0]
		for _, b := range c.blocks {
			if n := len(merged); n == 0 || merged[n-1].input != b.input {
				merged = append(merged, b)
			} else if last := &merged[n-1]; last.lines > math.MaxUint32-b.lines {
				return fmt.Errorf("a task reads at most %d lines of an input: make smaller tasks", uint32(math.MaxUint32))
			} else {
				last.lines += b.lines
			}
		}
		c.blocks = merged
	}
	c.before = make([]int64, len(c.blocks))
	for i := 1; i < len(c.blocks); i++ {
		if last := &c.blocks[i-1]; last.input == c.blocks[i].input {
			c.before[i] = c.before[i-1] + int64(last.lines)
		}
	}
	return nil
}

// locate returns the block of a line, which is 1-based, and its 1-based number there. Lines
// are numbered as if nothing were missing between the blocks.
func (c *condenser) locate(input int, line int64) (block int, in int64) {
	block = sort.Search(len(c.blocks), func(i int) bool {
		b := &c.blocks[i]
		return int(b.input) > input || int(b.input) == input && c.before[i]+int64(b.lines) >= line
	})
	return block, line - c.before[block]
}

// refusals writes the facts and the records of the 401s in their order.
func (c *condenser) refusals(x *indexWriter) error {
	line := c.Lines(nil)
	log := recordLog{file: c.file}
	var facts, record []byte
	var places []spill.Place
	flush := func() error {
		place, err := c.file.Append(facts)
		places, facts = append(places, place), facts[:0]
		return err
	}
	n := c.Refusals.Len()
	for _, r := range c.Refusals.All() {
		kept, err := line(r)
		if err != nil {
			return err
		}
		if c.recorder != nil {
			if record, err = c.recorder.Refusal(record[:0], int(r.Input), kept); err != nil {
				return err
			}
			kept = record
		}
		if err := log.add(kept); err != nil {
			return err
		}
		block, in := c.locate(int(r.Input), r.Line)
		fact := refusal{
			time: r.Time, block: uint32(block), line: uint32(in - 1), reason: r.Reason,
			credentials: r.Credentials, answeredBy: r.AnsweredBy, redirect: r.redirect,
		}
		if facts = fact.append(facts); len(facts) == encodedFact*factPages*refusalPage {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := c.Refusals.Err(); err != nil {
		return err
	}
	if len(facts) > 0 {
		if err := flush(); err != nil {
			return err
		}
	}
	if err := log.flush(); err != nil {
		return err
	}
	x.length(n)
	x.places(places)
	x.batches(log.batches)
	return nil
}

// messages writes the events in their order.
func (c *condenser) messages(x *indexWriter) error {
	read, line := c.MessageRecords(), c.MessageLines()
	log := recordLog{file: c.file}
	x.uvarint(uint64(c.MessagesDropped))
	x.length(c.Messages.Len())
	var record []byte
	for _, m := range c.Messages.All() {
		kept, err := read(m)
		if err != nil {
			return err
		}
		if c.recorder != nil {
			text, err := line(m)
			if err != nil {
				return err
			}
			if record, err = c.recorder.Message(record[:0], c.MessageTexts(m), kept, text); err != nil {
				return err
			}
			kept = record
		}
		if err := log.add(kept); err != nil {
			return err
		}
		block, in := c.locate(int(m.Input), m.Line)
		x.uvarint(uint64(block))
		x.uvarint(uint64(in - 1))
	}
	if err := cmp.Or(c.Messages.Err(), log.flush()); err != nil {
		return err
	}
	x.batches(log.batches)
	return nil
}

// recordLog writes records in batches, as lineLog keeps lines.
type recordLog struct {
	file    *spill.File
	batches []batch
	n       uint32
	open    []byte
}

func (l *recordLog) add(record []byte) error {
	if len(l.open)+len(record) > lineBatch && len(l.open) > 0 {
		if err := l.flush(); err != nil {
			return err
		}
	}
	if len(l.open) == 0 {
		l.batches = append(l.batches, batch{first: l.n})
	}
	l.open = appendBytes(l.open, record)
	l.n++
	return nil
}

func (l *recordLog) flush() (err error) {
	if len(l.open) > 0 {
		l.batches[len(l.batches)-1].place, err = l.file.Append(l.open)
		l.open = l.open[:0]
	}
	return err
}

// runs writes the users, clients and sign-ins.
func (c *condenser) runs(x *indexWriter) error {
	users := merged(userCodec.Compare, func(sum, u *NamedTally) { sum.Tally.Merge(&u.Tally) },
		sources(c.State, userCodec, func(d *spilled) *spill.Run { return d.users }, func(p *part) spill.Source[NamedTally] { return p.users.sorted() }))
	clients := merged(clientCodec.Compare, func(sum, t *clientTotal) { sum.requests, sum.refused = sum.requests+t.requests, sum.refused+t.refused },
		sources(c.State, clientCodec, func(d *spilled) *spill.Run { return d.clients }, func(p *part) spill.Source[clientTotal] { return p.clients.sorted() }))
	signIns := sources(c.State, signInCodec, func(d *spilled) *spill.Run { return d.signIns }, func(p *part) spill.Source[SignIn] { return spill.FromSlice(p.signIns) })
	for _, write := range []func() (*spill.Run, error){
		func() (*spill.Run, error) { return spill.WriteRun(c.file, userCodec, users) },
		func() (*spill.Run, error) { return spill.WriteRun(c.file, clientCodec, clients) },
		func() (*spill.Run, error) { return spill.WriteRun(c.file, signInCodec, signIns...) },
	} {
		run, err := write()
		if err != nil {
			return err
		}
		x.places(run.Places())
	}
	return nil
}

// merged returns a source of the records of sorted sources in which those that are equal
// are one.
func merged[T any](compare func(a, b *T) int, add func(sum, x *T), sources []spill.Source[T]) spill.Source[T] {
	next, stop := pull(spill.Merge(sources, compare))
	var sum, ahead T
	x, err := next()
	some := x != nil
	if some {
		ahead = *x
	}
	return func() (*T, error) {
		if err != nil || !some {
			stop()
			return nil, err
		}
		sum, some = ahead, false
		for {
			if x, err = next(); err != nil {
				stop()
				return nil, err
			}
			if x == nil {
				return &sum, nil
			}
			if compare(&sum, x) != 0 {
				ahead, some = *x, true
				return &sum, nil
			}
			add(&sum, x)
		}
	}
}

// shards writes the timelines.
func (c *condenser) shards(x *indexWriter) error {
	b := &bundler{file: c.file}
	if err := c.eachRearranged(c.parts, c.goroutines, b.add); err != nil {
		return err
	}
	err := b.flush()
	x.segments(b)
	return err
}
