// Package report turns the result of a run into files for people and programs,
// and into text for the terminal.
//
// In: analyze.Result, which is immutable and as hostile as the logs it comes
// from. Out: an output directory that appears whole or not at all, and text
// whose control characters cannot act. It finds nothing out by itself: package
// analyze does.
package report

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"logscan/analyze/result"
)

// SchemaVersion is the version of the tables and JSON files. It changes when a
// name or a meaning changes, not when one is added.
const SchemaVersion = 1

// Run is what only manifest.json may hold: who made the output, when, and what
// it took. Every other file depends on the Result and the version alone.
type Run struct {
	ToolName, Version, Commit string
	Arguments                 []string
	Started, Finished         time.Time
	WallSeconds, CPUSeconds   float64
	Phases                    map[string]float64 // wall seconds by phase
	PeakRSSBytes              int64
	SpilledBytes              int64    // of correlation state written to temporary files
	State                     *StateID // that the run leaves; nil for none
}

// Output is a file of the output directory.
type Output struct {
	Name, Doc string
	write     func(context.Context, *job, io.Writer) error
}

// job is what the outputs of one run share.
type job struct {
	res *result.Result
	run func() Run

	mu    sync.Mutex
	sizes map[string]tableSize // of the tables written so far
	// begin, where it is set, begins the outputs that wait for the table of 401s.
	begin func()
}

// advanced notes how much of the table of 401s is made. The last that is done for
// it is done by one CPU. The others have something left to do then, when other
// outputs are begun late: with two CPUs, when half of it is made.
func (j *job) advanced(share float64) {
	if j.begin != nil && share >= 1/float64(runtime.GOMAXPROCS(0)) {
		j.begin()
	}
}

// wrote notes the size of a table. Several goroutines may call it.
func (j *job) wrote(table string, size tableSize) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.sizes[table] = size
}

// tableSize is what the manifest tells of a table.
type tableSize struct {
	Rows  int64 `json:"rows"`
	Bytes int64 `json:"bytes"`
}

// Outputs are all files of the output directory, in the order they are
// written: the manifest, which tells of the others, comes last.
func Outputs() []Output {
	var all []Output
	for _, t := range Tables() {
		all = append(all, Output{t.Name + ".parquet", t.Doc, t.output})
	}
	return append(all,
		Output{"findings.json", "Every finding, most severe first.", writeFindings},
		Output{"rejects.ndjson", "Up to 1,000 rejected lines with the reason, one JSON object a line.", writeRejects},
		Output{"report.html", "The report for reading: one file that loads nothing, complete without scripts too.", writeHTML},
		Output{manifestName, "The ledger: tool, inputs, line counts, causes, tables, resources.", writeManifest},
	)
}

const (
	manifestName = "manifest.json"
	// The output tells what people asked for: it is for its owner's eyes.
	directoryMode = 0o700
	fileMode      = 0o600
	// parentMode is that of directories made above the output, such as a lake's.
	parentMode = 0o755
	// maxNamed bytes of the output's name stand in that of the temporary
	// directory: file systems allow 255 in all.
	maxNamed = 150
	// maxDocument is the most bytes of a JSON file that are read back.
	maxDocument = 1 << 30
)

// NotOutputError says that a place was not written by logscan, so that it is
// not replaced.
type NotOutputError struct {
	Dir    string
	Reason string // what is wrong with it
}

func (e *NotOutputError) Error() string {
	return fmt.Sprintf("%s is no output of logscan and is not replaced: %s", e.Dir, e.Reason)
}

// Check says whether Write may replace dir: it may when nothing is there, an
// empty directory, or an earlier output with nothing of another's in it. The
// error is a *NotOutputError. A place that cannot be looked at is left for
// Write to fail on.
func Check(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return nil
	}
	if !info.IsDir() {
		return &NotOutputError{dir, "it is no directory"}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		return nil
	}
	m, err := readManifest(dir)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return &NotOutputError{dir, "it is not empty and has no " + manifestName}
		}
		return &NotOutputError{dir, err.Error()}
	}
	known := map[string]bool{finderName: true}
	for _, o := range Outputs() {
		known[o.Name] = true
	}
	for name := range m.Tables {
		known[name+".parquet"] = true // a table that another version wrote
	}
	for _, e := range entries {
		if !known[e.Name()] || e.IsDir() {
			return &NotOutputError{dir, fmt.Sprintf("%q in it is not logscan's", e.Name())}
		}
	}
	return nil
}

