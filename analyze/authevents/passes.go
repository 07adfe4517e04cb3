package authevents

import (
	"logscan/parse/events"
	"logscan/parse/field"
)

// pass is one key. What one pass leaves, the next one tries.
type pass struct {
	match   Match
	event   func(event int32, t *texts, l *eventLabels) uint64 // 0: the event has no such key
	request func(*request, *requestLabels) uint64
	// window is how far apart the times may be, in microseconds, beside the duration of
	// the request.
	window int64
	// alone keys are those of one request as a rule: if one event and one refusal have
	// it, their times do not matter.
	alone bool
	// ordered keys are those of requests that follow one another: then their order says
	// which is which.
	ordered bool
	// mostly keys also fit events and refusals that have nothing to do with one another, now
	// and then: they count if most events of the source that have one are about a refusal.
	mostly bool
}

const (
	// near is how far an event may be from its request: logs of whole seconds cut off up
	// to one. nginx writes the time of the end of a request, Apache that of its
	// beginning, and events lie between the two.
	near = 1_000_000 // microseconds
	// nearby is the same for events of another program, which sees the user before or
	// after the server does.
	nearby = 2_000_000 // microseconds
)

// The parts of keys that keep the keys of passes apart.
const (
	connectionKey uint64 = iota + 1
	portKey
	clientPortKey
	requestKey
	pathKey
	userKey
	clientKey
	signInKey
	answeredKey
)

// passes returns the keys of events, the surest first.
func (j *joiner) passes() (all []pass) {
	for id := range maxIDs {
		if j.has.ids {
			all = append(all, pass{match: ByID, window: near, alone: true,
				event: func(_ int32, _ *texts, l *eventLabels) uint64 { return l.id }, request: func(_ *request, l *requestLabels) uint64 { return l.ids[id] }})
		}
	}
	if j.has.session {
		all = append(all, pass{match: BySession, window: nearby,
			event: func(_ int32, _ *texts, l *eventLabels) uint64 { return l.session }, request: func(_ *request, l *requestLabels) uint64 { return l.session }})
	}
	if j.has.connection {
		all = append(all, j.ofClient(pass{match: ByConnection, window: near, ordered: true}, func(t *texts, l *labels, client uint64) uint64 {
			return mix(connectionKey, l.connection, client, t.request)
		})...)
	}
	if j.has.port {
		all = append(all, j.ofClient(pass{match: ByPort, window: near, ordered: true}, func(t *texts, l *labels, client uint64) uint64 {
			return mix(portKey, l.port, client, t.path)
		})...)
		bare := pass{match: ByPort, window: near, ordered: true,
			event: func(_ int32, t *texts, l *eventLabels) uint64 {
				return onlyIf(t.path == 0, mix(clientPortKey, l.port, t.client))
			},
			request: func(r *request, l *requestLabels) uint64 { return mix(clientPortKey, l.port, r.client) }}
		all = append(all, j.refine(bare)...)
	}
	all = append(all, j.ofClient(pass{match: ByRequest, window: near}, func(t *texts, _ *labels, client uint64) uint64 {
		return mix(requestKey, client, t.request)
	})...)
	// Apache's messages have the path alone.
	paths := j.ofClient(pass{match: ByRequest, window: near}, func(t *texts, _ *labels, client uint64) uint64 {
		return mix(pathKey, client, t.path)
	})
	for _, p := range paths {
		key := p.event
		p.event = func(n int32, t *texts, l *eventLabels) uint64 { return onlyIf(t.request == 0, key(n, t, l)) }
		all = append(all, p)
	}
	all = append(all, j.ofClient(pass{match: ByClient, window: near}, func(t *texts, _ *labels, client uint64) uint64 {
		return mix(clientKey, client)
	})...)
	for i := range all {
		if p := &all[i]; p.match == ByClient {
			key := p.event
			p.event = func(n int32, t *texts, l *eventLabels) uint64 {
				e := &j.events[n]
				return onlyIf(t.path == 0 && e.status != 0 && (j.sources[e.Source].server || e.follows && t.user == 0), key(n, t, l))
			}
		}
	}
	if j.has.user { // events without a request are those of other programs
		all = append(all,
			pass{match: ByUserClient, window: nearby,
				event: func(_ int32, t *texts, _ *eventLabels) uint64 {
					return onlyIf(t.path == 0, mix(userKey, t.user, t.client))
				},
				request: func(r *request, _ *requestLabels) uint64 { return mix(userKey, r.user, r.client) }},
			pass{match: ByUser, window: nearby,
				event:   func(_ int32, t *texts, _ *eventLabels) uint64 { return onlyIf(t.path == 0, t.user) },
				request: func(r *request, _ *requestLabels) uint64 { return r.user }})
	}
	return append(append(all, j.signIns()...), j.answered()...)
}

