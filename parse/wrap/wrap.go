// Package wrap finds the line of an access log inside the line of what carried
// it: a container's log file, syslog, the journal.
//
// In: a line. Out: where in it the text stands that the server wrote, and how it
// is encoded there. It does not decode or understand the text.
package wrap

import "bytes"

// Wrapper is a way to carry lines. It is immutable.
type Wrapper struct {
	Name string
	Doc  string // what writes it, in a line
	JSON bool   // its lines are JSON objects, which could be taken for a log themselves
	// Splits says that a text may go on in a later line.
	Splits bool

	peel func(line []byte) (Text, bool)
}

// Text is what a carried line is, and where.
type Text struct {
	Start, End int // of the text, in the carrying line
	Encoding   Encoding
	// Stamp is the carrier's own time; it aliases the line. RFC 3164 has no
	// year and no offset in it.
	Stamp []byte
	// Stream tells the streams apart that are carried side by side.
	Stream Stream
	// Partial says that the text goes on in the next line of the same stream.
	Partial bool
}

// Encoding is how a text stands in the carrying line.
type Encoding uint8

// The encodings.
const (
	Plain  Encoding = iota
	String          // a JSON string, with escapes
	Bytes           // a JSON array of byte values
)

// Stream is what a container wrote to.
type Stream uint8

// The streams.
const (
	Stdout Stream = iota
	Stderr
	NumStreams
)

// Peel finds the text in a line; ok is false where the line is not one of w.
func (w *Wrapper) Peel(line []byte) (t Text, ok bool) { return w.peel(line) }

// Wrappers gives all there are. Of two that peel as many lines, the first wins.
func Wrappers() []*Wrapper {
	return []*Wrapper{
		{Name: "docker", Doc: "Docker's json-file driver", JSON: true, Splits: true, peel: docker},
		{Name: "docker-lines", Doc: "as docker, where a shipper has taken the line feeds off", JSON: true, peel: dockerLines},
		{Name: "cri", Doc: "Kubernetes (CRI: containerd, CRI-O)", Splits: true, peel: cri},
		{Name: "journald", Doc: "journalctl -o json", JSON: true, peel: journald},
		{Name: "caddy-console", Doc: "Caddy, format console", peel: caddyConsole},
		{Name: "syslog", Doc: "syslog, RFC 3164 and 5424, and journalctl -o short", peel: syslog},
	}
}

// Lookup gives the wrapper of a name.
func Lookup(name string) (*Wrapper, bool) {
	for _, w := range Wrappers() {
		if w.Name == name {
			return w, true
		}
	}
	return nil, false
}

func stream(name []byte) Stream {
	if string(name) == "stderr" {
		return Stderr
	}
	return Stdout
}

// cri reads "time stream tags text", where the first tag is P for a line that
// goes on and F for the end of one.
// https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md
func cri(line []byte) (t Text, ok bool) {
	stamp, rest, ok := bytes.Cut(line, space)
	if !ok || len(stamp) < 20 || stamp[4] != '-' || stamp[10] != 'T' {
		return t, false
	}
	name, rest, ok := bytes.Cut(rest, space)
	if !ok || string(name) != "stdout" && string(name) != "stderr" {
		return t, false
	}
	tags, text, ok := bytes.Cut(rest, space)
	if len(tags) == 0 || tags[0] != 'P' && tags[0] != 'F' || len(tags) > 1 && tags[1] != ':' {
		return t, false
	}
	if !ok { // an empty line, whose last space was trimmed
		text = nil
	}
	return Text{
		Start: len(line) - len(text), End: len(line),
		Stamp: stamp, Stream: stream(name), Partial: tags[0] == 'P',
	}, true
}

var space = []byte(" ")
