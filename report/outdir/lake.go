package outdir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Lake is a directory with an output for each night, in dt=DATE: a dataset in Hive's
// partitioning.
type Lake struct{ Dir string }

const nightPrefix = "dt="

// Night returns the path of the output of a night.
func (l Lake) Night(night time.Time) string {
	return filepath.Join(l.Dir, nightPrefix+night.Format(time.DateOnly))
}

// Before returns the path of the newest output of a night before another one, with at
// least one request in it; "" if there is none. A night without requests, or whose
// output was written by another version, says nothing of what is new.
func (l Lake) Before(night time.Time) (string, error) {
	nights, err := l.nights()
	if err != nil {
		return "", err
	}
	found := ""
	for _, n := range nights { // by date
		if !n.Before(night) {
			break
		}
		if m, err := readManifest(l.Night(n)); err == nil && m.Totals.Parsed > 0 {
			found = l.Night(n)
		}
	}
	return found, nil
}

// Prune removes the outputs of nights that are at least keep days before another one,
// and returns their paths. What is not an output of logscan with only the named files
// in it is left alone.
func (l Lake) Prune(night time.Time, keep int, files []string) (removed []string, err error) {
	nights, err := l.nights()
	if err != nil {
		return nil, err
	}
	oldest := night.AddDate(0, 0, 1-keep)
	for _, n := range nights {
		path := l.Night(n)
		if !n.Before(oldest) {
			break
		}
		if _, err := readManifest(path); err != nil || check(path, files) != nil {
			continue
		}
		// Without its manifest a directory that is half removed would stay for ever.
		aside := filepath.Join(l.Dir, "."+filepath.Base(path)+".tmp-0"+asideSuffix)
		if e := errors.Join(os.Rename(path, aside), removeAll(aside)); e != nil {
			err = errors.Join(err, e)
			continue
		}
		removed = append(removed, path)
	}
	return removed, err
}

// nights returns the dates that have a directory, in order.
func (l Lake) nights() (all []time.Time, err error) {
	entries, err := os.ReadDir(l.Dir) // sorted by name, which is by date
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		date, ok := strings.CutPrefix(e.Name(), nightPrefix)
		if night, err := time.Parse(time.DateOnly, date); ok && err == nil && e.IsDir() {
			all = append(all, night)
		}
	}
	return all, err
}
