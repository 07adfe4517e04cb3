package parse

import (
	"fmt"
	"strings"

	"logscan/parse/carrier"
)

// Recipe says how a format that was detected is made again, by another process of the same
// version.
type Recipe struct {
	Name      string  `json:"name,omitempty"` // of a known format; empty for a format string
	Spec      string  `json:"spec,omitempty"` // format string
	Server    string  `json:"server,omitempty"`
	Title     string  `json:"title,omitempty"` // Configured.Name
	Host      string  `json:"host,omitempty"`
	Raw       bool    `json:"raw,omitempty"`
	Errors    bool    `json:"errors,omitempty"`    // of an error log
	Fields    bool    `json:"fields,omitempty"`    // with the fields that the user assigned
	Directive []byte  `json:"directive,omitempty"` // that names the columns
	Carrier   string  `json:"carrier,omitempty"`
	Learned   Learned `json:"learned,omitzero"` // from its lines
	Rest      bool    `json:"rest,omitempty"`   // it also takes the lines that no other format reads
}

// Recipe returns how to make the format again.
func (f *Format) Recipe() Recipe {
	r := Recipe{Fields: f.assigned != nil, Rest: f.rest, Host: string(f.host), Learned: f.learned}
	native := f.known().Native
	name := f.Name
	if f.carrier != nil {
		r.Carrier, name = f.carrier.Name, strings.TrimPrefix(name, f.carrier.Name+"+")
	}
	if f.described != nil {
		r.Directive = f.directive
	}
	known, ok := Lookup(name)
	switch {
	case f.server != "":
		r.Server, r.Title, r.Spec, r.Raw, r.Errors = f.server, name, native, f.raw, f.kind == kindEvents
	case ok && known.carrier == nil && known.Native == native:
		r.Name = name
	default:
		r.Spec = native
	}
	return r
}

// Format makes the format. fields are those that the user assigned, as WithFields takes
// them.
func (r *Recipe) Format(fields map[string]string) (f *Format, err error) {
	switch {
	case r.Name != "":
		var ok bool
		if f, ok = Lookup(r.Name); !ok {
			err = fmt.Errorf("unknown format %q", r.Name)
		}
	case r.Server != "":
		f, err = Configured{Server: r.Server, Name: r.Title, Spec: r.Spec, Raw: r.Raw, Host: r.Host, Errors: r.Errors}.Format()
	default:
		f, err = Compile(r.Spec)
	}
	if err == nil && r.Fields {
		f, err = f.WithFields(fields)
	}
	if err != nil {
		return nil, err
	}
	if len(r.Directive) > 0 {
		f = f.describedBy(append(fieldsDirective[:len(fieldsDirective):len(fieldsDirective)], r.Directive...))
	}
	if r.Learned != (Learned{}) {
		if f, err = f.with(r.Learned); err != nil {
			return nil, err
		}
	}
	if r.Carrier != "" {
		c, ok := carrier.Lookup(r.Carrier)
		if !ok {
			return nil, fmt.Errorf("unknown carrier %q", r.Carrier)
		}
		f = f.carriedBy(c)
	}
	if r.Rest {
		f = f.withRest()
	}
	return f, nil
}
