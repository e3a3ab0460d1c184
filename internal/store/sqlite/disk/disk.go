// Package disk puts a layer between SQLite and its files, for tests: it writes down every write and sync, lets a hook
// make any of them fail, and says what a power cut at any moment could have left.
//
// It is a VFS of SQLite that passes everything on to SQLite's own and only looks at what changes files; so locks and
// shared memory are the real ones. It sees the database and its log. What else a store writes (names of directories,
// the high-water file) it does not see.
//
// The model of a power cut: what was written before a file's last completed sync is there. Of what was written after
// it, each write may be there, not be there, or be torn at sectors of 512 bytes, in any combination; truncations and
// deletions are like writes.
package disk

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// Kind is what is done to a file.
type Kind string

// The kinds of operations. A Mark is not one: a test writes it down to tell what it knew at that moment.
const (
	Write    Kind = "write"
	Truncate Kind = "truncate"
	Sync     Kind = "sync"
	Delete   Kind = "delete"
	Mark     Kind = "mark"
)

// Op is one operation on a file.
type Op struct {
	Kind Kind
	File string // its name without the directory
	Off  int64  // of a write; the new size of a truncation
	Data []byte // of a write
	Dir  bool   // of a sync or a deletion: the directory was synced, too
	N    int    // the number of this operation, marks not counted
	Note string // of a mark
}

// String gives the operation in a line, without the data.
func (o Op) String() string {
	switch o.Kind {
	case Write:
		return fmt.Sprintf("write %s %d+%d", o.File, o.Off, len(o.Data))
	case Truncate:
		return fmt.Sprintf("truncate %s %d", o.File, o.Off)
	case Mark:
		return "mark " + o.Note
	case Sync, Delete:
		if o.Dir {
			return string(o.Kind) + " " + o.File + " and the directory"
		}
	}
	return string(o.Kind) + " " + o.File
}

// Failure is what a hook answers.
type Failure int

// The failures. A sync that fails with EIO may have reached the disk or not: that is what the model decides.
const (
	OK  Failure = iota
	EIO         // the operation is not done
	Full
	Late // the operation is done, and the answer is EIO all the same
)

// Disk records what SQLite does to files. Name is the VFS's name.
type Disk struct {
	Name string

	mu   sync.Mutex
	ops  []Op
	n    int
	hook func(Op) Failure

	tls     *libc.TLS
	vfs     uintptr
	pins    []any     // Go functions that only SQLite points to
	methods []uintptr // tables of methods, one for each file that was opened
}

type (
	openFunc     = func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32
	deleteFunc   = func(*libc.TLS, uintptr, uintptr, int32) int32
	writeFunc    = func(*libc.TLS, uintptr, uintptr, int32, int64) int32
	truncateFunc = func(*libc.TLS, uintptr, int64) int32
	syncFunc     = func(*libc.TLS, uintptr, int32) int32
)

// New registers a VFS. The hook, which may be nil, judges every operation before it is done; it must not use SQLite.
func New(hook func(Op) Failure) (*Disk, error) {
	d := &Disk{hook: hook, tls: libc.NewTLS()}
	own := sqlite3.Xsqlite3_vfs_find(d.tls, 0)
	if own == 0 {
		return nil, fmt.Errorf("SQLite has no VFS to build on")
	}
	size := int(unsafe.Sizeof(sqlite3.Tsqlite3_vfs{}))
	if d.vfs = libc.Xcalloc(d.tls, 1, libc.Tsize_t(size)); d.vfs == 0 {
		return nil, fmt.Errorf("no memory for a VFS")
	}
	v := at[sqlite3.Tsqlite3_vfs](d.vfs)
	*v = *at[sqlite3.Tsqlite3_vfs](own)
	d.Name = fmt.Sprintf("recorder-%x", d.vfs)
	name, err := libc.CString(d.Name)
	if err != nil {
		return nil, err
	}
	v.FzName, v.FpNext = name, 0
	v.FxOpen = pin(d, d.open(function[openFunc](v.FxOpen)))
	v.FxDelete = pin(d, d.remove(function[deleteFunc](v.FxDelete)))
	if rc := sqlite3.Xsqlite3_vfs_register(d.tls, d.vfs, 0); rc != sqlite3.SQLITE_OK {
		return nil, fmt.Errorf("register a VFS: SQLite says %d", rc)
	}
	return d, nil
}

