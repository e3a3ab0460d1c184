package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/fault"
)

// The header that makes a repeat of a request safe, and the one that marks a repeated answer.
const (
	keyHeader    = "Idempotency-Key"
	replayHeader = "Idempotent-Replayed"
)

// Bounds of what is remembered about requests with a key. What is forgotten earliest is the oldest.
const (
	keepAnswers = 10_000
	keepFor     = 24 * time.Hour
	keepBytes   = 32 << 20
	maxAnswer   = 64 << 10 // larger answers are not remembered: none of a command is
	maxKey      = 200
)

// answers remembers what was answered to requests with an idempotency key, while this process lives. What must outlive it
// (the start of a run) is kept by the engine, by the same key; other commands are refused when they were done already.
type answers struct {
	mu    sync.Mutex
	known map[answerKey]*answer
	order []answerKey // oldest first
	bytes int         // of all bodies
}

// answerKey is a key of one asker for one operation.
type answerKey struct{ who, operation, key string }

// answer is what one request got. done is closed when it is there.
type answer struct {
	sum    [sha256.Size]byte
	at     time.Time
	done   chan struct{}
	status int // 0: there is nothing to repeat
	header http.Header
	body   []byte
}

// once serves a request with an idempotency key: the first time by serve, and then with what that answered.
func (a *answers) once(ctx context.Context, k answerKey, w http.ResponseWriter, r *http.Request, limit int64, serve func(http.ResponseWriter, *http.Request)) error {
	if !goodKey(k.key) {
		return fault.New(fault.Invalid, "%s must have 1 to %d printable characters", keyHeader, maxKey)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return fault.New(fault.Limit, "the body is larger than %d bytes", large.Limit)
	case err != nil:
		return fault.New(fault.Unavailable, "the body could not be read")
	}
	sum := sha256.Sum256(body)
	for {
		mine, other := a.claim(k, sum, time.Now())
		if mine != nil {
			r.Body = io.NopCloser(bytes.NewReader(body))
			a.first(k, mine, w, r, serve)
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-other.done:
		}
		if other.status == 0 {
			continue // it came to nothing: this one may try
		}
		if other.sum != sum {
			return fault.New(fault.Conflict, "this %s was used for another request", keyHeader).WithNext("use a new key for a new request")
		}
		h := w.Header()
		for name, v := range other.header {
			h[name] = v
		}
		h.Set(replayHeader, "true")
		w.WriteHeader(other.status)
		_, _ = w.Write(other.body)
		return nil
	}
}

// first serves a request that nobody asked before.
func (a *answers) first(k answerKey, mine *answer, w http.ResponseWriter, r *http.Request, serve func(http.ResponseWriter, *http.Request)) {
	rec := &recorder{ResponseWriter: w}
	defer a.settle(k, mine, rec) // also when it panics: others wait
	serve(rec, r)
}

func goodKey(key string) bool {
	if key == "" || len(key) > maxKey {
		return false
	}
	for i := range len(key) {
		if key[i] < 0x21 || key[i] > 0x7e {
			return false
		}
	}
	return true
}

// claim gives a new answer to fill in, or the one that is there or on its way.
func (a *answers) claim(k answerKey, sum [sha256.Size]byte, now time.Time) (mine, other *answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known == nil {
		a.known = map[answerKey]*answer{}
	}
	for len(a.order) > 0 {
		oldest := a.known[a.order[0]]
		if oldest != nil && len(a.order) <= keepAnswers && a.bytes <= keepBytes && now.Sub(oldest.at) < keepFor {
			break
		}
		if oldest != nil {
			a.bytes -= len(oldest.body)
		}
		delete(a.known, a.order[0])
		a.order = a.order[1:]
	}
	if other := a.known[k]; other != nil {
		return nil, other
	}
	mine = &answer{sum: sum, at: now, done: make(chan struct{})}
	a.known[k] = mine
	a.order = append(a.order, k)
	return mine, nil
}

// settle remembers an answer. One that says that the server could not do it is not worth it: a repeat may succeed.
func (a *answers) settle(k answerKey, mine *answer, rec *recorder) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if rec.status > 0 && rec.status < http.StatusInternalServerError && rec.status != http.StatusTooManyRequests && !rec.cut {
		mine.status, mine.body, mine.header = rec.status, rec.body.Bytes(), http.Header{}
		if a.known[k] == mine {
			a.bytes += len(mine.body)
		}
		for _, name := range []string{"Content-Type", "Location", "Etag"} {
			if v := rec.Header().Values(name); len(v) > 0 {
				mine.header[name] = v
			}
		}
	} else if a.known[k] == mine {
		delete(a.known, k)
	}
	close(mine.done)
}

// recorder keeps a copy of what is answered.
type recorder struct {
	http.ResponseWriter

	status int
	body   bytes.Buffer
	cut    bool // too large to keep
}

// Unwrap lets http.ResponseController find what is below.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	if r.body.Len()+len(b) > maxAnswer {
		r.cut = true
		r.body.Reset()
	} else if !r.cut {
		r.body.Write(b)
	}
	return r.ResponseWriter.Write(b)
}
