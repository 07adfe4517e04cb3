package tables

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestColumns(t *testing.T) {
	name := regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	docs := map[string]Column{} // by name: it means the same in every table
	for _, table := range Tables() {
		seen := map[string]bool{}
		for _, c := range table.Columns {
			if !name.MatchString(c.Name) {
				t.Errorf("%s.%s needs quotes in SQL", table.Name, c.Name)
			}
			if seen[c.Name] {
				t.Errorf("%s.%s is a duplicate", table.Name, c.Name)
			}
			seen[c.Name] = true
			if !strings.HasSuffix(c.Doc, ".") {
				t.Errorf("%s.%s: the doc is not a sentence: %q", table.Name, c.Name, c.Doc)
			}
			if old, ok := docs[c.Name]; ok && (old.Type != c.Type || old.ECS != c.ECS || old.OCSF != c.OCSF && c.Name != "unauthorized") {
				t.Errorf("%s.%s is a %v (%s, %s), elsewhere a %v (%s, %s)", table.Name, c.Name, c.Type, c.ECS, c.OCSF, old.Type, old.ECS, old.OCSF)
			}
			docs[c.Name] = c
		}
	}
}

// TestContract holds the names that existing SQL queries use.
func TestContract(t *testing.T) {
	want := map[string]string{
		"unauthorized": `timestamp http_request_method url_path url_query url_template url_scheme http_response_status_code
			http_response_body_size http_server_request_duration server_address http_request_referrer client_address
			network_peer_address user_agent_original user_name session_id upstream_address log_file_path log_line auth_cause
			auth_reason auth_answered_by auth_token_expiry finding_id`,
		"requests": `timestamp http_request_method url_path url_query url_template url_scheme http_response_status_code
			http_response_body_size http_server_request_duration server_address http_request_referrer client_address
			network_peer_address user_agent_original user_name session_id upstream_address log_file_path log_line auth_refused auth_cause
			auth_reason auth_answered_by auth_token_expiry finding_id`,
		"sessions":  "session_id user_name client_address user_agent_original server_address start_time end_time requests finding_id",
		"endpoints": "server_address http_request_method url_template requests accepted unauthorized actors refused_actors finding_id",
		"accounts":  "user_name requests accepted unauthorized clients finding_id",
		"clients":   "client_address user_agent_original requests accepted unauthorized users sessions finding_id",
		"timeline":  "timestamp server_address requests unauthorized unauthorized_unexplained unauthorized_session_expiry",
		"findings":  "id kind category severity confidence title explanation remediation onset first_seen last_seen unauthorized actors users details",
		"inputs":    "log_file_path format compression bytes lines parsed rejected skipped unauthorized first_time last_time error",
		"auth_events": `timestamp auth_source auth_code auth_outcome auth_reason client_address user_name log_file_path log_line join_result join_key
			matched_log_file_path matched_log_line finding_id`,
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
