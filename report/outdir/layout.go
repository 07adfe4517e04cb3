package outdir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Engines that know a table by its directory, such as Athena, need the files of each table
// below a directory of their own: TABLE/dt=DATE/part.parquet, beside the outputs of the
// nights. These are links to the files of the outputs, so they take no space.

const (
	partName    = "part.parquet"
	tableSuffix = ".parquet"
)

// LinkTables makes the tables of a night that its output holds also files of directories
// by table. tables are the names of all tables: those that the output does not hold are
// removed. Each file is replaced at once, but not all of them together.
func (l Lake) LinkTables(night time.Time, tables []string) error {
	for _, table := range tables {
		source, dir := filepath.Join(l.Night(night), table+tableSuffix), l.partition(table, night)
		if _, err := os.Stat(source); errors.Is(err, fs.ErrNotExist) {
			if err := l.unlinkTable(table, night); err != nil {
				return err
			}
			continue
		}
		if err := os.MkdirAll(dir, directoryMode); err != nil {
			return err
		}
		temporary := filepath.Join(dir, "."+partName+".tmp") // engines skip hidden files
		if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := linkOrCopy(source, temporary); err != nil {
			return err
		}
		if err := os.Rename(temporary, filepath.Join(dir, partName)); err != nil {
			return err
		}
	}
	return nil
}

// PruneTables removes the files by table of nights that have been removed, given by the
// paths that Prune returns.
func (l Lake) PruneTables(removed, tables []string) error {
	var errs []error
	for _, path := range removed {
		night, err := time.Parse(time.DateOnly, strings.TrimPrefix(filepath.Base(path), nightPrefix))
		if err != nil {
			continue
		}
		for _, table := range tables {
			errs = append(errs, l.unlinkTable(table, night))
		}
	}
	return errors.Join(errs...)
}

// partition returns the directory of a table in a night.
func (l Lake) partition(table string, night time.Time) string {
	return filepath.Join(l.Dir, table, nightPrefix+night.Format(time.DateOnly))
}

// unlinkTable removes the file of a table in a night, with its directory unless that holds
// something else.
func (l Lake) unlinkTable(table string, night time.Time) error {
	dir := l.partition(table, night)
	if err := os.Remove(filepath.Join(dir, partName)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	_ = os.Remove(dir) // fails if it holds something else
	return nil
}

// linkOrCopy makes a file another name of source, or a copy where that is not possible.
func linkOrCopy(source, name string) (err error) {
	if os.Link(source, name) == nil {
		return nil
	}
	from, err := os.Open(source)
	if err != nil {
		return err
	}
	defer from.Close() // it is only read
	to, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, FileMode)
	if err != nil {
		return err
	}
	if _, err := io.Copy(to, from); err != nil {
		return errors.Join(fmt.Errorf("copy %s: %w", source, err), to.Close())
	}
	return errors.Join(to.Sync(), to.Close())
}
