// Package infer divides lines into columns, and tells by the values of a column what
// it holds.
//
// In: lines or values, and the requests they belong to. Out: columns, and whether their
// values are times, addresses, session ids. It does not know formats.
package infer

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"

	"logscan/parse/field"
)

// Column is a value with what stands around it.
type Column struct {
	Before string // blanks or tabs before it, and the name in front of its quote, such as sid=
	Open   byte   // quote or bracket around it; 0 for none
	Value  []byte
}

// most limits the columns of a line: usual formats have 9 to 30.
const most = 60

// Split divides a line into columns: words, and texts in quotes or brackets. shape
// identifies the separators.
func Split(line []byte) (columns []Column, shape string, ok bool) {
	var b strings.Builder
	for len(line) > 0 {
		n := len(line) - len(bytes.TrimLeft(line, " \t"))
		if n == len(line) {
			break
		}
		if len(columns) == most || n == 0 && len(columns) > 0 {
			return nil, "", false
		}
		if k := nameEnd(line[n:]); k > 0 && n+k < len(line) && line[n+k] == '"' {
			n += k
		}
		c := Column{Before: string(line[:n])}
		line = line[n:]
		end, size := 0, 0
		switch line[0] {
		case '"':
			c.Open, end = '"', quoteEnd(line)
		case '[':
			c.Open, end = '[', bytes.IndexByte(line, ']')
		}
		switch {
		case end < 0:
			return nil, "", false
		case c.Open != 0:
			c.Value, size = line[1:end], end+1
		default:
			if size = bytes.IndexAny(line, " \t"); size < 0 {
				size = len(line)
			}
			c.Value = line[:size]
		}
		line = line[size:]
		columns = append(columns, c)
		open := c.Open
		if open == 0 {
			open = 'w'
		}
		fmt.Fprintf(&b, "%s%c", c.Before, open)
	}
	return columns, b.String(), len(columns) > 0
}

// SplitBy divides a line into columns at a separator, like Split. Values may have blanks.
func SplitBy(separator byte) func(line []byte) (columns []Column, shape string, ok bool) {
	return func(line []byte) (columns []Column, shape string, ok bool) {
		var b strings.Builder
		for before := ""; ; {
			n := len(line) - len(bytes.TrimLeft(line, " "))
			c := Column{Before: before + string(line[:n])}
			line = line[n:]
			end := bytes.IndexByte(line, separator)
			if len(line) > 0 && line[0] == '"' {
				size := quoteEnd(line)
				if size < 0 {
					return nil, "", false
				}
				c.Open, c.Value = '"', line[1:size]
				if end = bytes.IndexByte(line[size:], separator); end >= 0 {
					end += size
				}
			}
			if end < 0 {
				end = len(line)
			}
			value := bytes.TrimRight(line[:end], " ")
			switch {
			case c.Open == 0:
				c.Value = value
			case len(value) != len(c.Value)+2:
				return nil, "", false // a text goes on behind its quote
			}
			columns = append(columns, c)
			fmt.Fprintf(&b, "%s%c", c.Before, c.Open)
			switch {
			case end == len(line):
				return columns, b.String(), true
			case len(columns) == most:
				return nil, "", false
			}
			before, line = string(line[len(value):end+1]), line[end+1:]
		}
	}
}

// longestName is the longest name in bytes that a value may have in front.
const longestName = 30

// nameEnd returns the offset behind the name of a value at the start of b and its equals
// sign or colon, 0 if there is none.
func nameEnd(b []byte) int {
	n := bytes.IndexAny(b[:min(len(b), longestName+1)], "=:")
	if n < 1 || b[n] == ':' && bytes.HasPrefix(b[n:], []byte("://")) {
		return 0
	}
	for _, c := range b[:n] {
		if c|0x20-'a' > 25 && c != '_' && c != '-' {
			return 0
		}
	}
	return n + 1
}

// Name returns what the value of column i of every line begins with, up to an equals sign
// or a colon after a word: the name of the value. Lines must have the same shape; of one
// alone no name can be told.
func Name(lines [][]Column, i int) string {
	first := lines[0][i].Value
	n := nameEnd(first)
	if n == 0 || len(lines) < 2 {
		return ""
	}
	for _, line := range lines {
		if !bytes.HasPrefix(line[i].Value, first[:n]) {
			return ""
		}
	}
	return string(first[:n])
}

// quoteEnd returns the offset of the quote that ends the text at the start of b.
func quoteEnd(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// nearly is the share of the values of a column that must look like what they are taken
// for: clients send junk.
const nearly = 0.9

// Nearly reports whether nearly all values that are not missing look like something, and
// there is one.
func Nearly(values [][]byte, looks func([]byte) bool) bool {
	yes, all := 0, 0
	for _, v := range values {
		if field.Missing(v) {
			continue
		}
		all++
		if looks(v) {
			yes++
		}
	}
	return yes > 0 && float64(yes) >= nearly*float64(all)
}

// IsNumber reports whether b has digits only.
func IsNumber(b []byte) bool { return len(b) > 0 && len(bytes.Trim(b, "0123456789")) == 0 }

// IsFraction reports whether b is a number of seconds of less than a day with a fraction.
func IsFraction(b []byte) bool {
	seconds, fraction, ok := bytes.Cut(b, []byte("."))
	return ok && len(seconds) < 6 && IsNumber(seconds) && IsNumber(fraction)
}

// IsAddress reports whether b is an address, with or without a port.
func IsAddress(b []byte) bool {
	if _, err := netip.ParseAddr(string(b)); err == nil {
		return true
	}
	return IsAddressPort(b)
}

// IsAddressPort reports whether b is an address with a port.
func IsAddressPort(b []byte) bool {
	_, err := netip.ParseAddrPort(string(b))
	return err == nil
}

// IsAddresses reports whether b is a list of addresses.
func IsAddresses(b []byte) bool {
	for one := range bytes.SplitSeq(b, []byte(",")) {
		if !IsAddress(bytes.TrimSpace(one)) {
			return false
		}
	}
	return true
}

// IsProtocol reports whether b is a version of HTTP.
func IsProtocol(b []byte) bool { return bytes.HasPrefix(b, []byte("HTTP/")) }

// IsURL reports whether b is a URL, as referrers are.
func IsURL(b []byte) bool {
	return bytes.HasPrefix(b, []byte("http://")) || bytes.HasPrefix(b, []byte("https://")) || bytes.HasPrefix(b, []byte("android-app://"))
}

// IsAgent reports whether b names a program and its version, as user agents do.
func IsAgent(b []byte) bool {
	if IsURL(b) || len(b) > 0 && b[0] == '/' {
		return false
	}
	i := bytes.IndexByte(b, '/')
	return i > 0 && i+1 < len(b) && b[i-1]|0x20-'a' <= 25 && (b[i+1]-'0' <= 9 || b[i+1] == 'v') && !IsProtocol(b) && !bytes.Contains(b, []byte(" HTTP/"))
}
