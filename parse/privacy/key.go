package privacy

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
)

const (
	// MinKey is the minimum size of a key in bytes, that of the hash: it cannot be guessed.
	MinKey = 32
	// MaxKey is the maximum size of a key in bytes: a larger file is not a key.
	MaxKey = 4 << 10
	// minDistinct is how many different bytes every key that was drawn at random has.
	minDistinct = 8
	// digits is the length of a pseudonym in hexadecimal digits: 64 bits. The odds that two
	// of a million users share one are 1 to 37 million; of ten million users, 1 to 370,000.
	digits = 16
	// keyDigits is the length of a key's ID: 32 bits.
	keyDigits = 8
)

// The prefixes of pseudonyms.
const (
	userPrefix    = "user-"
	addressPrefix = "addr-"
)

// The hashed value begins with its kind, so that a user named like an address gets another
// pseudonym than the address, and no pseudonym is related to that of a session id with the
// same spelling.
const (
	userDomain    = "user\x00"
	addressDomain = "address\x00"
	sessionDomain = "session\x00"
	keyDomain     = "key\x00"
	textDomain    = "text\x00"
)

// Key makes pseudonyms. It is safe for concurrent use.
type Key struct{ secret []byte }

// NewKey returns a key with a copy of secret. It returns an error if secret is too short,
// too long, or has so few different bytes that it was not drawn at random.
func NewKey(secret []byte) (*Key, error) {
	distinct := len(slices.Compact(slices.Sorted(slices.Values(secret))))
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

// ID identifies the key without revealing anything of it.
func (k *Key) ID() string {
	return string(appendSum(nil, k.mac(), keyDomain, nil, keyDigits))
}

// Hasher returns a function that returns 64 bits of the HMAC of a text, for one goroutine.
// They say nothing about the text to those who do not have the key.
func (k *Key) Hasher() func(text []byte) uint64 {
	mac := k.mac()
	var sum [sha256.Size]byte
	return func(text []byte) uint64 {
		mac.Reset()
		mac.Write([]byte(textDomain))
		mac.Write(text)
		return binary.LittleEndian.Uint64(mac.Sum(sum[:0]))
	}
}

// mac returns a new HMAC-SHA-256 (RFC 2104).
func (k *Key) mac() hash.Hash { return hmac.New(sha256.New, k.secret) }

// appendSum appends the first n hexadecimal digits of the HMAC of a value.
func appendSum(dst []byte, mac hash.Hash, domain string, value []byte, n int) []byte {
	var sum [sha256.Size]byte
	mac.Reset()
	mac.Write([]byte(domain))
	mac.Write(value)
	return hex.AppendEncode(dst, mac.Sum(sum[:0])[:n/2])
}

// FindPseudonym returns where the first pseudonym in b stands, and the placeholder of its
// kind: {user} or {address}. placeholder is empty if there is none.
func FindPseudonym(b []byte) (start, end int, placeholder string) {
	for i := 0; i+len(userPrefix)+digits <= len(b); i++ {
		switch {
		case b[i] == 'u' && string(b[i:i+len(userPrefix)]) == userPrefix:
			placeholder = "{user}"
		case b[i] == 'a' && string(b[i:i+len(addressPrefix)]) == addressPrefix:
			placeholder = "{address}"
		default:
			continue
		}
		end = i + len(userPrefix)
		for end < len(b) && isLowerHex(b[end]) {
			end++
		}
		if end-i-len(userPrefix) == digits {
			return i, end, placeholder
		}
	}
	return 0, 0, ""
}
