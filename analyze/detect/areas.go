package detect

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A fault in a server's configuration is that of a location, which may hold many
// routes: a folder, or the routes of one program in all repositories. An area is
// several endpoints of a host and method that are in the same folder, or have the same
// last segment at the same depth.

// maxAreas is the maximum number of areas of one form that are followed, those that
// refused most actors.
const maxAreas = 64

// areaForms are the ways to make areas: each returns what the templates of an area
// have in common, "" for none.
var areaForms = [...]func(template string) string{
	func(template string) string {
		if dir := path.Dir(template); len(dir) > 1 {
			return dir
		}
		return ""
	},
	func(template string) string {
		if base := path.Base(template); len(base) > 1 && template[0] == '/' {
			return strconv.Itoa(strings.Count(template, "/")) + " " + base
		}
		return ""
	},
}

// areasOf returns the endpoints, in ascending order, of each area of a form of which at
// least two endpoints refused actors, and at least least in all. refused counts them by
// endpoint.
func areasOf(d *Diagnosis, form func(string) string, refused []int64, least int64) (members [][]uint32) {
	type key struct{ host, method, common string }
	numbers := map[key]int{}
	var faulty []int   // by area: endpoints that refused actors
	var sums []int64   // by area
	var all [][]uint32 // by area: endpoints
	keyOf := func(i int) (k key, ok bool) {
		e := &d.State.Endpoints[i]
		k = key{e.Host, e.Method, form(e.Template)}
		return k, k.common != ""
	}
	for i, n := range refused {
		k, ok := keyOf(i)
		if n == 0 || !ok {
			continue
		}
		area, known := numbers[k]
		if !known {
			area = len(sums)
			numbers[k] = area
			sums, faulty, all = append(sums, 0), append(faulty, 0), append(all, nil)
		}
		sums[area] += n
		faulty[area]++
	}
	for area := range sums {
		if faulty[area] < 2 {
			sums[area] = 0
		}
	}
	followed := topOf(sums, least, maxAreas)
	if len(followed) == 0 {
		return nil
	}
	for i := range refused {
		if k, ok := keyOf(i); ok {
			if area, known := numbers[k]; known {
				all[area] = append(all[area], uint32(i))
			}
		}
	}
	for _, area := range followed {
		members = append(members, all[area])
	}
	return members
}

// commonRoute returns a template that all templates match: {name} stands for what differs. If
// they have different numbers of segments, it returns the directory that they are in.
func commonRoute(templates []string) string {
	depth := strings.Count(templates[0], "/")
	if slices.ContainsFunc(templates, func(t string) bool { return strings.Count(t, "/") != depth }) {
		directory := templates[0]
		for _, t := range templates[1:] {
			directory = commonPrefix(directory, t)
		}
		return cmp.Or(directory, "/")
	}
	common := strings.Split(templates[0], "/")
	for _, t := range templates[1:] {
		for i, segment := range strings.Split(t, "/") {
			if i < len(common) {
				common[i] = commonSegment(common[i], segment)
			}
		}
	}
	return strings.Join(common, "/")
}

// commonSegment returns what a segment of a template has in common with another. a may
// be the result of an earlier call.
func commonSegment(a, b string) string {
	const name = "{name}"
	if a == b {
		return a
	}
	before, after, found := strings.Cut(a, name)
	if !found {
		before, after = a, a
	}
	if strings.ContainsAny(before+after+b, "{}%") {
		return name
	}
	prefix := 0
	for prefix < min(len(before), len(b)) && before[prefix] == b[prefix] && b[prefix] < 0x80 {
		prefix++
	}
	suffix := 0
	for suffix < min(len(after), len(b)-prefix, max(len(a)-prefix, 0)) && after[len(after)-1-suffix] == b[len(b)-1-suffix] && b[len(b)-1-suffix] < 0x80 {
		suffix++
	}
	return b[:prefix] + name + b[len(b)-suffix:]
}
