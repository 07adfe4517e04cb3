package main

import (
	"errors"
	"io"
	"os"
	"runtime"

	"logscan/parse/privacy"
)

// privacyFlags say how the output names people.
type privacyFlags struct {
	Pseudonymize string `predictor:"file" placeholder:"KEYFILE" group:"privacy" help:"Replace users and addresses by pseudonyms made with the key in KEYFILE, the same in every run. Create a key with: (umask 077; head -c 32 /dev/urandom > KEYFILE)."`
	RedactEmail  bool   `group:"privacy" help:"Replace e-mail addresses in URLs, user agents and sample lines by {email}. User names are kept (see --pseudonymize)."`
}

// options returns the privacy options of the flags. Its errors are usage errors.
func (f *privacyFlags) options() (privacy.Options, error) {
	o := privacy.Options{Emails: f.RedactEmail}
	if f.Pseudonymize == "" {
		return o, nil
	}
	key, err := readKey(f.Pseudonymize)
	o.Key = key
	return o, err
}

// othersMode are the permission bits of others. The group may need to read the
// key, as it does with a Kubernetes secret.
const othersMode = 0o007

// readKey reads the key in the file at path.
func readKey(path string) (*privacy.Key, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, usagef("create a key with: (umask 077; head -c 32 /dev/urandom > "+path+")", "--pseudonymize: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, usagef("", "--pseudonymize: %w", err)
	}
	if info.Mode().Perm()&othersMode != 0 && runtime.GOOS != "windows" {
		return nil, usagef("chmod 600 "+path, "--pseudonymize: %s is readable by all users of this machine; the key reveals who is behind a pseudonym", path)
	}
	secret, err := io.ReadAll(io.LimitReader(f, privacy.MaxKey+1))
	if err != nil {
		return nil, usagef("", "--pseudonymize: %w", err)
	}
	key, err := privacy.NewKey(secret)
	if err != nil {
		return nil, usagef("create a key with: head -c 32 /dev/urandom", "--pseudonymize: %s: %w", path, err)
	}
	return key, nil
}

// errPseudonymKeys is the reason why two outputs are not compared.
var errPseudonymKeys = errors.New("the pseudonym keys differ, or only one run used a key, so users and addresses cannot be matched")
