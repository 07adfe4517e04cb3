package result

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
)

// The types of figures in the details of a finding, which determine the unit. Plain
// integers are counts, and plain floats have no unit.
type (
	// Seconds is a duration.
	Seconds float64
	// Share is a part of a whole, from 0 to 1.
	Share float64
	// Probability is a p-value: the chance of such an observation if nothing is wrong.
	Probability float64
	// Time is Unix microseconds. In JSON it is RFC 3339 in UTC, to the second.
	Time int64
)

const timeLayout = "2006-01-02T15:04:05Z"

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) {
	return time.UnixMicro(int64(t)).UTC().AppendFormat(nil, `"`+timeLayout+`"`), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *Time) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	at, err := time.Parse(time.RFC3339, s)
	*t = Time(at.UnixMicro())
	return err
}

// Figure is one of the details of a finding.
type Figure struct {
	Key   string // its name in findings.json
	Label string // its name for people if the key is not clear; else empty
	Value any    // Seconds, Share, Probability, Time, int64, float64, bool, string or []string
}

// Figures returns the details of a finding in the order of their keys. Details is
// a pointer to a struct whose fields have json tags, and label tags where the key
// does not name the figure well; fields tagged "-" and empty ones tagged omitempty
// are left out. The details of an unknown kind are a map, whose values are returned
// unchanged.
func Figures(details any) []Figure {
	var all []Figure
	switch d := details.(type) {
	case nil:
		return nil
	case map[string]any:
		for key, v := range d {
			all = append(all, Figure{Key: key, Value: v})
		}
	default:
		v := reflect.Indirect(reflect.ValueOf(details))
		for i := range v.NumField() {
			field := v.Type().Field(i)
			key, option, _ := strings.Cut(field.Tag.Get("json"), ",")
			if key == "-" || option == "omitempty" && v.Field(i).IsZero() {
				continue
			}
			all = append(all, Figure{key, field.Tag.Get("label"), figureValue(v.Field(i))})
		}
	}
	slices.SortFunc(all, func(a, b Figure) int { return strings.Compare(a.Key, b.Key) })
	return all
}

// figureValue returns the value of a field. Numbers that JSON cannot represent
// become nil.
func figureValue(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Float64:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			return nil
		}
	case reflect.Int, reflect.Int32:
		return v.Int()
	case reflect.Slice:
		if v.IsNil() {
			return []string{}
		}
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return figureValue(v.Elem())
	}
	return v.Interface()
}

// DecodeDetails decodes the details of a finding, as in findings.json, into details, a pointer to the struct of its kind, or a *map[string]any.
func DecodeDetails(data []byte, details any) error {
	if err := json.Unmarshal(data, details); err != nil {
		return fmt.Errorf("details: %w", err)
	}
	return nil
}

// Clean cleans the texts of f, which contain names from the log (see Clean).
func (f *Finding) Clean() {
	s := &f.Subject
	for _, t := range []*string{&s.Host, &s.Method, &s.Route, &s.User, &s.ClientAddress, &s.UserAgent, &s.Upstream, &s.Server} {
		*t = Clean(*t)
	}
	cleanDetails(f.Details)
	for i := range f.Absorbed {
		f.Absorbed[i].Clean()
	}
}

// cleanDetails cleans the texts in details.
func cleanDetails(details any) {
	if details == nil {
		return
	}
	v := reflect.Indirect(reflect.ValueOf(details))
	if v.Kind() != reflect.Struct {
		return
	}
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.String:
			f.SetString(Clean(f.String()))
		case reflect.Slice:
			if f.Type().Elem().Kind() == reflect.String {
				for j := range f.Len() {
					f.Index(j).SetString(Clean(f.Index(j).String()))
				}
			}
		}
	}
}
