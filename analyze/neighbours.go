package analyze

import (
	"context"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"logscan/parse"
	"logscan/parse/source"
)

// neighbours are the inputs of one directory whose names differ by numbers only. They are
// the logs of one server, so the format of one of them is tried first with the others.
// Which one that is depends on the inputs alone: so does the result.

// fewestNeighbours is how many inputs make it worth to look into one of them twice.
const fewestNeighbours = 4

// knownFormats returns for every input the format of its neighbours, nil for none.
func (o *Options) knownFormats(ctx context.Context, formats []*parse.Format) ([]*parse.Known, error) {
	known := make([]*parse.Known, len(o.Inputs))
	if len(formats) == 1 || o.Configured != nil {
		return known, nil
	}
	groups := map[string][]int{}
	for i, in := range o.Inputs {
		key := withoutNumbers(in.Path)
		groups[key] = append(groups[key], i)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(o.Workers)
	for _, group := range groups {
		if len(group) < fewestNeighbours {
			continue
		}
		g.Go(func() error {
			lines, _, err := source.Glance(ctx, o.Inputs[group[len(group)/2]]) // the first and the last may be cut off
			if err != nil || len(lines) == 0 {
				return ctx.Err()
			}
			k := parse.NewKnown(lines, formats)
			for _, i := range group {
				known[i] = k
			}
			return nil
		})
	}
	return known, g.Wait()
}

// shortestHex is the length from which a word of hexadecimal digits is a number, such as
// a part of a UUID.
const shortestHex = 4

// withoutNumbers returns a path without the words in it that are numbers or have digits.
func withoutNumbers(path string) string {
	var b strings.Builder
	for len(path) > 0 {
		n := strings.IndexFunc(path, func(r rune) bool { return !isWord(r) })
		if n < 0 {
			n = len(path)
		}
		word := path[:n]
		if strings.ContainsAny(word, "0123456789") || n >= shortestHex && strings.Trim(word, "abcdefABCDEF") == "" {
			word = "0"
		}
		b.WriteString(word)
		if n < len(path) {
			b.WriteByte(path[n])
			n++
		}
		path = path[n:]
	}
	return filepath.ToSlash(b.String())
}

func isWord(r rune) bool { return r >= '0' && r <= '9' || r|0x20 >= 'a' && r|0x20 <= 'z' }
