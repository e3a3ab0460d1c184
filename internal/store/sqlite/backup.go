package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tendhq/tend/internal/fault"
)

// Backup implements store.Backuper. The copy is one file, compact and without a log; it is verified and synced before
// it gets its name, so that a file with that name is a whole backup.
func (s *Store) Backup(ctx context.Context, path string) (err error) {
	done, err := s.long(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := vacant(path); err != nil {
		return err
	}
	temp := path + ".partial"
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return unavailable(err, "remove what an earlier backup left")
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temp)
		}
	}()
	// VACUUM INTO takes an empty file as its target: made here, nobody else can read it at any time.
	if err := makeEmpty(temp); err != nil {
		return err
	}
	if err := s.copyTo(ctx, temp); err != nil {
		return err
	}
	if err := verifyCopy(ctx, temp); err != nil {
		return err
	}
	if err := syncFile(temp); err != nil {
		return err
	}
	if err := vacant(path); err != nil { // it took a while
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return unavailable(err, "name the backup")
	}
	return syncDir(filepath.Dir(path))
}

func (s *Store) copyTo(ctx context.Context, path string) error {
	db, err := connect(s.path, s.vfs)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO "+quote(path))
	return classify(errors.Join(err, db.Close()), "back up %s", s.path)
}

func vacant(path string) error {
	_, err := os.Lstat(path)
	switch {
	case err == nil:
		return fault.New(fault.Conflict, "%s is there already: a backup does not overwrite anything", path).WithNext("choose another name")
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return unavailable(err, "look where the backup goes")
}

func makeEmpty(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return unavailable(err, "make the backup")
	}
	if err := f.Close(); err != nil {
		return unavailable(err, "make the backup")
	}
	return nil
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return unavailable(err, "sync the backup")
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return unavailable(err, "sync the backup")
	}
	return nil
}

// verifyCopy reads all of a database that nobody writes to.
func verifyCopy(ctx context.Context, path string) error {
	db, err := connect(path, "", "query_only(1)")
	if err != nil {
		return err
	}
	_, _, damaged, err := verify(ctx, db, path)
	return errors.Join(err, errors.Join(damaged...), db.Close())
}

// Restored says what a restored store is halted for.
const Restored = "restored from a backup"

// Restore makes the store of a backup in dir, which must not have one. The store is another instance than the one that
// was backed up, and halted: what happened after the backup happened all the same, so that a person must look first.
func Restore(ctx context.Context, from, dir string) (err error) {
	version, err := inspect(from)
	if err != nil {
		return err
	}
	if version == 0 {
		return fault.New(fault.NotFound, "%s is not a backup: it is empty or not there", from)
	}
	if info, err := os.Stat(from + "-wal"); err == nil && info.Size() > 0 {
		return fault.New(fault.Conflict, "%s has a log beside it: it is a store, and maybe in use, not a backup", from).
			WithNext("make a backup of it first")
	}
	if err := verifyCopy(ctx, from); err != nil {
		return fmt.Errorf("verify the backup: %w", err)
	}
	if err := makeDir(filepath.Clean(dir)); err != nil {
		return unavailable(err, "make the data directory")
	}
	path := filepath.Join(dir, File)
	for _, p := range []string{path, path + "-wal"} {
		if _, err := os.Lstat(p); !errors.Is(err, fs.ErrNotExist) {
			return fault.New(fault.Conflict, "%s is there already: a restore does not overwrite anything", p).
				WithNext("choose another data directory, or move the old one away")
		}
	}
	temp := path + ".restore"
	defer func() { _ = os.Remove(temp) }()
	if err := copyFile(ctx, from, temp); err != nil {
		return err
	}
	instance, index, err := rename(ctx, temp)
	if err != nil {
		return err
	}
	if err := syncFile(temp); err != nil {
		return err
	}
	if err := writeHighWater(dir, instance, index); err != nil {
		return unavailable(err, "write the data directory")
	}
	if err := os.Rename(temp, path); err != nil {
		return unavailable(err, "name the restored database")
	}
	return syncDir(dir)
}

// rename gives a copy a name of its own and halts it.
func rename(ctx context.Context, path string) (instance string, index uint64, err error) {
	db, err := connect(path, "", "journal_mode(delete)", "synchronous(full)")
	if err != nil {
		return "", 0, err
	}
	db.SetMaxOpenConns(1)
	defer func() { err = classify(errors.Join(err, db.Close()), "restore %s", path) }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return "", 0, err
	}
	defer tx.Rollback() //nolint:errcheck // nothing to do after Commit
	var old string
	if err := tx.QueryRowContext(ctx, "SELECT instance, ix FROM meta").Scan(&old, &index); err != nil {
		return "", 0, err
	}
	instance = newInstance()
	why := fmt.Sprintf("%s of %s at commit %d", Restored, old, index)
	return instance, index, errors.Join(halt(ctx, tx, instance, why), tx.Commit())
}

func halt(ctx context.Context, tx *sql.Tx, instance, why string) error {
	_, err := tx.ExecContext(ctx, "UPDATE meta SET instance = ?, halted = ?", instance, why)
	return err
}

func copyFile(ctx context.Context, from, to string) error {
	r, err := os.Open(from)
	if err != nil {
		return unavailable(err, "read the backup")
	}
	defer r.Close()
	if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return unavailable(err, "remove what an earlier restore left")
	}
	w, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return unavailable(err, "write the data directory")
	}
	if _, err := io.Copy(w, r); err != nil {
		return errors.Join(unavailable(err, "copy the backup"), w.Close())
	}
	if err := ctx.Err(); err != nil {
		return errors.Join(fault.Wrap(fault.Cancelled, context.Cause(ctx), "restore"), w.Close())
	}
	if err := w.Close(); err != nil {
		return unavailable(err, "copy the backup")
	}
	return nil
}
