package redact

import (
	"crypto/sha256"
	"encoding/hex"
)

// SessionHash gives the name under which a session id may appear in outputs:
// SessionSum in hexadecimal.
func SessionHash(id []byte) string {
	sum := SessionSum(id)
	return hex.EncodeToString(sum[:])
}

// SumSize is how many bytes a SessionSum has.
const SumSize = 16

// SessionSum gives the first 16 bytes of the SHA-256 of a session id, the same
// every night. A session id is a credential and never appears itself; ids are
// random and long, so the hash cannot be turned back.
func SessionSum(id []byte) [SumSize]byte {
	sum := sha256.Sum256(id)
	return [SumSize]byte(sum[:SumSize])
}
