package source

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"logscan/fixtures/bucket"
)

func TestDaysOf(t *testing.T) {
	for path, want := range map[string]string{
		"logs/dt=2026-03-09":                        "2026-03-09 2026-03-10",
		"s3://logs/web/date=20260309/hour=07/":      "2026-03-09 2026-03-10",
		"logs/DS=2026-03-09-13":                     "2026-03-09 2026-03-10",
		"logs/dt=2026-02-30":                        "",
		"logs/dt=__HIVE_DEFAULT_PARTITION__":        "",
		"logs/release=2026-03-09":                   "",
		"logs/year=2026":                            "2026-01-01 2027-01-01",
		"logs/year=2026/region=eu/month=3":          "2026-03-01 2026-04-01",
		"logs/year=2026/month=12/day=31/09":         "2026-12-31 2027-01-01",
		"logs/year=2026/month=13":                   "2026-01-01 2027-01-01",
		"logs/month=03/day=09":                      "",
		"AWSLogs/123456789012/elb/eu-1/2026/03/09/": "2026-03-09 2026-03-10",
		"logs/2026/03/09/13":                        "2026-03-09 2026-03-10",
		"logs/2026":                                 "",
		"logs/2026/03":                              "",
		"logs/2026/03/32":                           "",
		"logs/2026/web/03/09":                       "",
		"logs/2026/02/29":                           "",
		"logs/1024/03/09":                           "",
		"logs/2026/3/9":                             "",
		"logs/+202/03/09":                           "",
		"logs/2026/03/09/2019/01/01":                "2026-03-09 2026-03-10",
		"dt=2026-03-09/2019/01/01":                  "2026-03-09 2026-03-10",
		"day=9":                                     "",
	} {
		got := ""
		if from, to, ok := daysOf(path).span(); ok {
			got = from.Format(time.DateOnly) + " " + to.Format(time.DateOnly)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// layouts of directories by date.
var layouts = []string{"dt=2006-01-02", "year=2006/month=01/day=02", "web/2006/01/02", "host=a/dt=20060102/hour=07"}

// datedFiles returns the names of files of 90 days from 2026-01-01 on, and of one without a
// date.
func datedFiles(layout string) (names []string) {
	for day := range 90 {
		dir := time.Date(2026, 1, 1+day, 0, 0, 0, 0, time.UTC).Format(layout)
		names = append(names, dir+"/a.log", dir+"/b/c.log")
	}
	return append(names, "undated.log")
}

// ranges are the time ranges of these tests, and the first and last days that are read.
var ranges = []struct {
	Dates
	first, last string
	skipped     int
}{
	{Dates{Since: date(t3, 9)}, "2026-03-08", "2026-03-31", 66},
	{Dates{Since: date(t3, 9).Add(time.Hour)}, "2026-03-08", "2026-03-31", 66},
	{Dates{Since: date(t3, 9), Until: date(t3, 11)}, "2026-03-08", "2026-03-11", 86},
	{Dates{Until: date(1, 2)}, "2026-01-01", "2026-01-02", 88},
	{Dates{Back: 48 * time.Hour}, "2026-03-27", "2026-03-31", 85},
	{Dates{Back: 48 * time.Hour, Until: date(t3, 1)}, "2026-03-27", "2026-03-31", 85},
}

const t3 = time.March

func date(month time.Month, day int) time.Time {
	return time.Date(2026, month, day, 0, 0, 0, 0, time.UTC)
}

// checkDated checks which files of a layout below a root were found.
func checkDated(t *testing.T, what, root, layout string, x *Expansion, n int) {
	t.Helper()
	r := ranges[n]
	var got, want []string
	for _, in := range x.Inputs {
		got = append(got, strings.TrimPrefix(in.Path, root))
	}
	for day := range 90 {
		at := time.Date(2026, 1, 1+day, 0, 0, 0, 0, time.UTC)
		if d := at.Format(time.DateOnly); d >= r.first && d <= r.last {
			want = append(want, at.Format(layout)+"/a.log", at.Format(layout)+"/b/c.log")
		}
	}
	want = append(want, "undated.log")
	if slices.Sort(want); !slices.Equal(got, want) {
		t.Errorf("%s: %d files, want %d: %v", what, len(got), len(want), got)
	}
	if len(x.DateNotes) != 1 || !strings.Contains(x.DateNotes[0].Text, "skipped (date)") || x.Skipped.Directories == 0 {
		t.Errorf("%s: %+v", what, x)
	}
	if !strings.HasPrefix(layout, "year=") && x.Skipped.Directories != r.skipped { // of whole months there is one
		t.Errorf("%s: %d directories skipped, want %d", what, x.Skipped.Directories, r.skipped)
	}
}

func TestDatesInDirectories(t *testing.T) {
	for _, layout := range layouts {
		root := t.TempDir()
		for _, name := range datedFiles(layout) {
			path := filepath.Join(root, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for n := range ranges {
			x, err := ExpandURLs(t.Context(), []string{root}, nil, ranges[n].Dates)
			if err != nil {
				t.Fatal(err)
			}
			checkDated(t, fmt.Sprint(layout, " ", n), root+"/", layout, x, n)
		}
		t.Chdir(root)
		x, err := ExpandURLs(t.Context(), []string{layout[:1] + "*", "und*.log"}, nil, ranges[2].Dates)
		if err != nil {
			t.Fatal(err)
		}
		checkDated(t, layout+" by patterns", "", layout, x, 2)
	}
}

func TestDatesInStore(t *testing.T) {
	b := bucket.StartFor(t)
	for i, layout := range layouts {
		for _, name := range datedFiles(layout) {
			if err := b.Put(fmt.Sprint(i, "/", name), []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, layout := range layouts {
		root := fmt.Sprint("s3://logs/", i, "/")
		for n := range ranges {
			before := b.Requests.Load()
			x, err := ExpandURLs(t.Context(), []string{root}, nil, ranges[n].Dates)
			if err != nil {
				t.Fatal(err)
			}
			checkDated(t, fmt.Sprint(layout, " ", n), root, layout, x, n)
			days := 90 - ranges[n].skipped
			if asked := b.Requests.Load() - before; asked > int64(days)+10 {
				t.Errorf("%s %d: %d requests for %d days", layout, n, asked, days)
			}
		}
	}
	x, err := ExpandURLs(t.Context(), []string{"s3://logs/0/dt=*/a.log", "s3://logs/0/dt=2026-01-*/b/*"}, nil, ranges[2].Dates)
	if err != nil || len(x.Inputs) != 4 || x.Skipped.Directories != 86 {
		t.Errorf("by patterns: %v, %+v", err, x)
	}
	// What is named itself is read, whatever its date.
	for _, arg := range []string{"s3://logs/0/dt=2026-01-05/", "s3://logs/0/dt=2026-01-05", "s3://logs/2/web/2026/01/05/", "s3://logs/0/dt=2026-01-05/b"} {
		if x, err := ExpandURLs(t.Context(), []string{arg}, nil, ranges[0].Dates); err != nil || len(x.Inputs) == 0 || x.Skipped.Directories > 0 {
			t.Errorf("%s: %v, %+v", arg, err, x)
		}
	}
	if _, err := ExpandURLs(t.Context(), []string{"s3://logs/none/"}, nil, ranges[0].Dates); err == nil {
		t.Error("nothing matches, and there is no error")
	}
	if x, err := ExpandURLs(t.Context(), []string{"s3://logs/0/dt=2026-01-*"}, nil, ranges[0].Dates); err == nil && len(x.Inputs) > 0 {
		t.Error("directories do not match a pattern of objects")
	}
	// Directories after the newest that holds something say nothing of the newest line.
	if err := b.Put("0/dt=2026-06-01/empty.log", nil); err != nil {
		t.Fatal(err)
	}
	if x, err = ExpandURLs(t.Context(), []string{"s3://logs/0/"}, nil, ranges[4].Dates); err != nil || len(x.Inputs) != 12 || !x.Newest.Equal(date(t3, 30)) {
		t.Errorf("after an empty directory: %v, %d files, %v", err, len(x.Inputs), x.Newest)
	}
}
