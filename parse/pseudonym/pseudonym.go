// Package pseudonym puts keyed pseudonyms in the place of people's names.
//
// In: what a line says of a user, an address or a session, and any text. Out:
// the same, with users as user-3f9a0c1d2e4b5a67, addresses as
// addr-3f9a0c1d2e4b5a67, and neither of them left in the text. Whoever has not
// the key can neither turn a pseudonym back nor find out whose it is by trying
// names. The same key gives the same pseudonyms, every night and on every
// machine. It does not know formats: package parse says which value is whose.
package pseudonym

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
)

const (
	// MinKey is the least number of bytes of a key: those of the hash, so that it
	// cannot be guessed.
	MinKey = 32
	// MaxKey is the most: a file with more is no key.
	MaxKey = 4 << 10
	// minDistinct different bytes are in every key that was drawn at random.
	minDistinct = 8
	// digits of a pseudonym are hexadecimal: 64 bits. That two of a million users
	// share one has odds of 1 to 37 million; of ten million, 1 to 370,000.
	digits = 16
	// keyDigits tell keys apart: 32 bits, which give nothing of the key away.
	keyDigits = 8
)

// The beginnings of pseudonyms.
const (
	userPrefix    = "user-"
	addressPrefix = "addr-"
)

// What is hashed begins with what it is, so that a user whose name is an address
// has another pseudonym than the address, and no pseudonym says anything of the
// session id that is spelled alike.
const (
	userDomain    = "user\x00"
	addressDomain = "address\x00"
	sessionDomain = "session\x00"
	keyDomain     = "key\x00"
)

// Key makes pseudonyms. It may be used by many goroutines.
type Key struct{ secret []byte }

// NewKey makes a key of a secret, which it copies.
func NewKey(secret []byte) (*Key, error) {
	var seen [256]bool
	distinct := 0
	for _, c := range secret {
		if !seen[c] {
			seen[c] = true
			distinct++
		}
	}
	switch {
	case len(secret) < MinKey:
		return nil, fmt.Errorf("a key has at least %d bytes, and this one has %d", MinKey, len(secret))
	case len(secret) > MaxKey:
		return nil, fmt.Errorf("a key has at most %d bytes", MaxKey)
	case distinct < minDistinct:
		return nil, fmt.Errorf("the key was not drawn at random: it has %d different bytes", distinct)
	}
	return &Key{bytes.Clone(secret)}, nil
}

// ID tells keys apart. It gives nothing of the key away.
func (k *Key) ID() string {
	return string(appendSum(nil, k.mac(), keyDomain, nil, keyDigits))
}

// mac is HMAC-SHA-256 (RFC 2104), whose state can be reset.
func (k *Key) mac() hash.Hash { return hmac.New(sha256.New, k.secret) }

// appendSum appends the first n hexadecimal digits of the HMAC of a value.
func appendSum(dst []byte, mac hash.Hash, domain string, value []byte, n int) []byte {
	var sum [sha256.Size]byte
	mac.Reset()
	mac.Write([]byte(domain))
	mac.Write(value)
	return hex.AppendEncode(dst, mac.Sum(sum[:0])[:n/2])
}

// Find gives where in b the first pseudonym stands, and what can stand for all
// pseudonyms of its kind: {user} or {address}. There is none where what is empty.
func Find(b []byte) (start, end int, what string) {
	for i := 0; i+len(userPrefix)+digits <= len(b); i++ {
		switch {
		case b[i] == 'u' && string(b[i:i+len(userPrefix)]) == userPrefix:
			what = "{user}"
		case b[i] == 'a' && string(b[i:i+len(addressPrefix)]) == addressPrefix:
			what = "{address}"
		default:
			continue
		}
		end = i + len(userPrefix)
		for end < len(b) && (b[end]-'0' <= 9 || b[end]-'a' <= 5) {
			end++
		}
		if end-i-len(userPrefix) == digits {
			return i, end, what
		}
	}
	return 0, 0, ""
}
