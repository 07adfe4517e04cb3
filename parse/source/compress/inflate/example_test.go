package inflate_test

import (
	"bufio"
	"bytes"
	stdgzip "compress/gzip"
	"fmt"
	"io"

	"logscan/parse/source/compress/inflate"
)

// A gzip file may consist of several members.
func ExampleGzip() {
	var file bytes.Buffer
	for _, text := range []string{"one\n", "two\n"} {
		w := stdgzip.NewWriter(&file)
		io.WriteString(w, text)
		w.Close()
	}

	in := bufio.NewReaderSize(&file, 64<<10)
	buf := make([]byte, 512<<10)
	var z inflate.Gzip
	for member := 1; z.Reset(in) == nil; member++ {
		n, err := z.Read(buf)
		fmt.Printf("member %d: %q, %v\n", member, buf[:n], err)
	}
	// Output:
	// member 1: "one\n", EOF
	// member 2: "two\n", EOF
}
