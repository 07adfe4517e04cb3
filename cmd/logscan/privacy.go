package main

import (
	"errors"
	"io"
	"os"
	"runtime"

	"logscan/parse/privacy"
)

// privacyFlags say how people are named in what is written.
type privacyFlags struct {
	Pseudonymize string `predictor:"file" placeholder:"KEYFILE" group:"names" help:"Put pseudonyms in the place of users and addresses, made with the key in this file: the same every night, and of no use without it. Make one with: (umask 077; head -c 32 /dev/urandom > KEYFILE)."`
	RedactEmail  bool   `group:"names" help:"Make e-mail addresses in URLs, user agents and sample lines {email}; a user name that is one stays (see --pseudonymize)."`
}

// options gives what the flags say as the packages below take it. Its errors are
// usage errors.
func (f *privacyFlags) options() (privacy.Options, error) {
	o := privacy.Options{Emails: f.RedactEmail}
	if f.Pseudonymize == "" {
		return o, nil
	}
	key, err := readKey(f.Pseudonymize)
	o.Key = key
	return o, err
}

// othersMode are the permissions of those who are neither the owner nor of the
// group: a group may have to read the key, as that of a Kubernetes secret.
const othersMode = 0o007

// readKey reads the key in the file at path.
func readKey(path string) (*privacy.Key, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, usagef("make a key: (umask 077; head -c 32 /dev/urandom > "+path+")", "--pseudonymize: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, usagef("", "--pseudonymize: %w", err)
	}
	if info.Mode().Perm()&othersMode != 0 && runtime.GOOS != "windows" {
		return nil, usagef("chmod 600 "+path, "--pseudonymize: everybody on this machine can read %s: whoever has the key can find out whose a pseudonym is", path)
	}
	secret, err := io.ReadAll(io.LimitReader(f, privacy.MaxKey+1))
	if err != nil {
		return nil, usagef("", "--pseudonymize: %w", err)
	}
	key, err := privacy.NewKey(secret)
	if err != nil {
		return nil, usagef("head -c 32 /dev/urandom makes one", "--pseudonymize: %s: %w", path, err)
	}
	return key, nil
}

// errOtherNames says why two outputs are not compared.
var errOtherNames = errors.New("only one of the two has pseudonyms, or their keys differ: users and addresses cannot be known again")
