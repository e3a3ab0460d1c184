// Package repeat makes HTTP requests safe to send again: one that names an Idempotency-Key is served once, and its repeats get
// the first answer.
//
// What it guarantees: two requests with the same key are never served at the same time; the same key for another request is a
// conflict; where answers are kept (Answers), a request is claimed durably before it is served, so that a repeat after a crash
// finds its answer or learns that nobody knows, and is not served again. It is bounded in number, size and time. It knows
// nothing of who asks: the id says that.
package repeat

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/fault"
)

// The header that makes a repeat of a request safe, and the one that marks a repeated answer.
const (
	Header       = "Idempotency-Key"
	replayHeader = "Idempotent-Replayed"
)

// Bounds of what is remembered about requests with a key. What is forgotten earliest is the oldest.
const (
	keepAnswers = 10_000
	keepFor     = 24 * time.Hour
	keepBytes   = 32 << 20
	maxAnswer   = 64 << 10 // larger answers are not remembered: none of a command is
	MaxKey      = 200      // of a key, in characters
)

// Answered is what is remembered of a request with an idempotency key. It is data: whoever keeps it writes it as it is.
type Answered struct {
	Asked  string            `json:"asked"` // SHA-256 of the request's body, in hex
	At     time.Time         `json:"at"`
	Body   []byte            `json:"body,omitempty"`
	Header map[string]string `json:"header,omitempty"`
	Status int               `json:"status,omitempty"` // 0: it began, and nobody knows how it ended
	Unkept bool              `json:"unkept,omitempty"` // it was answered with something that is shown once
}

// Answers keep what was answered over a restart. A method that answers nil has made it durable.
type Answers interface {
	// All gives what is kept, the oldest first.
	All(ctx context.Context, each func(id string, a Answered)) error
	// Put keeps an answer in place of the one with this id, and forgets others.
	Put(ctx context.Context, id string, a Answered, forget []string) error
	Forget(ctx context.Context, ids []string) error
}

// Memory remembers what was answered to requests with an idempotency key. Where it is kept, a request is claimed before it is
// served and its answer written before it is given: a repeat after a crash finds the answer, or that the first one was cut off
// and nobody knows whether it was done. That one is never done again.
type Memory struct {
	Kept Answers // nil: for as long as this process lives
	Warn func(msg string, args ...any)

	mu    sync.Mutex
	read  bool // what was kept is known
	known map[string]*answer
	order []string // oldest first
	bytes int      // of all bodies
}

// ID names a key of one asker for one operation.
func ID(who, operation, key string) string {
	sum := sha256.Sum256([]byte(who + "\x00" + operation + "\x00" + key))
	return hex.EncodeToString(sum[:])
}

// answer is what one request got. done is closed when it is there.
type answer struct {
	Answered

	done chan struct{}
	void bool // there is nothing to repeat
	lost bool // the process ended while it was served
}

// load takes what was kept by an earlier process, when the first request with a key comes.
func (a *Memory) load(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.read || a.Kept == nil {
		return nil
	}
	known, order, size := map[string]*answer{}, []string(nil), 0
	err := a.Kept.All(ctx, func(id string, x Answered) {
		done := make(chan struct{})
		close(done)
		known[id] = &answer{Answered: x, done: done, lost: x.Status == 0 && !x.Unkept}
		order, size = append(order, id), size+len(x.Body)
	})
	if err != nil {
		return err
	}
	a.known, a.order, a.bytes, a.read = known, order, size, true
	return nil
}

// Bounds of one request.
type Bounds struct {
	Body  int64 // the largest
	Shown bool  // its answer is shown once, and not kept
}

// Serve serves a request with an idempotency key: the first time by serve, and then with what that answered. What is shown once
// is not kept.
func (a *Memory) Serve(ctx context.Context, id, key string, w http.ResponseWriter, r *http.Request, b Bounds, serve func(http.ResponseWriter, *http.Request)) error {
	if !goodKey(key) {
		return fault.New(fault.Invalid, "%s must have 1 to %d printable characters", Header, MaxKey)
	}
	if err := a.load(ctx); err != nil {
		return err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, b.Body))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return fault.New(fault.Limit, "the body is larger than %d bytes", large.Limit)
	case err != nil:
		return fault.New(fault.Unavailable, "the body could not be read")
	}
	sum := sha256.Sum256(body)
	asked := hex.EncodeToString(sum[:])
	for {
		mine, other, gone := a.claim(id, asked, time.Now())
		if mine != nil {
			r.Body = io.NopCloser(bytes.NewReader(body))
			return a.first(ctx, id, mine, gone, w, r, b.Shown, serve)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-other.done:
		}
		if other.void {
			continue // it came to nothing: this one may try
		}
		return other.again(w, asked)
	}
}

// again gives an answer that was given before.
func (x *answer) again(w http.ResponseWriter, asked string) error {
	switch {
	case x.Asked != asked:
		return fault.New(fault.Conflict, "this %s was used for another request", Header).WithNext("use a new key for a new request")
	case x.lost:
		return fault.New(fault.Conflict, "the server ended while it served the request with this %s: nobody knows whether it was done", Header).
			WithNext("look at what it is about; then ask again with a new key, if it was not done")
	case x.Unkept:
		return fault.New(fault.Conflict, "the request with this %s was answered, and its answer is shown once", Header).
			WithNext("if it did not arrive, revoke what was made and make another, with a new key")
	}
	h := w.Header()
	for name, v := range x.Header {
		h.Set(name, v)
	}
	h.Set(replayHeader, "true")
	w.WriteHeader(x.Status)
	_, _ = w.Write(x.Body)
	return nil
}

