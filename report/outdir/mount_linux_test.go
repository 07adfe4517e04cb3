package outdir

import (
	"os"
	"testing"
)

func TestIsMountPoint(t *testing.T) {
	for dir, want := range map[string]bool{"/proc": true, t.TempDir(): false, ".": false} {
		info, err := os.Stat(dir)
		if err != nil {
			t.Skip(err)
		}
		if got := isMountPoint(dir, info); got != want {
			t.Errorf("%s: %t, want %t", dir, got, want)
		}
	}
}