// Close takes the VFS back. No database may be open on it any more.
func (d *Disk) Close() {
	sqlite3.Xsqlite3_vfs_unregister(d.tls, d.vfs)
	for _, m := range d.methods {
		libc.Xfree(d.tls, m)
	}
	libc.Xfree(d.tls, at[sqlite3.Tsqlite3_vfs](d.vfs).FzName)
	libc.Xfree(d.tls, d.vfs)
	d.tls.Close()
}

// at reads a C pointer. The memory is SQLite's or libc's: Go's collector never moves or frees it.
func at[T any](p uintptr) *T { return *(**T)(unsafe.Pointer(&p)) }

// function and pointer turn C function pointers, which are Go functions in this build of SQLite, to and fro.
func function[T any](p uintptr) T { return *(*T)(unsafe.Pointer(&p)) }

func pin[T any](d *Disk, f T) uintptr {
	d.pins = append(d.pins, f)
	return *(*uintptr)(unsafe.Pointer(&f))
}

// recorded are the files that hold data. Others are scratch.
const recorded = sqlite3.SQLITE_OPEN_MAIN_DB | sqlite3.SQLITE_OPEN_MAIN_JOURNAL | sqlite3.SQLITE_OPEN_WAL

func (d *Disk) open(own openFunc) openFunc {
	return func(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32 {
		rc := own(tls, vfs, name, file, flags, out)
		if rc != sqlite3.SQLITE_OK || name == 0 || flags&recorded == 0 {
			return rc
		}
		f := at[sqlite3.Tsqlite3_file](file)
		d.mu.Lock()
		defer d.mu.Unlock()
		table := libc.Xcalloc(tls, 1, libc.Tsize_t(unsafe.Sizeof(sqlite3.Tsqlite3_io_methods{})))
		if table == 0 {
			return sqlite3.SQLITE_NOMEM
		}
		d.methods = append(d.methods, table)
		m := at[sqlite3.Tsqlite3_io_methods](table)
		*m = *at[sqlite3.Tsqlite3_io_methods](f.FpMethods)
		base := filepath.Base(libc.GoString(name))
		m.FxWrite = pin(d, d.write(base, function[writeFunc](m.FxWrite)))
		m.FxTruncate = pin(d, d.truncate(base, function[truncateFunc](m.FxTruncate)))
		made := flags&sqlite3.SQLITE_OPEN_CREATE != 0 && flags&sqlite3.SQLITE_OPEN_MAIN_DB == 0
		m.FxSync = pin(d, d.sync(base, made, function[syncFunc](m.FxSync)))
		f.FpMethods = table
		return sqlite3.SQLITE_OK
	}
}

func (d *Disk) write(base string, own writeFunc) writeFunc {
	return func(tls *libc.TLS, file, data uintptr, n int32, off int64) int32 {
		b := slices.Clone(unsafe.Slice(at[byte](data), n))
		return d.do(Op{Kind: Write, File: base, Off: off, Data: b}, sqlite3.SQLITE_IOERR_WRITE, func() int32 {
			return own(tls, file, data, n, off)
		})
	}
}

func (d *Disk) truncate(base string, own truncateFunc) truncateFunc {
	return func(tls *libc.TLS, file uintptr, size int64) int32 {
		return d.do(Op{Kind: Truncate, File: base, Off: size}, sqlite3.SQLITE_IOERR_TRUNCATE, func() int32 {
			return own(tls, file, size)
		})
	}
}

// sync: the first one of a journal or log that SQLite made also syncs the directory.
func (d *Disk) sync(base string, made bool, own syncFunc) syncFunc {
	return func(tls *libc.TLS, file uintptr, flags int32) int32 {
		op := Op{Kind: Sync, File: base, Dir: made}
		made = false
		return d.do(op, sqlite3.SQLITE_IOERR_FSYNC, func() int32 { return own(tls, file, flags) })
	}
}

func (d *Disk) remove(own deleteFunc) deleteFunc {
	return func(tls *libc.TLS, vfs, name uintptr, dirSync int32) int32 {
		op := Op{Kind: Delete, File: filepath.Base(libc.GoString(name)), Dir: dirSync != 0}
		return d.do(op, sqlite3.SQLITE_IOERR_DELETE, func() int32 { return own(tls, vfs, name, dirSync) })
	}
}

// do asks the hook, does the operation and writes it down, in the order in which they happen. A failed sync is not
// written down: what came before it stays unsynced.
func (d *Disk) do(op Op, eio int32, own func() int32) int32 {
	d.mu.Lock()
	defer d.mu.Unlock()
	op.N = d.n
	d.n++
	failure := OK
	if d.hook != nil {
		failure = d.hook(op)
	}
	switch failure {
	case EIO:
		return eio
	case Full:
		return sqlite3.SQLITE_FULL
	case OK, Late:
	}
	rc := own()
	if rc == sqlite3.SQLITE_OK && (failure == OK || op.Kind != Sync) {
		d.ops = append(d.ops, op)
	}
	if failure == Late && rc == sqlite3.SQLITE_OK {
		return eio
	}
	return rc
}

// Mark writes a note down between the operations.
func (d *Disk) Mark(format string, a ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ops = append(d.ops, Op{Kind: Mark, Note: fmt.Sprintf(format, a...)})
}

// Ops gives what happened so far.
func (d *Disk) Ops() []Op {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.ops)
}

