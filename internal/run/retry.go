package run

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"
	"time"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/program"
)

// retries tells whether another attempt may follow attempt n that failed with a fault of the given kind.
func retries(r *program.Retry, n int, kind string) bool {
	if r == nil || n >= r.Attempts {
		return false
	}
	return len(r.On) == 0 || slices.Contains(r.On, kind)
}

// doubtAttempts bounds what `onDoubt: retry` and probes may repeat: what `retry` says, else three attempts.
func doubtAttempts(d *program.Node) int {
	if d.Retry != nil {
		return max(1, d.Retry.Attempts)
	}
	return 3
}

// doubtPolicy: what is proven harmless is repeated, everything else asks a person.
func doubtPolicy(n *Node) string {
	switch {
	case n.def.OnDoubt != "":
		return n.def.OnDoubt
	case n.Intent != nil && (n.Intent.Effect == string(contract.Read) || n.Intent.Effect == string(contract.Idempotent)):
		return "retry"
	default:
		return "ask"
	}
}

// Backoff is the delay before attempt+1, after attempt attempts: Backoff × Factor^(attempt-1), not more than Cap, with
// the share Jitter of it spread evenly around it. The spread is a function of seed, so that replay needs no randomness.
func Backoff(r *program.Retry, attempt int, seed string) time.Duration {
	if r == nil || r.Backoff <= 0 {
		return 0
	}
	d := float64(r.Backoff)
	if r.Factor > 1 {
		d *= math.Pow(r.Factor, float64(attempt-1))
	}
	if limit := float64(24 * time.Hour); d > limit {
		d = limit
	}
	if r.Cap > 0 {
		d = min(d, float64(r.Cap))
	}
	if r.Jitter > 0 {
		h := sha256.Sum256([]byte(seed))
		u := float64(binary.BigEndian.Uint64(h[:8])>>11) / (1 << 53)
		d *= 1 - r.Jitter/2 + r.Jitter*u
	}
	return time.Duration(d).Truncate(time.Millisecond)
}
