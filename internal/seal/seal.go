// Package seal keeps outputs that are secret and parameters that are sensitive: it encrypts them with the key of the data
// directory, so that a stream or a copy without the key does not give them away.
//
// Every box is AES-256-GCM under its own key, derived (HKDF-SHA-256) from the directory's key, the name of the root run and
// a salt, which is a keyed hash (HMAC-SHA-256) of that name and the text. So a box cannot be moved to another run, and the
// same text gives the same box within a run and nowhere else: an approval can bind to it, and who reads the boxes learns
// which of one run are equal, and nothing more. A box that does not open is fault.Damaged: altered, cut short, of another
// run or of another directory, which cannot be told apart.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
)

// Size of a key in bytes.
const Size = 32

// File is the name of the key in a data directory.
const File = "key"

// version begins every box, so that the construction can change without breaking old ones.
const version = 1

const overhead = 1 + saltSize + 16

const saltSize = 32

// Key seals. It cannot be printed; copies share the key.
type Key struct{ k *[Size]byte }

// New makes a key from entropy, which is crypto/rand.Reader outside of tests.
func New(entropy io.Reader) (Key, error) {
	k := new([Size]byte)
	if _, err := io.ReadFull(entropy, k[:]); err != nil {
		return Key{}, fmt.Errorf("read entropy for a key: %w", err)
	}
	return Key{k}, nil
}

// Open reads the key of a data directory, or makes one (mode 0600, durable) when there is none. A file that others can
// read, or that is not a key, is refused: what was sealed with a lost key is lost, so it is never overwritten.
func Open(dir string) (Key, error) {
	name := filepath.Join(dir, File)
	k, err := read(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if k, err = New(rand.Reader); err != nil {
		return Key{}, err
	}
	if err := write(name, k); err != nil {
		// Two processes may have begun at once; whoever linked first wins and the other takes that key.
		if errors.Is(err, fs.ErrExist) {
			return read(name)
		}
		return Key{}, fault.Wrap(fault.Unavailable, err, "write the sealing key %s", name)
	}
	return k, nil
}

func read(name string) (Key, error) {
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return Key{}, err
	}
	if err != nil {
		return Key{}, fault.Wrap(fault.Unavailable, err, "read the sealing key")
	}
	if info.Mode().Perm()&0o077 != 0 {
		return Key{}, fault.New(fault.Refused, "the sealing key %s can be read by others (mode %04o)", name, info.Mode().Perm()).
			WithNext("chmod 600 %s, and replace the secrets that were sealed with it", name)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return Key{}, fault.Wrap(fault.Unavailable, err, "read the sealing key")
	}
	raw, err := hex.DecodeString(strings.TrimSpace(string(b)))
	if err != nil || len(raw) != Size {
		return Key{}, fault.New(fault.Damaged, "%s is not a sealing key", name).
			WithNext("restore it from a backup; what was sealed with it cannot be opened otherwise")
	}
	return Key{(*[Size]byte)(raw)}, nil
}

// write makes the file whole and durable under a temporary name before it links it into place, so that a crash leaves
// either no key or a complete one.
func write(name string, k Key) error {
	dir := filepath.Dir(name)
	f, err := os.CreateTemp(dir, "."+File+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(hex.EncodeToString(k.k[:]) + "\n")
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	if err := os.Link(f.Name(), name); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Seal encrypts plain for a root run.
func (k Key) Seal(run string, plain []byte) ([]byte, error) {
	if k.k == nil {
		return nil, fault.New(fault.Internal, "no sealing key")
	}
	salt, err := k.salt(run, plain)
	if err != nil {
		return nil, err
	}
	box := append(make([]byte, 0, overhead+len(plain)), version)
	box = append(box, salt...)
	aead, err := k.aead(run, box[1:])
	if err != nil {
		return nil, err
	}
	// The key belongs to this text alone, so its one nonce may be zero.
	return aead.Seal(box, make([]byte, aead.NonceSize()), plain, bound(run, version)), nil
}

// For gives the two directions for a root run.
func (k Key) For(run string) (expr.Sealer, expr.Opener) {
	return func(plain []byte) ([]byte, error) { return k.Seal(run, plain) },
		func(box []byte) ([]byte, error) { return k.Open(run, box) }
}

// Open decrypts what Seal made for the same run.
func (k Key) Open(run string, box []byte) ([]byte, error) {
	if k.k == nil {
		return nil, fault.New(fault.Internal, "no sealing key")
	}
	damaged := fault.New(fault.Damaged, "what is sealed of %s cannot be opened with this data directory's key", run).
		WithNext("restore the file %q of the data directory that the run was made in", File)
	if len(box) == 0 {
		return nil, damaged
	}
	if box[0] > version {
		return nil, fault.New(fault.Newer, "what is sealed of %s was sealed by a newer tend", run)
	}
	if box[0] != version || len(box) < overhead {
		return nil, damaged
	}
	aead, err := k.aead(run, box[1:1+saltSize])
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, make([]byte, aead.NonceSize()), box[1+saltSize:], bound(run, box[0]))
	if err != nil {
		return nil, damaged // the cause says nothing more, by design of the construction
	}
	return plain, nil
}

// salt is different for every text and run: nobody without the key can tell it from a random one.
func (k Key) salt(run string, plain []byte) ([]byte, error) {
	sub, err := hkdf.Key(sha256.New, k.k[:], nil, "tend salts of "+run, 32)
	if err != nil {
		return nil, fmt.Errorf("derive a key: %w", err)
	}
	h := hmac.New(sha256.New, sub)
	h.Write(plain)
	return h.Sum(nil), nil
}

func bound(run string, v byte) []byte { return append([]byte{v}, run...) }

func (k Key) aead(run string, salt []byte) (cipher.AEAD, error) {
	sub, err := hkdf.Key(sha256.New, k.k[:], salt, "tend sealed outputs of "+run, 32)
	if err != nil {
		return nil, fmt.Errorf("derive a key: %w", err)
	}
	block, err := aes.NewCipher(sub)
	if err != nil {
		return nil, fmt.Errorf("set up AES: %w", err)
	}
	return cipher.NewGCM(block)
}

// Format implements fmt.Formatter: a key has no text.
func (k Key) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "[key]") }

// MarshalText implements encoding.TextMarshaler.
func (k Key) MarshalText() ([]byte, error) { return []byte("[key]"), nil }

// Sign gives a keyed hash (HMAC-SHA-256) over parts, in that order, which nobody can make without the key. The key of each
// purpose is its own (HKDF-SHA-256).
func (k Key) Sign(purpose string, parts ...string) ([]byte, error) {
	if k.k == nil {
		return nil, fault.New(fault.Internal, "no sealing key")
	}
	sub, err := hkdf.Key(sha256.New, k.k[:], nil, "tend signs "+purpose, 32)
	if err != nil {
		return nil, fmt.Errorf("derive a key: %w", err)
	}
	h := hmac.New(sha256.New, sub)
	for _, p := range parts { // with their lengths: no two lists are the same bytes
		_, _ = fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return h.Sum(nil), nil
}
