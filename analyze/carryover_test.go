package analyze

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"logscan/analyze/detect"
	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/spill"
	"logscan/fixtures"
	"logscan/fixtures/trials"
	"logscan/parse"
	"logscan/parse/source"
)

// weekend is the beginning of the logs of three days: at noon, so that sessions
// continue over midnight.
var weekend = time.Date(2026, 3, 13, 12, 0, 0, 0, time.UTC)

// simulatedDays simulates days and returns the lines of each server, in order.
func simulatedDays(t *testing.T, o fixtures.Options, days, servers int) [][]string {
	t.Helper()
	all := make([][]string, servers)
	for range days {
		buffers := make([]bytes.Buffer, servers)
		writers := make([]io.Writer, servers)
		for i := range buffers {
			writers[i] = &buffers[i]
		}
		if _, err := fixtures.Simulate(t.Context(), o, writers); err != nil {
			t.Fatal(err)
		}
		for i := range buffers {
			lines := strings.SplitAfter(buffers[i].String(), "\n")
			all[i] = append(all[i], lines[:len(lines)-1]...)
		}
		o.Seed++
		o.Start = o.Start.AddDate(0, 0, 1)
	}
	return all
}

// until returns the number of lines from before a time. lines must be in order.
func until(lines []string, at time.Time) int {
	i, _ := slices.BinarySearchFunc(lines, at, func(line string, at time.Time) int {
		from := strings.IndexByte(line, '[') + 1
		logged, err := time.Parse("02/Jan/2006:15:04:05 -0700", line[from:from+26])
		if err != nil {
			panic(err)
		}
		return logged.Compare(at)
	})
	return i
}

// nights writes the logs as they are in three nights, shortly after midnight, and
// calls f with their directory in each: files grow, are renamed and compressed. With
// disorder, the lines of one server are late, and those of another out of order.
func nights(t *testing.T, servers [][]string, disorder bool, f func(night int, dir string)) {
	t.Helper()
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(7, 7))
	late := make([][]string, len(servers))
	done := make([]int, len(servers))
	name := func(server int, suffix string) string {
		return filepath.Join(dir, fmt.Sprintf("web%d.log%s", server+1, suffix))
	}
	write := func(server int, to time.Time) {
		lines := servers[server][done[server]:]
		lines = lines[:until(lines, to)]
		done[server] += len(lines)
		batch := append([]string{}, late[server]...)
		late[server] = nil
		for _, l := range lines {
			if disorder && server == 0 && random.IntN(40) == 0 { // written with the next batch
				late[server] = append(late[server], l)
			} else {
				batch = append(batch, l)
			}
		}
		if disorder && server == 1 {
			for i := 0; i+50 < len(batch); i += 50 {
				random.Shuffle(50, func(a, b int) { batch[i+a], batch[i+b] = batch[i+b], batch[i+a] })
			}
		}
		file, err := os.OpenFile(name(server, ""), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if _, err := io.WriteString(file, strings.Join(batch, "")); err != nil {
			t.Fatal(err)
		}
	}
	midnight := time.Date(2026, 3, 14, 0, 0, 0, 0, time.UTC)
	for night := range 3 {
		for s := range servers {
			if night > 0 {
				// The file grew for a while, then it was renamed, and the one before it
				// was compressed.
				write(s, midnight.AddDate(0, 0, night-1).Add(25*time.Minute))
				if night > 1 {
					pack(t, name(s, ".1"), name(s, ".2.gz"))
				}
				if err := os.Rename(name(s, ""), name(s, ".1")); err != nil {
					t.Fatal(err)
				}
			}
			at := midnight.AddDate(0, 0, night)
			if night == 2 {
				at = at.AddDate(1, 0, 0) // all lines
				write(s, at)
			}
			write(s, at)
		}
		f(night, dir)
	}
}

// pack compresses a file, as logrotate does.
func pack(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(from); err != nil {
		t.Fatal(err)
	}
}

// runWith runs with the state of earlier runs, nil for none, and returns the state for
// the next run.
func runWith(t *testing.T, o Options, past []byte, paths ...string) (*result.Result, []byte) {
	t.Helper()
	inputs, _, err := source.Expand(paths, nil)
	if err != nil {
		t.Fatal(err)
	}
	o.Inputs = inputs
	if o.Carryover = session.NewCarryover(); past != nil {
		if o.Carryover, err = session.LoadCarryover(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(past)), nil }); err != nil {
			t.Fatal(err)
		}
	}
	res, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	var kept bytes.Buffer
	if err := res.Save(&kept); err != nil {
		t.Fatal(err)
	}
	return res, kept.Bytes()
}

