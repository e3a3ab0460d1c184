package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/directory"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/seal"
	"github.com/tendhq/tend/internal/store/sqlite"
	"github.com/tendhq/tend/internal/wire"
)

// manifestFile lists every file of a backup with its sum. It is written last: a backup without it is not complete.
const manifestFile = "manifest.json"

// Manifest describes a backup.
type Manifest struct {
	Format   int       `json:"format"`
	At       time.Time `json:"at"`
	Instance string    `json:"instance"` // of the store that was copied
	Index    uint64    `json:"index"`
	Files    []Copied  `json:"files"`
}

// Copied is a file of a backup.
type Copied struct {
	Name string `json:"name"` // slash path
	Size int64  `json:"size"`
	Sum  string `json:"sha256"`
}

// Backup implements httpapi.House: a directory with the database, the blobs that it names, the sealing key and a
// manifest. The database is copied first: blobs are durable before an entry names them, so that every blob that the copy
// names is there when blobs are copied afterwards.
func (w *owned) Backup(ctx context.Context, path string) (wire.BackedUp, error) {
	var out wire.BackedUp
	if err := os.Mkdir(path, 0o700); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return out, fault.New(fault.Invalid, "%s is there already", path).WithNext("choose a path that does not exist: a backup never overwrites")
		}
		return out, fault.Wrap(fault.Unavailable, err, "make the backup's directory")
	}
	out, err := w.backup(ctx, path)
	if err != nil {
		err = errors.Join(err, os.RemoveAll(path))
	}
	return out, err
}

func (w *owned) backup(ctx context.Context, path string) (wire.BackedUp, error) {
	var out wire.BackedUp
	if err := w.store.Backup(ctx, filepath.Join(path, sqlite.File)); err != nil {
		return out, err
	}
	ident, err := w.store.Identity(ctx)
	if err != nil {
		return out, err
	}
	m := Manifest{Format: 1, At: now().UTC(), Instance: ident.Instance, Index: ident.Index}
	db, err := sumFile(filepath.Join(path, sqlite.File), sqlite.File)
	if err != nil {
		return out, err
	}
	m.Files = append(m.Files, db)
	key, err := copyFile(filepath.Join(w.dir, seal.File), filepath.Join(path, seal.File), seal.File)
	if err != nil {
		return out, err
	}
	m.Files = append(m.Files, key)
	err = filepath.WalkDir(filepath.Join(w.dir, directory.BlobsDir), func(p string, d fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, context.Cause(ctx))
		}
		rel, err := filepath.Rel(w.dir, p)
		if err != nil {
			return err
		}
		to := filepath.Join(path, rel)
		if d.IsDir() {
			return os.MkdirAll(to, 0o700)
		}
		c, err := copyFile(p, to, filepath.ToSlash(rel))
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed or replaced meanwhile
		}
		m.Files = append(m.Files, c)
		out.Blobs++
		return err
	})
	if err != nil {
		return out, fault.Wrap(fault.Unavailable, err, "copy the blobs")
	}
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return out, err
	}
	if err := writeDurable(filepath.Join(path, manifestFile), append(b, '\n')); err != nil {
		return out, err
	}
	if _, err := VerifyBackup(path); err != nil {
		return out, err
	}
	for _, f := range m.Files {
		out.Bytes += f.Size
	}
	out.Index, out.Instance, out.Path = m.Index, m.Instance, path
	return out, nil
}

