package sqlite_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/sqlite"
	"github.com/tendhq/tend/internal/store/sqlite/disk"
	"github.com/tendhq/tend/internal/store/storetest"
	"github.com/tendhq/tend/internal/testenv"
)

func refused(t *testing.T, dir string, kind fault.Kind, says string) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
	if err == nil {
		_ = s.Close()
	}
	if !fault.Is(err, kind) || !strings.Contains(err.Error(), says) || fault.NextOf(err) == "" {
		t.Errorf("open: %v (%s; next: %s), not %s and %q", err, fault.KindOf(err), fault.NextOf(err), kind, says)
	}
}

func shut(t *testing.T, s *sqlite.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// content gives everything in a directory.
func content(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		all[p] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestNewerSchema(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shut(t, open(t, dir))
	file := filepath.Join(dir, sqlite.File)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	binary.BigEndian.PutUint32(b[60:], sqlite.Schema+1)
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	before := content(t, dir)
	refused(t, dir, fault.Newer, "newer tend")
	if after := content(t, dir); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Error("something was touched")
	}
}

func TestForeignFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, sqlite.File)
	if err := os.WriteFile(file, []byte(strings.Repeat("no database\n", 20)), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, dir, fault.Damaged, file)

	dir = t.TempDir()
	shut(t, open(t, dir))
	file = filepath.Join(dir, sqlite.File)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	binary.BigEndian.PutUint32(b[68:], 0x12345678)
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, dir, fault.Invalid, "another program")

	dir = t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, sqlite.File), 0o700); err != nil {
		t.Fatal(err)
	}
	refused(t, dir, fault.Unavailable, "is not a file")
	refused(t, filepath.Join(file, "below"), fault.Unavailable, "data directory")
}

func TestForeignOwner(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		testenv.Need(t, "root", errors.New("only root can give a file to another user"))
	}
	dir := t.TempDir()
	shut(t, open(t, dir))
	if err := os.Chown(filepath.Join(dir, sqlite.File), 4711, 4711); err != nil {
		t.Fatal(err)
	}
	before := content(t, dir)
	refused(t, dir, fault.Unavailable, "belongs to user 4711")
	if after := content(t, dir); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Error("something was touched")
	}
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		testenv.Need(t, "no-root", errors.New("root may write everywhere"))
	}
	dir := t.TempDir()
	shut(t, open(t, dir))
	file := filepath.Join(dir, sqlite.File)
	for path, mode := range map[string]os.FileMode{file: 0o400, dir: 0o500} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		refused(t, dir, fault.Unavailable, path)
		if err := os.Chmod(path, mode|0o200); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "not", "there", "yet")
	s := open(t, dir)
	want(t, s, store.Batch{})
	files := 0
	err := filepath.WalkDir(filepath.Dir(filepath.Dir(dir)), func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is %v", p, info.Mode())
		}
		files++
		return err
	})
	if err != nil || files < 6 {
		t.Errorf("%d files, %v", files, err)
	}
}

func identity(t *testing.T, s *sqlite.Store) store.Identity {
	t.Helper()
	i, err := s.Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// TestBackInTime: a database that lost commits, or is another one, opens halted, and stays so until a person says.
func TestBackInTime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	want(t, s, store.Batch{}, store.Batch{})
	shut(t, s)
	file := filepath.Join(dir, sqlite.File)
	old, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	if i := identity(t, s); i.Halted != "" {
		t.Fatalf("halted without a reason: %s", i.Halted)
	}
	want(t, s, store.Batch{})
	shut(t, s)
	if err := os.WriteFile(file, old, 0o600); err != nil { // as from a snapshot
		t.Fatal(err)
	}
	for range 2 { // it stays
		s = open(t, dir)
		if i := identity(t, s); !strings.Contains(i.Halted, "back in time") || !strings.Contains(i.Halted, "at commit 2 and was at commit 3") {
			t.Errorf("halted: %q", i.Halted)
		}
		want(t, s, store.Batch{}, store.Batch{}, store.Batch{})
		shut(t, s)
	}
	none := ""
	s = open(t, dir)
	want(t, s, store.Batch{Halt: &none})
	shut(t, s)
	s = open(t, dir)
	if i := identity(t, s); i.Halted != "" {
		t.Errorf("halted again: %q", i.Halted)
	}
	shut(t, s)

	other := t.TempDir()
	shut(t, open(t, other))
	b, err := os.ReadFile(filepath.Join(other, sqlite.File))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if i := identity(t, open(t, dir)); !strings.Contains(i.Halted, "not the one that was here last") {
		t.Errorf("halted: %q", i.Halted)
	}
}

// TestLostDatabase: the database is gone, what it was is remembered.
func TestLostDatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	want(t, s, store.Batch{})
	shut(t, s)
	if err := os.Remove(filepath.Join(dir, sqlite.File)); err != nil {
		t.Fatal(err)
	}
	if i := identity(t, open(t, dir)); !strings.Contains(i.Halted, "not the one that was here last") {
		t.Errorf("halted: %q", i.Halted)
	}
}