// refusalRows counts the rows of 401s, without the columns that depend on the file or
// on what follows.
func refusalRows(t *testing.T, results ...*result.Result) map[result.Unauthorized]int {
	t.Helper()
	all := map[result.Unauthorized]int{}
	for _, res := range results {
		for row, err := range res.Unauthorized.Reader()(0, res.Unauthorized.Len) {
			if err != nil {
				t.Fatal(err)
			}
			x := *row
			x.LogPath, x.LogLine, x.Cause, x.FindingID = "", 0, "", ""
			all[x]++
		}
	}
	return all
}

type sessionKey struct {
	id, address, agent string
	start              int64
}

// latestSessions returns each session as in the last result that has it, and in how
// many results it had ended; of two that begin in the same second that is unknown.
func latestSessions(t *testing.T, results ...*result.Result) (last map[sessionKey]result.Session, ended map[sessionKey]int) {
	t.Helper()
	last, ended = map[sessionKey]result.Session{}, map[sessionKey]int{}
	for _, res := range results {
		here := map[sessionKey]int{}
		for row, err := range res.Sessions {
			if err != nil {
				t.Fatal(err)
			}
			k := sessionKey{row.ID, row.Address, row.UserAgent, row.Start}
			x := *row
			x.EndCause, x.FindingID = "", ""
			last[k] = x
			if !x.Open {
				ended[k]++
			}
			if here[k]++; here[k] > 1 {
				ended[k] = math.MinInt32
			}
		}
	}
	return last, ended
}

// TestNightsEqualOneRun checks that three nights with rotation, compression, and late
// and disordered lines together equal one run over all logs.
func TestNightsEqualOneRun(t *testing.T) {
	format, err := parse.Compile(fixtures.SessionFormat)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		format *parse.Format
		// known: the first run already has all protected routes in its state.
		known, disorder bool
		more            bool // only if all trials are asked for
	}{
		{"session", format, true, true, true}, {"combined", nil, true, true, false},
		{"session", format, true, false, false}, {"combined", nil, true, false, true},
		{"session", format, false, true, false},
	} {
		t.Run(fmt.Sprintf("%s known=%v disorder=%v", tt.name, tt.known, tt.disorder), func(t *testing.T) {
			if tt.more && !trials.All() || testing.Short() && (tt.format == nil || !tt.known) {
				t.Skip("one of each is enough")
			}
			t.Parallel()
			o := Options{Format: tt.format, Workers: 2}
			servers := simulatedDays(t, fixtures.Options{Scenario: "idle", Format: tt.name, Lines: 8_000, Seed: 1, Start: weekend}, 3, 3)
			var known []byte
			if tt.known {
				known = stateOfRoutes(t, o, servers)
			}
			var results []*result.Result
			past := known
			var last string
			nights(t, servers, tt.disorder, func(night int, dir string) {
				var res *result.Result
				res, past = runWith(t, o, past, dir)
				results = append(results, res)
				last = dir
				// Line numbers count from the beginning of the file.
				files := map[string][][]byte{}
				for row, err := range res.Unauthorized.Reader()(0, res.Unauthorized.Len) {
					if err != nil {
						t.Fatal(err)
					}
					if files[row.LogPath] == nil {
						files[row.LogPath] = readLines(t, row.LogPath)
					}
					checkLine(t, row, files[row.LogPath])
				}
			})
			one, _ := runWith(t, o, known, last)
			compareNights(t, results, one)
			if tt.known {
				compareSessions(t, results, one, tt.disorder)
				compareCauses(t, results, one)
			}
			again, kept := runWith(t, o, past, last)
			if again.Totals.Lines != 0 || again.Totals.Bytes != 0 {
				t.Errorf("a run with nothing new counts %d lines", again.Totals.Lines)
			}
			for _, in := range again.Inputs {
				if in.BytesBefore == 0 || in.LinesBefore == 0 {
					t.Errorf("%s: %d bytes and %d lines counted before, want more than 0", in.Path, in.BytesBefore, in.LinesBefore)
				}
			}
			if !tt.known && !bytes.Equal(kept, past) {
				t.Error("a run with nothing new changes the state")
			}
		})
	}
}

