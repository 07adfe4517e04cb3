//go:build !(amd64 || arm64 || loong64 || mips64 || mips64le || ppc64 || ppc64le || riscv64 || s390x)

package compress

import (
	"bufio"

	"github.com/klauspost/compress/gzip"
)

// gzipMember decodes one member of a gzip file at a time. Package inflate is written for
// 64-bit registers.
type gzipMember struct{ z gzip.Reader }

func (m *gzipMember) Reset(in *bufio.Reader) error {
	if err := m.z.Reset(in); err != nil {
		return err
	}
	m.z.Multistream(false)
	return nil
}

func (m *gzipMember) Read(p []byte) (int, error) { return m.z.Read(p) }
