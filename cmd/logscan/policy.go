package main

import (
	"fmt"
	"net/netip"
	"path"

	"logscan/analyze/policy"
)

// policyFlags are what is known of a site. They are best kept in the
// configuration file.
type policyFlags struct {
	Monitor        []monitor        `placeholder:"CLIENT" sep:"none" group:"known" help:"Address, CIDR range, or pattern of user agents (Prometheus/*) of a monitor that asks without credentials on purpose: no trouble, no attack (repeatable)."`
	SharedAddress  []sharedAddress  `placeholder:"CIDR" sep:"none" group:"known" help:"Address or CIDR range that many people share, such as an office's: many failing accounts are no attack there (repeatable)."`
	ServiceAccount []serviceAccount `placeholder:"USER" sep:"none" group:"known" help:"User, or pattern of users (svc-*), that is a program: its failures weigh more (repeatable)."`
	Mute           []mute           `placeholder:"ID=DATE REASON" sep:"none" group:"known" help:"Finding that is known: until the end of that date it comes last and does not count for --fail-on (repeatable)."`
}

// policy is what the flags make.
func (f *policyFlags) policy() (p policy.Policy) {
	for _, m := range f.Monitor {
		p.Monitors = append(p.Monitors, m.Pattern)
	}
	for _, a := range f.SharedAddress {
		p.Shared = append(p.Shared, a.prefix)
	}
	for _, s := range f.ServiceAccount {
		p.Services = append(p.Services, string(s))
	}
	for _, m := range f.Mute {
		p.Mutes = append(p.Mutes, m.Mute)
	}
	return p
}

type monitor struct{ policy.Pattern }

// UnmarshalText reads an address, a range, or a pattern of user agents.
func (m *monitor) UnmarshalText(text []byte) (err error) {
	m.Pattern, err = policy.ParsePattern(string(text))
	return err
}

type sharedAddress struct{ prefix netip.Prefix }

// UnmarshalText reads an address or a range.
func (a *sharedAddress) UnmarshalText(text []byte) (err error) {
	a.prefix, err = policy.ParsePrefix(string(text))
	return err
}

type serviceAccount string

// UnmarshalText reads a user or a pattern of users.
func (s *serviceAccount) UnmarshalText(text []byte) error {
	if _, err := path.Match(string(text), ""); err != nil || len(text) == 0 {
		return fmt.Errorf("%q is no user and no pattern of users", text)
	}
	*s = serviceAccount(text)
	return nil
}

type mute struct{ policy.Mute }

// UnmarshalText reads ID=DATE REASON.
func (m *mute) UnmarshalText(text []byte) (err error) {
	m.Mute, err = policy.ParseMute(string(text))
	return err
}