// finderName is a file that desktops leave behind where somebody looked.
const finderName = ".DS_Store"

// Write claims dir, writes the output of a run there and releases it.
func Write(ctx context.Context, dir string, res *result.Result, run func() Run) error {
	p, err := Claim(dir)
	if err != nil {
		return err
	}
	defer p.Release()
	return p.Write(ctx, res, run)
}

// resolve gives the place that a rename replaces: behind symbolic links, so
// that a link to the output stays one.
func resolve(dir string) (string, error) {
	place, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if target, err := filepath.EvalSymlinks(place); err == nil {
		return target, nil
	}
	return place, nil
}

// makeParents makes what is missing of path and gives what it made, deepest
// first.
func makeParents(path string, mode fs.FileMode) (made []string, err error) {
	var missing []string
	for p := path; ; p = filepath.Dir(p) {
		if _, err := os.Stat(p); err == nil || !errors.Is(err, fs.ErrNotExist) || p == filepath.Dir(p) {
			break
		}
		missing = append(missing, p)
	}
	if err := os.MkdirAll(path, mode); err != nil {
		for _, p := range missing {
			_ = os.Remove(p) // what was made before it failed
		}
		return nil, err
	}
	return missing, nil
}

// writeBeside writes everything into a temporary sibling of the place and swaps
// it in.
func writeBeside(ctx context.Context, p *Place, j *job) (err error) {
	parent := filepath.Dir(p.path)
	temporary, err := os.MkdirTemp(parent, "."+p.name()+".tmp-"+strconv.Itoa(os.Getpid())+"-*")
	if err != nil {
		return err
	}
	defer func() {
		// After a swap it is the last output that lies there.
		if e := removeOutput(temporary); err == nil && e != nil {
			err = fmt.Errorf("it is complete, but the one before cannot be removed: %w", e)
		}
	}()
	if err := os.Chmod(temporary, directoryMode); err != nil {
		return err
	}
	if err := writeFiles(ctx, temporary, j); err != nil {
		return err
	}
	if err := syncDirectory(temporary); err != nil {
		return err
	}
	if err := swap(temporary, p.path); err != nil {
		return fmt.Errorf("move into place (a mount point cannot be replaced: name a directory in it): %w", err)
	}
	return syncDirectory(parent)
}

// removeOutput removes a directory. Its files are freed side by side: it is the last
// thing that a run waits for.
func removeOutput(dir string) error {
	entries, _ := os.ReadDir(dir) // what is wrong with it is told below
	var g errgroup.Group
	for _, e := range entries {
		g.Go(func() error { return os.RemoveAll(filepath.Join(dir, e.Name())) })
	}
	return errors.Join(g.Wait(), os.RemoveAll(dir))
}

// writeFiles writes all outputs into dir, as many at a time as there are CPUs,
// and the manifest when the others are made. All are synced when it returns: no
// output waits for the disk while another one could be made.
func writeFiles(ctx context.Context, dir string, j *job) error {
	outputs := Outputs()
	last := len(outputs) - 1
	// What takes longest is begun first, so that no CPU is idle at the end.
	slices.SortStableFunc(outputs[:last], func(a, b Output) int { return long(b) - long(a) })
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
				defer j.begin() // at the latest
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

// long is more for outputs that take longer to make.
func long(o Output) int {
	switch o.Name {
	case "unauthorized.parquet":
		return 2 // grows with the log
	case "report.html":
		return 1 // is made by one goroutine
	}
	return 0
}

// writeFile makes one file of the output. It is not synced yet.
func writeFile(ctx context.Context, path string, o Output, j *job) (f *os.File, err error) {
	if f, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = f.Close() // there is a better error
		}
	}()
	w := bufio.NewWriterSize(f, 256<<10)
	if err := o.write(ctx, j, w); err != nil {
		return nil, fmt.Errorf("%s: %w", o.Name, err)
	}
	return f, w.Flush()
}

