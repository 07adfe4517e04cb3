package analyze

import (
	"cmp"
	"slices"

	"logscan/parse/source"
)

// Division says how the inputs of a plan are divided into tasks.
type Division struct {
	// TaskSize is about how many bytes of plain logs a task reads, at least MinTaskSize;
	// compressed bytes count inflation times. 0 stands for a share of the logs, from
	// leastUsualSize to mostUsualSize.
	TaskSize int64
	// Tasks, if set, is the number of tasks, of whatever size. Some may be empty.
	Tasks int
}

const (
	// MinTaskSize is the minimum size of a task in bytes: one takes a twentieth of a second
	// to start, and a quarter of one to read.
	MinTaskSize = 64 << 20
	// leastUsualSize and mostUsualSize bound the usual size of a task in bytes: a second to
	// some seconds of one CPU. Tasks of 75 MB and of 600 MB took the same time altogether, in a
	// trial with 1.2 GB, and those of 40 MB 15 % more: each starts a process, and parts repeat the
	// names of clients, which are merged.
	leastUsualSize, mostUsualSize = 128 << 20, 1 << 30
	// usualTasks is how many tasks of a size between these are made: three for each CPU of a
	// small cluster.
	usualTasks = 32
	// inflation is how many bytes of plain logs take as long as one that is compressed: 9
	// measured for gzip at its fastest.
	inflation = 8
)

// stored is an input as its tasks read it.
type stored struct {
	divisible bool  // it can be read in ranges
	weight    int64 // what reading all of it takes, in bytes of plain logs
}

// unit is what must be read by one task: inputs of one compressed archive, or one input.
type unit struct {
	first, n  int
	start     int64 // offset of what is read of a plain file
	size      int64 // weight; of what is divisible also the bytes
	divisible bool
}

// divide returns the tasks that read inputs, the greatest first, so that those that run last
// end at about the same time. An input of which nothing can be read is in no task.
func (d Division) divide(inputs []source.Input, as []stored) [][]Piece {
	var units []unit
	total := int64(0)
	for i := range inputs {
		if inputs[i].Settled() != nil {
			continue
		}
		if n := len(units); n > 0 && units[n-1].first+units[n-1].n == i && source.InOneGo(&inputs[i-1], &inputs[i]) {
			units[n-1].n++
			continue
		}
		units = append(units, unit{i, 1, inputs[i].Start(), as[i].weight, as[i].divisible})
		total += as[i].weight
	}
	var tasks [][]Piece
	switch {
	case d.Tasks > 0:
		tasks = divideEvenly(units, total, d.Tasks)
	case d.TaskSize > 0:
		tasks = divideBySize(units, max(d.TaskSize, MinTaskSize))
	default:
		tasks = divideBySize(units, min(max(total/usualTasks, leastUsualSize), mostUsualSize))
	}
	weight := func(task []Piece) (sum int64) {
		for _, x := range task {
			if sum += x.To - x.From; x.To == 0 {
				sum += as[x.Input].weight
			}
		}
		return sum
	}
	slices.SortStableFunc(tasks, func(a, b []Piece) int { return cmp.Compare(weight(b), weight(a)) })
	return tasks
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
