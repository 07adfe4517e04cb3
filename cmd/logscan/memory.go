package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/dustin/go-humanize"

	"logscan/analyze/spill"
	"logscan/report/outdir"
)

// memoryFlags limit the memory of a run.
type memoryFlags struct {
	Memory size   `placeholder:"SIZE" group:"input" help:"Maximum memory for sessions, users and clients, such as 512MiB; the rest spills to temporary files (default: a quarter of the available memory)."`
	TmpDir string `predictor:"dir" placeholder:"DIR" group:"input" help:"Directory for temporary files (default: next to the output directory, or the system's if the output is in a store)."`
}

// size is a number of bytes.
type size int64

// minMemory is the smallest limit: below it, spilling costs more memory than it
// saves.
const minMemory = 16 << 20

// UnmarshalText parses a size with a unit, such as 512MiB or 2GB.
func (s *size) UnmarshalText(text []byte) error {
	n, err := humanize.ParseBytes(string(text))
	switch {
	case err != nil || n > math.MaxInt64:
		return fmt.Errorf("%q is not a size such as 512MiB or 2GB", text)
	case n < minMemory:
		return fmt.Errorf("%s is less than the minimum of %s", text, humanize.IBytes(minMemory))
	}
	*s = size(n)
	return nil
}

const (
	// memoryShare is the divisor of the available memory that gives the default
	// limit.
	memoryShare = 4
	// unspilled is the memory in bytes that a run takes beside what is limited:
	// program, blocks, buffers, and garbage not collected yet.
	unspilled = 112 << 20
	// containerShare is the share of a container's memory that the garbage
	// collector may use.
	containerShare = 0.9
)

// memoryLimit returns the memory limit of a run and the directory of its temporary
// files, and sets the garbage collector's limit unless GOMEMLIMIT is set.
func (m *memoryFlags) memoryLimit(ctx context.Context, p outdir.Place) (spill.Memory, *spill.Space, error) {
	bytes := m.limit(ctx)
	dir, err := p.Temporary(m.TmpDir)
	if err != nil {
		return spill.Memory{}, nil, fmt.Errorf("--tmp-dir: %w", err)
	}
	space := spill.NewSpace(dir)
	if bytes == 0 {
		return spill.Memory{}, space, nil // the available memory is unknown
	}
	return spill.Memory{Bytes: bytes, Space: space}, space, nil
}

// limit returns the memory limit of a run in bytes, 0 if the available memory is unknown,
// and sets the garbage collector's limit unless GOMEMLIMIT is set.
func (m *memoryFlags) limit(ctx context.Context) int64 {
	bytes, limit := int64(m.Memory), int64(math.MaxInt64)
	available, err := memlimit.FromSystem()
	if container, e := memlimit.FromCgroup(); e == nil && container > 0 && (err != nil || container < available) {
		available, err = container, nil
		limit = int64(containerShare * float64(container))
	}
	if bytes == 0 && err == nil {
		bytes = max(int64(available/memoryShare), minMemory)
	}
	if _, set := os.LookupEnv("GOMEMLIMIT"); !set && bytes > 0 {
		keepMemoryLimit(ctx, min(limit, bytes+unspilled), limit)
	}
	return bytes
}

const (
	// heapCheck is how often the live heap is compared with the limit.
	heapCheck = 200 * time.Millisecond
	// heapRoom is the divisor of the live heap that gives the least room for garbage. If
	// the limit leaves less, the collector runs all the time and frees little.
	heapRoom = 6
)

// keepMemoryLimit sets the garbage collector's limit, and raises it while what is live
// needs more, up to a greatest limit, until ctx is done.
func keepMemoryLimit(ctx context.Context, least, most int64) {
	limit := least
	debug.SetMemoryLimit(limit)
	check := time.NewTicker(heapCheck)
	go func() {
		defer check.Stop()
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		for {
			select {
			case <-ctx.Done():
				return
			case <-check.C:
			}
			metrics.Read(live)
			n := int64(live[0].Value.Uint64())
			if want := max(least, min(n+n/heapRoom, max(most, n))); want != limit {
				limit = want
				debug.SetMemoryLimit(limit)
			}
		}
	}()
}

// spillError adds a hint to an error of writing or reading temporary files.
func spillError(err error) error {
	if spilled := (*spill.Error)(nil); errors.As(err, &spilled) {
		return &hintedError{err, "free disk space there, choose another --tmp-dir, or raise --memory"}
	}
	return err
}
