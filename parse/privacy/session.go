package privacy

import (
	"crypto/sha256"
	"encoding/hex"
)

// SessionHash returns SessionSum in hexadecimal, the form in which a session id may appear
// in outputs.
func SessionHash(id []byte) string {
	sum := SessionSum(id)
	return hex.EncodeToString(sum[:])
}

// SumSize is the size of a SessionSum in bytes.
const SumSize = 16

// SessionSum returns the first 16 bytes of the SHA-256 of a session id. A session id is a
// credential and never leaves the program itself. Ids are long and random, so the hash
// cannot be reversed by trying.
func SessionSum(id []byte) [SumSize]byte {
	sum := sha256.Sum256(id)
	return [SumSize]byte(sum[:SumSize])
}
