package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/id"
)

//go:embed schema/*.sql
var schema embed.FS

// Schema is the newest version of the database's shape that this binary knows: the number of files in schema/. Files
// are only ever added.
const Schema = 4

// application marks the file as ours, in the header field that SQLite keeps for that ("tend").
const application = 0x74656e64

// inspect reads the header of the database file without opening the database, so that a file that is not ours, or newer
// than this binary, stays untouched. It answers 0 for a file that is empty or not there.
func inspect(path string) (version int, err error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fault.Wrap(fault.Unavailable, err, "read the database")
	}
	defer f.Close()
	var h [100]byte
	switch n, err := io.ReadFull(f, h[:]); {
	case n == 0 && errors.Is(err, io.EOF):
		return 0, nil
	case errors.Is(err, io.ErrUnexpectedEOF):
		return 0, damagedFile(path, "it is only %d bytes long", n)
	case err != nil:
		return 0, fault.Wrap(fault.Unavailable, err, "read %s", path)
	}
	if string(h[:16]) != "SQLite format 3\x00" {
		return 0, damagedFile(path, "it does not begin like a database")
	}
	version = int(int32(binary.BigEndian.Uint32(h[60:64])))
	app, pages := binary.BigEndian.Uint32(h[68:72]), binary.BigEndian.Uint32(h[28:32])
	if app == 0 && version == 0 && pages <= 1 {
		return 0, nil // a new one, whose maker died before it was ours
	}
	if app != application {
		return 0, foreign(path, app)
	}
	if version < 0 {
		return 0, damagedFile(path, "its schema is %d", version)
	}
	return version, tooNew(path, version)
}

func foreign(path string, app uint32) error {
	return fault.New(fault.Invalid, "%s is a database of another program (application id %#x)", path, app).
		WithNext("choose another data directory")
}

func tooNew(path string, version int) error {
	if version <= Schema {
		return nil
	}
	return fault.New(fault.Newer, "%s was written by a newer tend (schema %d, this one knows %d): nothing was touched", path, version, Schema).
		WithNext("use the newer tend, or restore a backup from before the upgrade")
}

// migrate brings the database to Schema, one file and one transaction at a time.
func migrate(ctx context.Context, c *sql.Conn, path string) error {
	var version, tables int
	err := errors.Join(c.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version),
		c.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables))
	if err != nil {
		return classify(err, "read the schema of %s", path)
	}
	if version == 0 && tables > 0 {
		return foreign(path, 0)
	}
	if err := tooNew(path, version); err != nil {
		return err
	}
	for n := version + 1; n <= Schema; n++ {
		text, err := schema.ReadFile(fmt.Sprintf("schema/%04d.sql", n))
		if err != nil {
			return fault.Wrap(fault.Internal, err, "read the schema")
		}
		script := fmt.Sprintf("PRAGMA user_version = %d; PRAGMA application_id = %d;\n%s", n, application, text)
		if n == 1 {
			script += birth()
		}
		if _, err := c.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
			return classify(err, "migrate %s to schema %d", path, n)
		}
		_, err = c.ExecContext(ctx, script)
		if err == nil {
			_, err = c.ExecContext(ctx, "COMMIT")
		}
		if err != nil {
			_, _ = c.ExecContext(ctx, "ROLLBACK")
			return classify(err, "migrate %s to schema %d", path, n)
		}
	}
	if version == Schema {
		return nil
	}
	// The header in the file itself must say so at once: inspect reads it there.
	_, err = c.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return classify(err, "write the schema of %s", path)
}

// birth gives the statements that fill a new database.
func birth() string {
	return fmt.Sprintf("INSERT INTO meta VALUES (1, '%s', 0, '');\n"+
		"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO shard SELECT i, 0 FROM n;",
		newInstance(), id.Shards-1)
}

// newInstance makes the name of a database, which no copy of it shares after Restore.
func newInstance() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
