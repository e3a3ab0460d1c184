package telemetry

import (
	"context"
	"log/slog"
	"sync"

	"github.com/tendhq/tend/internal/trace"
)

// Log is a handler that adds the trace to lines that are about a run: those with the attribute "run". find tells the
// traceparent that led to a run and its outermost run, as far as they are known.
func Log(h slog.Handler, find func(run string) (root, given string)) slog.Handler {
	return &logs{Handler: h, known: &known{find: find, traces: map[string]string{}}}
}

type logs struct {
	slog.Handler

	known *known
	run   string // given by With
	below bool   // within a group: what comes is not about a run
}

// known remembers traces of runs.
type known struct {
	find func(run string) (root, given string)

	mu     sync.Mutex
	traces map[string]string
}

// remembered bounds how many runs' traces are remembered.
const remembered = 1000

func (k *known) of(run string) string {
	k.mu.Lock()
	t, ok := k.traces[run]
	k.mu.Unlock()
	if ok {
		return t
	}
	root, given := k.find(run)
	t = trace.Of(root, given).Trace
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.traces) >= remembered {
		clear(k.traces)
	}
	k.traces[run] = t
	return t
}

// Handle implements slog.Handler.
func (l *logs) Handle(ctx context.Context, r slog.Record) error {
	run, has := l.run, false
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "run":
			if !l.below && a.Value.Kind() == slog.KindString {
				run = a.Value.String()
			}
		case "trace":
			has = true
		}
		return true
	})
	if run != "" && !has {
		r = r.Clone()
		r.AddAttrs(slog.String("trace", l.known.of(run)))
	}
	return l.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (l *logs) WithAttrs(attrs []slog.Attr) slog.Handler {
	out := *l
	out.Handler = l.Handler.WithAttrs(attrs)
	for _, a := range attrs {
		if a.Key == "run" && !l.below && a.Value.Kind() == slog.KindString {
			out.run = a.Value.String()
		}
	}
	return &out
}

// WithGroup implements slog.Handler.
func (l *logs) WithGroup(name string) slog.Handler {
	out := *l
	out.Handler, out.below = l.Handler.WithGroup(name), true
	return &out
}
