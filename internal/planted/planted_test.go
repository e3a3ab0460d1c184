package planted_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/planted"
)

// TestEveryBugApplies: the code that each bug changes is still there, once, and not yet as the bug would make it.
func TestEveryBugApplies(t *testing.T) {
	t.Parallel()
	bugs, err := planted.Bugs()
	if err != nil {
		t.Fatal(err)
	}
	if len(bugs) < 30 {
		t.Errorf("only %d bugs are planted", len(bugs))
	}
	for _, b := range bugs {
		if !strings.HasSuffix(b.Story, ".") {
			t.Errorf("%s: its story is no sentence: %q", b.Name, b.Story)
		}
		for _, h := range b.Hunks {
			src, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(h.File)))
			if err != nil {
				t.Errorf("%s: %v", b.Name, err)
				continue
			}
			if n := strings.Count(string(src), h.Old); n != 1 {
				t.Errorf("%s: what it changes in %s stands there %d times: write the same mistake into the code as it is now", b.Name, h.File, n)
			}
			if h.Old == h.New {
				t.Errorf("%s: it changes nothing in %s", b.Name, h.File)
			}
		}
	}
}