// stateOfRoutes returns the state of a run in which every route of the application, but no
// public page, refused and accepted requests and refusals ended sessions, but without the
// actors. Whether a route is protected, and whether refusals end sessions, follows from the lines so far, so nights
// and one run agree only if all of it is in the state.
func stateOfRoutes(t *testing.T, o Options, servers [][]string) []byte {
	t.Helper()
	seen := map[string]bool{}
	var lines []string
	for _, line := range slices.Concat(servers...) {
		from := strings.Index(line, `] "`) + 3
		request, rest, _ := strings.Cut(line[from:], `" `)
		path, _, _ := strings.Cut(request, "?")
		accepted := rest[0] == '2' || rest[:3] == "304"
		rest = rest[3:]
		parts := strings.Split(rest, `"`)
		if parts[3] = "somebody"; len(parts) > 5 { // the host follows the session
			parts[5] = "a session of nobody"
			path += strings.Fields(parts[6])[0]
		}
		add := func(at, status string) {
			lines = append(lines, `203.0.113.1 - - [01/Mar/2026:`+at+` +0000] "`+request+`" `+status+strings.Join(parts, `"`))
		}
		if accepted && !seen[path] && (strings.Contains(path, "/app/") || strings.Contains(path, "/api/")) {
			seen[path] = true
			add("00:00:00", "200")
			add("00:00:00", "401")
			for i := 1; len(seen) == 1 && i < 30; i++ { // sessions end
				add(fmt.Sprintf("00:%02d:00", i), "200")
				add(fmt.Sprintf("00:%02d:05", i), "401")
				add(fmt.Sprintf("00:%02d:06", i), "401")
			}
		}
	}
	file := filepath.Join(t.TempDir(), "known.log")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	_, kept := runWith(t, o, nil, file)
	return kept
}

// TestNightsDependOnLinesAlone checks that the results and the state do not depend on
// the number of workers or on the memory.
func TestNightsDependOnLinesAlone(t *testing.T) {
	format, err := parse.Compile(fixtures.SessionFormat)
	if err != nil {
		t.Fatal(err)
	}
	servers := simulatedDays(t, fixtures.Options{Scenario: "idle", Format: "session", Lines: 6000, Seed: 4, Start: weekend}, 3, 3)
	var first [][]byte
	var firstRefusals []map[result.Unauthorized]int
	for _, tt := range []struct {
		workers int
		memory  int64
	}{{1, 0}, {2, 0}, {8, 0}, {2, 256 << 10}} {
		if testing.Short() && tt.workers != 2 {
			continue
		}
		var past []byte
		nights(t, servers, true, func(night int, dir string) {
			o := Options{Format: format, Workers: tt.workers}
			if tt.memory > 0 {
				o.Memory = spill.Memory{Bytes: tt.memory, Space: spill.NewSpace(filepath.Join(t.TempDir(), "spill"))}
				defer o.Memory.Space.Close()
			}
			var res *result.Result
			res, past = runWith(t, o, past, dir)
			refusals := refusalRows(t, res)
			if tt.memory > 0 && o.Memory.Space.Written() == 0 {
				t.Error("nothing was written to disk")
			}
			if night == len(first) {
				first, firstRefusals = append(first, past), append(firstRefusals, refusals)
				return
			}
			if !bytes.Equal(past, first[night]) {
				t.Errorf("%+v: the state of night %d differs", tt, night+1)
			}
			if !maps.Equal(refusals, firstRefusals[night]) {
				t.Errorf("%+v: the 401s of night %d differ", tt, night+1)
			}
		})
	}
}

