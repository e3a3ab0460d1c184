package repository

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/fault"
)

// Layout says which files of a tree a server reads: documents, calendars that guards name, and tests.
type Layout struct{ folders []string }

// NewLayout reads the content of the tend.yaml in the root of a tree; nil when there is none: everything is read then.
func NewLayout(marker []byte) (Layout, error) {
	if marker == nil {
		return Layout{}, nil
	}
	var s Settings
	if !onlyComments(marker) {
		if err := yaml.Load(marker, &s, yaml.WithV4Defaults(), yaml.WithKnownFields(true), yaml.WithUniqueKeys(true)); err != nil {
			return Layout{}, fault.Wrap(fault.Invalid, err, "read %s", Marker)
		}
	}
	if len(s.Playbooks) == 0 {
		s.Playbooks = []string{"playbooks", "examples"}
	}
	l := Layout{folders: []string{}}
	for _, f := range s.Playbooks {
		l.folders = append(l.folders, path.Clean(f))
	}
	return l, nil
}

// Wants tells by its name, a slash path from the root, whether a file may belong to what is read. Hidden files and folders
// do not.
func (l Layout) Wants(name string) bool {
	if !fs.ValidPath(name) || strings.IndexFunc(name, func(c rune) bool { return c < ' ' || c == 0x7f || c == '\uFFFD' }) >= 0 {
		return false
	}
	parts := strings.Split(name, "/")
	if len(parts) > maxDepth || slices.ContainsFunc(parts, func(p string) bool { return strings.HasPrefix(p, ".") || p == "node_modules" }) {
		return false
	}
	if ext := path.Ext(name); ext != ".yaml" && ext != ".yml" && ext != ".ics" && ext != TestExt || parts[len(parts)-1] == Marker {
		return false
	}
	return l.folders == nil || slices.ContainsFunc(l.folders, func(f string) bool { return f == "." || strings.HasPrefix(name, f+"/") })
}

// TestExt is how the names of tests end, which stand beside playbooks.
const TestExt = ".txtar"

// maxTest is how large a test may be to be shown; larger ones are left out.
const maxTest = 256 << 10

// Keep tells whether a file that is wanted belongs to what is read indeed: of YAML files, those that could be documents.
func Keep(f document.File) bool {
	switch path.Ext(f.Name) {
	case ".ics":
		return true
	case TestExt:
		return len(f.Content) <= maxTest
	}
	return bytes.Contains(f.Content, []byte("apiVersion")) || len(f.Content) > document.MaxSize
}

// MaxFiles and MaxTree bound what a server reads of one repository: its documents, and their bytes together.
const (
	MaxFiles = maxFiles
	MaxTree  = 64 << 20
)

// Tree reads what a server reads of a directory. Names are slash paths from it. Links are followed as long as they do not
// lead out of it.
func Tree(dir string) ([]document.File, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "read %s", dir)
	}
	defer func() { _ = root.Close() }()
	marker, err := readIn(root, Marker)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Wrap(fault.Unavailable, err, "read %s in %s", Marker, dir)
	}
	layout, err := NewLayout(marker)
	if err != nil {
		return nil, err
	}
	var out []document.File
	size := 0
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && name != ".":
			return nil // what was removed meanwhile, or may not be read, is left out as in Repo
		case err != nil:
			return err
		case d.IsDir():
			if base := path.Base(name); name != "." && (strings.HasPrefix(base, ".") || base == "node_modules" || strings.Count(name, "/") > maxDepth) {
				return fs.SkipDir
			}
			return nil
		case !layout.Wants(name):
			return nil
		}
		b, err := readIn(root, name)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNoFile) {
			return nil
		}
		if err != nil {
			return fault.Wrap(fault.Unavailable, err, "read %s in %s", name, dir)
		}
		if f := (document.File{Name: name, Content: b}); Keep(f) {
			out = append(out, f)
			size += len(b)
		}
		return Bound(len(out), size)
	})
	if err != nil && fault.KindOf(err) != fault.Limit {
		return nil, fault.Wrap(fault.Unavailable, err, "read %s", dir)
	}
	return out, err
}

// Bound refuses a tree with more than a server reads.
func Bound(files, bytes int) error {
	switch {
	case files > MaxFiles:
		return fault.New(fault.Limit, "there are more than %d documents", MaxFiles).WithNext("name the folders with playbooks in %s", Marker)
	case bytes > MaxTree:
		return fault.New(fault.Limit, "the documents have more than %d MiB together", MaxTree>>20).WithNext("name the folders with playbooks in %s", Marker)
	}
	return nil
}

var errNoFile = errors.New("it is no file")

// readIn reads a file of a root, and a byte more than a document may have.
func readIn(root *os.Root, name string) ([]byte, error) {
	info, err := root.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNoFile
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, document.MaxSize+1))
}