// answered returns the passes for what applications write of requests that they have refused with
// a status, if they state the client alone: the request without a user that was answered so.
// An application answers some of the requests of an access log only, an identity provider none.
func (j *joiner) answered() []pass {
	p := pass{match: ByClient, window: near, mostly: true,
		event: func(n int32, t *texts, _ *eventLabels) uint64 {
			e := &j.events[n]
			s := &j.sources[e.Source]
			return onlyIf(t.path == 0 && e.status != 0 && !s.server && !s.provider, mix(answeredKey, t.client))
		},
		request: func(r *request, _ *requestLabels) uint64 { return onlyIf(r.user == 0, mix(answeredKey, r.client)) }}
	return j.ofPeers(p, answeredKey)
}

// signIns returns the passes for what applications write of people who sign in by a form: the
// client and the name, which the access log does not have, of a request that sends something.
func (j *joiner) signIns() []pass {
	p := pass{match: ByClient, window: nearby, mostly: true,
		event: func(n int32, t *texts, _ *eventLabels) uint64 {
			e := &j.events[n]
			return onlyIf(t.path == 0 && t.user != 0 && e.status == 0 && e.Outcome == events.Refused, mix(signInKey, t.client))
		},
		request: func(r *request, _ *requestLabels) uint64 {
			return onlyIf(r.posts && r.user == 0, mix(signInKey, r.client))
		}}
	return j.ofPeers(p, signInKey)
}

// ofPeers returns a pass whose key is that of the client, and the same with the peer in its
// place if there are peers.
func (j *joiner) ofPeers(p pass, kind uint64) []pass {
	if !j.has.peer {
		return []pass{p}
	}
	q := p
	q.request = func(r *request, l *requestLabels) uint64 {
		return onlyIf(p.request(r, l) != 0, mix(kind, l.peer))
	}
	return []pass{p, q}
}

func onlyIf(ok bool, key uint64) uint64 {
	if !ok {
		return 0
	}
	return key
}

// ofClient returns the passes of a key of the client, and of the peer in its place: a
// server may know either.
func (j *joiner) ofClient(p pass, key func(t *texts, l *labels, client uint64) uint64) []pass {
	p.event = func(_ int32, t *texts, l *eventLabels) uint64 { return key(t, &l.labels, t.client) }
	p.request = func(r *request, l *requestLabels) uint64 { return key(&r.texts, &l.labels, r.client) }
	all := j.refine(p)
	if j.has.peer {
		p.request = func(r *request, l *requestLabels) uint64 { return key(&r.texts, &l.labels, l.peer) }
		all = append(all, j.refine(p)...)
	}
	return all
}

// compared is how a field of an event and of a request is compared.
type compared uint8

const (
	equal        compared = iota // both have it
	neither                      // neither has it
	requestLacks                 // the request lacks it, whatever the event has
	eventLacks                   // the event lacks it, whatever the request has
)

// key returns a key with a field of an event or a request. ignores is the comparison in
// which it does not matter whether this one has the field.
func (c compared) key(key, value uint64, ignores compared) uint64 {
	switch c {
	case equal:
		return mix(key, value)
	case ignores:
		return key
	}
	return onlyIf(value == 0, key)
}

// refine returns the variants of a pass. A directory, host and user must be equal if
// both the event and the request have it; those that are equal are tried first. In a log
// that names users, a request that names none had none: events that name one are not
// about it, and those that say that there were no credentials are about no other.
func (j *joiner) refine(p pass) (all []pass) {
	var hosts []compared
	if j.has.host {
		hosts = append(hosts, equal, eventLacks)
	}
	if j.has.noHost {
		hosts = append(hosts, requestLacks)
	}
	for _, sameDirectory := range []bool{true, false} {
		if sameDirectory && !j.has.directories {
			continue
		}
		for user := equal; user <= eventLacks; user++ {
			if !j.has.user && (user == equal || user == neither) {
				continue // variant wants a log with names
			}
			for _, host := range hosts {
				all = append(all, j.variant(p, user, host, sameDirectory))
			}
		}
	}
	return all
}

// variant returns one of the passes of refine.
func (j *joiner) variant(p pass, user, host compared, sameDirectory bool) pass {
	q := p
	q.event = func(n int32, t *texts, l *eventLabels) uint64 {
		key := host.key(user.key(p.event(n, t, l), t.user, requestLacks), t.host, requestLacks)
		if sameDirectory {
			key = mix(key, uint64(j.directories[j.State.Messages.At(int(n)).Input]))
		}
		return onlyIf(user == equal || user == requestLacks || (user == neither) == (j.events[n].class == field.MissingReason), key)
	}
	q.request = func(r *request, l *requestLabels) uint64 {
		key := host.key(user.key(p.request(r, l), r.user, eventLacks), r.host, eventLacks)
		if sameDirectory {
			key = mix(key, uint64(j.directories[r.input]))
		}
		names := j.has.user && j.named[r.input]
		return onlyIf(!(user == requestLacks && names || user == neither && !names), key)
	}
	return q
}
