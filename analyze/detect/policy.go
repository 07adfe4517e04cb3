package detect

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

// Policy is what the people who run a site know about it and no log says. It
// changes how findings are judged, never what is found: all of them, and every
// 401, stay in the outputs.
type Policy struct {
	// Monitors are clients that ask without credentials on purpose: what they
	// do is no trouble and no attack.
	Monitors []Pattern
	// Shared are addresses that many people have, such as an office's: that
	// many accounts fail from there is no sign of an attack.
	Shared []netip.Prefix
	// Services are accounts of programs, as patterns of path.Match: nobody
	// notices that they fail, so it weighs more.
	Services []string
	// Mutes are findings that are known and left as they are for a time.
	Mutes []Mute

	known *known // whom pseudonyms stand for; nil where names are told
}

// Pattern is an address range, or where that is not valid a pattern of user
// agents, as path.Match has them, without regard to case.
type Pattern struct {
	Addresses netip.Prefix
	Agent     string
}

// Mute says of the finding with an id why it is left as it is, and until when.
type Mute struct {
	ID     string
	Reason string
	Until  time.Time // the log must end before
}

// ParsePattern reads an address, a CIDR range, or a pattern of user agents.
func ParsePattern(s string) (Pattern, error) {
	if p, err := ParsePrefix(s); err == nil {
		return Pattern{Addresses: p}, nil
	}
	if _, err := path.Match(s, ""); err != nil || s == "" {
		return Pattern{}, fmt.Errorf("%q is no address, no CIDR range and no pattern of user agents", s)
	}
	return Pattern{Agent: strings.ToLower(s)}, nil
}

// ParsePrefix reads an address or a CIDR range.
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

// ParseMute reads ID=DATE REASON: until the end of that day, in UTC.
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

func within(list []netip.Prefix, address string) bool {
	a, err := netip.ParseAddr(address)
	return err == nil && slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(a) })
}

// matches tells whether a subject's user agent has the pattern.
func (p *Pattern) matches(s *result.Subject) bool {
	if p.Addresses.IsValid() {
		return false
	}
	// path.Match keeps stars from slashes, which user agents are full of.
	ok, _ := path.Match(strings.ReplaceAll(p.Agent, "/", "\x00"), strings.ReplaceAll(strings.ToLower(s.UserAgent), "/", "\x00"))
	return ok && s.UserAgent != ""
}

// judge changes the severity of a finding where the policy knows better, and
// says so. An attack that got in stays what it is.
func (p *Policy) judge(f *result.Finding) {
	guess := slices.Contains([]string{"brute_force", "password_spraying", "credential_stuffing", "auth_scanner"}, f.Kind)
	monitored := guess || f.Kind == "unauthenticated_probe" || f.Kind == "retry_storm"
	switch s := &f.Subject; {
	case f.Severity == result.Critical:
	case monitored && f.Severity > result.Info && (p.monitors(s.ClientAddress) || slices.ContainsFunc(p.Monitors, func(m Pattern) bool { return m.matches(s) })):
		f.Severity = result.Info
		f.Judgement = result.KnownMonitor
	case guess && f.Severity > result.Low && p.shared(s.ClientAddress):
		f.Severity = result.Low
		f.Judgement = result.SharedAddress
	case (f.Kind == "account_failure" || f.Kind == "integration_failure" || f.Kind == "distributed_guessing") && f.Severity < result.High && p.service(s.User):
		f.Severity = result.High
		f.Judgement = result.ServiceAccount
	}
}

// monitors, shared and service tell whether a policy knows an address or user,
// or the one that a pseudonym stands for.
func (p *Policy) monitors(address string) bool {
	if p.known != nil {
		return p.known.monitors[address]
	}
	return slices.ContainsFunc(p.Monitors, func(m Pattern) bool {
		return m.Addresses.IsValid() && within([]netip.Prefix{m.Addresses}, address)
	})
}

func (p *Policy) shared(address string) bool {
	if p.known != nil {
		return p.known.shared[address]
	}
	return within(p.Shared, address)
}

func (p *Policy) service(user string) bool {
	if p.known != nil {
		return p.known.services[user]
	}
	return user != "" && slices.ContainsFunc(p.Services, func(pattern string) bool {
		ok, _ := path.Match(pattern, user)
		return ok
	})
}

// mute marks the findings that are known; last is the log's last time.
func (p *Policy) mute(findings []candidate, last int64) {
	for i := range findings {
		for j := range p.Mutes {
			if m := &p.Mutes[j]; m.ID == findings[i].ID && m.holds(last) {
				findings[i].Muted = &result.Muted{Reason: m.Reason, Until: m.Until.UnixMicro()}
			}
		}
	}
}

func (m *Mute) holds(last int64) bool { return last == parse.NoTime || last < m.Until.UnixMicro() }

// Notes returns notes on mutes that have no effect any more, so that they can be
// removed. last is the last time of the log.
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