// first serves a request that nobody asked before.
func (a *Memory) first(ctx context.Context, id string, mine *answer, gone []string, w http.ResponseWriter, r *http.Request, shown bool, serve func(http.ResponseWriter, *http.Request)) error {
	rec := &recorder{ResponseWriter: w, hold: a.Kept != nil}
	defer a.settle(ctx, id, mine, rec, shown) // also when it panics: others wait
	if a.Kept != nil {
		if err := a.Kept.Put(ctx, id, mine.Answered, gone); err != nil {
			rec.unclaimed = true
			return err // nothing was done, and nothing is
		}
	}
	serve(rec, r)
	return nil
}

func goodKey(key string) bool {
	if key == "" || len(key) > MaxKey {
		return false
	}
	for i := range len(key) {
		if key[i] < 0x21 || key[i] > 0x7e {
			return false
		}
	}
	return true
}

// claim gives a new answer to fill in, or the one that is there or on its way; and what is forgotten for it.
func (a *Memory) claim(id, asked string, now time.Time) (mine, other *answer, gone []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known == nil {
		a.known = map[string]*answer{}
	}
	for len(a.order) > 0 {
		oldest := a.known[a.order[0]]
		if oldest != nil && len(a.order) <= keepAnswers && a.bytes <= keepBytes && now.Sub(oldest.At) < keepFor {
			break
		}
		if oldest != nil {
			a.bytes -= len(oldest.Body)
			gone = append(gone, a.order[0])
		}
		delete(a.known, a.order[0])
		a.order = a.order[1:]
	}
	if other := a.known[id]; other != nil {
		if len(gone) > 0 && a.Kept != nil {
			a.forget(gone)
		}
		return nil, other, nil
	}
	mine = &answer{Answered: Answered{Asked: asked, At: now.UTC().Truncate(time.Microsecond)}, done: make(chan struct{})}
	a.known[id] = mine
	a.order = append(a.order, id)
	return mine, nil, gone
}

// forget lets go of answers that are kept. What cannot be written now is forgotten when it is read again.
func (a *Memory) forget(ids []string) {
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := a.Kept.Forget(ctx, ids); err != nil {
			a.Warn("old answers could not be forgotten", "error", err)
		}
	}()
}

// settle remembers an answer, then gives it. One that says that the server could not do it is not worth it: a repeat may
// succeed.
func (a *Memory) settle(ctx context.Context, id string, mine *answer, rec *recorder, shown bool) {
	worth := rec.status > 0 && rec.status < http.StatusInternalServerError && rec.status != http.StatusTooManyRequests && !rec.cut
	x := mine.Answered
	if worth {
		x.Status, x.Body, x.Header = rec.status, bytes.Clone(rec.body.Bytes()), map[string]string{}
		for _, name := range []string{"Content-Type", "Location", "Etag"} {
			if v := rec.Header().Get(name); v != "" {
				x.Header[name] = v
			}
		}
	}
	if a.Kept != nil && !rec.unclaimed {
		a.keep(ctx, id, x, worth, shown)
	}
	a.mu.Lock()
	if worth {
		mine.Answered = x
		if a.known[id] == mine {
			a.bytes += len(x.Body)
		}
	} else {
		mine.void = true
		if a.known[id] == mine {
			delete(a.known, id)
		}
	}
	a.mu.Unlock()
	close(mine.done)
	rec.release()
}

// keep writes how a request ended. When that fails, its claim stays: a repeat after a restart is told that nobody knows.
func (a *Memory) keep(ctx context.Context, id string, x Answered, worth, shown bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	var err error
	switch {
	case !worth:
		err = a.Kept.Forget(ctx, []string{id})
	case shown && x.Status < http.StatusMultipleChoices:
		x.Body, x.Header, x.Unkept = nil, nil, true
		fallthrough
	default:
		err = a.Kept.Put(ctx, id, x, nil)
	}
	if err != nil {
		a.Warn("an answer could not be kept: its repeat after a restart is refused", "error", err)
	}
}

// recorder keeps a copy of what is answered, and holds it back until it was kept.
type recorder struct {
	http.ResponseWriter

	status    int
	body      bytes.Buffer
	hold      bool
	cut       bool // too large to keep
	unclaimed bool // nothing was served
}

// Unwrap lets http.ResponseController find what is below.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	if !r.hold {
		r.ResponseWriter.WriteHeader(status)
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	if r.body.Len()+len(b) > maxAnswer {
		r.release()
		r.cut = true
		r.body.Reset()
	} else if !r.cut {
		r.body.Write(b)
	}
	if r.hold {
		return len(b), nil
	}
	return r.ResponseWriter.Write(b)
}

// release gives what was held back. What comes afterwards goes straight through.
func (r *recorder) release() {
	if !r.hold {
		return
	}
	r.hold = false
	if r.status != 0 {
		r.ResponseWriter.WriteHeader(r.status)
		_, _ = r.ResponseWriter.Write(r.body.Bytes())
	}
}
