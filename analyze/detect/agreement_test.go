package detect

import (
	"slices"
	"testing"

	"logscan/analyze/session"
	"logscan/analyze/spill"
	"logscan/analyze/timeline"
	"logscan/parse/field"
)

// TestAgreementNamesCauses checks that the table names causes that exist, and that every
// cause that says why agrees with some reason.
func TestAgreementNamesCauses(t *testing.T) {
	named := map[string]bool{}
	for class, causes := range causesOf {
		for _, c := range causes {
			named[c] = true
			if !slices.Contains(CauseNames(), c) {
				t.Errorf("class %s: unknown cause %q", field.ReasonClass(class), c)
			}
		}
	}
	for _, c := range CauseNames() {
		if says := c != "unexplained" && c != "unauthorized_spike"; says != named[c] {
			t.Errorf("cause %s is in the table: %v, want %v", c, named[c], says)
		}
	}
}

func TestAgreement(t *testing.T) {
	cause := func(name string) int { return slices.Index(CauseNames(), name) }
	for _, c := range []struct {
		name            string
		reasons, causes []string
		compared, agree int64
	}{
		{"no reasons", []string{"", ""}, []string{"login_failure", "anonymous"}, 0, 0},
		{"one of two", []string{"token_expired", "token_expired"}, []string{"session_expiry", "brute_force"}, 2, 1},
		{"a server's own text", []string{"LDAP: invalid password for bob"}, []string{"login_failure"}, 1, 1},
		{"nothing inferred", []string{"account_locked", "account_locked"}, []string{"unexplained", "unauthorized_spike"}, 0, 0},
		{"a reason that says nothing", []string{"denied_by_authorizer", "because"}, []string{"login_failure", "anonymous"}, 0, 0},
	} {
		ev := &session.Evidence{State: &timeline.State{}}
		var lines []timeline.Refusal
		for _, text := range c.reasons {
			line := timeline.Refusal{}
			if text != "" {
				ev.State.Reasons = append(ev.State.Reasons, timeline.Reason{Text: text, Class: field.ClassOf(text)})
				line.Reason = uint16(len(ev.State.Reasons))
			}
			lines = append(lines, line)
		}
		ev.State.Refusals = spill.TableOf(lines)
		a := Agreement(ev, func(i int) int { return cause(c.causes[i]) })
		switch {
		case a == nil && c.compared > 0, a != nil && (a.Compared != c.compared || a.Agreeing != c.agree):
			t.Errorf("%s: got %+v, want %d of %d", c.name, a, c.agree, c.compared)
		}
	}
}
