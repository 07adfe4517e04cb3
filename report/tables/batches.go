package tables

import (
	"context"
	"iter"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"logscan/analyze/result"
)

// batch holds rows, column by column.
type batch struct {
	columns []columnBuffer
	rows    int
	bytes   int // of texts
}

// full reports whether a batch must be written before more rows are added.
func (b *batch) full() bool { return b.rows >= batchRows || b.bytes >= batchBytes }

// columnBuffer holds the values of one column: those that are not null and, if the
// column is nullable, a level for each row. Of a column of lists, levels and repeats
// have an element for each value, and one for a list without values.
type columnBuffer struct {
	levels   []int16 // 1 for a value, 0 for a null or an empty list
	repeats  []int16 // 1 for a value that follows another one of the same list
	integers []int64
	reals    []float64
	booleans []bool
	texts    []string // those that follow one another and are the same once
	times    []int    // how many they are; nil in a column of lists, whose texts are not counted
}

// batches is a queue of batches between the goroutines that make rows and the one
// that writes them. Batches may be made in parallel; they are written in order.
type batches[R any] struct {
	columns []column[R]
	queue   chan chan *batch // in the order of the rows; each channel receives batches until it is closed
	free    chan *batch      // written batches, for reuse
}

func newBatches[R any](columns []column[R]) *batches[R] {
	// One batch is being written, one waits, and each maker has one.
	n := 1 + runtime.GOMAXPROCS(0)
	return &batches[R]{columns: columns, queue: make(chan chan *batch, 1), free: make(chan *batch, n)}
}

// begin returns an empty batch.
func (q *batches[R]) begin() *batch {
	select {
	case b := <-q.free:
		b.rows, b.bytes = 0, 0
		for i := range b.columns {
			c := &b.columns[i]
			c.levels, c.repeats, c.integers, c.reals, c.booleans = c.levels[:0], c.repeats[:0], c.integers[:0], c.reals[:0], c.booleans[:0]
			clear(c.texts)
			c.texts, c.times = c.texts[:0], c.times[:0]
		}
		return b
	default:
		return &batch{columns: make([]columnBuffer, len(q.columns))}
	}
}

// end closes the queue.
func (q *batches[R]) end() { close(q.queue) }

