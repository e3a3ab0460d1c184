// Package id makes and reads the names of things: runs, tasks and the shard that they live in.
//
// An id is a prefix, an underscore and 20 characters of Crockford's base 32 in lower case: 48 bits of the time of
// birth in milliseconds, then 50 bits of entropy, so that ids sort by age. Ids of tasks take their entropy from what they
// derive from. Ids of called runs derive from the caller and the call alone, so that a repeat gives the same id.
package id

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"strings"
	"time"
)

// Shards is the fixed number of shards. A run, its children and its tasks share one.
const Shards = 256

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

// New makes an id with the given prefix. entropy is crypto/rand.Reader outside simulations.
func New(prefix string, at time.Time, entropy io.Reader) (string, error) {
	var e [8]byte
	if _, err := io.ReadFull(entropy, e[:]); err != nil {
		return "", fmt.Errorf("read entropy for an id: %w", err)
	}
	return encode(prefix, at, binary.BigEndian.Uint64(e[:])), nil
}

// Derive makes an id from another one and a name below it. The same arguments give the same id.
func Derive(prefix, parent, name string, at time.Time) string {
	s := sha256.Sum256([]byte(parent + "\x00" + name))
	return encode(prefix, at, binary.BigEndian.Uint64(s[:8]))
}

// Child makes the id of what parent calls by that name. It is born with its parent as far as its id tells, so that it
// depends on nothing but the arguments: whoever repeats a call finds what was called before. parent is an id; its prefix is
// the child's.
func Child(parent, name string) string {
	prefix, rest, _ := strings.Cut(parent, "_")
	s := sha256.Sum256([]byte(parent + "\x00" + name))
	born := min(10, len(rest))
	return prefix + "_" + rest[:born] + encode("", time.Time{}, binary.BigEndian.Uint64(s[:8]))[1+born:]
}

func encode(prefix string, at time.Time, e uint64) string {
	var b [20]byte
	ms := uint64(max(at.UnixMilli(), 0))
	for i := 9; i >= 0; i-- {
		b[i] = alphabet[ms&31]
		ms >>= 5
	}
	for i := 19; i >= 10; i-- {
		b[i] = alphabet[e&31]
		e >>= 5
	}
	return prefix + "_" + string(b[:])
}

// Birth tells when a thing was born, to the millisecond. Of what is no id it is the beginning of the epoch.
func Birth(s string) time.Time {
	_, rest, _ := strings.Cut(s, "_")
	if len(rest) != 20 {
		return time.UnixMilli(0).UTC()
	}
	ms := int64(0)
	for i := range 10 {
		n := strings.IndexByte(alphabet, rest[i])
		if n < 0 {
			return time.UnixMilli(0).UTC()
		}
		ms = ms<<5 | int64(n)
	}
	return time.UnixMilli(ms).UTC()
}

// Valid tells whether s has the shape of an id with the given prefix.
func Valid(prefix, s string) bool {
	rest, ok := strings.CutPrefix(s, prefix+"_")
	if !ok || len(rest) != 20 {
		return false
	}
	return strings.Trim(rest, alphabet) == ""
}

// AuditStream names the audit stream of a shard: what is recorded of the ends of its runs, and of the system.
func AuditStream(shard int) string { return fmt.Sprintf("audit/%03d", shard) }

// Shard tells in which shard a root run (and all that belongs to it) lives.
func Shard(root string) int {
	h := fnv.New32a()
	_, _ = io.WriteString(h, root)
	return int(h.Sum32() % Shards)
}
