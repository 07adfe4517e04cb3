package source

import (
	"io/fs"
	"os"
)

// identities finds files that were added before under another name.
type identities struct {
	byID map[fileID]string
	rest []identity // on systems without file ids
}

type identity struct {
	info fs.FileInfo
	path string
}

// add adds a file. If it was added before, it returns the path it was added by.
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

// compare is add for a system without file ids.
func (s *identities) compare(info fs.FileInfo, path string) (first string, ok bool) {
	for _, other := range s.rest {
		if os.SameFile(other.info, info) {
			return other.path, true
		}
	}
	s.rest = append(s.rest, identity{info, path})
	return "", false
}