// Text gives operations as lines.
func Text(ops []Op) string {
	var b strings.Builder
	for _, o := range ops {
		fmt.Fprintln(&b, o)
	}
	return b.String()
}

// Cut makes, in dir, the files that a power cut after ops could have left. The generator decides what became of
// everything that was not synced; nil keeps none of it.
func Cut(ops []Op, dir string, r *rand.Rand) error {
	files := map[string]*file{}
	for i, o := range ops {
		if o.Kind == Mark {
			continue
		}
		f := files[o.File]
		if f == nil {
			f = new(file)
			files[o.File] = f
		}
		f.loose = append(f.loose, &ops[i])
		if o.Kind == Sync {
			f.settle()
		}
		if o.Dir {
			for _, f := range files {
				f.deleted()
			}
		}
	}
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names) // so that a seed gives the same files again
	for _, name := range names {
		f := files[name]
		for _, l := range f.loose {
			if r != nil {
				f.maybe(l, r)
			}
		}
		if !f.there {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), f.data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// file is what the model knows of a file: what is safe, and what came after its last sync.
type file struct {
	data  []byte
	there bool
	loose []*Op
}

// settle makes everything so far safe.
func (f *file) settle() {
	for _, l := range f.loose {
		f.apply(l)
	}
	f.loose = nil
}

// deleted makes the last deletion safe, and with it all that came before.
func (f *file) deleted() {
	for i := len(f.loose) - 1; i >= 0; i-- {
		if f.loose[i].Kind == Delete {
			f.data, f.there, f.loose = nil, false, f.loose[i+1:]
			return
		}
	}
}

func (f *file) apply(o *Op) {
	switch o.Kind {
	case Write:
		f.there = true
		f.grow(o.Off + int64(len(o.Data)))
		copy(f.data[o.Off:], o.Data)
	case Truncate:
		f.grow(o.Off)
		f.data = f.data[:o.Off]
	case Delete:
		f.data, f.there = nil, false
	case Sync, Mark:
	}
}

func (f *file) grow(size int64) {
	if n := size - int64(len(f.data)); n > 0 {
		f.data = append(f.data, make([]byte, n)...)
	}
}

const sector = 512

// maybe applies an operation, or not, or some sectors of it.
func (f *file) maybe(o *Op, r *rand.Rand) {
	switch r.IntN(4) {
	case 0:
	case 1:
		if o.Kind != Write {
			return
		}
		for from := 0; from < len(o.Data); {
			to := min(len(o.Data), from+sector-int((o.Off+int64(from))%sector))
			if r.IntN(2) == 0 {
				f.apply(&Op{Kind: Write, Off: o.Off + int64(from), Data: o.Data[from:to]})
			}
			from = to
		}
	default:
		f.apply(o)
	}
}
