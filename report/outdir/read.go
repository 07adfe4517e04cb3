package outdir

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"logscan/analyze/result"
	"logscan/report/document"
)

// maxDocument is the most bytes of a JSON document that are read.
const maxDocument = 1 << 30

// Report is the manifest and the findings of a finished output directory.
type Report struct {
	Dir      string
	Manifest document.Manifest
	Findings []document.Finding // most severe first
	More     *document.More     // what is not in Findings; nil if nothing
	Resolved []document.Finding // findings of its baseline that were gone
	Verdict  *document.Verdict  // nil if the output is of a version without it
	Residual *document.Residual // nil if nothing was unexplained
}

// Document returns findings.json.
func (r *Report) Document() document.Findings {
	return document.NewFindings(document.Findings{Verdict: r.Verdict, Findings: r.Findings, More: r.More, Resolved: r.Resolved, Residual: r.Residual})
}

// Open reads the manifest and the findings of the output directory dir.
func Open(dir string) (*Report, error) {
	var m document.Manifest
	if err := readDocument(filepath.Join(dir, document.ManifestName), &m); err != nil {
		return nil, err
	}
	if err := checkManifest(&m); err != nil {
		return nil, err
	}
	var f document.Findings
	if err := readDocument(filepath.Join(dir, document.FindingsName), &f); err != nil {
		return nil, err
	}
	return newReport(dir, &m, &f)
}

// newReport returns the report of a manifest and the findings beside it.
func newReport(dir string, m *document.Manifest, f *document.Findings) (*Report, error) {
	if f.SchemaVersion != document.SchemaVersion {
		return nil, fmt.Errorf("%s: %w", document.FindingsName, &VersionError{f.SchemaVersion})
	}
	return &Report{Dir: dir, Manifest: *m, Findings: f.Findings, More: f.More, Resolved: f.Resolved, Verdict: f.Verdict, Residual: f.Residual}, nil
}

// Snapshot returns what another run can be compared with. It fails if a finding has
// an unknown severity.
func (r *Report) Snapshot() (*result.Snapshot, error) {
	s := &result.Snapshot{Requests: r.Manifest.Totals.Parsed, PseudonymKey: r.Manifest.Key()}
	for i := range r.Findings {
		f, err := r.Findings[i].Result()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Dir, err)
		}
		s.Findings = append(s.Findings, f)
	}
	if r.More != nil {
		for i := range r.More.Kinds {
			f, err := r.More.Kinds[i].Result()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", r.Dir, err)
			}
			s.Findings = append(s.Findings, f)
		}
	}
	for _, u := range r.Manifest.Undetectable {
		s.Undetectable = append(s.Undetectable, u.Kind)
	}
	return s, nil
}

// SameNames reports whether two outputs name users and addresses alike: as logged,
// or as pseudonyms of the same key.
func SameNames(a, b *Report) bool { return a.Manifest.Key() == b.Manifest.Key() }

// Finding returns the finding with an id, or with its number in the list, from 1 on. The
// error is an *UnknownFindingError.
func (r *Report) Finding(id string) (*document.Finding, error) {
	if n, err := strconv.Atoi(id); err == nil && n >= 1 && n <= len(r.Findings) {
		return &r.Findings[n-1], nil
	}
	i := slices.IndexFunc(r.Findings, func(f document.Finding) bool { return f.ID == id })
	if i < 0 {
		return nil, &UnknownFindingError{Dir: r.Dir, ID: id}
	}
	return &r.Findings[i], nil
}

// UnknownFindingError says that an output has no finding with an id.
type UnknownFindingError struct{ Dir, ID string }

func (e *UnknownFindingError) Error() string {
	return fmt.Sprintf("%s has no finding %q", e.Dir, e.ID)
}

// VersionError says that an output has another schema version.
type VersionError struct{ Got int }

func (e *VersionError) Error() string {
	return fmt.Sprintf("schema version %d, want %d: it was written by another version of logscan", e.Got, document.SchemaVersion)
}

// readManifest reads the manifest of an output directory, but for its inputs, of which there
// may be a great many.
func readManifest(dir string) (*document.Manifest, error) {
	f, err := os.Open(filepath.Join(dir, document.ManifestName))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return decodeManifest(f, info.Size())
}

// decodeManifest is readManifest of an open manifest that has about size bytes.
func decodeManifest(r io.Reader, size int64) (*document.Manifest, error) {
	var text bytes.Buffer
	text.Grow(int(min(size, maxDocument)) + bytes.MinRead)
	if _, err := text.ReadFrom(io.LimitReader(r, maxDocument)); err != nil {
		return nil, fmt.Errorf("%s: %w", document.ManifestName, err)
	}
	var m document.Manifest
	if err := decode(document.ManifestName, bytes.NewReader(withoutInputs(text.Bytes())), &m); err != nil {
		return nil, err
	}
	m.Inputs = nil // of another writer
	return &m, checkManifest(&m)
}

// withoutInputs returns a manifest without its inputs, if it is indented as document.Write does
// it: no text has line ends, and what is within other lists or objects begins with more blanks.
func withoutInputs(manifest []byte) []byte {
	begin, end := []byte("\n  \"inputs\": [\n"), []byte("\n  ],")
	before, rest, ok := bytes.Cut(manifest, begin)
	if !ok {
		return manifest
	}
	_, after, ok := bytes.Cut(rest, end)
	if !ok {
		return manifest
	}
	return slices.Concat(before, after)
}

// checkManifest returns an error unless a manifest is one of this version of logscan.
func checkManifest(m *document.Manifest) error {
	if m.Tool.Name != document.ToolName {
		return fmt.Errorf("%s does not name logscan as its tool", document.ManifestName)
	}
	if m.SchemaVersion != document.SchemaVersion {
		return fmt.Errorf("%s: %w", document.ManifestName, &VersionError{m.SchemaVersion})
	}
	return nil
}

// readDocument decodes the JSON file at path.
func readDocument(path string, into any) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return decode(filepath.Base(path), bufio.NewReader(f), into)
}

// decode decodes the JSON of a file with a name.
func decode(name string, r io.Reader, into any) error {
	if err := json.NewDecoder(io.LimitReader(r, maxDocument)).Decode(into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
