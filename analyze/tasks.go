package analyze

import (
	"logscan/parse/source"
)

// Division says how the inputs of a plan are divided into tasks.
type Division struct {
	// TaskSize is about how many bytes, as they are stored, a task reads; at least
	// MinTaskSize.
	TaskSize int64
	// Tasks, if set, is the number of tasks, of whatever size. Some may be empty.
	Tasks int
}

const (
	// MinTaskSize is the minimum size of a task in bytes: one takes a tenth of a second to
	// start, and as long to read.
	MinTaskSize = 64 << 20
	// DefaultTaskSize is the usual size of a task in bytes: about a second of one CPU if
	// the logs are plain, and parts that do not repeat the names of clients too often.
	DefaultTaskSize = 1 << 30
)

// unit is what must be read by one task: inputs of one compressed archive, or one input.
type unit struct {
	first, n  int
	start     int64 // offset of what is read of a plain file
	size      int64
	divisible bool
}

// divide returns the tasks that read inputs. divisible reports which of them can be read in
// ranges. An input of which nothing can be read is in no task.
func (d Division) divide(inputs []source.Input, divisible []bool) [][]Piece {
	var units []unit
	total := int64(0)
	for i := range inputs {
		if inputs[i].Settled() != nil {
			continue
		}
		size := inputs[i].StoredSize()
		if n := len(units); n > 0 && units[n-1].first+units[n-1].n == i && source.InOneGo(&inputs[i-1], &inputs[i]) {
			units[n-1].n++
			continue
		}
		units = append(units, unit{i, 1, inputs[i].Start(), size, divisible[i]})
		total += size
	}
	if d.Tasks > 0 {
		return divideEvenly(units, total, d.Tasks)
	}
	return divideBySize(units, max(d.TaskSize, MinTaskSize))
}

// pieces returns all of a unit.
func (u *unit) pieces() []Piece {
	all := make([]Piece, u.n)
	for i := range all {
		all[i].Input = u.first + i
	}
	return all
}

// divideBySize divides large plain files into ranges, and puts what is small together.
func divideBySize(units []unit, size int64) (tasks [][]Piece) {
	var pack []Piece
	packed := int64(0)
	flush := func() {
		if len(pack) > 0 {
			tasks, pack, packed = append(tasks, pack), nil, 0
		}
	}
	for i := range units {
		u := &units[i]
		if n := (u.size + size/2) / size; u.divisible && n > 1 {
			for k := range n {
				tasks = append(tasks, []Piece{{u.first, u.start + u.size/n*k, u.start + u.size/n*(k+1)}})
			}
			tasks[len(tasks)-1][0].To = u.start + u.size
			continue
		}
		if packed > 0 && packed+u.size > size {
			flush()
		}
		pack = append(pack, u.pieces()...)
		packed += u.size
	}
	flush()
	return tasks
}

// divideEvenly makes n tasks that read as many bytes each, as far as plain files allow it.
func divideEvenly(units []unit, total int64, n int) [][]Piece {
	tasks := make([][]Piece, n)
	// end returns where the bytes of task t end among those of all units.
	end := func(t int) int64 {
		k := int64(t + 1)
		return total/int64(n)*k + total%int64(n)*k/int64(n)
	}
	t, at := 0, int64(0)
	for i := range units {
		u := &units[i]
		for from := int64(0); from < max(u.size, 1); {
			for t < n-1 && end(t) <= at+from {
				t++
			}
			if !u.divisible || u.size == 0 {
				tasks[t] = append(tasks[t], u.pieces()...)
				break
			}
			to := u.size
			if t < n-1 {
				to = min(to, end(t)-at)
			}
			tasks[t] = append(tasks[t], Piece{u.first, u.start + from, u.start + to})
			from = to
		}
		at += u.size
	}
	return tasks
}
