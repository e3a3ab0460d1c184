// Package dir keeps blobs as files: a directory for each group, a random name for each blob.
//
// A blob is written beside its place, synced, and renamed into it; then the directory is synced. So a name is there
// with all of its content or not at all, also after a power cut, and Replace is seen before or after but never between.
// What a crash leaves half written has a name that no Ref has; it goes with its group.
//
// Only names that the package made or checked become names of files, and every access stays below the root even over
// symbolic links. Only the owner can read.
package dir

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"github.com/tendhq/tend/internal/blob"
	"github.com/tendhq/tend/internal/fault"
)

// Store implements blob.Store. It is safe for concurrent use.
type Store struct {
	root *os.Root
	// making keeps Delete from removing a group's directory between the moment it is made and the moment it is used.
	making sync.RWMutex
}

// Open opens a directory of blobs and makes it when it is not there.
func Open(name string) (*Store, error) {
	if err := makeDir(filepath.Clean(name)); err != nil {
		return nil, broken(err, "make the directory of blobs")
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, broken(err, "open the directory of blobs")
	}
	return &Store{root: root}, nil
}

// makeDir makes a directory and what is missing above it, and syncs each name that it made.
func makeDir(name string) error {
	err := os.Mkdir(name, 0o700)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeDir(filepath.Dir(name)); err != nil {
			return err
		}
		err = os.Mkdir(name, 0o700)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Close gives the directory back.
func (s *Store) Close() error { return s.root.Close() }

// unfinished ends the names of files that are being written.
const unfinished = ".new"

// Put implements blob.Store.
func (s *Store) Put(ctx context.Context, group string, r io.Reader) (blob.Ref, error) {
	if err := blob.CheckGroup(group); err != nil {
		return blob.Ref{}, err
	}
	s.making.RLock()
	defer s.making.RUnlock()
	switch err := s.root.Mkdir(group, 0o700); {
	case errors.Is(err, fs.ErrExist):
	case err != nil:
		return blob.Ref{}, broken(err, "make the directory of "+group)
	default:
		if err := s.sync("."); err != nil {
			return blob.Ref{}, err
		}
	}
	return s.write(ctx, group, blob.NewID(), r)
}

// write makes the file of a blob, or replaces it.
func (s *Store) write(ctx context.Context, group, id string, r io.Reader) (_ blob.Ref, err error) {
	final := path.Join(group, id)
	temp := final + unfinished
	f, err := s.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return blob.Ref{}, broken(err, "write a blob")
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = s.root.Remove(temp)
		}
	}()
	seal := blob.NewSealer(id)
	w := bufio.NewWriterSize(f, 64<<10)
	if err := blob.Copy(ctx, io.MultiWriter(w, seal), r); err != nil {
		return blob.Ref{}, broken(err, "write a blob")
	}
	if err := errors.Join(w.Flush(), f.Sync(), f.Close()); err != nil {
		return blob.Ref{}, broken(err, "write a blob")
	}
	if err := s.root.Rename(temp, final); err != nil {
		return blob.Ref{}, broken(err, "write a blob")
	}
	if err := s.sync(group); err != nil {
		return blob.Ref{}, err
	}
	return seal.Ref(), nil
}

// sync makes the names in a directory durable.
func (s *Store) sync(name string) error {
	d, err := s.root.Open(name)
	if err != nil {
		return broken(err, "sync the directory of blobs")
	}
	return broken(errors.Join(d.Sync(), d.Close()), "sync the directory of blobs")
}

// Get implements blob.Store.
func (s *Store) Get(_ context.Context, group string, ref blob.Ref) (io.ReadCloser, error) {
	if blob.CheckGroup(group) != nil || !blob.ValidID(ref.ID) {
		return nil, blob.Unknown(group, ref.ID)
	}
	f, err := s.root.Open(path.Join(group, ref.ID))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, blob.Unknown(group, ref.ID)
	}
	if err != nil {
		return nil, broken(err, "read blob "+ref.ID)
	}
	return blob.Check(group, ref, f), nil
}

// Replace implements blob.Store.
func (s *Store) Replace(ctx context.Context, group string, ref blob.Ref, r io.Reader) (blob.Ref, error) {
	if blob.CheckGroup(group) != nil || !blob.ValidID(ref.ID) {
		return blob.Ref{}, blob.Unknown(group, ref.ID)
	}
	s.making.RLock()
	defer s.making.RUnlock()
	switch _, err := s.root.Lstat(path.Join(group, ref.ID)); {
	case errors.Is(err, fs.ErrNotExist):
		return blob.Ref{}, blob.Unknown(group, ref.ID)
	case err != nil:
		return blob.Ref{}, broken(err, "replace blob "+ref.ID)
	}
	return s.write(ctx, group, ref.ID, r)
}

// List implements blob.Store.
func (s *Store) List(_ context.Context, group string) ([]string, error) {
	if err := blob.CheckGroup(group); err != nil {
		return nil, err
	}
	d, err := s.root.Open(group)
	if errors.Is(err, fs.ErrNotExist) {
		return []string{}, nil
	}
	if err != nil {
		return nil, broken(err, "list the blobs of "+group)
	}
	names, err := d.Readdirnames(-1)
	if err := errors.Join(err, d.Close()); err != nil {
		return nil, broken(err, "list the blobs of "+group)
	}
	names = slices.DeleteFunc(names, func(n string) bool { return !blob.ValidID(n) })
	slices.Sort(names)
	return names, nil
}

// Delete implements blob.Store. A group that is not there is deleted already.
func (s *Store) Delete(_ context.Context, group string) error {
	if err := blob.CheckGroup(group); err != nil {
		return err
	}
	s.making.Lock()
	defer s.making.Unlock()
	if err := s.root.RemoveAll(group); err != nil {
		return broken(err, "delete the blobs of "+group)
	}
	return s.sync(".")
}

// broken gives an error of the file system its kind. An error that has one keeps it, and so does a reader's own.
func broken(err error, doing string) error {
	if err == nil {
		return nil
	}
	var known *fault.Error
	if errors.As(err, &known) {
		return err
	}
	var file *fs.PathError
	var link *os.LinkError
	if !errors.As(err, &file) && !errors.As(err, &link) {
		return fault.Wrap(fault.KindOf(err), err, "%s", doing)
	}
	e := &fault.Error{Kind: fault.Unavailable, Message: doing, Err: err}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return e.WithNext("make room on the disk: nothing was written")
	}
	return e.WithNext("see who owns the data directory, and whether its disk is mounted read-only")
}
