//go:build !unix

package source

import "io/fs"

// fileID is not available here; os.SameFile compares instead.
type fileID struct{}

func idOf(fs.FileInfo) (fileID, bool) { return fileID{}, false }
