package report

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"logscan/analyze/detect"
	"logscan/fixtures/golden"
	"logscan/report/wording"
)

func TestColumns(t *testing.T) {
	name := regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	docs := map[string]Column{} // what a name means, wherever it stands
	for _, table := range Tables() {
		seen := map[string]bool{}
		for _, c := range table.Columns {
			if !name.MatchString(c.Name) {
				t.Errorf("%s.%s needs quotes in SQL", table.Name, c.Name)
			}
			if seen[c.Name] {
				t.Errorf("%s.%s stands there twice", table.Name, c.Name)
			}
			seen[c.Name] = true
			if !strings.HasSuffix(c.Doc, ".") {
				t.Errorf("%s.%s: no sentence says what it is: %q", table.Name, c.Name, c.Doc)
			}
			if old, ok := docs[c.Name]; ok && (old.Type != c.Type || old.ECS != c.ECS || old.OCSF != c.OCSF && c.Name != "unauthorized") {
				t.Errorf("%s.%s is a %v (%s, %s), elsewhere a %v (%s, %s)", table.Name, c.Name, c.Type, c.ECS, c.OCSF, old.Type, old.ECS, old.OCSF)
			}
			docs[c.Name] = c
		}
	}
}

// TestContract holds the names that SQL is written against.
func TestContract(t *testing.T) {
	want := map[string]string{
		"unauthorized": `timestamp http_request_method url_path url_query url_template url_scheme http_response_status_code
			http_response_body_size http_server_request_duration server_address http_request_referrer client_address
			network_peer_address user_agent_original user_name session_id upstream_address log_file_path log_line auth_cause
			auth_reason auth_answered_by auth_token_expiry finding_id`,
		"sessions":  "session_id user_name client_address user_agent_original server_address start_time end_time requests finding_id",
		"endpoints": "server_address http_request_method url_template requests accepted unauthorized actors refused_actors finding_id",
		"accounts":  "user_name requests accepted unauthorized clients finding_id",
		"clients":   "client_address user_agent_original requests accepted unauthorized users sessions finding_id",
		"timeline":  "timestamp server_address requests unauthorized unauthorized_unexplained unauthorized_session_expiry",
		"findings":  "id kind category severity confidence title explanation remediation onset first_seen last_seen unauthorized actors users details",
		"inputs":    "log_file_path format compression bytes lines parsed rejected skipped unauthorized first_time last_time error",
	}
	tables := Tables()
	if len(tables) != len(want) {
		t.Errorf("%d tables, want %d", len(tables), len(want))
	}
	for _, table := range tables {
		var have []string
		for _, c := range table.Columns {
			have = append(have, c.Name)
		}
		for _, c := range strings.Fields(want[table.Name]) {
			if !slices.Contains(have, c) {
				t.Errorf("table %s has no column %s", table.Name, c)
			}
		}
	}
}

func TestEveryCauseHasWords(t *testing.T) {
	var names []string
	for _, c := range wording.Causes() {
		names = append(names, c.Name)
		if c.Label == "" || !strings.HasSuffix(c.Meaning, ".") || c.Group < 0 || c.Group >= wording.NumGroups {
			t.Errorf("cause %s is told incompletely: %+v", c.Name, c)
		}
	}
	want := slices.Clone(detect.CauseNames())
	slices.Sort(want)
	slices.Sort(names)
	if !slices.Equal(names, want) {
		t.Errorf("causes with words are %v, want %v", names, want)
	}
	if c := wording.CauseOf("made_up"); c.Label != "made_up" || c.Group != wording.GroupUnexplained {
		t.Errorf("a cause without words is %+v", c)
	}
}

// TestSchemaDocument keeps docs/SCHEMA.md the same as the tables.
func TestSchemaDocument(t *testing.T) {
	golden.Check(t, "../docs/SCHEMA.md", []byte(schemaDocument()))
}