// enqueue reserves the next position in the queue and returns the channel to send its
// batches to.
func (q *batches[R]) enqueue(ctx context.Context) (chan<- *batch, error) {
	place := make(chan *batch, 1)
	select {
	case q.queue <- place:
		return place, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// each calls take with each batch, in order.
func (q *batches[R]) each(ctx context.Context, take func(*batch) error) error {
	for place := range q.queue {
		for more := true; more; {
			var b *batch
			select {
			case b, more = <-place:
			case <-ctx.Done():
				return ctx.Err()
			}
			if !more {
				break
			}
			if err := take(b); err != nil {
				return err
			}
			select {
			case q.free <- b:
			default:
			}
		}
	}
	return nil
}

// put sends a batch to its place in the queue.
func put(ctx context.Context, place chan<- *batch, b *batch) error {
	select {
	case place <- b:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// makeAll makes batches of rows that come one after the other.
func (q *batches[R]) makeAll(ctx context.Context, rows iter.Seq2[*R, error]) error {
	place, err := q.enqueue(ctx)
	if err != nil {
		return err
	}
	defer close(place)
	return q.fill(ctx, place, rows)
}

// fill makes batches of rows and sends them to their place in the queue.
func (q *batches[R]) fill(ctx context.Context, place chan<- *batch, rows iter.Seq2[*R, error]) error {
	b := q.begin()
	step := make([]R, 0, stepRows)
	for row, err := range rows {
		if err != nil {
			return err
		}
		if step = append(step, *row); len(step) < stepRows {
			continue
		}
		add(b, q.columns, step)
		if step = step[:0]; b.full() {
			if err := put(ctx, place, b); err != nil {
				return err
			}
			b = q.begin()
		}
	}
	add(b, q.columns, step)
	if b.rows == 0 {
		return nil
	}
	return put(ctx, place, b)
}

// makePieces makes batches of rows in parallel, one per CPU at a time. It calls
// advanced, which may be nil, with the share of rows made so far.
func (q *batches[R]) makePieces(ctx context.Context, rows *result.Pieces[R], advanced func(share float64)) error {
	g, inGroup := errgroup.WithContext(ctx)
	makers := runtime.GOMAXPROCS(0)
	g.SetLimit(makers)
	readers := make(chan func(from, to int) iter.Seq2[*R, error], makers) // idle
	for from := 0; from < rows.Len; from += batchRows {
		place, err := q.enqueue(inGroup)
		if err != nil {
			break // the group or ctx holds the reason
		}
		if advanced != nil {
			advanced(float64(from) / float64(rows.Len))
		}
		g.Go(func() error {
			var read func(from, to int) iter.Seq2[*R, error]
			select {
			case read = <-readers:
			default:
				read = rows.Reader()
			}
			defer close(place)
			if err := q.fill(inGroup, place, read(from, min(from+batchRows, rows.Len))); err != nil {
				return err
			}
			readers <- read
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// room returns list with capacity for n more values. A column has few values or as
// many as a batch has rows: growing step by step would touch twice the memory.
func room[T any](list []T, n int) []T {
	const few = 64
	switch {
	case len(list)+n <= cap(list):
		return list
	case len(list)+n <= few:
		return slices.Grow(list, few-len(list))
	default:
		return slices.Grow(list, max(batchRows-len(list), n))
	}
}

// add adds rows to a batch, column by column.
func add[R any](b *batch, columns []column[R], rows []R) {
	for i := range columns {
		c, values := &columns[i], &b.columns[i]
		if c.Nullable {
			values.levels = room(values.levels, len(rows))
		}
		switch c.Type {
		case Text, JSON:
			b.bytes += addTexts(values, c, rows)
		case Integer, Time:
			values.integers = addNumbers(values, values.integers, c.Nullable, rows, c.integer)
		case Real:
			values.reals = addNumbers(values, values.reals, c.Nullable, rows, c.real)
		case Boolean:
			values.booleans = room(values.booleans, len(rows))
			for i := range rows {
				values.booleans = append(values.booleans, c.boolean(&rows[i]))
			}
		case List:
			for i := range rows {
				b.bytes += values.addList(c.list(&rows[i]))
			}
		}
	}
	b.rows += len(rows)
}

// addTexts adds the texts of rows, and returns their size in bytes.
func addTexts[R any](values *columnBuffer, c *column[R], rows []R) (bytes int) {
	texts, times, levels := values.texts, values.times, values.levels
	for i := range rows {
		s := c.text(&rows[i])
		if c.Nullable {
			if s == "" {
				levels = append(levels, 0)
				continue
			}
			levels = append(levels, 1)
		}
		bytes += len(s) // each time: they may be written plain
		if last := len(texts) - 1; last >= 0 && texts[last] == s {
			times[last]++
			continue
		}
		texts, times = append(texts, s), append(times, 1)
	}
	values.texts, values.times, values.levels = texts, times, levels
	return bytes
}

// addNumbers adds the numbers of rows to those of a column, and returns them.
func addNumbers[N int64 | float64, R any](values *columnBuffer, numbers []N, nullable bool, rows []R, get func(*R) (N, bool)) []N {
	numbers = room(numbers, len(rows))
	levels := values.levels
	for i := range rows {
		v, present := get(&rows[i])
		level := int16(0)
		if present {
			numbers = append(numbers, v)
			level = 1
		}
		if nullable {
			levels = append(levels, level)
		}
	}
	values.levels = levels
	return numbers
}

// addList adds a list of texts, and returns their size in bytes.
func (c *columnBuffer) addList(list []string) (bytes int) {
	if len(list) == 0 {
		c.levels, c.repeats = append(c.levels, 0), append(c.repeats, 0)
	}
	for i, s := range list {
		c.texts = append(c.texts, s)
		c.levels, c.repeats = append(c.levels, 1), append(c.repeats, int16(min(i, 1)))
		bytes += len(s)
	}
	return bytes
}
