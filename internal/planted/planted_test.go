// Package planted keeps small wrong changes to the core, as patches, each of them a mistake that another engine made.
//
// `make planted` applies one after the other to a copy of the tree and runs the fast tests on it: they must find every one.
// That measures the tests themselves. The patches follow the code: a test of this package says when one of them does not
// apply any more, and then somebody writes the same mistake into the code as it is now.
package planted

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEveryBugApplies: the code that each bug changes is still there, once, and not yet as the bug would make it.
func TestEveryBugApplies(t *testing.T) {
	t.Parallel()
	all, err := bugs()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 30 {
		t.Errorf("only %d bugs are planted", len(all))
	}
	for _, b := range all {
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

// bug is a planted mistake.
type bug struct {
	Name  string
	Story string // what went wrong elsewhere
	Hunks []hunk
}

// hunk is one change in a file.
type hunk struct {
	File string
	Old  string // lines that must stand there
	New  string // lines that take their place
}

// bugs reads all planted bugs, in the order of their names.
func bugs() ([]bug, error) {
	names, err := filepath.Glob("testdata/*.patch")
	if err != nil {
		return nil, fmt.Errorf("list the planted bugs: %w", err)
	}
	var all []bug
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read a planted bug: %w", err)
		}
		one, err := parse(string(b))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		one.Name = strings.TrimSuffix(filepath.Base(name), ".patch")
		all = append(all, one)
	}
	return all, nil
}

// parse reads a unified diff that begins with a line of comment.
func parse(text string) (bug, error) {
	var b bug
	file := ""
	for lines, n := bufio.NewScanner(strings.NewReader(text)), 1; lines.Scan(); n++ {
		l := lines.Text()
		switch {
		case n == 1:
			story, ok := strings.CutPrefix(l, "# ")
			if !ok {
				return b, fmt.Errorf("line 1 does not say what went wrong: %q", l)
			}
			b.Story = story
		case strings.HasPrefix(l, "--- "):
		case strings.HasPrefix(l, "+++ b/"):
			file = strings.TrimPrefix(l, "+++ b/")
		case strings.HasPrefix(l, "@@ "):
			b.Hunks = append(b.Hunks, hunk{File: file})
		case len(b.Hunks) == 0 || l == "":
			return b, fmt.Errorf("line %d is no part of a patch: %q", n, l)
		default:
			h := &b.Hunks[len(b.Hunks)-1]
			if l[0] != '+' {
				h.Old += l[1:] + "\n"
			}
			if l[0] != '-' {
				h.New += l[1:] + "\n"
			}
		}
	}
	if len(b.Hunks) == 0 {
		return b, errors.New("it changes nothing")
	}
	return b, nil
}
