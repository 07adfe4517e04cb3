package carrier

import (
	"bytes"

	"logscan/parse/scan"
)

// docker locates the text in {"log":"text\n","stream":"stdout","time":"…"}. A
// text without a final line feed continues in the next line: the daemon splits
// long ones.
func docker(line []byte) (text, bool) {
	t, ok := dockerLines(line)
	if ok && t.end > t.start && !bytes.HasSuffix(line[t.start:t.end], lineFeed) {
		t.partial = true
	}
	return t, ok
}

// dockerLines is docker for texts that are whole without a final line feed.
func dockerLines(line []byte) (t text, ok bool) {
	m := scan.ObjectMembers(line)
	stamped := false
	for m.Next() {
		switch {
		case !m.Quoted:
		case string(m.Key) == "log":
			t.start, t.end, t.encoding, ok = m.Start, m.End, jsonString, true
		case string(m.Key) == "stream":
			t.stream, stamped = streamNamed(m.Value()), true
		case string(m.Key) == "time":
			t.stamp, stamped = m.Value(), true
		}
	}
	if t.withoutCRI(line) {
		stamped = true
	}
	return t, ok && stamped && m.Whole()
}

// withoutCRI takes off what the runtime of Kubernetes has put in front of a text, which a shipper
// has not parsed: "2026-03-09T14:05:00.1Z stdout F ". It reports whether there was that. Parts of
// texts are left as they are.
func (t *text) withoutCRI(line []byte) bool {
	raw := line[t.start:t.end]
	if len(raw) < len("2006-01-02T15:04:05Z stdout F ") || raw[4] != '-' || raw[10] != 'T' {
		return false
	}
	inner, ok := cri(raw)
	if !ok || inner.partial {
		return false
	}
	t.start, t.end, t.stamp, t.stream = t.start+inner.start, t.start+inner.end, inner.stamp, inner.stream
	return true
}

var lineFeed = []byte(`\n`)

// journald locates the text in an entry of the journal. MESSAGE is an array of
// byte values if the text is not UTF-8.
// https://systemd.io/JOURNAL_EXPORT_FORMATS/#journal-json-format
func journald(line []byte) (t text, ok bool) {
	m := scan.ObjectMembers(line)
	stamped := false
	for m.Next() {
		switch {
		case string(m.Key) == "MESSAGE" && m.Quoted:
			t.start, t.end, t.encoding, ok = m.Start, m.End, jsonString, true
		case string(m.Key) == "MESSAGE" && line[m.Start] == '[':
			t.start, t.end, t.encoding, ok = m.Start, m.End, jsonBytes, true
		case string(m.Key) == "__REALTIME_TIMESTAMP" && m.Quoted:
			t.stamp, stamped = m.Value(), true
		case string(m.Key) == "_HOSTNAME", string(m.Key) == "SYSLOG_IDENTIFIER":
			stamped = true
		}
	}
	return t, ok && stamped && m.Whole()
}

// message locates the text in a member of an object that a shipper has made of a line, such as
// Filebeat's {"@timestamp":"…","message":"text"}. The messages of programs about themselves are
// none: the object names where a shipper got the line, or the text is a request or JSON.
func message(line []byte) (t text, ok bool) {
	m := scan.ObjectMembers(line)
	shipped := false
	for m.Next() {
		key := string(m.Key)
		switch {
		case shipperKeys[key]:
			shipped = true
		case !m.Quoted || m.Start == m.End:
		case key == "message" || key == "msg" || key == "log":
			v := m.Value()
			shipped = shipped || v[0] == '{' || bytes.Contains(v, protocol)
			t.start, t.end, t.encoding, ok = m.Start, m.End, jsonString, true
		case key == "@timestamp" || key == "timestamp" || key == "time":
			t.stamp = m.Value()
		}
	}
	if t.withoutCRI(line) {
		shipped = true
	}
	return t, ok && shipped && m.Whole()
}

// fluentd locates the text in "time<tab>tag<tab>object", where the object is that of a container's
// line or of a shipper.
// https://docs.fluentd.org/formatter/out_file
func fluentd(line []byte) (t text, ok bool) {
	n := isoTime(line)
	if n == 0 || n == len(line) || line[n] != '\t' {
		return t, false
	}
	_, object, ok := bytes.Cut(line[n+1:], tab)
	if !ok {
		return t, false
	}
	if t, ok = dockerLines(object); !ok {
		t, ok = message(object)
	}
	from := len(line) - len(object)
	t.start, t.end = t.start+from, t.end+from
	if len(t.stamp) == 0 {
		t.stamp = line[:n]
	}
	return t, ok
}

// shipperKeys are the members by which shippers name the place that a line comes from: Filebeat and
// Elastic Agent, Fluent Bit, Vector, stern, the CloudWatch agent.
var shipperKeys = map[string]bool{
	"agent": true, "@metadata": true, "kubernetes": true, "stream": true, "source_type": true, "podName": true, "container_id": true, "container_name": true, "logStreamName": true,
}

// exported locates the text in an object that a store of logs has made of a line: Google Cloud's
// {"textPayload":"text","resource":{…}}, {"@message":"text"} and {"logStreamName":"…","message":
// "text"} of CloudWatch, and Loki's {"labels":{…},"line":"text"}.
func exported(line []byte) (t text, ok bool) {
	m := scan.ObjectMembers(line)
	var has storeMember
	texts := 0
	for m.Next() {
		key := storeMembers[string(m.Key)]
		switch has |= key; {
		case !m.Quoted:
		case key&(textPayload|storedMessage|storedLine|streamMessage) != 0:
			t.start, t.end, t.encoding = m.Start, m.End, jsonString
			texts++
		case key == storeTime:
			t.stamp = m.Value()
		}
	}
	t.withoutCRI(line)
	for _, mark := range [...]storeMember{textPayload | cloudResource, storedMessage, storedLine | lokiLabels, streamMessage | logStream} {
		ok = ok || has&mark == mark
	}
	return t, ok && texts == 1 && has&parsedRequest == 0 && m.Whole()
}

// storeMember is a set of the members of an object of a store of logs.
type storeMember uint16

const (
	textPayload storeMember = 1 << iota
	cloudResource
	storedMessage
	storedLine
	lokiLabels
	streamMessage
	logStream
	storeTime
	parsedRequest // instead of a text
)

var storeMembers = map[string]storeMember{
	"textPayload": textPayload, "resource": cloudResource, "@message": storedMessage, "line": storedLine, "labels": lokiLabels, "fields": lokiLabels,
	"message": streamMessage, "logStreamName": logStream, "@logStream": logStream, "timestamp": storeTime, "@timestamp": storeTime, "httpRequest": parsedRequest, "jsonPayload": parsedRequest,
}

var protocol = []byte(" HTTP/")

// appendBytes appends the bytes of a JSON array of byte values to dst, up to the
// first that is none.
func appendBytes(dst, array []byte) []byte {
	n, digits := 0, 0
	for _, c := range array {
		switch {
		case c >= '0' && c <= '9' && n < 256:
			n = n*10 + int(c-'0')
			digits++
		case c == ',' || c == ']':
			if digits == 0 || n > 255 {
				return dst
			}
			dst = append(dst, byte(n))
			n, digits = 0, 0
		}
	}
	return dst
}
