// Package policy holds the facts about a site that its operators configure because no
// log shows them: monitors, shared addresses, service accounts and known findings. It
// changes the severity of findings and mutes them.
package policy

import (
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"

	"logscan/analyze/result"
	"logscan/parse"
)

// Policy describes a site. It changes the severity of findings and never removes them:
// all findings, and every 401, stay in the outputs. The zero value changes nothing.
type Policy struct {
	// Monitors are clients that send requests without credentials on purpose:
	// neither a fault nor an attack.
	Monitors []Pattern
	// Shared are addresses of many people, such as an office's: many failing
	// accounts there do not show an attack.
	Shared []netip.Prefix
	// Services are accounts of programs, as patterns of path.Match. Their failures
	// are more severe, because people may overlook them.
	Services []string
	// Mutes are known findings to leave alone for a time.
	Mutes []Mute

	pseudonyms *pseudonyms // those of the log that the policy matches; nil without pseudonyms
}

// Pattern is an address range or, where that is not valid, a pattern of user
// agents as in path.Match, in lower case. Case is ignored.
type Pattern struct {
	Addresses netip.Prefix
	Agent     string
}

// Mute mutes the finding with an ID, with a reason.
type Mute struct {
	ID     string
	Reason string
	Until  time.Time // the mute applies to logs that end before it
}

// ParsePattern parses an address, a CIDR range or a pattern of user agents.
func ParsePattern(s string) (Pattern, error) {
	if p, err := ParsePrefix(s); err == nil {
		return Pattern{Addresses: p}, nil
	}
	if _, err := path.Match(s, ""); err != nil || s == "" {
		return Pattern{}, fmt.Errorf("%q is no address, no CIDR range and no pattern of user agents", s)
	}
	return Pattern{Agent: strings.ToLower(s)}, nil
}

// ParsePrefix parses an address or a CIDR range.
func ParsePrefix(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("%q is no address and no CIDR range", s)
	}
	return p.Masked(), nil
}

// ParseMute parses "ID=DATE REASON". The mute lasts until the end of that day in
// UTC.
func ParseMute(s string) (Mute, error) {
	id, rest, ok := strings.Cut(s, "=")
	day, reason, _ := strings.Cut(strings.TrimSpace(rest), " ")
	until, err := time.Parse(time.DateOnly, day)
	reason = strings.TrimSpace(reason)
	switch {
	case !ok || id == "":
		return Mute{}, fmt.Errorf("%q is not FINDING-ID=DATE REASON", s)
	case err != nil:
		return Mute{}, fmt.Errorf("%s: %q is no date such as 2026-12-31: a mute ends", id, day)
	case reason == "":
		return Mute{}, fmt.Errorf("%s: a mute needs a reason after the date", id)
	}
	return Mute{ID: id, Reason: reason, Until: until.AddDate(0, 0, 1)}, nil
}

// Judge changes the severity of a finding that the policy applies to, and sets the
// reason as its Judgement. A critical finding, an attack that succeeded, is not
// changed.
func (p *Policy) Judge(f *result.Finding) {
	s := &f.Subject
	attack := f.Category == "attack"
	monitored := attack || f.Kind == "unauthenticated_probe" || f.Kind == "retry_storm"
	switch {
	case f.Severity == result.Critical:
	case monitored && f.Severity > result.Info && p.monitors(s):
		f.Severity = result.Info
		f.Judgement = result.KnownMonitor
	case attack && f.Severity > result.Low && p.shared(s.ClientAddress):
		f.Severity = result.Low
		f.Judgement = result.SharedAddress
	case f.Severity < result.High && p.service(s.User):
		f.Severity = result.High
		f.Judgement = result.ServiceAccount
	}
}

// monitors reports whether a subject is one of the monitors.
func (p *Policy) monitors(s *result.Subject) bool {
	return p.monitorAddress(s.ClientAddress) ||
		slices.ContainsFunc(p.Monitors, func(m Pattern) bool { return m.matchesAgent(s.UserAgent) })
}

// monitorAddress, shared and service report whether the policy lists an address
// or a user, or the one that a pseudonym stands for.
func (p *Policy) monitorAddress(address string) bool {
	if p.pseudonyms != nil {
		return p.pseudonyms.monitors[address]
	}
	return slices.ContainsFunc(p.Monitors, func(m Pattern) bool {
		return m.Addresses.IsValid() && within([]netip.Prefix{m.Addresses}, address)
	})
}

func (p *Policy) shared(address string) bool {
	if p.pseudonyms != nil {
		return p.pseudonyms.shared[address]
	}
	return within(p.Shared, address)
}

func (p *Policy) service(user string) bool {
	if p.pseudonyms != nil {
		return p.pseudonyms.services[user]
	}
	return user != "" && slices.ContainsFunc(p.Services, func(pattern string) bool {
		ok, _ := path.Match(pattern, user)
		return ok
	})
}

func within(list []netip.Prefix, address string) bool {
	a, err := netip.ParsePrefix(address)
	if err != nil {
		single, err := netip.ParseAddr(address)
		if err != nil {
			return false
		}
		a = netip.PrefixFrom(single, single.BitLen())
	}
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Bits() <= a.Bits() && p.Contains(a.Addr()) })
}

// matchesAgent reports whether a user agent matches the pattern.
func (p *Pattern) matchesAgent(agent string) bool {
	if p.Addresses.IsValid() || agent == "" {
		return false
	}
	// In path.Match a star does not match slashes, of which user agents are full.
	ok, _ := path.Match(strings.ReplaceAll(p.Agent, "/", "\x00"), strings.ReplaceAll(strings.ToLower(agent), "/", "\x00"))
	return ok
}

// Muted returns the mute of the finding with an ID, nil if it is not muted. last
// is the last time of the log in Unix microseconds, or parse.NoTime.
func (p *Policy) Muted(id string, last int64) *result.Muted {
	for i := range slices.Backward(p.Mutes) {
		if m := &p.Mutes[i]; m.ID == id && m.holds(last) {
			return &result.Muted{Reason: m.Reason, Until: m.Until.UnixMicro()}
		}
	}
	return nil
}

func (m *Mute) holds(last int64) bool { return last == parse.NoTime || last < m.Until.UnixMicro() }

// Notes returns notes on mutes that have no effect any more, so that they can be
// removed. last is the last time of the log, in Unix microseconds.
func (p *Policy) Notes(findings []result.Finding, last int64) (notes []result.Note) {
	for i := range p.Mutes {
		m := &p.Mutes[i]
		n := result.Note{Kind: result.NoteMuteUnused, Name: m.ID, Text: m.Until.AddDate(0, 0, -1).Format(time.DateOnly)}
		switch {
		case !m.holds(last):
			n.Kind = result.NoteMuteEnded
		case slices.ContainsFunc(findings, func(f result.Finding) bool { return f.ID == m.ID }):
			continue
		}
		notes = append(notes, n)
	}
	return notes
}
