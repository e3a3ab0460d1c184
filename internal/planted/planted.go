// Package planted keeps small wrong changes to the core, as patches, each of them a mistake that another engine made.
//
// `make planted` applies one after the other to a copy of the tree and runs the fast tests on it: they must find every one.
// That measures the tests themselves. The patches follow the code: a test of this package says when one of them does not
// apply any more, and then somebody writes the same mistake into the code as it is now.
package planted

import (
	"bufio"
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed testdata/*.patch
var files embed.FS

// Bug is a planted mistake.
type Bug struct {
	Name  string
	Story string // what went wrong elsewhere
	Hunks []Hunk
}

// Hunk is one change in a file.
type Hunk struct {
	File string
	Old  string // lines that must stand there
	New  string // lines that take their place
}

// Bugs reads all planted bugs, in the order of their names.
func Bugs() ([]Bug, error) {
	names, err := fs.Glob(files, "testdata/*.patch")
	if err != nil {
		return nil, fmt.Errorf("list the planted bugs: %w", err)
	}
	var bugs []Bug
	for _, name := range names {
		b, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read a planted bug: %w", err)
		}
		bug, err := parse(string(b))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		bug.Name = strings.TrimSuffix(strings.TrimPrefix(name, "testdata/"), ".patch")
		bugs = append(bugs, bug)
	}
	return bugs, nil
}

// parse reads a unified diff that begins with a line of comment.
func parse(text string) (Bug, error) {
	var b Bug
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
			b.Hunks = append(b.Hunks, Hunk{File: file})
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
		return b, fmt.Errorf("it changes nothing")
	}
	return b, nil
}
