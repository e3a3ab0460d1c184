package blob

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"strings"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
)

// NewID makes the name of a blob. It says nothing about the content.
func NewID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// ValidID tells whether s has the shape of a blob's name. Only such names become names of files.
func ValidID(s string) bool {
	return len(s) == 32 && strings.Trim(s, "0123456789abcdef") == ""
}

// CheckGroup refuses what is not the name of a group: letters, digits, underscore and dash, at most 100.
func CheckGroup(s string) error {
	ok := s != "" && len(s) <= 100
	for _, c := range []byte(s) {
		ok = ok && (c == '_' || c == '-' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z')
	}
	if !ok {
		return fault.New(fault.Invalid, "%.100q is not the name of a group of blobs: it has letters, digits, _ and - only", s)
	}
	return nil
}

// Unknown is the answer for a blob that is not there.
func Unknown(group, id string) error {
	return fault.New(fault.NotFound, "there is no blob %.40q in %.100q", id, group)
}

// Sealer computes the Ref of a content while it is written somewhere.
type Sealer struct {
	ref Ref
	h   hash.Hash
}

// NewSealer begins the Ref of a blob, with a fresh salt.
func NewSealer(id string) *Sealer {
	s := &Sealer{ref: Ref{ID: id}, h: sha256.New()}
	_, _ = rand.Read(s.ref.Salt[:]) // never fails
	_, _ = s.h.Write(s.ref.Salt[:])
	return s
}

// Write implements io.Writer. It never fails.
func (s *Sealer) Write(b []byte) (int, error) {
	s.ref.Size += int64(len(b))
	return s.h.Write(b)
}

// Ref gives the Ref of what was written so far.
func (s *Sealer) Ref() Ref {
	r := s.ref
	r.Sum = entry.Hash(s.h.Sum(nil))
	return r
}

// Copy copies r to w until its end, or until ctx is over.
func Copy(ctx context.Context, w io.Writer, r io.Reader) error {
	buf := make([]byte, 32<<10)
	for {
		if err := ctx.Err(); err != nil {
			return fault.Wrap(fault.Cancelled, context.Cause(ctx), "write a blob")
		}
		n, err := r.Read(buf)
		if _, werr := w.Write(buf[:n]); werr != nil {
			return werr
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// Check gives a reader of r's content that answers fault.Damaged at the end when it is not what ref was made of, and
// never gives a byte more than ref says.
func Check(group string, ref Ref, r io.ReadCloser) io.ReadCloser {
	h := sha256.New()
	_, _ = h.Write(ref.Salt[:])
	return &checked{group: group, ref: ref, r: r, h: h, left: max(ref.Size, 0)}
}

type checked struct {
	group string
	ref   Ref
	r     io.ReadCloser
	h     hash.Hash
	left  int64
	err   error
}

// Read implements io.Reader.
func (c *checked) Read(b []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	if len(b) == 0 {
		return 0, nil
	}
	if c.left == 0 {
		var one [1]byte
		switch n, err := io.ReadFull(c.r, one[:]); {
		case n > 0:
			c.err = c.damaged("is longer than the %d bytes that were put", c.ref.Size)
		case err != io.EOF:
			c.err = c.unreadable(err)
		case !bytes.Equal(c.h.Sum(nil), c.ref.Sum[:]):
			c.err = c.damaged("was altered")
		default:
			c.err = io.EOF
		}
		return 0, c.err
	}
	n, err := c.r.Read(b[:min(int64(len(b)), c.left)])
	_, _ = c.h.Write(b[:n])
	c.left -= int64(n)
	switch {
	case err == io.EOF && c.left > 0:
		c.err = c.damaged("is %d bytes short", c.left)
		return n, c.err
	case err != nil && err != io.EOF:
		c.err = c.unreadable(err)
		return n, c.err
	}
	return n, nil
}

// Close implements io.Closer.
func (c *checked) Close() error { return c.r.Close() }

func (c *checked) damaged(format string, a ...any) error {
	e := fault.New(fault.Damaged, format, a...)
	e.Message = "blob " + c.ref.ID + " of " + c.group + " " + e.Message
	return e
}

func (c *checked) unreadable(err error) error {
	return fault.Wrap(fault.Unavailable, err, "read blob %s of %s", c.ref.ID, c.group)
}
