// Package report writes the output directory of a run.
//
// Input is a result in words (wording.Report), whose texts are as hostile as the logs
// they come from. Output is a directory that appears whole or not at all. The package
// analyses nothing itself: Outputs lists the files, and the packages below it make
// them.
package report

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"logscan/parse/source/object"
	"logscan/report/document"
	"logscan/report/outdir"
	"logscan/report/page"
	"logscan/report/tables"
	"logscan/report/wording"
)

// Output is a file of the output directory.
type Output struct {
	Name, Doc string
	// OnDemand says that a run has the file only if it was asked for.
	OnDemand bool
	write    func(context.Context, *job, io.Writer) error
}

// Outputs returns all files of the output directory in the order in which they are
// documented. The manifest, which lists the tables, is last and written last.
func Outputs() []Output {
	var all []Output
	for _, t := range tables.Tables() {
		all = append(all, Output{t.Name + ".parquet", t.Doc, t.Name == tables.Requests, func(ctx context.Context, j *job, w io.Writer) error {
			size, err := t.Write(ctx, w, tables.Source{Report: j.report, Version: j.run().Version, Advanced: j.advanced})
			j.wrote(t.Name, size)
			return err
		}})
	}
	return append(all,
		Output{document.FindingsName, "All findings, most severe first.", false, func(_ context.Context, j *job, w io.Writer) error {
			return document.Write(w, j.report.Document())
		}},
		Output{"rejects.ndjson", "Up to 1,000 rejected lines with the reason, one JSON object per line.", false, func(_ context.Context, j *job, w io.Writer) error {
			return document.WriteRejects(w, j.report.RejectedLines)
		}},
		Output{document.ReportName, "The report for reading: one file that loads nothing and is complete without JavaScript.", false, func(_ context.Context, j *job, w io.Writer) error {
			return page.Write(w, j.report)
		}},
		Output{document.ManifestName, "Tool, inputs, line counts, causes, tables, resources.", false, func(_ context.Context, j *job, w io.Writer) error {
			return document.Write(w, document.NewManifest(j.run(), j.report.Result, wording.Notes(j.report.Notes, wording.NounOf(j.report.Statuses)), j.sizes))
		}},
	)
}

// job is what the outputs of one run share.
type job struct {
	report *wording.Report
	run    func() document.Run

	mu    sync.Mutex
	sizes map[string]document.TableSize // of the tables written so far
	// begin starts the outputs that wait for the table of 401s; it may be nil.
	begin func()
}

// advanced is called with the share of the table of 401s that has been made. The end
// of that table keeps one CPU busy, so the other outputs start late enough to use the
// other CPUs then: with two CPUs, when half of the table is made.
func (j *job) advanced(share float64) {
	if j.begin != nil && share >= 1/float64(runtime.GOMAXPROCS(0)) {
		j.begin()
	}
}

// wrote records the size of a table. It is safe for concurrent use.
func (j *job) wrote(table string, size document.TableSize) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.sizes[table] = size
}

// Claim claims the output directory of a run, or the prefix of an object store at an s3 URL:
// see outdir.Claim and outdir.ClaimPrefix.
func Claim(ctx context.Context, dir string) (outdir.Place, error) {
	if object.Scheme(dir) != "" {
		return outdir.ClaimPrefix(ctx, dir, names())
	}
	return outdir.Claim(dir, names())
}

// Prune removes old nights: see outdir.Lake.
func Prune(lake outdir.Lake, night time.Time, keep int) (removed []string, err error) {
	return lake.Prune(night, keep, names())
}

// TableNames returns the names of all tables.
func TableNames() (all []string) {
	for _, t := range tables.Tables() {
		all = append(all, t.Name)
	}
	return all
}

// names returns the names of all files of the output directory.
func names() (all []string) {
	for _, o := range Outputs() {
		all = append(all, o.Name)
	}
	return all
}

// Write writes the outputs of a run and swaps them into place. If it fails, the
// directory is unchanged.
//
// run is called several times, the last time for the manifest, so that its figures
// include the writing. Write reads r.Unauthorized once.
func Write(ctx context.Context, dir outdir.Place, r *wording.Report, run func() document.Run) error {
	j := &job{report: r, run: run, sizes: map[string]document.TableSize{}}
	err := dir.Replace(func(temporary string) error { return writeFiles(ctx, temporary, j) })
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// writeFiles writes all outputs into dir, one per CPU at a time, and then the
// manifest. Files are synced in the background, so that no output waits for the disk;
// all are synced when writeFiles returns.
func writeFiles(ctx context.Context, dir string, j *job) error {
	outputs := slices.DeleteFunc(Outputs(), func(o Output) bool { return o.OnDemand && j.report.Requests == nil })
	last := len(outputs) - 1
	// The slowest outputs start first, so that no CPU is idle at the end.
	slices.SortStableFunc(outputs[:last], func(a, b Output) int { return cost(b) - cost(a) })
	g, inGroup := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	var syncs errgroup.Group
	write := func(ctx context.Context, o Output) error {
		f, err := writeFile(ctx, filepath.Join(dir, o.Name), o, j)
		if err == nil {
			syncs.Go(func() error { return errors.Join(f.Sync(), f.Close()) })
		}
		return err
	}
	begun := make(chan struct{})
	j.begin = sync.OnceFunc(func() { close(begun) })
	for i, o := range outputs[:last] {
		g.Go(func() error {
			if i == 0 {
				defer j.begin() // if advanced has not called it
			} else {
				select {
				case <-begun:
				case <-inGroup.Done():
					return inGroup.Err()
				}
			}
			return write(inGroup, o)
		})
	}
	err := g.Wait()
	if err == nil {
		err = write(ctx, outputs[last])
	}
	return errors.Join(err, syncs.Wait())
}

// cost orders outputs by how long they take to make.
func cost(o Output) int {
	switch o.Name {
	case tables.Requests + ".parquet":
		return 3 // has a row for each line
	case tables.Unauthorized + ".parquet":
		return 2 // grows with the log
	case tables.AuthEvents + ".parquet", // grows with error logs
		document.ReportName: // made by one goroutine
		return 1
	}
	return 0
}

// writeFile writes one output and returns its file, which is not synced yet.
func writeFile(ctx context.Context, path string, o Output, j *job) (f *os.File, err error) {
	if f, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, outdir.FileMode); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = f.Close() // err is the better error
		}
	}()
	w := bufio.NewWriterSize(f, 256<<10)
	if err := o.write(ctx, j, w); err != nil {
		return nil, fmt.Errorf("%s: %w", o.Name, err)
	}
	return f, w.Flush()
}
