package httpapi_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/value"
	"github.com/tendhq/tend/internal/wire"
)

// scripted is an engine.Service whose answers are written here: what a handler passes on is compared with them. The real
// engine behind the same handlers is tested with the command line.
type scripted struct {
	mu      sync.Mutex
	called  []string
	started engine.Start
	asked   store.Filter
	list    []entry.Entry
}

func newScripted(t *testing.T) *scripted {
	t.Helper()
	s := &scripted{}
	var prev entry.Hash
	for i, p := range []entry.Payload{
		&entry.RunCreated{Name: "n", Params: value.Object{"html": "<&>"}},
		&entry.RunStarted{},
		&entry.RunEnded{Status: "succeeded"},
	} {
		e, err := entry.New(time.Unix(int64(i), 0), p)
		if err != nil {
			t.Fatal(err)
		}
		e.Stream, e.Seq, e.Prev = "run/run_1", uint64(i+1), prev
		e.Seal()
		prev = e.Hash
		s.list = append(s.list, e)
	}
	return s
}

func (s *scripted) note(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.called = append(s.called, what)
}

func (s *scripted) calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.called
}

func (s *scripted) Start(_ context.Context, st engine.Start) (string, error) {
	s.note("start")
	s.started = st
	return "run_1", nil
}

func (s *scripted) Do(_ context.Context, c engine.Command) (engine.Done, error) {
	s.note("do")
	if c.Run == "run_ended" {
		return engine.Done{}, fault.New(fault.Conflict, "the run has ended").WithNext("start it again")
	}
	return engine.Done{Note: fmt.Sprint(c.Verb, " ", c.Run, " ", c.Path, " ", c.Why, " ", c.By.Name)}, nil
}

func (s *scripted) Answer(_ context.Context, a engine.Answer) (string, error) {
	s.note("answer")
	return a.Choice + " by " + a.By.Name + " via " + a.By.Via, nil
}

func (s *scripted) Send(_ context.Context, name, key string, payload map[string]any, _ entry.Who) ([]string, error) {
	s.note("send")
	return []string{fmt.Sprint(name, " ", key, " ", payload["x"].(int64))}, nil
}

func (s *scripted) Entries(_ context.Context, stream string, _ uint64, _ int) ([]entry.Entry, error) {
	s.note("entries " + stream)
	return s.list, nil
}

func (s *scripted) Rows(_ context.Context, f store.Filter) (store.Page, error) {
	s.note("rows")
	s.asked = f
	if f.ID == "run_0" {
		return store.Page{}, nil
	}
	return store.Page{Next: "more", Rows: []store.Row{{Key: store.Key{Kind: "run", ID: "run_1"}, Body: []byte(`{"status":"waiting"}`)}}}, nil
}

func (s *scripted) Follow(ctx context.Context, run string, from uint64) (<-chan engine.Update, error) {
	s.note("follow")
	out := make(chan engine.Update)
	go func() {
		defer close(out)
		send := func(u engine.Update) {
			select {
			case out <- u:
			case <-ctx.Done():
			}
		}
		for i := range s.list {
			e := s.list[i]
			if e.Seq < from {
				continue
			}
			send(engine.Update{Entry: &e})
			if run == "run_endless" {
				<-ctx.Done()
				return
			}
			if e.Seq == 2 {
				send(engine.Update{Log: &engine.LogChunk{Path: "steps[0]", Text: "a\nb: data: c\n"}})
				send(engine.Update{Idle: &engine.Idle{Status: "waiting", Waits: []engine.Wait{{For: "task"}}}})
				send(engine.Update{Dropped: 4})
			}
		}
	}()
	return out, nil
}

func (s *scripted) Program(context.Context, string) (*playbook.Program, error) {
	return &playbook.Program{Language: 1, Metadata: playbook.Metadata{Name: "n"}}, nil
}

func (s *scripted) Blob(_ context.Context, _ string, ref entry.Ref) ([]byte, error) {
	return fmt.Append(nil, "blob ", ref), nil
}

func (s *scripted) Status(context.Context) (engine.Status, error) {
	return engine.Status{Instance: "i", Driven: 3}, nil
}

func (s *scripted) Unhalt(_ context.Context, _ entry.Who, why string) ([]string, error) {
	return []string{why}, nil
}

func (s *scripted) Backup(_ context.Context, path string) (wire.BackedUp, error) {
	return wire.BackedUp{Path: path}, nil
}

func (s *scripted) Verify(context.Context) (wire.Verified, error) {
	return wire.Verified{Streams: 4, Damaged: []wire.Problem{wire.NewProblem(fault.New(fault.Damaged, "run/x entry 3"))}}, nil
}

func (s *scripted) MissingSecrets(_ context.Context, names []string) ([]wire.Problem, error) {
	return []wire.Problem{wire.NewProblem(fault.New(fault.Missing, "no %s", names[0]))}, nil
}
