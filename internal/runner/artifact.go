package runner

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
)

// Bounds of what an attempt may leave as artifacts. What is beyond them is not kept, and the log says so.
const (
	maxArtifacts     = 100
	maxArtifact      = 10 << 20
	maxArtifactBytes = 100 << 20
	// maxVisited bounds the files of a scratch directory that are looked at.
	maxVisited = 100_000
)

// scratch makes the directory of the attempt, if the action starts a process or leaves artifacts, and gives what removes
// it.
func (w *work) scratch() (remove func(), err error) {
	if !w.spec.Env && len(w.attempt.Artifacts) == 0 {
		return func() {}, nil
	}
	c := w.runner.c
	dir, err := os.MkdirTemp(cmp.Or(c.Work, c.Scratch), "tend-work-*") // mode 0700
	if err == nil && c.Give != nil {
		err = c.Give(dir)
	}
	if err == nil {
		// Where the way there has a symbolic link (macOS), programs see another path than the one they were given.
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "make a scratch directory")
	}
	w.request.Work = dir
	return func() {
		remove := removeAll
		if c.Give != nil {
			remove = os.RemoveAll // what another user may still change is not changed by name
		}
		if err := remove(dir); err != nil {
			w.runner.c.Logger.Warn("a scratch directory could not be removed", "dir", dir, "error", err)
		}
	}, nil
}

// removeAll removes a tree, also one with directories that its owner may not write.
func removeAll(dir string) error {
	err := os.RemoveAll(dir)
	if err == nil {
		return nil
	}
	_ = filepath.WalkDir(dir, func(p string, d fs.DirEntry, _ error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(p, 0o700) //nolint:gosec // the scratch directory of an attempt that has ended; RemoveAll says what is left
		}
		return nil
	})
	return os.RemoveAll(dir)
}

// artifacts stores the files of the scratch directory that match a pattern, in the order of their names.
func (w *work) artifacts() []entry.Artifact {
	if len(w.attempt.Artifacts) == 0 || w.request.Work == "" {
		return nil
	}
	root, err := os.OpenRoot(w.request.Work) // nothing outside is opened, whatever the links inside say
	if err != nil {
		w.log.Say("no artifacts: the scratch directory is gone")
		return nil
	}
	defer root.Close()
	names, err := w.matching(root.FS())
	if err != nil {
		w.log.Say(fmt.Sprintf("no artifacts: %v", err))
		return nil
	}
	var (
		kept  []entry.Artifact
		total int64
	)
	for i, name := range names {
		if len(kept) == maxArtifacts {
			w.log.Say(fmt.Sprintf("%d more artifacts were not kept: %d are the most", len(names)-i, maxArtifacts))
			break
		}
		ref, err := w.keep(root, name, maxArtifactBytes-total)
		if err != nil {
			w.log.Say(fmt.Sprintf("artifact %s was not kept: %v", name, err))
			continue
		}
		kept = append(kept, entry.Artifact{Name: w.shown.String(strings.ToValidUTF8(name, "\ufffd")), Ref: ref})
		total += ref.Size
	}
	return kept
}

// keep stores one file.
func (w *work) keep(root *os.Root, name string, room int64) (entry.Ref, error) {
	// Without waiting: the program may have left a pipe that nobody writes to.
	f, err := root.OpenFile(filepath.FromSlash(name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return entry.Ref{}, reason(err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return entry.Ref{}, reason(err)
	case !info.Mode().IsRegular():
		return entry.Ref{}, errors.New("it is not a regular file")
	case info.Size() > maxArtifact:
		return entry.Ref{}, fmt.Errorf("it has %d bytes, more than %d MiB", info.Size(), maxArtifact>>20)
	case info.Size() > room:
		return entry.Ref{}, fmt.Errorf("all artifacts together would have more than %d MiB", maxArtifactBytes>>20)
	}
	found, err := w.shown.Reads(io.LimitReader(f, maxArtifact))
	if err != nil {
		return entry.Ref{}, reason(err)
	}
	if found {
		return entry.Ref{}, errors.New("it holds a secret")
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return entry.Ref{}, reason(err)
	}
	ref, err := w.put(io.LimitReader(f, info.Size()))
	if err != nil {
		return entry.Ref{}, fmt.Errorf("store it: %w", err)
	}
	return ref, nil
}

// reason drops the path from an error: the message has the name already.
func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// matching lists the files below dir that match one of the attempt's patterns, sorted.
func (w *work) matching(dir fs.FS) ([]string, error) {
	var (
		names   []string
		visited int
	)
	for _, p := range w.attempt.Artifacts {
		// Each ** is tried at every depth: more than a few would be tried for ever.
		if _, err := path.Match(strings.ReplaceAll(p, "**", "*"), ""); err != nil || strings.Count(p, "**") > 3 {
			return nil, fmt.Errorf("%q is not a pattern", p)
		}
	}
	err := fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		if visited++; visited > maxVisited {
			return fmt.Errorf("there are more than %d files in the scratch directory", maxVisited)
		}
		if err != nil {
			return fs.SkipDir // what cannot be read has nothing for us
		}
		if d.IsDir() {
			return nil
		}
		if slices.ContainsFunc(w.attempt.Artifacts, func(p string) bool { return matches(path.Clean(p), name) }) {
			names = append(names, name)
		}
		return nil
	})
	slices.Sort(names)
	return names, err
}

// matches tells whether a pattern matches a slash-separated name: as path.Match, and ** stands for any number of
// directories.
func matches(pattern, name string) bool {
	head, rest, more := strings.Cut(pattern, "/")
	if head == "**" {
		if !more {
			return true
		}
		for {
			if matches(rest, name) {
				return true
			}
			i := strings.IndexByte(name, '/')
			if i < 0 {
				return false
			}
			name = name[i+1:]
		}
	}
	first, below, deeper := strings.Cut(name, "/")
	if ok, err := path.Match(head, first); err != nil || !ok || more != deeper {
		return false
	}
	return !more || matches(rest, below)
}
