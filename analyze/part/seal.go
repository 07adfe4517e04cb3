package part

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"sync"
)

// Key encrypts and authenticates the parts of one plan.
type Key struct {
	id       ID
	seal     cipher.Block
	mac, sum []byte // keys of the synthetic nonces, and of the whole file
	hash     []byte
}

// SecretSize is the size of the secret of a plan in bytes.
const SecretSize = 32

// ID identifies the plan that a part belongs to.
type ID [16]byte

// NewKey returns the key of the parts of a plan with an id and a secret.
func NewKey(secret []byte, id ID) (*Key, error) {
	if len(secret) != SecretSize {
		return nil, fmt.Errorf("the secret of a plan has %d bytes, and this one has %d", SecretSize, len(secret))
	}
	derive := func(what string) []byte {
		key, err := hkdf.Key(sha256.New, secret, id[:], "logscan part: "+what, sha256.Size)
		if err != nil {
			panic("BUG: " + err.Error()) // only for keys of more than 8 KiB
		}
		return key
	}
	block, err := aes.NewCipher(derive("pieces"))
	if err != nil {
		panic("BUG: " + err.Error()) // only for another size
	}
	return &Key{id: id, seal: block, mac: derive("nonces"), sum: derive("files"), hash: derive("texts")}, nil
}

// Hasher returns a keyed 64-bit hash of texts, for one goroutine. It is the same in all
// tasks of a plan, and says nothing about a text without the key.
func (k *Key) Hasher() func(text []byte) uint64 {
	mac := hmac.New(sha256.New, k.hash)
	var sum [sha256.Size]byte
	return func(text []byte) uint64 {
		mac.Reset()
		mac.Write(text)
		return binary.LittleEndian.Uint64(mac.Sum(sum[:0]))
	}
}

// sealer encrypts the pieces of one part. The nonce of a piece is the MAC of its content
// and place (SIV, RFC 5297): tasks that are run again write the same bytes, and a nonce
// never occurs with another content.
type sealer struct {
	key    *Key
	mac    hash.Hash
	header [sha256.Size]byte // sum of the header
	macs   sync.Pool         // of hashes like mac, for Unseal
}

func newSealer(k *Key, header []byte) *sealer {
	s := &sealer{key: k, mac: hmac.New(sha256.New, k.mac), header: sha256.Sum256(header)}
	s.macs.New = func() any { return hmac.New(sha256.New, k.mac) }
	return s
}

// nonce returns the nonce of a piece.
func (s *sealer) nonce(mac hash.Hash, piece []byte, at int64) (nonce [aes.BlockSize]byte) {
	mac.Reset()
	mac.Write(s.header[:])
	mac.Write(binary.LittleEndian.AppendUint64(nil, uint64(at)))
	mac.Write(piece)
	copy(nonce[:], mac.Sum(nil))
	return nonce
}

// Seal implements spill.Sealer.
func (s *sealer) Seal(dst, piece []byte, at int64) []byte {
	nonce := s.nonce(s.mac, piece, at)
	dst = append(dst, nonce[:]...)
	from := len(dst)
	dst = append(dst, piece...)
	cipher.NewCTR(s.key.seal, nonce[:]).XORKeyStream(dst[from:], dst[from:])
	return dst
}

// Unseal implements spill.Sealer. Several goroutines may call it at the same time.
func (s *sealer) Unseal(sealed []byte, at int64) ([]byte, error) {
	if len(sealed) < aes.BlockSize {
		return nil, errDamaged
	}
	nonce, piece := [aes.BlockSize]byte(sealed), sealed[aes.BlockSize:]
	cipher.NewCTR(s.key.seal, nonce[:]).XORKeyStream(piece, piece)
	mac := s.macs.Get().(hash.Hash)
	defer s.macs.Put(mac)
	if nonce != s.nonce(mac, piece, at) {
		return nil, errDamaged
	}
	return piece, nil
}
