package runner

import (
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/tendhq/tend/internal/mask"
	"github.com/tendhq/tend/internal/secret"
)

// maxKnown bounds the secrets that are remembered for masking; the ones learned first are forgotten first.
const maxKnown = 512

// known is every secret that this process handed out: a step that reads a file which another step wrote a secret into
// must not show it either.
type known struct {
	mu     sync.Mutex
	values []secret.Value // the newest last
	mask   *mask.Masker   // of values
	fresh  bool           // mask knows all values
}

func (k *known) learn(values ...secret.Value) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, v := range values {
		if slices.ContainsFunc(k.values, func(o secret.Value) bool { return o.Reveal() == v.Reveal() }) {
			continue
		}
		if len(k.values) >= maxKnown {
			k.values = append(k.values[:0:0], k.values[1:]...)
		}
		k.values = append(k.values, v)
		k.mask, k.fresh = nil, false
	}
}

// masker knows all that was learned, and more besides.
func (k *known) masker(more ...secret.Value) *mask.Masker {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.fresh {
		k.mask, k.fresh = mask.New(k.values...), true
	}
	if len(more) == 0 {
		return k.mask
	}
	return mask.New(append(more, k.values...)...)
}

// stack gives the places of a panic, without the values that a full stack trace would print.
func stack() string {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	var b strings.Builder
	for {
		f, more := frames.Next()
		if b.Len() > 0 {
			b.WriteString(" < ")
		}
		b.WriteString(f.Function)
		if !more {
			return b.String()
		}
	}
}
