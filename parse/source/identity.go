package source

import (
	"io/fs"
	"os"
)

// identities finds files that are there under another name.
type identities struct {
	byID map[fileID]string
	rest []identity // of systems that do not tell a file's id
}

type identity struct {
	info fs.FileInfo
	path string
}

// add remembers a file and gives the path it was added by before, if it was.
func (s *identities) add(info fs.FileInfo, path string) (first string, ok bool) {
	id, known := idOf(info)
	if !known {
		return s.compare(info, path)
	}
	if first, ok = s.byID[id]; ok {
		return first, true
	}
	if s.byID == nil {
		s.byID = map[fileID]string{}
	}
	s.byID[id] = path
	return "", false
}

// compare is add where no id is known.
func (s *identities) compare(info fs.FileInfo, path string) (first string, ok bool) {
	for _, other := range s.rest {
		if os.SameFile(other.info, info) {
			return other.path, true
		}
	}
	s.rest = append(s.rest, identity{info, path})
	return "", false
}
