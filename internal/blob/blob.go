// Package blob is the port of what is too large for an entry: outputs over 64 KiB, logs, artifacts, compiled playbooks.
package blob

import (
	"context"
	"io"

	"github.com/tendhq/tend/internal/entry"
)

// Inline is the largest output that stays in its entry, in bytes.
const Inline = 64 << 10

// Ref points to a blob. Its sum is salted, like that of a payload, so that a small secret cannot be guessed from it.
type Ref = entry.Ref

// Store is the port. Put is durable before it answers: an entry that names the Ref is written afterwards. Group is the
// root run that owns the blob: the unit of retention, export and erasure.
type Store interface {
	Put(ctx context.Context, group string, r io.Reader) (Ref, error)
	// Get opens a blob; reading it to the end verifies it: the last Read answers an error of kind fault.Damaged instead
	// of io.EOF when the content is not what was put. An unknown one is fault.NotFound.
	Get(ctx context.Context, group string, ref Ref) (io.ReadCloser, error)
	// Replace overwrites the content of a blob for erasure and gives its new Ref (same ID).
	Replace(ctx context.Context, group string, ref Ref, r io.Reader) (Ref, error)
	// List gives the ids of a group; Delete removes a whole group.
	List(ctx context.Context, group string) ([]string, error)
	Delete(ctx context.Context, group string) error
}
