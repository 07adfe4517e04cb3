package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/dustin/go-humanize"

	"logscan/analyze/spill"
	"logscan/report/outdir"
)

// memoryFlags bound the memory of a run.
type memoryFlags struct {
	Memory size   `placeholder:"SIZE" group:"in" help:"Keep at most so much of sessions, users and clients in memory, such as 512MiB; the rest goes to temporary files (default: a quarter of the memory there is)."`
	TmpDir string `predictor:"dir" placeholder:"DIR" group:"in" help:"Where temporary files go (default: beside the output)."`
}

// size is a number of bytes.
type size int64

// leastMemory is the least bound: with less, more goes to disk than is gained.
const leastMemory = 16 << 20

// UnmarshalText reads a size as people write it.
func (s *size) UnmarshalText(text []byte) error {
	n, err := humanize.ParseBytes(string(text))
	switch {
	case err != nil || n > math.MaxInt64:
		return usagef("such as 512MiB or 2GB", "%q is no size", text)
	case n < leastMemory:
		return usagef("", "%s is less than %s", text, humanize.IBytes(leastMemory))
	}
	*s = size(n)
	return nil
}

const (
	// memoryShare of the memory there is bounds a run that is not told.
	memoryShare = 4
	// unspilled is what a run takes beside what is bounded: the program, blocks
	// and buffers, and what the collector has yet to free.
	unspilled = 144 << 20
	// containerShare is how much of a container's memory the collector aims at.
	containerShare = 0.9
)

// bound gives the bound of a run, and has the collector keep to it. What GOMEMLIMIT
// says stays as it is.
func (m *memoryFlags) bound(p *outdir.Dir) (spill.Memory, error) {
	bytes, limit := int64(m.Memory), int64(math.MaxInt64)
	there, err := memlimit.FromSystem()
	if container, e := memlimit.FromCgroup(); e == nil && container > 0 && (err != nil || container < there) {
		there, err = container, nil
		limit = int64(containerShare * float64(container))
	}
	if bytes == 0 && err == nil {
		bytes = max(int64(there/memoryShare), leastMemory)
	}
	if bytes == 0 {
		return spill.Memory{}, nil // nobody knows how much there is
	}
	if _, set := os.LookupEnv("GOMEMLIMIT"); !set {
		debug.SetMemoryLimit(min(limit, bytes+unspilled))
	}
	dir, err := p.Temporary(m.TmpDir)
	if err != nil {
		return spill.Memory{}, fmt.Errorf("--tmp-dir: %w", err)
	}
	return spill.Memory{Bytes: bytes, Space: spill.NewSpace(dir)}, nil
}

// spillError adds what to do where temporary files cannot be used.
func spillError(err error) error {
	if spilled := (*spill.Error)(nil); errors.As(err, &spilled) {
		return &hintedError{err, "make room there, choose another place with --tmp-dir, or let more stay in memory with --memory"}
	}
	return err
}
