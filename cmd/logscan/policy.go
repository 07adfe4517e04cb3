package main

import (
	"fmt"
	"net/netip"
	"path"

	"logscan/analyze/policy"
)

// policyFlags describe the site. They are best kept in the configuration file.
type policyFlags struct {
	Monitor        []monitor        `placeholder:"CLIENT" sep:"none" group:"site" help:"Monitor that is expected to send no credentials: an address, a CIDR range, or a user-agent pattern such as Prometheus/* (repeatable)."`
	SharedAddress  []sharedAddress  `placeholder:"CIDR" sep:"none" group:"site" help:"Address or CIDR range shared by many people, such as an office; many failing accounts there are not an attack (repeatable)."`
	ServiceAccount []serviceAccount `placeholder:"USER" sep:"none" group:"site" help:"User name or pattern (svc-*) of a program; its failures are rated as more severe (repeatable)."`
	Mute           []mute           `placeholder:"ID=DATE REASON" sep:"none" group:"site" help:"Known finding, listed last and ignored by --fail-on until the end of DATE (repeatable)."`
}

// policy returns the policy of the flags.
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

// given reports whether the flags compare names or addresses.
func (f *policyFlags) given() bool {
	return len(f.Monitor)+len(f.SharedAddress)+len(f.ServiceAccount) > 0
}

type monitor struct{ policy.Pattern }

// UnmarshalText parses an address, a range, or a pattern of user agents.
func (m *monitor) UnmarshalText(text []byte) (err error) {
	m.Pattern, err = policy.ParsePattern(string(text))
	return err
}

type sharedAddress struct{ prefix netip.Prefix }

// UnmarshalText parses an address or a range.
func (a *sharedAddress) UnmarshalText(text []byte) (err error) {
	a.prefix, err = policy.ParsePrefix(string(text))
	return err
}

type serviceAccount string

// UnmarshalText parses a user name or a pattern of user names.
func (s *serviceAccount) UnmarshalText(text []byte) error {
	if _, err := path.Match(string(text), ""); err != nil || len(text) == 0 {
		return fmt.Errorf("%q is not a user name or pattern", text)
	}
	*s = serviceAccount(text)
	return nil
}

type mute struct{ policy.Mute }

// UnmarshalText parses ID=DATE REASON.
func (m *mute) UnmarshalText(text []byte) (err error) {
	m.Mute, err = policy.ParseMute(string(text))
	return err
}
