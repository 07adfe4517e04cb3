// Package json stands in for github.com/goccy/go-json, which Arrow needs for columns from
// and to JSON. logscan has none. The original takes a tenth of the time to compile all of
// logscan, and a megabyte whenever the program starts. Arrow itself uses encoding/json
// like this where it is compiled with TinyGo.
package json

import (
	"encoding/json"
	"io"
)

// These are what Arrow refers to.
type (
	Decoder            = json.Decoder
	Encoder            = json.Encoder
	Marshaler          = json.Marshaler
	Delim              = json.Delim
	UnmarshalTypeError = json.UnmarshalTypeError
	Number             = json.Number
	Unmarshaler        = json.Unmarshaler
	RawMessage         = json.RawMessage
)

// Marshal returns the JSON of v.
func Marshal(v any) ([]byte, error) { return json.Marshal(v) }

// Unmarshal parses data into v.
func Unmarshal(data []byte, v any) error { return json.Unmarshal(data, v) }

// NewDecoder returns a decoder that reads from r.
func NewDecoder(r io.Reader) *Decoder { return json.NewDecoder(r) }

// NewEncoder returns an encoder that writes to w.
func NewEncoder(w io.Writer) *Encoder { return json.NewEncoder(w) }