// schemaDocument is docs/SCHEMA.md.
func schemaDocument() string {
	var b strings.Builder
	b.WriteString(`# Output

Written by ` + "`go test ./report -update`" + ` from the tables of columns in report/schema.go: change it there.

A run writes one directory, whole or not at all. The same inputs give the same bytes in every file but manifest.json.

| file | what it holds |
|---|---|
`)
	for _, o := range Outputs() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", o.Name, o.Doc)
	}
	fmt.Fprintf(&b, `
## Tables

Parquet, compressed with zstd. Names follow OpenTelemetry's semantic conventions in snake case, so that SQL needs no
quotes; a name means the same in every table. They are stable: names are added, never changed or taken away within
schema version %d.

- text is UTF-8; a byte of the log that is none stands as U+FFFD. What was not logged is null, never an empty text.
- integer is 64 bits wide; real is a double.
- timestamp counts microseconds since 1970 in UTC (TIMESTAMP, adjusted to UTC).
- Text of the log is as hostile as whoever wrote it: escape it for where you show it.

The metadata of each file has the keys %s. The last two are JSON objects that map column names to those of the Elastic
Common Schema and of the Open Cybersecurity Schema Framework (HTTP Activity; for findings, Detection Finding). Units may
differ there: they are what is said here.
`, SchemaVersion, "`"+strings.Join([]string{keySchemaVersion, keyVersion, keyTable, keyECS, keyOCSF}, "`, `")+"`")
	for _, table := range Tables() {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n| column | type | null | what it is | ECS | OCSF |\n|---|---|---|---|---|---|\n", table.Name, table.Doc)
		for _, c := range table.Columns {
			kind := c.Type.String()
			if c.Unit != "" && c.Type != Time {
				kind += ", " + c.Unit
			}
			null := ""
			if c.Nullable {
				null = "yes"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", c.Name, kind, null, c.Doc, c.ECS, c.OCSF)
		}
	}
	b.WriteString(`
## Causes

Every 401 has one, in ` + "`auth_cause`" + `.

| cause | group | what it means |
|---|---|---|
`)
	for _, c := range wording.Causes() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", c.Name, wording.Groups[c.Group].Label, c.Meaning)
	}
	b.WriteString(`
## findings.json

` + "`{\"schema_version\": 1, \"findings\": [...]}`" + `, most severe first. A finding has the columns of the table findings, and:

| key | what it holds |
|---|---|
| ` + "`subject`" + ` | object: ` + "`type`" + ` and those of ` + "`host`, `method`, `route`, `user`, `client_address`, `user_agent`, `upstream`" + ` that name it |
| ` + "`remediation`" + ` | list of steps |
| ` + "`onset`, `first_seen`, `last_seen`" + ` | RFC 3339 in UTC, or null |
| ` + "`details`" + ` | object of the kind's own figures |
| ` + "`evidence`" + ` | up to 20 sample lines: ` + "`file`, `line` (from 1), `raw`" + `, secrets redacted |
| ` + "`status`, `change`" + ` | with a baseline: new, persisting, worse or better; and unless it is new ` + "`severity_before`, `unauthorized_before`, `rate_ratio`" + ` (how many times as many 401s a request) and ` + "`p_value`" + ` |

Beside ` + "`findings`, `resolved`" + ` lists those of the baseline that are gone, with the status resolved.

## rejects.ndjson

An object a line: ` + "`file`, `line` (from 1), `reason`, `text`" + `, secrets redacted.

## manifest.json

| key | what it holds |
|---|---|
| ` + "`tool`, `arguments`, `started_at`, `finished_at`" + ` | what wrote it, and when |
| ` + "`range`" + ` | the range of time that counts: ` + "`since`, `until`" + `, null for no bound |
| ` + "`inputs`" + ` | the ledger: ` + "`path`, `format`, `compression`, `bytes`, `lines`, `parsed`, `rejected`, `skipped`, `unauthorized`, `first_time`, `last_time`, `missing`" + ` (fields that the diagnosis would use and no sampled line holds), ` + "`error`" + ` (null when it was read to its end)` + ", `out_of_range`" + ` (true when it was not read, because all of it is from before the range)` + ", `duplicate_of`" + ` (the input whose content is the same, when it was not read for that)` + ", `bytes_before`, `lines_before`, `bytes_left`" + ` (with ` + "`--state`" + `: what of its content earlier runs had counted, and how much of a last line without its end is left for the next one; ` + "`bytes_before + bytes + bytes_left`" + ` is all of it) |
| ` + "`totals`" + ` | the sums of the inputs, and ` + "`unexplained`, `findings`" + ` |
| ` + "`skips`, `rejects`" + ` | lines by reason |
| ` + "`causes`" + ` | 401s by cause; every cause is there |
| ` + "`undetectable`" + ` | kinds of findings that these logs cannot show: ` + "`kind`, `missing`" + ` (the columns it is told by and no line holds) |
| ` + "`tables`" + ` | ` + "`rows`" + ` and ` + "`bytes`" + ` of each table |
| ` + "`notes`" + ` | what a reader should know of the run, a sentence each |
| ` + "`state`" + ` | with ` + "`--state`" + `: ` + "`file`, `id`" + ` (the SHA-256 at its end), ` + "`repeated`" + ` (whether this output was written with it before); else null |
| ` + "`resources`" + ` | ` + "`wall_seconds`, `cpu_seconds`, `phases`" + ` (wall seconds of ` + "`read`, `correlate`, `detect`, `result`, `write`), `peak_rss_bytes`, `bytes_per_second`, `spilled_bytes`" + ` |

Always ` + "`lines = parsed + rejected + skipped`" + `, and a decompressed byte is in exactly one line.
`)
	return b.String()
}
