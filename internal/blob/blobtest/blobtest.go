// Package blobtest is the conformance suite of the blob port: what every implementation must do, as tests.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/tendhq/tend/internal/blob"
	"github.com/tendhq/tend/internal/fault"
)

// Run runs the suite. open makes a new, empty store for each test.
func Run(t *testing.T, open func(t *testing.T) blob.Store) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, blob.Store){
		"PutAndGet":     testPutAndGet,
		"NotFound":      testNotFound,
		"Names":         testNames,
		"Groups":        testGroups,
		"Replace":       testReplace,
		"Verified":      testVerified,
		"BrokenReader":  testBrokenReader,
		"Cancelled":     testCancelled,
		"Salted":        testSalted,
		"Concurrent":    testConcurrent,
		"ReadWhileGone": testReadWhileGone,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func put(t *testing.T, s blob.Store, group, content string) blob.Ref {
	t.Helper()
	ref, err := s.Put(t.Context(), group, strings.NewReader(content))
	if err != nil {
		t.Fatalf("put: %v", err)
	}
	return ref
}

func get(t *testing.T, s blob.Store, group string, ref blob.Ref) (string, error) {
	t.Helper()
	r, err := s.Get(t.Context(), group, ref)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(r)
	return string(b), errors.Join(err, r.Close())
}

func list(t *testing.T, s blob.Store, group string) []string {
	t.Helper()
	l, err := s.List(t.Context(), group)
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	return l
}

func testPutAndGet(t *testing.T, s blob.Store) {
	for _, size := range []int{0, 1, 100, 32 << 10, blob.Inline + 1, 3 << 20} {
		content := strings.Repeat("ä\x00\xff", size/4+1)[:size]
		ref := put(t, s, "run_a", content)
		if ref.Size != int64(size) {
			t.Errorf("size is %d, not %d", ref.Size, size)
		}
		for range 2 {
			if got, err := get(t, s, "run_a", ref); got != content || err != nil {
				t.Errorf("%d bytes: got %d, %v", size, len(got), err)
			}
		}
		r, err := s.Get(t.Context(), "run_a", ref)
		if err != nil {
			t.Fatal(err)
		}
		if err := iotest.TestReader(r, []byte(content)); size < 1000 && err != nil {
			t.Error(err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func testNotFound(t *testing.T, s blob.Store) {
	ref := put(t, s, "run_a", "x")
	other := ref
	other.ID = blob.NewID()
	for _, c := range []struct {
		group string
		ref   blob.Ref
	}{
		{"run_a", other},
		{"run_b", ref},
		{"run_a", blob.Ref{}},
	} {
		if _, err := get(t, s, c.group, c.ref); !fault.Is(err, fault.NotFound) {
			t.Errorf("get %q: %v", c.ref.ID, err)
		}
		if _, err := s.Replace(t.Context(), c.group, c.ref, strings.NewReader("y")); !fault.Is(err, fault.NotFound) {
			t.Errorf("replace %q: %v", c.ref.ID, err)
		}
	}
	if l := list(t, s, "run_b"); len(l) != 0 {
		t.Errorf("a group that is not there has %v", l)
	}
	if err := s.Delete(t.Context(), "run_b"); err != nil {
		t.Errorf("delete a group that is not there: %v", err)
	}
}

// testNames: no name leads out of the store.
func testNames(t *testing.T, s blob.Store) {
	ref := put(t, s, "run_a", "x")
	for _, bad := range []string{"", ".", "..", "../run_a", "a/b", "/etc", "a\x00", "a b", "ü", "run_a/..", "a\\b", strings.Repeat("a", 101)} {
		if _, err := s.Put(t.Context(), bad, strings.NewReader("y")); !fault.Is(err, fault.Invalid) {
			t.Errorf("put to %q: %v", bad, err)
		}
		if _, err := s.List(t.Context(), bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("list %q: %v", bad, err)
		}
		if err := s.Delete(t.Context(), bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("delete %q: %v", bad, err)
		}
		if _, err := get(t, s, bad, ref); !fault.Is(err, fault.NotFound) {
			t.Errorf("get from %q: %v", bad, err)
		}
	}
	for _, bad := range []string{"..", "../run_a/" + ref.ID, "./" + ref.ID, ref.ID + "/", strings.ToUpper(ref.ID) + "X", ref.ID + ".new", "*"} {
		r := ref
		r.ID = bad
		if _, err := get(t, s, "run_a", r); !fault.Is(err, fault.NotFound) {
			t.Errorf("get %q: %v", bad, err)
		}
		if _, err := s.Replace(t.Context(), "run_a", r, strings.NewReader("y")); !fault.Is(err, fault.NotFound) {
			t.Errorf("replace %q: %v", bad, err)
		}
	}
	if got, err := get(t, s, "run_a", ref); got != "x" || err != nil {
		t.Errorf("the good one gives %q, %v", got, err)
	}
}

func testGroups(t *testing.T, s blob.Store) {
	var want []string
	var keep blob.Ref
	for i := range 10 {
		want = append(want, put(t, s, "run_a", fmt.Sprint(i)).ID)
		keep = put(t, s, "run_b", fmt.Sprint(i))
	}
	slices.Sort(want)
	if got := list(t, s, "run_a"); !slices.Equal(got, want) {
		t.Errorf("list is %v, not %v", got, want)
	}
	if err := s.Delete(t.Context(), "run_a"); err != nil {
		t.Fatal(err)
	}
	if got := list(t, s, "run_a"); len(got) != 0 {
		t.Errorf("after delete: %v", got)
	}
	if got, err := get(t, s, "run_b", keep); got != "9" || err != nil {
		t.Errorf("the other group gives %q, %v", got, err)
	}
	put(t, s, "run_a", "again")
}

func testReplace(t *testing.T, s blob.Store) {
	old := put(t, s, "run_a", "password=hunter22")
	now, err := s.Replace(t.Context(), "run_a", old, strings.NewReader("password=[erased]"))
	if err != nil {
		t.Fatal(err)
	}
	if now.ID != old.ID || now.Sum == old.Sum || now.Salt == old.Salt {
		t.Errorf("%+v became %+v", old, now)
	}
	if got, err := get(t, s, "run_a", now); got != "password=[erased]" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := get(t, s, "run_a", old); !fault.Is(err, fault.Damaged) || strings.Contains(got, "hunter22") {
		t.Errorf("by the old ref: %q, %v", got, err)
	}
	if l := list(t, s, "run_a"); len(l) != 1 {
		t.Errorf("list is %v", l)
	}
}

// testVerified: a Ref that does not fit the content is damage, whatever of it differs.
func testVerified(t *testing.T, s blob.Store) {
	ref := put(t, s, "run_a", "0123456789")
	for name, change := range map[string]func(*blob.Ref){
		"sum":     func(r *blob.Ref) { r.Sum[31] ^= 1 },
		"salt":    func(r *blob.Ref) { r.Salt[0] ^= 1 },
		"shorter": func(r *blob.Ref) { r.Size-- },
		"longer":  func(r *blob.Ref) { r.Size++ },
		"empty":   func(r *blob.Ref) { r.Size = 0 },
		"minus":   func(r *blob.Ref) { r.Size = -1 },
	} {
		r := ref
		change(&r)
		got, err := get(t, s, "run_a", r)
		if !fault.Is(err, fault.Damaged) || !strings.Contains(err.Error(), ref.ID) || !strings.Contains(err.Error(), "run_a") {
			t.Errorf("another %s: %q, %v", name, got, err)
		}
		if int64(len(got)) > max(r.Size, 0) {
			t.Errorf("another %s: %d bytes were served", name, len(got))
		}
	}
}

func testBrokenReader(t *testing.T, s blob.Store) {
	mine := errors.New("the other side went away")
	broken := func() io.Reader { return io.MultiReader(strings.NewReader("half"), iotest.ErrReader(mine)) }
	if _, err := s.Put(t.Context(), "run_a", broken()); !errors.Is(err, mine) {
		t.Errorf("put: %v", err)
	}
	if l := list(t, s, "run_a"); len(l) != 0 {
		t.Errorf("half of a blob is there: %v", l)
	}
	ref := put(t, s, "run_a", "whole")
	if _, err := s.Replace(t.Context(), "run_a", ref, broken()); !errors.Is(err, mine) {
		t.Errorf("replace: %v", err)
	}
	if got, err := get(t, s, "run_a", ref); got != "whole" || err != nil {
		t.Errorf("after a broken replace: %q, %v", got, err)
	}
}

func testCancelled(t *testing.T, s blob.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	endless := io.MultiReader(bytes.NewReader(make([]byte, 100<<10)), readerFunc(func(b []byte) (int, error) {
		cancel()
		return len(b), nil
	}))
	if _, err := s.Put(ctx, "run_a", endless); !fault.Is(err, fault.Cancelled) {
		t.Errorf("put: %v", err)
	}
	if l := list(t, s, "run_a"); len(l) != 0 {
		t.Errorf("a cancelled blob is there: %v", l)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// testSalted: two blobs of the same content cannot be told to be the same, nor guessed.
func testSalted(t *testing.T, s blob.Store) {
	a, b := put(t, s, "run_a", "yes"), put(t, s, "run_a", "yes")
	if a.ID == b.ID || a.Sum == b.Sum || a.Salt == b.Salt {
		t.Errorf("%+v and %+v have something in common", a, b)
	}
}

func testConcurrent(t *testing.T, s blob.Store) {
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			group := fmt.Sprintf("run_%d", w%2)
			for i := range 20 {
				content := strings.Repeat(fmt.Sprint(w, i), 1000)
				ref, err := s.Put(t.Context(), group, strings.NewReader(content))
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := get(t, s, group, ref); got != content || err != nil {
					t.Error(len(got), err)
				}
			}
		})
	}
	wg.Wait()
	if n := len(list(t, s, "run_0")) + len(list(t, s, "run_1")); n != 160 {
		t.Errorf("%d blobs, not 160", n)
	}
}

// testReadWhileGone: who opened a blob reads it to the end, whatever happens to it meanwhile.
func testReadWhileGone(t *testing.T, s blob.Store) {
	content := strings.Repeat("x", 200<<10)
	ref := put(t, s, "run_a", content)
	for name, change := range map[string]func() error{
		"replaced": func() error {
			_, err := s.Replace(t.Context(), "run_a", ref, strings.NewReader("short"))
			return err
		},
		"deleted": func() error { return s.Delete(t.Context(), "run_a") },
	} {
		ref = put(t, s, "run_a", content)
		r, err := s.Get(t.Context(), "run_a", ref)
		if err != nil {
			t.Fatal(err)
		}
		if err := change(); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if string(got) != content || err != nil {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		_ = r.Close()
	}
}