// TestState checks that the state holds no session id, and that corrupt state is
// rejected.
func TestState(t *testing.T) {
	const secret = "0123456789abcdef-secret"
	var lines strings.Builder
	for i := range 200 {
		fmt.Fprintf(&lines, "192.0.2.%d - user%d [09/Mar/2026:10:%02d:%02d +0000] \"GET /a?sid=%s HTTP/1.1\" %d 1 \"-\" \"agent\" \"%s%d\" h u 200 0.1\n",
			i%9, i%9, i/60, i%60, secret, []int{200, 401}[i%2], secret, i%9)
	}
	format, err := parse.Compile(fixtures.SessionFormat)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(file, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	_, kept := runWith(t, Options{Format: format, Workers: 1}, nil, file)
	z, err := zstd.NewReader(bytes.NewReader(kept))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(plain, []byte(secret)) {
		t.Error("the state holds a session id")
	}
	if !bytes.Contains(plain, []byte("user3")) {
		t.Error("the state holds no user")
	}
	read := func(data []byte) error {
		p, err := session.LoadCarryover(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil })
		if err != nil {
			return err
		}
		for _, err := range p.Earlier().Actors {
			if err != nil {
				return err
			}
		}
		return nil
	}
	if err := read(kept); err != nil {
		t.Fatal(err)
	}
	pack := func(plain []byte) []byte {
		var b bytes.Buffer
		w, err := zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
		if err != nil {
			t.Fatal(err)
		}
		w.Write(plain) // Close returns the error
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for cut := 0; cut < len(plain); cut += 1 + len(plain)/97 {
		if err := read(pack(plain[:cut])); !errors.Is(err, session.ErrCarryover) {
			t.Errorf("cut to %d of %d bytes: %v", cut, len(plain), err)
		}
	}
	// Random damage results in an error or in other actors, and the run ends.
	random := rand.New(rand.NewPCG(3, 3))
	for range 60 {
		bad := bytes.Clone(plain)
		for range 1 + random.IntN(3) {
			bad[random.IntN(len(bad))] = byte(random.Uint32())
		}
		p, err := session.LoadCarryover(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(pack(bad))), nil })
		if err != nil {
			continue
		}
		inputs, _, err := source.Expand([]string{file}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Run(context.Background(), Options{Format: format, Workers: 1, Inputs: inputs, Carryover: p}); err != nil && !errors.Is(err, session.ErrCarryover) {
			t.Error(err)
		}
	}
}

// readLines returns the lines of a log, which may be compressed.
func readLines(t *testing.T, path string) [][]byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(path, ".gz") {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if data, err = io.ReadAll(z); err != nil {
			t.Fatal(err)
		}
	}
	return bytes.Split(data, []byte("\n"))
}

// checkLine checks that the line that a 401 names is in its file.
func checkLine(t *testing.T, row *result.Unauthorized, lines [][]byte) {
	t.Helper()
	line := lines[row.LogLine-1]
	if want := time.UnixMicro(row.Time).UTC().Format("02/Jan/2006:15:04:05"); !bytes.Contains(line, []byte(want)) || !bytes.Contains(line, []byte(" 401 ")) {
		t.Fatalf("line %d of %s is not the 401: %q", row.LogLine, row.LogPath, line)
	}
}

// compareNights compares the counts of nights with those of one run.
func compareNights(t *testing.T, results []*result.Result, one *result.Result) {
	t.Helper()
	var sum result.Totals
	for _, res := range results {
		sum.Bytes += res.Totals.Bytes
		sum.Lines += res.Totals.Lines
		sum.Parsed += res.Totals.Parsed
		sum.Unauthorized += res.Totals.Unauthorized
	}
	if sum.Bytes != one.Totals.Bytes || sum.Lines != one.Totals.Lines || sum.Parsed != one.Totals.Parsed || sum.Unauthorized != one.Totals.Unauthorized {
		t.Errorf("the nights sum up to %+v, one run to %+v", sum, one.Totals)
	}
	if !maps.Equal(refusalRows(t, results...), refusalRows(t, one)) {
		t.Error("the 401s of the nights differ from those of one run")
	}
	compare := func(name string, of func(*result.Result) map[string]seenRow) {
		nightly := map[string]seenRow{}
		for _, res := range results {
			for k, x := range of(res) {
				s, ok := nightly[k]
				if !ok {
					s.first, s.last = x.first, x.last
				}
				s.add(&x.Counts)
				s.first, s.last = min(s.first, x.first), max(s.last, x.last)
				nightly[k] = s
			}
		}
		if !maps.Equal(nightly, of(one)) {
			t.Errorf("%s: the sums of the nights differ from one run", name)
		}
	}
	compare("endpoints", func(res *result.Result) map[string]seenRow {
		return index(res.Endpoints, func(r *result.Endpoint) (string, seenRow) {
			return r.Host + " " + r.Method + " " + r.Template, seenRow{r.Counts, r.FirstTime, r.LastTime}
		})
	})
	compare("accounts", func(res *result.Result) map[string]seenRow {
		return index(res.Accounts, func(r *result.Account) (string, seenRow) { return r.User, seenRow{r.Counts, 0, r.LastAccepted} })
	})
	compare("clients", func(res *result.Result) map[string]seenRow {
		return index(res.Clients, func(r *result.Client) (string, seenRow) {
			return r.Address + " " + r.UserAgent, seenRow{r.Counts, r.FirstTime, r.LastTime}
		})
	})
	compare("timeline", func(res *result.Result) map[string]seenRow {
		return index(res.Timeline, func(r *result.Minute) (string, seenRow) { return fmt.Sprint(r.Time, r.Host), seenRow{Counts: r.Counts} })
	})
}

