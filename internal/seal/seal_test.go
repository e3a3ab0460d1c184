package seal_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/seal"
)

func TestWhatIsSealedOpensForItsRunOnly(t *testing.T) {
	t.Parallel()
	k, other := newKey(t), newKey(t)
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		run := rapid.StringMatching(`run_[a-z0-9]{0,20}`).Draw(t, "run")
		box, err := k.Seal(run, plain)
		if err != nil {
			t.Fatal(err)
		}
		again, err := k.Seal(run, plain)
		if err != nil || !bytes.Equal(box, again) {
			t.Fatalf("the same text gives two boxes, %v", err)
		}
		for _, o := range []struct {
			key   seal.Key
			run   string
			plain []byte
		}{{k, run + "x", plain}, {other, run, plain}, {k, run, append(plain[:len(plain):len(plain)], 'x')}} {
			differs, err := o.key.Seal(o.run, o.plain)
			if err != nil || bytes.Equal(box[1:33], differs[1:33]) {
				t.Fatalf("two texts share a salt, and with it a key, %v", err)
			}
		}
		if got, err := k.Open(run, box); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("got %q, %v", got, err)
		}
		refuse := func(what string, got []byte, err error) {
			if !fault.Is(err, fault.Damaged) || got != nil {
				t.Fatalf("%s: %q, %v", what, got, err)
			}
		}
		got, err := k.Open(run+"x", box)
		refuse("another run", got, err)
		got, err = other.Open(run, box)
		refuse("another key", got, err)
		got, err = k.Open(run, box[:rapid.IntRange(0, len(box)-1).Draw(t, "cut")])
		refuse("cut short", got, err)
		i := rapid.IntRange(1, len(box)-1).Draw(t, "byte")
		bad := bytes.Clone(box)
		bad[i] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		got, err = k.Open(run, bad)
		refuse("altered", got, err)
	})
}

func TestBoxesOfANewerTend(t *testing.T) {
	t.Parallel()
	k := newKey(t)
	box, err := k.Seal("run_1", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	box[0] = 2
	if _, err := k.Open("run_1", box); !fault.Is(err, fault.Newer) {
		t.Errorf("got %v", err)
	}
}

func TestOpenMakesAKeyOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var wg sync.WaitGroup
	boxes := make([][]byte, 8)
	for i := range boxes {
		wg.Go(func() {
			k, err := seal.Open(dir)
			if err != nil {
				t.Error(err)
				return
			}
			boxes[i], err = k.Seal("run_1", []byte("x"))
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	k, err := seal.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range boxes {
		if _, err := k.Open("run_1", b); err != nil {
			t.Error(err)
		}
	}
	info, err := os.Stat(filepath.Join(dir, seal.File))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestOpenRefusesWhatIsNoKey(t *testing.T) {
	t.Parallel()
	good := strings.Repeat("0f", 32) + "\n"
	tests := []struct {
		name, text string
		mode       os.FileMode
		kind       fault.Kind // "": it is one
	}{
		{"a key", good, 0o600, ""},
		{"a key that only its owner may read", good, 0o400, ""},
		{"readable by others", good, 0o644, fault.Refused},
		{"empty", "", 0o600, fault.Damaged},
		{"cut short", good[:40], 0o600, fault.Damaged},
		{"too long", good[:64] + good, 0o600, fault.Damaged},
		{"not hex", strings.Repeat("zz", 32), 0o600, fault.Damaged},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			name := filepath.Join(dir, seal.File)
			if err := os.WriteFile(name, []byte(tt.text), tt.mode); err != nil {
				t.Fatal(err)
			}
			_, err := seal.Open(dir)
			if tt.kind == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !fault.Is(err, tt.kind) || !strings.Contains(err.Error(), name) || fault.NextOf(err) == "" {
				t.Errorf("got %v", err)
			}
			if b, err := os.ReadFile(name); err != nil || string(b) != tt.text {
				t.Errorf("the file was changed to %q, %v", b, err)
			}
		})
	}
	if _, err := seal.Open(filepath.Join(t.TempDir(), "gone")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a missing directory: %v", err)
	}
}

func TestKeysCannotBePrinted(t *testing.T) {
	t.Parallel()
	k, err := seal.New(strings.NewReader(strings.Repeat("K", 32)))
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(struct{ Key seal.Key }{k})
	if err != nil {
		t.Fatal(err)
	}
	all := fmt.Sprintf("%v %+v %#v %s %x %q %v", k, k, k, k, k, k, struct{ k seal.Key }{k}) + string(asJSON)
	for _, s := range []string{"KKKK", "4b4b", "75, 75", "75 75", "0x4b"} {
		if strings.Contains(all, s) {
			t.Errorf("%q shows in %s", s, all)
		}
	}
}

func TestWithoutAKey(t *testing.T) {
	t.Parallel()
	var k seal.Key
	if _, err := k.Seal("run_1", nil); !fault.Is(err, fault.Internal) {
		t.Errorf("got %v", err)
	}
	if _, err := k.Open("run_1", nil); !fault.Is(err, fault.Internal) {
		t.Errorf("got %v", err)
	}
	broken := errors.New("no entropy")
	if _, err := seal.New(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func newKey(t *testing.T) seal.Key {
	t.Helper()
	k, err := seal.New(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}