// syncDirectory makes the names in dir survive a crash, where directories can
// be synced at all.
func syncDirectory(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	_ = f.Sync() // refused by some file systems, where nothing better can be done
	return nil
}

// swap puts the directory made into place. What was in place lies under made
// afterwards, or is gone when it was empty.
func swap(made, place string) error {
	if _, err := os.Lstat(place); errors.Is(err, fs.ErrNotExist) {
		return os.Rename(made, place)
	}
	if err := exchange(made, place); err == nil {
		return nil
	}
	return swapByRename(made, place)
}

// swapByRename is swap where names cannot be exchanged in one step: for an
// instant nothing is in place.
func swapByRename(made, place string) error {
	aside := made + asideSuffix
	if err := os.Rename(place, aside); err != nil {
		return err
	}
	if err := os.Rename(made, place); err != nil {
		return errors.Join(err, os.Rename(aside, place))
	}
	return os.Rename(aside, made)
}

// Report is a finished output directory, as far as `show` needs it.
type Report struct {
	Dir      string
	Manifest Manifest
	Findings []Finding // most severe first
	Resolved []Finding // those of its baseline that were gone
}

// Open reads the manifest and the findings of the output directory dir.
func Open(dir string) (*Report, error) {
	r := &Report{Dir: dir}
	m, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	r.Manifest = *m
	var f findingsFile
	if err := readDocument(filepath.Join(dir, "findings.json"), &f); err != nil {
		return nil, err
	}
	if f.SchemaVersion != SchemaVersion {
		return nil, fmt.Errorf("findings.json: %w", &VersionError{f.SchemaVersion})
	}
	r.Findings, r.Resolved = f.Findings, f.Resolved
	return r, nil
}

// Snapshot gives what another run can be compared with.
func (r *Report) Snapshot() (*result.Snapshot, error) {
	s := &result.Snapshot{Requests: r.Manifest.Totals.Parsed}
	for i := range r.Findings {
		f, err := r.Findings[i].finding()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Dir, err)
		}
		s.Findings = append(s.Findings, f)
	}
	s.PseudonymKey = r.Manifest.pseudonymKey()
	for _, u := range r.Manifest.Undetectable {
		s.Undetectable = append(s.Undetectable, u.Kind)
	}
	return s, nil
}

// SameNames tells whether two outputs tell users and addresses alike: as logged,
// or by pseudonyms of one key.
func SameNames(a, b *Report) bool { return a.Manifest.pseudonymKey() == b.Manifest.pseudonymKey() }

func (m *Manifest) pseudonymKey() string {
	if m.PseudonymKey == nil {
		return ""
	}
	return *m.PseudonymKey
}

// Finding gives the finding with an id.
func (r *Report) Finding(id string) (*Finding, error) {
	i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.ID == id })
	if i < 0 {
		return nil, &UnknownFindingError{Dir: r.Dir, ID: id}
	}
	return &r.Findings[i], nil
}

// UnknownFindingError says that an output has no finding of an id.
type UnknownFindingError struct{ Dir, ID string }

func (e *UnknownFindingError) Error() string {
	return fmt.Sprintf("%s has no finding %q", e.Dir, e.ID)
}

// VersionError says that an output was written under another schema version.
type VersionError struct{ Got int }

func (e *VersionError) Error() string {
	return fmt.Sprintf("schema version %d, want %d: it was written by another version of logscan", e.Got, SchemaVersion)
}

func readManifest(dir string) (*Manifest, error) {
	var m Manifest
	if err := readDocument(filepath.Join(dir, manifestName), &m); err != nil {
		return nil, err
	}
	if m.Tool.Name != toolName {
		return nil, fmt.Errorf("%s does not name logscan as its tool", manifestName)
	}
	if m.SchemaVersion != SchemaVersion {
		return nil, fmt.Errorf("%s: %w", manifestName, &VersionError{m.SchemaVersion})
	}
	return &m, nil
}

// toolName is how a manifest says that logscan wrote it.
const toolName = "logscan"

// readDocument decodes the JSON file at path.
func readDocument(path string, into any) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := json.NewDecoder(io.LimitReader(bufio.NewReader(f), maxDocument)).Decode(into); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return nil
}
