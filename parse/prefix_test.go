package parse

import "testing"

// The formats that nearly all logs have are read in one go.
func TestPrefix(t *testing.T) {
	for name, steps := range map[string]int{
		"combined": 8, "main": 8, "combinedio": 9, "combined-ident": 9, "common": 7, "ingress-nginx": 8,
		"combined-and-more": 8, "traefik-clf": 8, "vhost_combined": 0,
	} {
		f, ok := Lookup(name)
		if !ok {
			t.Fatalf("no format %s", name)
		}
		if got := f.programs[0].prefix.steps; got != steps {
			t.Errorf("%s: %d steps in one go, want %d", name, got, steps)
		}
	}
	// Where the user says what the fields are, they are not what they seem.
	f, _ := Lookup("combined")
	f, err := f.WithFields(map[string]string{"session": "remote_user"})
	if err != nil || f.programs[0].prefix.steps != 0 {
		t.Errorf("%v, %d steps in one go", err, f.programs[0].prefix.steps)
	}
}