// TestTornHighWater: the hint may be torn by a power cut; that is no reason to halt.
func TestTornHighWater(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shut(t, open(t, dir))
	hint := filepath.Join(dir, sqlite.HighWater)
	b, err := os.ReadFile(hint)
	if err != nil {
		t.Fatal(err)
	}
	for _, torn := range [][]byte{nil, b[:len(b)/2], b[:len(b)-1], bytes.Repeat([]byte{0}, len(b)), []byte("tend 2 x y z\n")} {
		if err := os.WriteFile(hint, torn, 0o600); err != nil {
			t.Fatal(err)
		}
		s := open(t, dir)
		if i := identity(t, s); i.Halted != "" {
			t.Errorf("%q: halted: %s", torn, i.Halted)
		}
		shut(t, s)
	}
}

// TestHighWaterFollows: when commits pause, what was reached is written down soon, without Close.
func TestHighWaterFollows(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	want(t, s, store.Batch{})
	want(t, s, store.Batch{})
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); ; {
		b, err := os.ReadFile(filepath.Join(dir, sqlite.HighWater))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(string(b), " 2\n") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("it still says %q", b)
		}
		<-tick.C
	}
}

// TestFullDisk: while there is no room nothing is written and everything can be read; then the store goes on.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	var full atomic.Bool
	d := recorder(t, func(op disk.Op) disk.Failure {
		if full.Load() && op.Kind == disk.Write {
			return disk.Full
		}
		return disk.OK
	})
	s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: t.TempDir(), VFS: d.Name})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // checked by what was answered
	fillUp(t, s, func() { full.Store(true) }, func() { full.Store(false) })
}

// TestFullFileSystem does the same with a real file system of two megabytes.
func TestFullFileSystem(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	testenv.Need(t, "mount", syscallMount(dir))
	defer syscall.Unmount(dir, 0) //nolint:errcheck // a scratch file system
	s := open(t, dir)
	defer s.Close() //nolint:errcheck // closed before it is unmounted
	ballast := filepath.Join(dir, "ballast")
	fillUp(t, s, func() {
		f, err := os.Create(ballast)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for err == nil {
			_, err = f.Write(make([]byte, 4096))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}, func() {
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
	})
}

func fillUp(t *testing.T, s *sqlite.Store, fill, release func()) {
	t.Helper()
	all := storetest.Chain("run/a", nil, 40, 3000)
	want(t, s, free(all[0]))
	fill()
	n := 1
	for ; n < len(all); n++ { // what was preallocated may still take some
		a := s.Commit(t.Context(), []store.Batch{free(all[n])})[0]
		if a.Err == nil {
			continue
		}
		if !fault.Is(a.Err, fault.Unavailable) || fault.NextOf(a.Err) == "" || errors.Is(a.Err, store.ErrIndeterminate) {
			t.Fatalf("on a full disk: %v (%s)", a.Err, fault.KindOf(a.Err))
		}
		break
	}
	if n == len(all) {
		t.Fatal("the disk never was full")
	}
	if got, err := s.Read(t.Context(), "run/a", 1, 0); err != nil || len(got) != n {
		t.Errorf("read on a full disk: %d entries of %d, %v", len(got), n, err)
	}
	if _, err := s.Claim(t.Context(), "x"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("claim on a full disk: %v", err)
	}
	release()
	want(t, s, free(all[n:]...))
	if got, err := s.Read(t.Context(), "run/a", 1, 0); err != nil || len(got) != len(all) {
		t.Errorf("when there is room again: %d entries, %v", len(got), err)
	}
}

// TestErasedIsGone: an erased value is not in any file any more, wherever SQLite had put it.
func TestErasedIsGone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	const planted = "correct-horse-battery-staple"
	for i := range 40 { // many pages, so that some of it lies in overflow pages
		all := storetest.Chain(fmt.Sprintf("run/%d", i), nil, 3, 100+i*400)
		all[1].Payload = fmt.Appendf(nil, "%q", strings.Repeat("x", i*150)+planted)
		all[1].Seal()
		all[2].Prev = all[1].Hash
		all[2].Seal()
		want(t, s, free(all...))
	}
	for i := range 40 {
		want(t, s, store.Batch{Erase: []store.Erasure{{Stream: fmt.Sprintf("run/%d", i), Seq: 2, Payload: []byte(`{}`)}}})
	}
	for p, b := range content(t, dir) {
		if n := strings.Count(b, planted); n > 0 {
			t.Errorf("%s still has it %d times", filepath.Base(p), n)
		}
	}
	if _, _, damaged, err := s.Verify(context.Background()); len(damaged) > 0 || err != nil {
		t.Error(damaged, err)
	}
}
