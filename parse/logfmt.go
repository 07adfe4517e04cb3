package parse

import (
	"bytes"

	"logscan/parse/scan"
)

// logfmtAliases maps fields to keys that programs use with logfmt only.
// https://brandur.org/logfmt
var logfmtAliases = []alias{
	{fieldTime, "t at"},
	{fieldTarget, "requesturl request_url"},
	{fieldStatus, "code httpstatus"},
	{fieldClient, "remote clientaddress addr"},
	{fieldLatency, "took"},
	{fieldBytes, "written respsize"},
}

// pairs reads a line of logfmt: key=value or key="value", separated by blanks. A word
// without a value is a key that is true.
func (r *jsonReader) pairs(d *decoder, line []byte, e *Entry) Verdict {
	r.start(d, e)
	valued := 0
	for i := 0; i < len(line); {
		if line[i] == ' ' {
			i++
			continue
		}
		end := i
		for end < len(line) && line[end] != '=' && line[end] != ' ' {
			end++
		}
		key := line[i:end]
		if len(key) == 0 || !isLabel(key) {
			return RejectSyntax
		}
		if end == len(line) || line[end] == ' ' {
			i = end
			continue
		}
		if i = end + 1; i < len(line) && line[i] == '"' {
			if end = scan.StringEnd(line, i+1); end < 0 || end+1 < len(line) && line[end+1] != ' ' {
				return RejectSyntax
			}
			r.assign(d.format.keys.find(hashKey(fnvOffset, key)), line[i+1:end])
			i = end + 1
		} else {
			if end = bytes.IndexByte(line[i:], ' '); end < 0 {
				end = len(line) - i
			}
			r.assign(d.format.keys.find(hashKey(fnvOffset, key)), line[i:i+end])
			i += end
		}
		valued++
	}
	if valued < fewestPairs {
		return RejectSyntax
	}
	if e.Status < 0 && r.verdict == Parsed && e.Time != NoTime {
		return SkipErrorLog // programs log what they do to a request, too
	}
	r.setLatency()
	return r.verdict
}

// fewestPairs is how many values a line of logfmt has: time, status and one of target,
// method and client at least. Prose has an equals sign now and then.
const fewestPairs = 3