// seenRow is the part of a row that adds up over nights.
type seenRow struct {
	result.Counts
	first, last int64
}

// compareSessions compares the sessions, each as in the last night that has it, with
// those of one run.
func compareSessions(t *testing.T, results []*result.Result, one *result.Result, disorder bool) {
	t.Helper()
	got, ended := latestSessions(t, results...)
	want, _ := latestSessions(t, one)
	for k, x := range want {
		if y, ok := got[k]; !ok {
			t.Errorf("missing session %+v", x)
		} else if x != y {
			t.Errorf("%+v, want %+v", y, x)
		}
	}
	for k, y := range got {
		if _, ok := want[k]; ok {
			continue
		}
		// A late line may have moved the beginning of a session.
		moved := slices.ContainsFunc(slices.Collect(maps.Values(want)), func(x result.Session) bool {
			return x.ID == y.ID && x.Address == y.Address && x.UserAgent == y.UserAgent && x.Start < y.Start && y.Start <= x.LastAccepted
		})
		if !disorder || !moved {
			t.Errorf("unexpected session %+v", y)
		}
	}
	if !disorder {
		// A refusal may have seemed to end a session that then continued.
		again := 0
		for _, n := range ended {
			if n > 1 {
				again++
			}
		}
		if again*100 > len(ended) {
			t.Errorf("%d of %d sessions ended in more than one night", again, len(ended))
		}
	}
}

// compareCauses compares the causes that 401s show by themselves, except shortly before
// midnight: findings, and what is unexplained because there is too much of it, depend on all
// logs, and what follows a 401 may be in the logs of the next night.
func compareCauses(t *testing.T, results []*result.Result, one *result.Result) {
	t.Helper()
	type key struct {
		time                int64
		client, agent, path string
	}
	causes := func(results ...*result.Result) map[key]string {
		all := map[key]string{}
		for _, res := range results {
			for row, err := range res.Unauthorized.Reader()(0, res.Unauthorized.Len) {
				if err != nil {
					t.Fatal(err)
				}
				all[key{row.Time, row.Client, row.UserAgent, row.Path}] = row.Cause
			}
		}
		return all
	}
	got, want := causes(results...), causes(one)
	ordinary := func(c string) bool {
		return c != "unexplained" && slices.Index(detect.CauseNames(), c) >= slices.Index(detect.CauseNames(), "challenge")
	}
	compared, other := 0, 0
	for k, c := range want {
		night := 24 * 3600 * int64(1e6)
		left := night - k.time%night
		if !ordinary(c) || !ordinary(got[k]) || left < session.Nearby*1000 {
			continue
		}
		if compared++; got[k] != c {
			other++
		}
	}
	if compared < 50 || other*100 > compared {
		t.Errorf("%d of %d 401s have another cause", other, compared)
	}
}

// index returns the rows with requests by key.
func index[R any](rows []R, of func(*R) (string, seenRow)) map[string]seenRow {
	m := map[string]seenRow{}
	for i := range rows {
		if k, x := of(&rows[i]); x.Requests > 0 {
			m[k] = x
		}
	}
	return m
}

// add adds the counts of a row.
func (c *seenRow) add(d *result.Counts) {
	c.Requests += d.Requests
	c.Accepted += d.Accepted
	c.Redirected += d.Redirected
	c.Unauthorized += d.Unauthorized
	c.Forbidden += d.Forbidden
	c.NotFound += d.NotFound
	c.ClientErrors += d.ClientErrors
	c.ServerErrors += d.ServerErrors
	c.Other += d.Other
}
