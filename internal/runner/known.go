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

// maxPassing bounds the same for what is made for one run, so that many runs do not make secrets of providers forgotten.
const maxPassing = 128

// known is every secret that this process handed out: a step that reads a file which another step wrote a secret into
// must not show it either.
type known struct {
	mu     sync.Mutex
	values []secret.Value // the newest last
	passed []secret.Value // made for one run, the newest last
	mask   *mask.Masker   // of both
	fresh  bool           // mask knows all of them
}

func (k *known) learn(values ...secret.Value) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, v := range values {
		k.keep(&k.values, v, maxKnown)
	}
}

// pass is learn for what is made for one run.
func (k *known) pass(values ...secret.Value) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, v := range values {
		k.keep(&k.passed, v, maxPassing)
	}
}

func (k *known) keep(list *[]secret.Value, v secret.Value, limit int) {
	if slices.ContainsFunc(*list, func(o secret.Value) bool { return o.Reveal() == v.Reveal() }) {
		return
	}
	if len(*list) >= limit {
		*list = append((*list)[:0:0], (*list)[1:]...)
	}
	*list = append(*list, v)
	k.mask, k.fresh = nil, false
}

// masker knows all that was learned, and more besides.
func (k *known) masker(more ...secret.Value) *mask.Masker {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.fresh {
		k.mask, k.fresh = mask.New(slices.Concat(k.values, k.passed)...), true
	}
	if len(more) == 0 {
		return k.mask
	}
	return mask.New(slices.Concat(more, k.values, k.passed)...)
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
