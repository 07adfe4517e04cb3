package timeline

import (
	"fmt"
	"slices"
	"testing"

	"logscan/parse"
	"logscan/parse/field"
)

// TestOutcomes checks that named statuses become refusals, and others stay as they are.
func TestOutcomes(t *testing.T) {
	o := newOutcomes([]int32{403, 599, 600, -1, 0})
	for status, want := range map[int]Outcome{401: Unauthorized, 403: Unauthorized, 599: Unauthorized, 404: NotFound, 200: Accepted, 0: Other, 302: Redirected} {
		if o[status] != want {
			t.Errorf("%d is %d, want %d", status, o[status], want)
		}
	}
}

// TestStatusesAreCounted checks the counts by status, with those that no table has.
func TestStatusesAreCounted(t *testing.T) {
	w := NewWorker(1, 1)
	w.Refuse([]int32{403})
	for i, status := range []int32{200, 403, 403, -1, 700, 0} {
		w.Entry(0, int64(i), &parse.Entry{Time: int64(i) * 1e6, Status: status, TokenExpiry: parse.NoTime}, []byte("x"))
	}
	s, err := Merge([]*Worker{w})
	if err != nil {
		t.Fatal(err)
	}
	if s.Statuses[200] != 1 || s.Statuses[403] != 2 || s.Statuses[0] != 3 || s.Inputs[0].NoStatus != 3 || s.Inputs[0].Unauthorized != 2 {
		t.Errorf("200: %d, 403: %d, none: %d, ledger %+v", s.Statuses[200], s.Statuses[403], s.Statuses[0], s.Inputs[0])
	}
}

// TestUnreadRefusals checks which lines without a status look like refusals.
func TestUnreadRefusals(t *testing.T) {
	for line, want := range map[string]int64{
		"2026-03-10T10:00:00Z|1.2.3.4|GET|/a|401|12ms": 1, `{"code":401}`: 1, "401": 1, "took=0.401 port=4401 GET /401 a-401 x401": 0, "200 403": 1, "": 0, "401s": 0, "999": 0,
	} {
		w := NewWorker(1, 1)
		w.Refuse([]int32{403})
		w.Entry(0, 0, &parse.Entry{Time: 1e6, TokenExpiry: parse.NoTime}, []byte(line))
		if got := w.ledgers[0].Unread; got != want {
			t.Errorf("%q: %d, want %d", line, got, want)
		}
	}
}

// TestManyReasonsAreGrouped checks that texts with ids in them do not fill memory, and
// keep their class, whichever worker sees them.
func TestManyReasonsAreGrouped(t *testing.T) {
	var want []Reason
	for _, workers := range []int{1, 3} {
		ws := make([]*Worker, workers)
		for i := range ws {
			ws[i] = NewWorker(7, 1)
		}
		for i := range 4 * maxReasons {
			text := fmt.Sprintf("token %d has expired", i)
			switch i % 4 {
			case 1:
				text = fmt.Sprintf("no matching key %d", i)
			case 2:
				text = "acl_denied"
			case 3:
				text = fmt.Sprintf("E%d", i)
			}
			ws[i%workers].Entry(0, int64(i), &parse.Entry{Time: int64(i) * 1e6, Status: 401, TokenExpiry: parse.NoTime, Reason: []byte(text)}, []byte("x"))
		}
		s, err := Merge(ws)
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = s.Reasons
		}
		if !slices.Equal(s.Reasons, want) || len(s.Reasons) != 4 {
			t.Errorf("%d workers: %v, want %v", workers, s.Reasons, want)
		}
		for i := range s.Refusals.Len() {
			class := s.Reasons[s.Refusals.At(i).Reason-1].Class
			if wanted := []field.ReasonClass{field.ExpiredReason, field.KeyReason, field.PermissionReason, field.UnknownReason}[i%4]; class != wanted {
				t.Fatalf("refusal %d has class %v, want %v", i, class, wanted)
			}
		}
	}
}
