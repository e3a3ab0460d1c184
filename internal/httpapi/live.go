package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/panel"
	"github.com/tendhq/tend/internal/wire"
)

// How often a live stream looks and speaks.
const (
	lookEvery = time.Second            // whether something was committed
	gather    = 150 * time.Millisecond // changes of a run go together
)

// live is what a page keeps open: one stream, because a browser keeps few connections to a server.
func (s *server) lives(a *api) {
	const text = "Server-sent events. `hello` says who answers; `changed` says that something that is stored is another than before, at most once a second: a reader asks again for what it shows. "
	add(a, access.Need{Verb: access.View, Kind: "server"}, http.MethodGet, "/v1/live", about{
		id: "live", tag: "server", summary: "Hear when something changes", time: stream, media: "text/event-stream",
		text: text + "`gone` comes when the reader may not listen any more.",
	}, func(ctx context.Context, in *Lost) (*streamOutput, error) {
		return s.liven(ctx, access.Need{Verb: access.View, Kind: "server"}, "", in.Last)
	})
	look := access.Need{Verb: access.View, Kind: "run"}
	add(a, look, http.MethodGet, "/v1/runs/{run}/live", about{
		id: "liveRun", tag: "runs", summary: "The same, and a run as it goes on", time: stream, media: "text/event-stream",
		text: text + "`glance` is the whole run, at the beginning; `delta` is what changed in it; `logs` are what attempts in flight print, at first what they have printed so far, as far as it is kept; `end` comes when the run has ended. A reader that lost the connection begins again, and gets a new `glance`.",
	}, func(ctx context.Context, in *liveRunInput) (*streamOutput, error) {
		return s.liven(ctx, look, in.Run, in.Last)
	})
}

// Lost is what a reader that lost the connection had.
type Lost struct {
	Last string `header:"Last-Event-ID" doc:"What the reader had. It gets everything anew, whatever that was."`
}

type liveRunInput struct {
	RunPath
	Lost
}

func (s *server) liven(ctx context.Context, need access.Need, run, last string) (*streamOutput, error) {
	if _, err := strconv.ParseUint(last, 10, 62); last != "" && err != nil {
		return nil, fault.New(fault.Invalid, "Last-Event-ID %q is not the number of an entry", last)
	}
	st, err := s.Engine.Status(ctx)
	if err != nil {
		return nil, err
	}
	l := &liveStream{s: s, run: run, index: st.Index, stands: s.stands.now()}
	if run != "" {
		if l.last, err = s.glanceAt(ctx, run); err != nil {
			return nil, err
		}
		if l.updates, err = s.Engine.Follow(ctx, run, l.last.Head.Seq+1); err != nil {
			return nil, err
		}
	}
	hello := wire.Hello{Index: st.Index, Instance: st.Instance, Now: time.Now().UTC(), Since: st.Since}
	return &streamOutput{func(c huma.Context) {
		r, w := humago.Unwrap(c)
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("X-Accel-Buffering", "no") // proxies must not gather it
		w.WriteHeader(http.StatusOK)
		l.out = &events{w: w, control: http.NewResponseController(w)}
		err := l.out.event(0, wire.EventHello, hello)
		if err == nil && l.last != nil {
			err = l.out.event(l.last.Head.Seq, wire.EventGlance, l.last)
		}
		for err == nil {
			err = l.next(ctx, func() error {
				_, err := s.admit(ctx, r, need)
				return err
			})
		}
	}}, nil
}

// liveStream is one reader of a live stream.
type liveStream struct {
	s     *server
	out   *events
	run   string
	index uint64

	stands  uint64               // how connections stood
	updates <-chan engine.Update // nil: of no run, or of one that has ended
	last    *panel.Run           // what the reader knows
	dirty   bool
	logs    []wire.Log
	lost    int
	beat    time.Time
}

var errOver = errors.New("the stream is over")

// next waits for what is to be told, and tells it.
func (l *liveStream) next(ctx context.Context, may func() error) error {
	wait := lookEvery
	if l.dirty || len(l.logs) > 0 || l.lost > 0 {
		wait = gather
	}
	late := time.NewTimer(wait)
	defer late.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-closing(ctx):
			return errors.Join(l.flush(ctx), errOver)
		case u, ok := <-l.updates:
			if !ok {
				l.updates = nil
				if ctx.Err() != nil {
					return ctx.Err()
				}
				l.dirty = true
				return errors.Join(l.flush(ctx), l.out.event(0, wire.EventEnd, struct{}{}))
			}
			idle := !l.dirty && len(l.logs) == 0 && l.lost == 0
			l.update(u)
			if idle {
				return nil // and wait for what belongs to it
			}
		case <-late.C:
			return errors.Join(l.flush(ctx), l.look(ctx, may))
		}
	}
}

// most is how many pieces of logs go together.
const most = 500

func (l *liveStream) update(u engine.Update) {
	switch {
	case u.Log != nil && len(l.logs) < 20*most:
		l.logs = append(l.logs, logOf(u.Log))
	case u.Log != nil:
		l.lost++
	case u.Dropped > 0:
		l.lost += u.Dropped
	default:
		l.dirty = true
	}
}

// flush tells what was gathered. Logs come before what the entries say: an attempt that is over has printed everything.
func (l *liveStream) flush(ctx context.Context) error {
	for len(l.logs) > 0 {
		n := min(most, len(l.logs))
		if err := l.out.event(0, wire.EventLogs, l.logs[:n]); err != nil {
			return err
		}
		l.logs = l.logs[n:]
	}
	if l.lost > 0 {
		if err := l.out.event(0, wire.EventDropped, wire.Dropped{Count: l.lost}); err != nil {
			return err
		}
		l.lost = 0
	}
	if !l.dirty {
		return nil
	}
	l.dirty = false
	now, err := l.s.glanceAt(ctx, l.run)
	if err != nil {
		return err
	}
	d := panel.Since(l.last, now)
	l.last = now
	if d == nil {
		return nil
	}
	return l.out.event(now.Head.Seq, wire.EventDelta, d)
}

// look tells whether something was committed, and from time to time asks again whether the reader may listen.
func (l *liveStream) look(ctx context.Context, may func() error) error {
	st, err := l.s.Engine.Status(ctx)
	if err != nil {
		return err
	}
	stands := l.stands
	if l.run == "" {
		stands = l.s.standing(ctx, stands)
	}
	if st.Index != l.index || stands != l.stands {
		l.index = st.Index
		if err := l.out.event(0, wire.EventChanged, wire.Changed{Index: st.Index}); err != nil {
			return err
		}
	}
	l.stands = stands
	if time.Since(l.beat) < keepAlive {
		return nil
	}
	first := l.beat.IsZero()
	l.beat = time.Now()
	if !first {
		if err := may(); err != nil {
			return errors.Join(l.out.event(0, wire.EventGone, struct{}{}), errOver)
		}
	}
	return l.out.send(": still here\n\n")
}
