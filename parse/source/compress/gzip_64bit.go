//go:build amd64 || arm64 || loong64 || mips64 || mips64le || ppc64 || ppc64le || riscv64 || s390x

package compress

import "logscan/parse/source/compress/inflate"

// gzipMember decodes one member of a gzip file at a time.
type gzipMember = inflate.Gzip
