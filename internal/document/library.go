package document

import (
	"bytes"
	"cmp"
	"path"
	"slices"
	"sync"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/spelling"
)

// Library is a Source over files that are in memory already: the playbooks of a repository. It reads a file only when
// its text can hold what is looked for. It is safe for concurrent use.
type Library struct {
	files []File // by name

	mu    sync.Mutex
	heads map[string][]head
}

// head is what a document is called.
type head struct {
	kind Kind
	name string
}

// NewLibrary makes a library. File names are slash paths; relative paths in documents start at their folders.
func NewLibrary(files []File) *Library {
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	return &Library{files: files, heads: map[string][]head{}}
}

// absent says what there is in the place of a file.
func (l *Library) absent(p string) error {
	e := fault.New(fault.NotFound, "there is no file %s", p)
	names := make([]string, len(l.files))
	for i := range l.files {
		names[i] = l.files[i].Name
	}
	if near := spelling.Nearest(p, names); near != "" {
		return e.WithNext("did you mean %s?", near)
	}
	return e.WithNext("paths count from the folder of the file that they stand in")
}

// Find implements Source. Of several documents with the same name the one nearest to the asking file counts, then the
// first by file name.
func (l *Library) Find(kind Kind, name, from string) (File, error) {
	if IsPath(name) {
		p := path.Clean(name)
		if !path.IsAbs(p) {
			p = path.Join(path.Dir(from), p)
		}
		i, ok := slices.BinarySearchFunc(l.files, p, func(f File, p string) int { return cmp.Compare(f.Name, p) })
		if !ok {
			return File{}, l.absent(p)
		}
		return l.files[i], nil
	}
	var best *File
	for i := range l.files {
		f := &l.files[i]
		if !l.holds(f, kind, name) {
			continue
		}
		if best == nil || shared(f.Name, from) > shared(best.Name, from) {
			best = f
		}
	}
	if best == nil {
		return File{}, fault.New(fault.NotFound, "there is no document called `%s`", name)
	}
	return *best, nil
}

// Names implements Source.
func (l *Library) Names(kind Kind) []string {
	var out []string
	for i := range l.files {
		for _, h := range l.read(&l.files[i]) {
			if h.kind == kind && h.name != "" {
				out = append(out, h.name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (l *Library) holds(f *File, kind Kind, name string) bool {
	if !bytes.Contains(f.Content, []byte(kind)) || !containsName(f.Content, name) {
		return false
	}
	return slices.ContainsFunc(l.read(f), func(h head) bool { return h.kind == kind && spelling.Same(h.name, name) })
}

// containsName is a quick look whether a text can hold a name, in any of its spellings.
func containsName(text []byte, name string) bool {
	want := []byte(spelling.Fold(name))
	if len(want) == 0 {
		return false
	}
	folded := func(c byte) byte {
		switch {
		case c >= 'A' && c <= 'Z':
			return c - 'A' + 'a'
		case c == '-':
			return '_'
		default:
			return c
		}
	}
search:
	for i := 0; i+len(want) <= len(text); i++ {
		for j, c := range want {
			if folded(text[i+j]) != c {
				continue search
			}
		}
		return true
	}
	return false
}

func (l *Library) read(f *File) []head {
	l.mu.Lock()
	hs, ok := l.heads[f.Name]
	l.mu.Unlock()
	if ok {
		return hs
	}
	hs = heads(f)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heads[f.Name] = hs
	return hs
}

// heads tells what the documents of a file are called, without reading more of them.
func heads(f *File) []head {
	if len(f.Content) > MaxSize {
		return nil
	}
	r := NewReader(f.Name, f.Content)
	var out []head
	for _, root := range r.readYAML(f.Content) {
		if !r.bounded(root.Content[0]) {
			continue
		}
		o, ok := r.Object(root.Content[0], "a document")
		if !ok {
			continue
		}
		var h head
		if k, ok := o.Key("kind"); ok {
			h.kind = Kind(k.Value.Value)
		}
		if k, ok := o.Key("metadata"); ok {
			if m, ok := r.Object(k.Value, "`metadata`"); ok {
				if n, ok := m.Key("name"); ok {
					h.name = n.Value.Value
				}
			}
		}
		out = append(out, h)
	}
	return out
}

// shared counts the leading characters of two paths that agree: nearer files share more.
func shared(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
