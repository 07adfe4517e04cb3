package analyze

import (
	"fmt"
	"strings"
	"testing"

	"logscan/parse/events"
)

// TestEventTexts numbers texts of messages, and leaves out what exceeds the limits.
func TestEventTexts(t *testing.T) {
	const messages = 5
	texts := newEventTexts(messages)
	tables := [...]*textTable{texts.newTable(), texts.newTable()}
	list := [messages]events.Event{
		{Code: []byte("401"), Method: []byte("GET"), Target: []byte("/a?token=secret"), Client: []byte("192.0.2.1"), User: []byte("ann"), Status: 401},
		{Method: []byte("GET"), Target: []byte("/a"), Host: []byte("GET"), Client: []byte("192.0.2.1"), User: []byte("bob")},
		{Target: []byte("/" + strings.Repeat("long/", maxTableBytes/5))},
		{},
		{Target: []byte("/a"), User: []byte("ann\xff")},
	}
	want := [messages]string{"401 GET /a  192.0.2.1 ann 401", " GET /a GET 192.0.2.1 bob 0", "", "      0", "  /a   ann\uFFFD 0"}
	for i := range list {
		tables[i%2].add(i, &list[i])
	}
	for i, want := range want {
		var m message
		if ok := texts.read(i, &m); ok != (want != "") {
			t.Errorf("message %d: read is %v", i, ok)
		} else if got := fmt.Sprintf("%s %s %s %s %s %s %d", m.Code, m.Method, m.Path, m.Host, m.Client, m.User, m.Status); ok && got != want {
			t.Errorf("message %d: %q, want %q", i, got, want)
		}
	}
	if texts.read(messages, &message{}) {
		t.Error("a message beyond the last is read")
	}
}
