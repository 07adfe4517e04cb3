//go:build unix

package main

import (
	"os"
	"runtime"
	"strings"
	"syscall"
)

// unixFaults returns faults that need FIFOs, permissions or /proc.
func unixFaults() []fault {
	fifo := func(f *faulty, name string) string {
		if err := syscall.Mkfifo(f.path(name), 0o600); err != nil {
			f.t.Skip("no FIFO: ", err)
		}
		return f.path(name)
	}
	return []fault{
		{"a FIFO in a directory", func(f *faulty) {
			f.mkdir("logs")
			f.put("logs/many.log", manyText())
			fifo(f, "logs/bad")
			f.args = []string{f.path("logs")}
		}, 0, manyLines, `note: logs/bad: skipped: it is a FIFO`},
		{"a FIFO whose writer goes away", func(f *faulty) {
			path := fifo(f, "bad")
			f.args = append(f.args, path)
			text := string(containers[0].pack(f.t, manyText()))
			wrote := make(chan error, 1)
			go func() { wrote <- os.WriteFile(path, []byte(text[:len(text)/2]), 0) }()
			f.t.Cleanup(func() {
				if err := <-wrote; err != nil {
					f.t.Error(err)
				}
			})
		}, 4, partly, `error: bad: gzip data is truncated: unexpected EOF` + offset},
		{"a file that fails when it is read", func(f *faulty) {
			if runtime.GOOS != "linux" {
				f.t.Skip("no such file")
			}
			f.args = append(f.args, "/proc/self/mem")
		}, 4, 0, `error: /proc/self/mem: read /proc/self/mem: input/output error`},
		{"unreadable", func(f *faulty) {
			f.notRoot()
			f.put("bad", manyText())
			f.chmod("bad", 0)
		}, 4, 0, `error: bad: open bad: permission denied`},
		{"an unreadable directory", func(f *faulty) {
			f.notRoot()
			f.mkdir("bad")
			f.chmod("bad", 0)
			f.args = append(f.args, f.path("bad"))
		}, 4, 0, `error: bad: open bad: permission denied`},
		{"a name with a newline and an escape", func(f *faulty) { f.put("bad\n\x1b[2J\u202e", "junk\n") },
			4, 1, `error: bad\\n\\x1b\[2J\\u202e: unknown format, 0 of 1 lines parsed`},
		{"a name that is not UTF-8", func(f *faulty) {
			if runtime.GOOS == "darwin" {
				f.t.Skip("file names are UTF-8")
			}
			f.put("bad\xff\xfe", strings.Repeat("junk\n", 3))
		}, 4, 3, `error: bad\\xff\\xfe: unknown format, 0 of 3 lines parsed`},
	}
}

func (f *faulty) chmod(name string, mode os.FileMode) {
	f.t.Helper()
	if err := os.Chmod(f.path(name), mode); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = os.Chmod(f.path(name), 0o700) }) // allow removal
}

// notRoot skips the test for root, who may read everything.
func (f *faulty) notRoot() {
	f.t.Helper()
	if os.Geteuid() == 0 {
		f.t.Skip("running as root")
	}
}
