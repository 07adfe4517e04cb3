package timeline

import "testing"

func TestBringsTicket(t *testing.T) {
	for query, want := range map[string]bool{
		"code=0abc&state=xyz": true, "state=x&session_state=y&code=z": true, "ticket=ST-1856339-aA5": true, "next=/&ticket=ST-1": true,
		"": false, "code=0abc": false, "code=&state=x": false, "state=x": false, "ticket=4711": false, "zipcode=1&state=NY": false, "code": false,
	} {
		if got := bringsTicket([]byte(query)); got != want {
			t.Errorf("%q: %v", query, got)
		}
	}
}
