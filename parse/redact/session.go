package redact

import (
	"crypto/sha256"
	"encoding/hex"
)

// SessionHash gives the name under which a session id may appear in outputs:
// the first 16 bytes of its SHA-256 in hexadecimal, the same every night. A
// session id is a credential and never appears itself; ids are random and long,
// so the hash cannot be turned back.
func SessionHash(id []byte) string {
	sum := sha256.Sum256(id)
	return hex.EncodeToString(sum[:16])
}
