package serverconf

import (
	"path/filepath"
	"strings"
)

// piper describes the options of a program that writes the lines of a piped log to files.
type piper struct {
	valued string // one-letter options that take a value
	link   string // the option for a link to the newest file
	long   string // its long form
}

// pipers are the supported programs:
// https://httpd.apache.org/docs/2.4/programs/rotatelogs.html
var pipers = map[string]piper{
	"rotatelogs": {valued: "Lpn", link: "L"},
	"cronolog":   {valued: "HSPlpdxsz", link: "S", long: "--symlink"},
}

// piped adds the logs of |program argument…: the file that the program writes, with times
// in its name, and the link to the newest one. The arguments of other programs are neither
// parsed nor shown, because they may contain secrets.
func (r *apacheReader) piped(l Log, command string, names []string) {
	command = strings.TrimLeft(command, "|$") // without a shell, or with one
	args := words(command)
	if len(args) == 0 {
		r.note(l.Where, "the log is piped to nothing; it is left out")
		return
	}
	program := filepath.Base(filepath.ToSlash(args[0]))
	p, ok := pipers[strings.TrimSuffix(program, ".exe")]
	file, link := "", ""
	if ok {
		file, link = p.files(args[1:])
	}
	if file == "" {
		l.Pipe = program
		r.note(l.Where, "the log is piped to %s: which files that writes is not known", program)
		r.add(l, names)
		return
	}
	to := l
	r.setPath(&to, file, timePattern)
	r.add(to, names)
	if link != "" {
		r.setPath(&l, link, variablePattern)
		r.add(l, names)
	}
}

// files returns the file and the link among the arguments of a program.
func (p piper) files(args []string) (file, link string) {
	for i := 0; i < len(args); i++ {
		a := args[i]
		if len(a) < 2 || a[0] != '-' {
			return a, link
		}
		if strings.HasPrefix(a, "--") {
			if name, value, ok := strings.Cut(a, "="); ok && name == p.long && p.long != "" {
				link = value
			}
			continue
		}
		for j := 1; j < len(a); j++ {
			if !strings.Contains(p.valued, a[j:j+1]) {
				continue
			}
			value := a[j+1:]
			if value == "" && i+1 < len(args) {
				i++
				value = args[i]
			}
			if a[j:j+1] == p.link {
				link = value
			}
			break
		}
	}
	return "", link
}
