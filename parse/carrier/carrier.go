// Package carrier finds the line that a server wrote inside the line of what
// carried it: a container's log file, syslog, the journal.
//
// In: the lines of an input. Out: the text that the server wrote, decoded and
// joined where the carrier split it, and the carrier's own time. It does not
// interpret the text.
package carrier

import (
	"bytes"
	"strings"

	"logscan/parse/scan"
)

// Carrier is a way to carry lines. It is immutable.
type Carrier struct {
	Name string
	Doc  string // what writes it, in a line
	JSON bool   // its lines are JSON objects, which could be taken for a log themselves
	// Splits reports whether a text may continue in a later line.
	Splits bool
	// Spread reports whether most texts take several lines.
	Spread bool
	// Optional reports whether the lines can be read as they are by some formats, which
	// are then preferred.
	Optional bool

	locate  func(line []byte) (text, bool)
	message func(line []byte) bool // nil for never
}

// Message reports whether a line that no format reads is another message of the application
// that logs its requests with c. A line that may tell of a refusal is not called one.
func (c *Carrier) Message(line []byte) bool {
	return c.message != nil && c.message(line) && !mentionsRefusal(line)
}

// HasMessages reports whether Message may be true.
func (c *Carrier) HasMessages() bool { return c.message != nil }

// text is the position of the text in a carrying line, and what the carrier adds
// to it.
type text struct {
	start, end int
	encoding   encoding
	stamp      []byte // the carrier's own time, aliasing the line
	stream     stream
	partial    bool // the text continues in the next line of the same stream
}

// encoding is how a text is written in the carrying line.
type encoding uint8

const (
	plain      encoding = iota
	jsonString          // with escapes
	jsonBytes           // an array of byte values
	spaced              // with several blanks or tabs where one blank should be
)

// stream distinguishes the streams of a container, whose lines are interleaved.
type stream uint8

const (
	stdout stream = iota
	stderr
	numStreams
)

// Carriers returns all carriers. Of two that explain as many lines, the first is
// preferred.
func Carriers() []*Carrier {
	return []*Carrier{
		{Name: "docker", Doc: "Docker's json-file driver", JSON: true, Splits: true, locate: docker},
		{Name: "docker-lines", Doc: "as docker, where a shipper has taken the line feeds off", JSON: true, locate: dockerLines},
		{Name: "cri", Doc: "Kubernetes (CRI: containerd, CRI-O)", Splits: true, locate: cri},
		{Name: "journald", Doc: "journalctl -o json", JSON: true, locate: journald},
		{Name: "caddy-console", Doc: "Caddy, format console", locate: caddyConsole},
		{Name: "compose", Doc: "docker compose logs, with the name of the service in front", locate: compose},
		{Name: "logcli", Doc: "logcli query of Loki, with a time and labels in front", locate: logcli},
		{Name: "kubectl", Doc: "kubectl logs --prefix, with the names of the pod and the container in brackets in front", locate: kubectl},
		{Name: "stern", Doc: "stern, with the names of the pod and the container in front", Optional: true, locate: stern},
		{Name: "stamped", Doc: "docker logs -t and kubectl logs --timestamps, with a time in front", Optional: true, locate: stamped},
		{Name: "log-store", Doc: "lines as Loki, CloudWatch and Google Cloud Logging export them, JSON", JSON: true, locate: exported},
		{Name: "json-spread", Doc: "JSON objects over several lines, alone or in an array", JSON: true, Splits: true, Spread: true, locate: spreadObject},
		{Name: "aws-tail", Doc: "aws logs tail, with a time and the name of the stream in front", Optional: true, locate: awsTail},
		{Name: "fluentd", Doc: "Fluentd's files, with a time and a tag before an object", locate: fluentd},
		{Name: "json-message", Doc: "JSON objects that a shipper has made of lines, as Filebeat does", JSON: true, Optional: true, locate: message},
		{Name: "syslog", Doc: "syslog, RFC 3164 and 5424, and journalctl -o short", locate: syslog},
		{Name: "logger", Doc: "logging frameworks of applications, with the time, level and name of the logger in front", Optional: true, locate: logger, message: isMessage},
		{Name: "spaced", Doc: "columns separated by tabs or several blanks, or with a blank in front", Optional: true, locate: spacedColumns},
	}
}

// behindLogger ends the names of the carriers that WithLogger returns.
const behindLogger = "-logger"

