// Package entry holds the facts of tend's streams: the envelope, the hash chain that seals it, and the payload of every
// kind of entry.
//
// A stream is append-only. Everything else (states, lists, pages) is derived from it. An entry is never changed, with
// one exception: Erase replaces the payload of an entry into which a secret slipped; the chain still holds, because it
// covers a salted hash of the payload and not the payload itself.
package entry

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/value"
)

// Version of the payload encoding that this binary writes. Older ones are up-cast by Decode; newer ones are refused.
const Version = 1

// Hash is a SHA-256 sum.
type Hash [32]byte

// String gives the sum in hex.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText implements encoding.TextMarshaler.
func (h Hash) MarshalText() ([]byte, error) { return h.AppendText(nil) }

// AppendText implements encoding.TextAppender.
func (h Hash) AppendText(b []byte) ([]byte, error) { return hex.AppendEncode(b, h[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *Hash) UnmarshalText(b []byte) error {
	if len(b) != 64 {
		return fmt.Errorf("a hash has 64 hex digits, not %d", len(b))
	}
	_, err := hex.Decode(h[:], b)
	return err
}

// Salt makes the hash of a payload useless for guessing the payload.
type Salt [16]byte

// MarshalText implements encoding.TextMarshaler.
func (s Salt) MarshalText() ([]byte, error) { return s.AppendText(nil) }

// AppendText implements encoding.TextAppender.
func (s Salt) AppendText(b []byte) ([]byte, error) { return hex.AppendEncode(b, s[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Salt) UnmarshalText(b []byte) error {
	if len(b) != 32 {
		return fmt.Errorf("a salt has 32 hex digits, not %d", len(b))
	}
	_, err := hex.Decode(s[:], b)
	return err
}

// Outcome of an attempt.
type Outcome string

// The outcomes. The zero Outcome is not legal.
const (
	Succeeded  Outcome = "succeeded"
	Failed     Outcome = "failed"
	NotStarted Outcome = "not-started"
	InDoubt    Outcome = "in-doubt"
)

// Entry is one fact in a stream.
type Entry struct {
	Stream  string // "run/run_…", "task/task_…", "guard/<name>", "audit/<shard>"
	Seq     uint64 // 1, 2, 3, … without gaps
	Kind    Kind
	Version int
	At      time.Time // UTC, microseconds
	Epoch   uint64    // of the writer's lease
	Payload []byte    // canonical JSON of the kind's struct
	Salt    Salt
	Sum     Hash // of Salt and Payload
	Prev    Hash // Hash of the entry before; zero for the first
	Hash    Hash // of everything but Payload and Salt
	Erased  bool // the payload was replaced: Sum does not match it any more
}

// Seal fills Sum and Hash of an entry whose other fields are complete.
func (e *Entry) Seal() {
	e.Sum = sum(e.Salt, e.Payload)
	e.Hash = e.chain()
}

// sum hashes what is usual in one piece on the stack: it is on the path of every commit.
func sum(s Salt, payload []byte) Hash {
	if len(payload) <= 1008 {
		var buf [1024]byte
		return sha256.Sum256(append(append(buf[:0], s[:]...), payload...))
	}
	h := sha256.New()
	_, _ = h.Write(s[:])
	_, _ = h.Write(payload)
	return Hash(h.Sum(nil))
}

// chain hashes the envelope: numbers in eight bytes, texts after their length.
func (e *Entry) chain() Hash {
	var buf [256]byte
	b := buf[:0]
	b = append(binary.BigEndian.AppendUint64(b, uint64(len(e.Stream))), e.Stream...)
	b = binary.BigEndian.AppendUint64(b, e.Seq)
	b = append(binary.BigEndian.AppendUint64(b, uint64(len(e.Kind))), e.Kind...)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Version))
	b = binary.BigEndian.AppendUint64(b, uint64(e.At.UnixMicro()))
	b = binary.BigEndian.AppendUint64(b, e.Epoch)
	b = append(b, e.Sum[:]...)
	b = append(b, e.Prev[:]...)
	return sha256.Sum256(b)
}

// Verify tells whether e is what was sealed and follows prev (nil for the first of a stream). The error is of kind
// fault.Damaged and names the place.
func (e *Entry) Verify(prev *Entry) error {
	bad := func(format string, a ...any) error {
		return fault.New(fault.Damaged, "%s entry %d: %s", e.Stream, e.Seq, fmt.Sprintf(format, a...))
	}
	want, link := uint64(1), Hash{}
	if prev != nil {
		want, link = prev.Seq+1, prev.Hash
	}
	switch {
	case e.Seq != want:
		return bad("expected entry %d here: entries are missing or out of order", want)
	case e.Prev != link:
		return bad("does not follow the entry before it")
	case e.Hash != e.chain():
		return bad("its envelope was altered")
	case !e.Erased && e.Sum != sum(e.Salt, e.Payload):
		return bad("its payload was altered")
	}
	return nil
}

// Erase replaces the payload. The chain holds; the entry says that it was erased.
func (e *Entry) Erase(payload []byte) {
	e.Payload, e.Salt, e.Erased = payload, Salt{}, true
}

// New builds an entry without its place in a stream: the engine numbers, salts and seals it.
func New(at time.Time, p Payload) (Entry, error) {
	b, err := value.Canonical(p)
	if err != nil {
		return Entry{}, fmt.Errorf("encode %s: %w", p.Kind(), err)
	}
	return Entry{Kind: p.Kind(), Version: Version, At: at.UTC().Truncate(time.Microsecond), Payload: b}, nil
}

// Decode gives the payload of e, up-cast to this version. An unknown kind or a newer version is fault.Newer; a payload
// that cannot be read is fault.Damaged.
func Decode(e Entry) (Payload, error) {
	if e.Version > Version {
		return nil, fault.New(fault.Newer, "%s entry %d was written by a newer tend (entry version %d, this one knows %d)", e.Stream, e.Seq, e.Version, Version)
	}
	mk, ok := kinds[e.Kind]
	if !ok {
		return nil, fault.New(fault.Newer, "%s entry %d is of the unknown kind %q", e.Stream, e.Seq, e.Kind)
	}
	if e.Version < 1 || !bytes.HasPrefix(e.Payload, []byte("{")) {
		return nil, fault.New(fault.Damaged, "%s entry %d (%s): version %d with a payload of %d bytes cannot be", e.Stream, e.Seq, e.Kind, e.Version, len(e.Payload))
	}
	p := mk()
	if err := json.Unmarshal(e.Payload, p); err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "%s entry %d (%s): read payload", e.Stream, e.Seq, e.Kind)
	}
	return p, nil
}