// VerifyBackup reads a whole backup and compares it with its manifest.
func VerifyBackup(path string) (Manifest, error) {
	var m Manifest
	b, err := os.ReadFile(filepath.Join(path, manifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return m, fault.New(fault.NotFound, "%s is no complete backup: it has no %s", path, manifestFile).WithNext("give the directory that `tend backup` made")
	}
	if err != nil {
		return m, fault.Wrap(fault.Unavailable, err, "read the backup")
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fault.Wrap(fault.Damaged, err, "read %s of the backup", manifestFile)
	}
	if m.Format != 1 {
		return m, fault.New(fault.Newer, "the backup has format %d, this tend knows 1", m.Format).WithNext("restore it with the tend that made it, or a newer one")
	}
	var problems []error
	for _, f := range m.Files {
		if !filepath.IsLocal(filepath.FromSlash(f.Name)) {
			problems = append(problems, fault.New(fault.Damaged, "the manifest names %q, which leads out of the backup", f.Name))
			continue
		}
		got, err := sumFile(filepath.Join(path, filepath.FromSlash(f.Name)), f.Name)
		switch {
		case err != nil:
			problems = append(problems, fault.Wrap(fault.Damaged, err, "read %s of the backup", f.Name))
		case got != f:
			problems = append(problems, fault.New(fault.Damaged, "%s of the backup is not what was copied (%d bytes, not %d)", f.Name, got.Size, f.Size))
		}
		if len(problems) == 10 {
			break
		}
	}
	if !slices.ContainsFunc(m.Files, func(f Copied) bool { return f.Name == sqlite.File }) {
		problems = append(problems, fault.New(fault.Damaged, "the backup has no database"))
	}
	return m, errors.Join(problems...)
}

// Restore copies a verified backup into an empty data directory. The restored store is another instance and starts
// halted: nobody knows what happened after the backup was made.
func Restore(ctx context.Context, from, to string) (Manifest, error) {
	m, err := VerifyBackup(from)
	if err != nil {
		return m, err
	}
	if err := directory.Ensure(to); err != nil {
		return m, err
	}
	l, err := directory.Take(to)
	if errors.Is(err, directory.ErrLocked) {
		return m, fault.New(fault.Refused, "%s is in use", to).WithNext("restore into a new directory: --data-dir")
	}
	if err != nil {
		return m, err
	}
	defer l.Release()
	names, err := os.ReadDir(to)
	if err != nil {
		return m, fault.Wrap(fault.Unavailable, err, "look into %s", to)
	}
	for _, n := range names {
		if n.Name() != directory.LockFile {
			return m, fault.New(fault.Refused, "%s is not empty (it holds %s): a restore never overwrites", to, n.Name()).
				WithNext("restore into a new directory with --data-dir, or move this one away")
		}
	}
	for _, f := range m.Files {
		if ctx.Err() != nil {
			return m, context.Cause(ctx)
		}
		if f.Name == sqlite.File {
			continue
		}
		dest := filepath.Join(to, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(dest), 0o700); err != nil {
			return m, directory.CannotWrite(err, to, "write to the data directory")
		}
		if _, err := copyFile(filepath.Join(from, filepath.FromSlash(f.Name)), dest, f.Name); err != nil {
			return m, fault.Wrap(fault.Unavailable, err, "restore %s", f.Name)
		}
	}
	// The database comes last: without it the directory is empty for every reader.
	if err := sqlite.Restore(ctx, filepath.Join(from, sqlite.File), to); err != nil {
		return m, err
	}
	return m, nil
}

func sumFile(path, name string) (Copied, error) {
	f, err := os.Open(path)
	if err != nil {
		return Copied{}, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	return Copied{Name: name, Size: n, Sum: hex.EncodeToString(h.Sum(nil))}, err
}

// copyFile copies durably and gives the sum of what was written.
func copyFile(from, to, name string) (c Copied, err error) {
	in, err := os.Open(from)
	if err != nil {
		return c, err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return c, err
	}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, h), in)
	if err == nil {
		err = out.Sync()
	}
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	return Copied{Name: name, Size: n, Sum: hex.EncodeToString(h.Sum(nil))}, err
}

func writeDurable(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	d, err := os.Open(strings.TrimSuffix(filepath.Dir(path), string(filepath.Separator)))
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// What a data directory's database is called, and the newest shape of it that this binary knows.
const (
	DatabaseFile  = sqlite.File
	SchemaVersion = sqlite.Schema
)
