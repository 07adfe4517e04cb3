package detect

import (
	"slices"
	"testing"

	"logscan/analyze/session"
	"logscan/analyze/timeline"
)

// refusedAt returns refused attempts of a client, at minutes.
func refusedAt(client timeline.Client, minutes ...int64) (list []attempt) {
	for i, m := range minutes {
		list = append(list, attempt{time: m * 60_000, refusal: uint32(i), client: client, own: true})
	}
	return list
}

func TestNeverAccepted(t *testing.T) {
	person, other := timeline.Client{Address: 1, Agent: 1}, timeline.Client{Address: 2, Agent: 1}
	hours := []int64{0, 1, 11, 12, 40, 41, 75, 76, 120}
	accepted := refusedAt(person, hours...)
	accepted[3].refusal = timeline.NoRefusal
	var guesses []attempt
	for i := range int64(bruteFast) {
		guesses = append(guesses, attempt{time: i * 10_000, client: person, own: true})
	}
	for name, x := range map[string]struct {
		list  []attempt
		names int
		want  bool
	}{
		"comes again":       {refusedAt(person, hours...), 1, true},
		"two clients":       {append(refusedAt(person, hours[:5]...), refusedAt(other, hours[5:]...)...), 1, true},
		"one sitting":       {refusedAt(person, 0, 1, 2, 3, 4, 5, 6, 7, 8), 1, false},
		"many names":        {refusedAt(person, hours...), ownNames + 1, false},
		"accepted once":     {accepted, 1, false},
		"guesses in a row":  {append(guesses, refusedAt(person, 20, 40, 60, 90)...), 1, false},
		"few tries in hour": {refusedAt(person, 0, 20, 40, 61), 1, false},
	} {
		list := make([]uint32, x.names)
		names := map[timeline.Client][]uint32{person: list, other: list}
		if _, ok := neverAccepted(x.list, names); ok != x.want {
			t.Errorf("%s: %t, want %t", name, ok, x.want)
		}
	}
}

// TestOwnDevices checks that what is refused elsewhere is the owner's if the account is refused at
// home before, at a device's pace and to the same program.
func TestOwnDevices(t *testing.T) {
	home, away := timeline.Client{Address: 1, Agent: 1}, timeline.Client{Address: 2, Agent: 1}
	accepted := refusedAt(home, 0, 10, 20)
	for i := range accepted {
		accepted[i].refusal = timeline.NoRefusal
	}
	every := func(minutes int64) (list []int64) { // for a day
		for m := int64(60); m < 1440; m += minutes {
			list = append(list, m)
		}
		return list
	}
	others := timeline.Client{Address: 3, Agent: 2}
	for name, x := range map[string]struct {
		list []attempt
		away int // refusals away from home that are the owner's
	}{
		"moves":                {slices.Concat(accepted, refusedAt(home, 30, 45), refusedAt(away, every(15)...)), 92},
		"is only refused away": {slices.Concat(accepted, refusedAt(away, every(15)...)), 0},
		"guesses":              {slices.Concat(accepted, refusedAt(home, 30, 45), refusedAt(away, every(15)...), refusedAt(away, slices.Repeat([]int64{1500}, 30)...)), 0},
		"guesses before":       {slices.Concat(accepted[:2], refusedAt(away, 15), accepted[2:], refusedAt(home, 30), refusedAt(away, every(15)...)), 0},
		"another program":      {slices.Concat(accepted, refusedAt(home, 30, 45), refusedAt(others, every(15)...)), 0},
	} {
		own := 0
		for _, a := range byOwner(x.list) {
			if a.client.Address != home.Address {
				own++
			}
		}
		if own != x.away {
			t.Errorf("%s: %d refusals are the owner's, want %d", name, own, x.away)
		}
	}
}

func TestBareImages(t *testing.T) {
	d := &Diagnosis{Evidence: &session.Evidence{State: &timeline.State{Endpoints: []timeline.Endpoint{
		{Template: "/img/launcher.png"}, {Template: "/img/photo.png"}, {Template: "/js/app.js"}, {Template: "/type/body.woff2"},
	}}}}
	d.State.Endpoints[1].N[timeline.Accepted] = 3
	for i, want := range []bool{true, false, false, true} {
		if got := d.bareAsset(&session.Refusal{Endpoint: uint32(i)}); got != want {
			t.Errorf("%s: %t, want %t", d.State.Endpoints[i].Template, got, want)
		}
	}
}
