package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/wire"
)

// follow streams a run: the entries from `from` on (or after Last-Event-ID), then live. It ends with the run, with the
// reader, or with the server; only in the first case the last event is `end`.
func (s *server) follow(ctx context.Context, in *followInput) (*streamOutput, error) {
	if in.Last != "" {
		n, err := strconv.ParseUint(in.Last, 10, 62)
		if err != nil {
			return nil, fault.New(fault.Invalid, "Last-Event-ID %q is not the number of an entry", in.Last)
		}
		in.From = n + 1
	}
	updates, err := s.Engine.Follow(ctx, in.Run, max(in.From, 1))
	if err != nil {
		return nil, err
	}
	return &streamOutput{func(c huma.Context) {
		_, w := humago.Unwrap(c)
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(http.StatusOK)
		pour(ctx, w, in.Run, updates)
	}}, nil
}

// pour writes what comes until nothing more does.
func pour(ctx context.Context, w http.ResponseWriter, run string, updates <-chan engine.Update) {
	out := &events{w: w, control: http.NewResponseController(w)}
	beat := time.NewTicker(keepAlive)
	defer beat.Stop()
	over := closing(ctx)
	var late <-chan time.Time
	if out.send(": follows "+run+"\n\n") != nil {
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-over:
			// What has happened is still told: an owner ends when the run has.
			over, late = nil, time.After(lastWords)
		case <-late:
			return
		case <-beat.C:
			if out.send(": still here\n\n") != nil {
				return
			}
		case u, ok := <-updates:
			if !ok {
				if ctx.Err() == nil && out.ended {
					_ = out.event(0, wire.EventEnd, struct{}{})
				}
				return
			}
			if out.update(u) != nil {
				return
			}
		}
	}
}

// lastWords is how long a stream may still tell what has happened when the server is about to close.
const lastWords = 300 * time.Millisecond

// events writes server-sent events. A reader that does not read for a while is let go.
type events struct {
	w       http.ResponseWriter
	control *http.ResponseController
	ended   bool
}

func (e *events) update(u engine.Update) error {
	switch {
	case u.Entry != nil:
		if k := u.Entry.Kind; k == entry.KindRunEnded || k == entry.KindRunQuarantined {
			e.ended = true
		}
		return e.event(u.Entry.Seq, wire.EventEntry, wire.FromEntry(*u.Entry))
	case u.Log != nil:
		return e.event(0, wire.EventLog, logOf(u.Log))
	case u.Idle != nil:
		return e.event(0, wire.EventIdle, u.Idle)
	case u.Dropped > 0:
		return e.event(0, wire.EventDropped, wire.Dropped{Count: u.Dropped})
	}
	return nil
}

func logOf(l *engine.LogChunk) wire.Log {
	return wire.Log{At: l.At, Attempt: l.Attempt, Path: l.Path, Stream: l.Stream, Text: l.Text}
}

func (e *events) event(seq uint64, name string, data any) error {
	var b bytes.Buffer
	if seq > 0 {
		fmt.Fprintf(&b, "id: %d\n", seq)
	}
	b.WriteString("event: " + name + "\ndata: ")
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(data); err != nil {
		return err
	}
	b.WriteByte('\n')
	return e.send(b.String())
}

func (e *events) send(s string) error {
	_ = e.control.SetWriteDeadline(time.Now().Add(time.Minute))
	if _, err := e.w.Write([]byte(s)); err != nil {
		return err
	}
	return e.control.Flush()
}