// WithLogger returns the carrier of lines of c whose texts may have in front what the logging
// framework of an application puts there; nil if those of c never have.
func (c *Carrier) WithLogger() *Carrier {
	if c.Spread || c.HasMessages() || c.Name == "spaced" || c.Name == "caddy-console" {
		return nil
	}
	within := *c
	within.Name, within.Doc = c.Name+behindLogger, c.Doc+"; in front of the text is what a logging framework puts there"
	within.locate = func(line []byte) (t text, ok bool) {
		t, ok = c.locate(line)
		if !ok || t.encoding == jsonBytes {
			return t, false
		}
		if behind, request := logger(line[t.start:t.end]); request {
			t.start += behind.start
			if t.stamp == nil {
				t.stamp = behind.stamp
			}
		}
		return t, true
	}
	within.message = func(line []byte) bool {
		t, ok := c.locate(line)
		if !ok || !isMessage(line[t.start:t.end]) {
			return false
		}
		_, request := logger(line[t.start:t.end])
		return !request
	}
	return &within
}

// Lookup returns the carrier with the given name.
func Lookup(name string) (*Carrier, bool) {
	plain, logged := strings.CutSuffix(name, behindLogger)
	for _, c := range Carriers() {
		switch {
		case c.Name == name:
			return c, true
		case logged && c.Name == plain:
			c = c.WithLogger()
			return c, c != nil
		}
	}
	return nil, false
}

// Text returns the decoded text of a line, without its line end, and whether it
// continues in a later line. ok is false if the line is not one of c.
func (c *Carrier) Text(line []byte) (decoded []byte, partial, ok bool) {
	t, ok := c.locate(trimNewline(line))
	if !ok {
		return nil, false, false
	}
	decoded, _ = t.decode(nil, line)
	return trimNewline(decoded), t.partial, true
}

// Whole returns where the last line of data ends whose text does not continue in the next
// line, 0 if there is none. data begins with the beginning of a text.
func (c *Carrier) Whole(data []byte) int {
	if c.Spread {
		return wholeObjects(data)
	}
	end := bytes.LastIndexByte(data, '\n') + 1
	for end > 0 {
		start := bytes.LastIndexByte(data[:end-1], '\n') + 1
		if t, ok := c.locate(trimNewline(data[start:end])); !ok || !t.partial {
			break
		}
		end = start
	}
	return end
}

// decode returns the text of line, and the buffer that holds it if it had to be
// decoded: buf, perhaps grown.
func (t *text) decode(buf, line []byte) (decoded, newBuf []byte) {
	raw := line[t.start:t.end]
	switch t.encoding {
	case jsonString:
		if bytes.IndexByte(raw, '\\') < 0 {
			return raw, buf
		}
		buf = scan.AppendUnescaped(buf[:0], raw)
	case jsonBytes:
		buf = appendBytes(buf[:0], raw)
	case spaced:
		buf = appendSpaced(buf[:0], raw)
	default:
		return raw, buf
	}
	return buf, buf
}

func trimNewline(b []byte) []byte { return bytes.TrimRight(b, "\r\n") }

func streamNamed(name []byte) stream {
	if string(name) == "stderr" {
		return stderr
	}
	return stdout
}

// cri locates the text in "time stream tags text", where the first tag is P for a
// part of a text and F for its end.
// https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md
func cri(line []byte) (t text, ok bool) {
	stamp, rest, ok := bytes.Cut(line, space)
	if !ok || len(stamp) < 20 || stamp[4] != '-' || stamp[10] != 'T' {
		return t, false
	}
	name, rest, ok := bytes.Cut(rest, space)
	if !ok || string(name) != "stdout" && string(name) != "stderr" {
		return t, false
	}
	tags, content, ok := bytes.Cut(rest, space)
	if len(tags) == 0 || tags[0] != 'P' && tags[0] != 'F' || len(tags) > 1 && tags[1] != ':' {
		return t, false
	}
	if !ok { // an empty text whose last space was trimmed
		content = nil
	}
	return text{
		start: len(line) - len(content), end: len(line),
		stamp: stamp, stream: streamNamed(name), partial: tags[0] == 'P',
	}, true
}

// stamped locates the text in "time text", where the time has a fraction and is in UTC.
func stamped(line []byte) (t text, ok bool) {
	const whole = len("2006-01-02T15:04:05Z")
	n := isoTime(line)
	if n <= whole || n+1 >= len(line) || line[n-1] != 'Z' || line[n] != ' ' {
		return t, false
	}
	return text{start: n + 1, end: len(line), stamp: line[:n]}, true
}

var space = []byte(" ")
