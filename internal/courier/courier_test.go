package courier_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tendhq/tend/internal/news"

	"github.com/tendhq/tend/internal/courier"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/exchange"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/incident"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/message"
	"github.com/tendhq/tend/internal/message/messagetest"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/memory"
	"github.com/tendhq/tend/internal/value"
)

// side is another side that remembers: an implementation of message.Sender.
type side struct {
	mu       sync.Mutex
	mode     messagetest.Mode
	got      []message.Message
	attempts int
	poison   string // a title that it never answers for
}

func (s *side) Behave(m messagetest.Mode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mode = m
}

func (s *side) all() []message.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

func (s *side) Arrived() []string {
	var out []string
	for _, m := range s.all() {
		out = append(out, m.ID)
	}
	return out
}

func (s *side) titles() []string {
	var out []string
	for _, m := range s.all() {
		out = append(out, m.Title)
	}
	return out
}

// Send implements message.Sender.
func (s *side) Send(ctx context.Context, m message.Message) message.Result {
	if ctx.Err() != nil {
		return message.Not(exchange.Never(fault.Cancelled, "cancelled before"))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts++
	switch s.mode {
	case messagetest.Limited:
		e := exchange.Failed(fault.RateLimited, "asks to wait")
		e.After = 7 * time.Second
		return message.Not(e)
	case messagetest.Broken:
		return message.Not(exchange.Never(fault.Unreachable, "nobody there"))
	case messagetest.Locked:
		return message.Not(exchange.Failed(fault.Auth, "wrong token"))
	case messagetest.Wrong:
		return message.Not(exchange.Failed(fault.Invalid, "no such thing"))
	default:
	}
	if s.poison != "" && m.Title == s.poison {
		return message.Not(exchange.Doubt(fault.Unavailable, "it stumbles over this one"))
	}
	if !m.Again || !slices.ContainsFunc(s.got, func(x message.Message) bool { return x.ID == m.ID }) {
		s.got = append(s.got, m)
	}
	switch s.mode {
	case messagetest.Cut:
		return message.Not(exchange.Doubt(fault.Lost, "the connection broke"))
	case messagetest.Deaf:
		s.mu.Unlock()
		<-ctx.Done()
		s.mu.Lock()
		return message.Not(exchange.Broken(ctx, ctx.Err(), "side", true))
	default:
	}
	return message.Sent(map[string]any{"id": m.ID})
}

func TestSide(t *testing.T) {
	t.Parallel()
	messagetest.Run(t, messagetest.Suite{
		Open: func(*testing.T) (message.Sender, messagetest.Stand) {
			s := &side{}
			return s, s
		},
		Away:  func(*testing.T) message.Sender { return &side{mode: messagetest.Broken} },
		Modes: []messagetest.Mode{messagetest.Limited, messagetest.Broken, messagetest.Deaf, messagetest.Cut, messagetest.Locked, messagetest.Wrong},
		Once:  true,
	})
}

// house is a courier over a store that stays when the courier goes.
type house struct {
	t     *testing.T
	store store.Store
	side  *side
	asks  bool
	pager bool // is told of questions only when nobody decides
	runs  bool // threads follow all runs
	pages bool // people are called here, each by itself
	tasks courier.Tasks
	limit int
	told  func(remote map[string]any, why string) error // of action items; nil: they are not for the channel

	book  *ledger.Ledger
	epoch uint64
	c     *courier.Courier
	end   func() error
}

func (h *house) open() {
	h.t.Helper()
	lease, err := h.store.Claim(h.t.Context(), "test")
	if err != nil {
		h.t.Fatal(err)
	}
	h.book, h.epoch = ledger.Open(h.store, lease, nil), lease.Epoch
	ch := courier.Channel{
		Name: "ops", Budget: h.limit, Tasks: !h.pager, Escalations: h.pager, Buttons: true, Runs: h.runs,
		Sender: func(context.Context) (message.Sender, error) { return h.side, nil },
		Wants: func(project, severity string, _ map[string]string) bool {
			return project == "default" && severity != "info"
		},
	}
	if h.pages {
		ch.Pages, ch.Persons = true, courier.Each
	}
	more := courier.Channel{Name: "threads", Buttons: true, Quiet: true, Sender: ch.Sender} // only what is asked for
	if h.told != nil {
		ch.Items = func(s *incident.State) bool { return s.Project == "default" }
		ch.Told = func(_ context.Context, _ *entry.MessageQueued, remote value.Object, why string) error {
			return h.told(remote, why)
		}
	}
	h.c, err = courier.Open(h.t.Context(), courier.Config{Ledger: h.book, Tasks: h.tasks, URL: "https://tend.example.org", Channels: []courier.Channel{ch, more}, People: people})
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.c.Run(ctx) }()
	h.end = func() error {
		stop()
		return errors.Join(<-done, h.book.Close(context.Background()))
	}
}

// people are who has which duty.
func people(targets []string) []string {
	var out []string
	for _, t := range targets {
		switch t {
		case "oncall/db":
			out = append(out, "alice@example.org", "bob@example.org")
		case "carol@example.org":
			out = append(out, t)
		}
	}
	return out
}

func (h *house) close() {
	h.t.Helper()
	if err := h.end(); err != nil {
		h.t.Error(err)
	}
}

func run(t *testing.T, h *house, do func(*testing.T, *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h.t = t
		if h.store == nil {
			h.store = memory.New()
		}
		if h.asks {
			h.tasks = shelf{h.store}
		}
		if h.side == nil {
			h.side = &side{}
		}
		h.open()
		do(t, h)
		h.close()
	})
}

func (h *house) queue(thread string, titles ...string) {
	h.t.Helper()
	for _, s := range titles {
		if err := h.c.Queue(h.t.Context(), courier.News{Channel: "ops", Once: s, Thread: thread, Project: "default", Message: message.Message{Type: "test", Title: s}}); err != nil {
			h.t.Fatal(err)
		}
	}
}

func (h *house) rows(kind string) []store.Row {
	h.t.Helper()
	p, err := h.store.Rows(h.t.Context(), store.Filter{Kind: kind, Oldest: true, Limit: 1000})
	if err != nil {
		h.t.Fatal(err)
	}
	return p.Rows
}

func (h *house) statuses() map[string]int {
	out := map[string]int{}
	for _, r := range h.rows("message") {
		out[r.Status]++
	}
	return out
}

var wait = time.Sleep // inside of synctest time is not waited for

// TestDownForAnHour: messages wait, in order, and are told once.
func TestDownForAnHour(t *testing.T) {
	t.Parallel()
	for _, m := range []messagetest.Mode{messagetest.Broken, messagetest.Locked, messagetest.Limited, messagetest.Cut} {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			run(t, &house{side: &side{mode: m}}, func(t *testing.T, h *house) {
				var want []string
				for i := range 30 {
					title := fmt.Sprintf("m%02d", i)
					h.queue(fmt.Sprintf("thread%d", i%3), title)
					want = append(want, title)
					wait(2 * time.Minute)
				}
				if m != messagetest.Cut && len(h.side.all()) > 0 {
					t.Fatal("something arrived")
				}
				h.side.Behave(messagetest.Good)
				wait(10 * time.Minute)
				got := h.side.titles()
				if m == messagetest.Cut {
					slices.Sort(got) // in doubt: threads go on by themselves
				}
				if !slices.Equal(got, want) {
					t.Errorf("arrived: %v", got)
				}
				if s := h.statuses(); s[courier.Sent] != 30 || len(s) != 1 {
					t.Errorf("%v", s)
				}
				if h.side.attempts > 700 {
					t.Errorf("%d attempts in an hour", h.side.attempts)
				}
			})
		})
	}
}

// TestRetryAfter: who asks to wait is not asked before.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	run(t, &house{side: &side{mode: messagetest.Limited}}, func(t *testing.T, h *house) {
		h.queue("", "a", "b")
		wait(6 * time.Second)
		synctest.Wait()
		if h.side.attempts != 1 {
			t.Fatalf("%d attempts", h.side.attempts)
		}
		if s, ok := h.c.Standing("ops"); !ok || s.Waiting != 2 || s.Fault == nil || s.GivenUp || s.Oldest.IsZero() || !s.Told.IsZero() {
			t.Errorf("while it waits: %+v", s)
		}
		h.side.Behave(messagetest.Good)
		wait(time.Second)
		synctest.Wait()
		if got := h.side.titles(); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("%v", got)
		}
		if s, _ := h.c.Standing("ops"); s.Waiting != 0 || s.Fault != nil || s.Told.IsZero() || !s.Oldest.IsZero() {
			t.Errorf("when all is told: %+v", s)
		}
	})
}

// TestRestarts: the courier ends in the middle of an attempt, again and again; everything is told once.
func TestRestarts(t *testing.T) {
	t.Parallel()
	run(t, &house{side: &side{mode: messagetest.Deaf}}, func(t *testing.T, h *house) {
		h.queue("t", "a", "b", "c")
		for range 5 {
			synctest.Wait() // an attempt hangs: the message arrived, and nobody said so
			h.close()
			h.open()
		}
		h.queue("t", "a", "d") // a is known by its mark
		h.side.Behave(messagetest.Good)
		wait(5 * time.Minute)
		if got := h.side.titles(); !slices.Equal(got, []string{"a", "b", "c", "d"}) {
			t.Errorf("%v", got)
		}
		if s := h.statuses(); s[courier.Sent] != 4 || len(s) != 1 {
			t.Errorf("%v", s)
		}
	})
}

// TestOneBadMessage: what cannot be told is given up and said so; what always stumbles does not hold up the others for long.
func TestOneBadMessage(t *testing.T) {
	t.Parallel()
	run(t, &house{side: &side{poison: "poison"}}, func(t *testing.T, h *house) {
		h.queue("p", "poison", "behind")
		h.queue("q", "a", "b")
		wait(time.Hour)
		if got := h.side.titles(); !slices.Equal(got, []string{"a", "b"}) {
			t.Fatalf("%v", got)
		}
		wait(24 * time.Hour)
		if got := h.side.titles(); !slices.Equal(got, []string{"a", "b", "behind"}) {
			t.Errorf("%v", got)
		}
		if s := h.statuses(); s[courier.Failed] != 1 || s[courier.Sent] != 3 {
			t.Errorf("%v", s)
		}
		h.side.Behave(messagetest.Wrong)
		h.queue("", "never")
		synctest.Wait()
		if s := h.statuses(); s[courier.Failed] != 2 {
			t.Errorf("%v", s)
		}
		if s, _ := h.c.Standing("ops"); s.Waiting != 0 || s.Fault == nil || !s.GivenUp {
			t.Errorf("when one was given up: %+v", s)
		}
	})
}

// TestStorm: of too much at once the rest is one message, also when the server restarts in between.
func TestStorm(t *testing.T) {
	t.Parallel()
	run(t, &house{limit: 20}, func(t *testing.T, h *house) {
		for i := range 57 {
			h.queue("", fmt.Sprintf("m%02d", i))
		}
		wait(10 * time.Second)
		if n := len(h.side.all()); n != 20 {
			t.Fatalf("%d arrived", n)
		}
		h.close()
		h.open()
		wait(2 * time.Minute)
		got := h.side.all()
		last := got[len(got)-1]
		if len(got) != 21 || last.Title != "… and 37 more" || !strings.Contains(last.Text, "m20") || !strings.Contains(last.Text, "and 27 others") {
			t.Errorf("%d, %q: %s", len(got), last.Title, last.Text)
		}
		wait(time.Hour)
		if n := len(h.side.all()); n != 21 {
			t.Errorf("%d arrived", n)
		}
		if s := h.statuses(); s[courier.Dropped] != 37 || s[courier.Sent] != 21 || len(h.rows("flood")) > 0 {
			t.Errorf("%v", s)
		}
	})
}

// TestIncident: the story of an incident in one thread; over a restart nothing is missing and nothing is told twice.
func TestIncident(t *testing.T) {
	t.Parallel()
	run(t, &house{}, func(t *testing.T, h *house) {
		wait(time.Second)
		alice := entry.Who{ID: "user:alice@example.org", Name: "Alice"}
		facts, err := incident.OpenNew(incident.Start{ID: "inc_1", Project: "default", Title: "Disk of db-1 is full", Severity: incident.Critical, By: entry.Who{Name: "tend"}})
		if err != nil {
			t.Fatal(err)
		}
		s := new(incident.State)
		write := func(list []entry.Payload, err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			var b ledger.Batch
			for _, p := range list {
				if err := s.Evolve(time.Now(), p); err != nil {
					t.Fatal(err)
				}
				b.Facts = append(b.Facts, ledger.Fact{Stream: "incident/inc_1", Payload: p})
			}
			d := s.Brief()
			b.Rows = []store.Row{{Key: store.Key{Kind: "incident", ID: "inc_1"}, Project: "default", Status: string(s.Status), At: d.Opened, Body: []byte("{}")}}
			if err := h.book.Append(t.Context(), b); err != nil {
				t.Fatal(err)
			}
		}
		write(facts, nil)
		write(s.Ran(entry.IncidentRan{Playbook: "reclaim-disk", Run: "run_1", Status: "started"}), nil)
		wait(time.Second)
		write(s.Take(alice))
		wait(time.Second)
		h.close()
		h.open()
		write(s.Comment(alice, "looking", ""))
		wait(time.Second)
		h.end() //nolint:errcheck // the ledger is opened again below
		lease, err := h.store.Claim(t.Context(), "between")
		if err != nil {
			t.Fatal(err)
		}
		h.book = ledger.Open(h.store, lease, nil)
		write(s.Resolve(alice, "", "done"))
		if err := h.book.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.open()
		wait(time.Second)
		want := []string{"Disk of db-1 is full", "reclaim-disk began", "acknowledged (Alice)", "Alice says", "Resolved: Disk of db-1 is full"}
		got := h.side.all()
		if !slices.Equal(h.side.titles(), want) {
			t.Fatalf("%v", h.side.titles())
		}
		steps := []message.Step{message.Opens, message.Updates, message.Takes, message.Updates, message.Ends}
		for i, m := range got {
			if m.Step != steps[i] || m.Key != "inc_1" || i > 0 && m.First["id"] != got[0].ID || i == 0 && m.First != nil {
				t.Errorf("%q: %s %s, first %v", m.Title, m.Step, m.Key, m.First)
			}
		}
	})
}

// shelf gives the rows of tasks and runs.
type shelf struct{ store.Store }

// TestQuestion: what a run asks is asked with buttons, and what became of it is told.
func TestQuestion(t *testing.T) {
	t.Parallel()
	run(t, &house{asks: true}, func(t *testing.T, h *house) {
		wait(time.Second)
		put := func(status string, votes ...entry.TaskVoted) {
			t.Helper()
			body, err := json.Marshal(engine.TaskRow{TaskCreated: entry.TaskCreated{
				Type: "approve", Title: "Drop the table?", Run: "run_1", From: []string{"dba"}, Show: map[string]any{"effect": "mutate", "inputs": map[string]any{"pw": map[string]any{"$sealed": "x"}}},
			}, Votes: votes})
			if err != nil {
				t.Fatal(err)
			}
			cause, err := json.Marshal(engine.RunRow{Name: "drop", Cause: entry.Cause{Incident: "inc_9"}})
			if err != nil {
				t.Fatal(err)
			}
			if err := h.book.Append(t.Context(), ledger.Batch{Rows: []store.Row{
				{Key: store.Key{Kind: "task", ID: "task_1"}, Project: "default", Status: status, Parent: "run_1", At: time.Now(), Body: body},
				{Key: store.Key{Kind: "run", ID: "run_1"}, Project: "default", Status: "waiting", At: time.Now(), Body: cause},
			}}); err != nil {
				t.Fatal(err)
			}
		}
		put("open")
		h.c.Asked()
		wait(time.Second)
		h.close()
		h.open()
		wait(time.Minute)
		put("approved", entry.TaskVoted{Answer: "approve", By: entry.Who{Name: "Alice"}})
		wait(time.Minute)
		got := h.side.all()
		if len(got) != 2 || got[0].Title != "Drop the table?" || got[1].Title != "Drop the table?: approved" || got[1].First["id"] != got[0].ID || got[1].Edit["id"] != got[0].ID || got[0].Edit != nil {
			t.Fatalf("%+v", got)
		}
		if len(got[0].Buttons) != 2 || got[0].Buttons[0].Value != "task_1" || len(got[1].Buttons) > 0 {
			t.Errorf("%v", got[0].Buttons)
		}
		for _, f := range got[0].Facts {
			if f.Name == "inputs" && f.Value != `{"pw":"[hidden]"}` {
				t.Errorf("%s", f.Value)
			}
		}
	})
}

// TestAnswers: each kind of question has its ways to be answered, and what is sensitive has none; a message keeps them.
func TestAnswers(t *testing.T) {
	t.Parallel()
	choices := make([]any, message.MaxOptions+1)
	for i := range choices {
		choices[i] = fmt.Sprint(i)
	}
	field := func(sensitive bool) map[string]any {
		return map[string]any{"name": "x", "type": "string", "sensitive": sensitive}
	}
	for _, c := range []struct {
		name string
		task entry.TaskCreated
		want string
	}{
		{"approval", entry.TaskCreated{Type: "approve"}, "tend-approve tend-reject"},
		{"work", entry.TaskCreated{Type: "manual"}, "tend-done tend-fill"},
		{"doubt", entry.TaskCreated{Type: "doubt"}, "tend-doubt:5"},
		{"form", entry.TaskCreated{Type: "ask", Form: map[string]any{"fields": []any{field(false)}}}, "tend-fill tend-reject"},
		{"sensitive form", entry.TaskCreated{Type: "ask", Form: map[string]any{"fields": []any{field(true)}}}, ""},
		{"one of two", entry.TaskCreated{Type: "ask", Form: map[string]any{"choices": choices[:2], "selector": "single"}}, "tend-choose:2 tend-reject"},
		{"some of two", entry.TaskCreated{Type: "ask", Form: map[string]any{"choices": choices[:2], "selector": "multi"}}, "tend-fill tend-reject"},
		{"one of many", entry.TaskCreated{Type: "ask", Form: map[string]any{"choices": choices, "selector": "single"}}, "tend-fill tend-reject"},
		{"something else", entry.TaskCreated{Type: "dance"}, ""},
	} {
		var got []string
		for _, b := range news.Answers("task_1", &engine.TaskRow{TaskCreated: c.task}) {
			text := b.Name
			if len(b.Options) > 0 {
				text += fmt.Sprintf(":%d", len(b.Options))
			}
			got = append(got, text)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: %q", c.name, s)
		}
	}
	run(t, &house{}, func(t *testing.T, h *house) {
		buttons := news.Answers("task_1", &engine.TaskRow{TaskCreated: entry.TaskCreated{Type: "doubt"}})
		if err := h.c.Queue(t.Context(), courier.News{Channel: "ops", Project: "default", Message: message.Message{Type: "task", Title: "x", Buttons: buttons}}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := h.side.all(); len(got) != 1 || fmt.Sprint(got[0].Buttons) != fmt.Sprint(buttons) || got[0].Buttons[0].Confirm == "" {
			t.Errorf("%+v", got)
		}
	})
}

// TestItems: an action item is told where those are kept, once, in order, also when nobody could hear what became of it; what is
// given up is said.
func TestItems(t *testing.T) {
	t.Parallel()
	var heard []string
	deaf := 2
	h := &house{told: func(remote map[string]any, why string) error {
		if deaf > 0 {
			deaf--
			return errors.New("the machine is closing")
		}
		id, _ := remote["id"].(string)
		heard = append(heard, strings.TrimSpace(id+" "+why))
		return nil
	}}
	run(t, h, func(t *testing.T, h *house) {
		wait(time.Second)
		alice := entry.Who{ID: "user:alice@example.org", Name: "Alice"}
		list, err := incident.OpenNew(incident.Start{ID: "inc_1", Project: "default", Title: "Disk", Severity: incident.Info, By: alice})
		if err != nil {
			t.Fatal(err)
		}
		s := new(incident.State)
		write := func(list ...entry.Payload) {
			t.Helper()
			var b ledger.Batch
			for _, p := range list {
				if err := s.Evolve(time.Now(), p); err != nil {
					t.Fatal(err)
				}
				b.Facts = append(b.Facts, ledger.Fact{Stream: "incident/inc_1", Payload: p})
			}
			b.Rows = []store.Row{{Key: store.Key{Kind: "incident", ID: "inc_1"}, Project: "default", Status: "open", At: s.Opened, Body: []byte("{}")}}
			if err := h.book.Append(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			wait(time.Minute)
		}
		write(list...)
		write(&entry.IncidentItem{By: alice, ID: "1", Text: "Grow it\nby half", Owner: "bob"})
		write(&entry.IncidentItem{By: entry.Who{ID: "tend", Name: "tend", Via: "engine"}, ID: "1", Text: "Grow it", URL: "https://x.example/1"})
		write(&entry.IncidentItem{By: alice, ID: "2", Text: "stays here", Kept: "there is no token"})
		write(&entry.IncidentItem{By: alice, ID: "1", Text: "Grow it", Done: true, URL: "https://x.example/1"})
		h.side.Behave(messagetest.Wrong)
		write(&entry.IncidentItem{By: alice, ID: "3", Text: "is not taken"})
		synctest.Wait()
		got := h.side.all()
		if len(got) != 2 || got[0].Title != "Grow it" || got[0].Text != "by half" || got[0].Step != message.Opens || got[1].Step != message.Ends || got[1].First["id"] != got[0].ID {
			t.Fatalf("%+v", got)
		}
		if want := []string{got[0].ID, got[1].ID, "no such thing"}; !slices.Equal(heard, want) {
			t.Errorf("heard %q, not %q", heard, want)
		}
	})
}

// TestEscalation: whoever was told of a question hears that others are asked too, and to whom it was handed on, each once; a
// pager hears of it only then, and of how it ended.
func TestEscalation(t *testing.T) {
	t.Parallel()
	for _, pager := range []bool{false, true} {
		run(t, &house{asks: true, pager: pager}, func(t *testing.T, h *house) {
			wait(time.Second)
			row := engine.TaskRow{TaskCreated: entry.TaskCreated{Type: "approve", Title: "Drop the table?", Run: "run_1", From: []string{"dba"}}}
			began := time.Now()
			put := func(status string) {
				t.Helper()
				body, err := json.Marshal(row)
				if err != nil {
					t.Fatal(err)
				}
				if err := h.book.Append(t.Context(), ledger.Batch{Rows: []store.Row{
					{Key: store.Key{Kind: "task", ID: "task_1"}, Project: "default", Status: status, Parent: "run_1", At: began, Body: body},
				}}); err != nil {
					t.Fatal(err)
				}
				wait(time.Minute)
			}
			put("open")
			row.Delegated = []entry.TaskDelegated{{By: entry.Who{Name: "Bob"}, To: []string{"user:cid"}, Why: "on a train"}}
			put("open")
			h.close()
			h.open()
			row.Escalated = []entry.TaskEscalated{{Level: 1, To: []string{"oncall/dba"}}}
			put("open")
			put("open")
			put("expired")
			var got []string
			for _, m := range h.side.all() {
				got = append(got, string(m.Step)+" "+m.Title)
			}
			want := []string{"opens Drop the table?", "updates Bob delegated it to user:cid: on a train", "opens Nobody has decided: Drop the table?", "closes Drop the table?: expired"}
			if pager {
				want = want[2:]
			}
			if !slices.Equal(got, want) {
				t.Errorf("%q", got)
			}
		})
	}
}

// TestGlass: a broken glass is told where somebody wants to know, else everywhere, and so is its review.
func TestGlass(t *testing.T) {
	t.Parallel()
	run(t, &house{asks: true, pager: true}, func(t *testing.T, h *house) {
		wait(time.Second)
		put := func(status string, votes ...entry.TaskVoted) {
			t.Helper()
			body, err := json.Marshal(engine.TaskRow{TaskCreated: entry.TaskCreated{
				Type: "review", Title: "review the broken glass: drop", Run: "run_1", Requester: "Eve", Reviews: "task_0", Message: "Eve approved this alone: it burns.",
			}, Votes: votes})
			if err != nil {
				t.Fatal(err)
			}
			if err := h.book.Append(t.Context(), ledger.Batch{Rows: []store.Row{
				{Key: store.Key{Kind: "task", ID: "task_1"}, Project: "default", Status: status, Parent: "run_1", At: time.Now(), Body: body},
			}}); err != nil {
				t.Fatal(err)
			}
			wait(time.Minute)
		}
		put("open")
		put("done", entry.TaskVoted{Answer: "done", By: entry.Who{Name: "Alice"}, Why: "it was right"})
		got := h.side.all()
		if len(got) != 2 || got[0].Severity != "critical" || !strings.Contains(got[0].Title, "GLASS WAS BROKEN by Eve") || !strings.Contains(got[0].Text, "it burns") || got[1].Step != message.Ends {
			t.Fatalf("%+v", got)
		}
	})
}

// told are titles, each with where it went and the title of what it stands below.
func (h *house) lines() []string {
	var out []string
	all := h.side.all()
	for _, m := range all {
		below := ""
		for _, x := range all {
			if m.First["id"] == x.ID {
				below = " below " + x.Title
			}
		}
		out = append(out, strings.TrimSpace(strings.Join(m.To, ",")+" "+m.Title+below))
	}
	return out
}

// grows writes what happened in a run, as the engine does; moves says so, too.
func (h *house) grows(run string, list ...entry.Payload) {
	h.t.Helper()
	head, err := h.store.Head(h.t.Context(), "run/"+run)
	if err != nil {
		h.t.Fatal(err)
	}
	b := store.Batch{Epoch: h.epoch, Shards: []int{id.Shard(run)}, Expect: []store.Expect{{Stream: "run/" + run, Length: head.Length}}}
	prev := head.Hash
	for i, p := range list {
		e, err := entry.New(time.Now(), p)
		if err != nil {
			h.t.Fatal(err)
		}
		e.Stream, e.Seq, e.Prev, e.Epoch = "run/"+run, head.Length+uint64(i)+1, prev, h.epoch //nolint:gosec // an index
		e.Seal()
		prev = e.Hash
		b.Entries = append(b.Entries, e)
	}
	if a := h.store.Commit(h.t.Context(), []store.Batch{b}); a[0].Err != nil {
		h.t.Fatal(a[0].Err)
	}
}

func (h *house) moves(run string, list ...entry.Payload) {
	h.t.Helper()
	h.grows(run, list...)
	h.c.Moved(run)
}

func created(incident string) *entry.RunCreated {
	return &entry.RunCreated{Name: "reclaim-disk", Project: "default", By: entry.Who{Name: "Alice"}, Cause: entry.Cause{Incident: incident, Why: "it is full"}}
}

func acts() []entry.Payload {
	return []entry.Payload{
		&entry.StepIntent{Path: "steps[0]", Action: "shell", Effect: "read"},
		&entry.StepIntent{Path: "steps[1]", Action: "ssh", Effect: "mutate", Targets: []string{"host:db-1"}},
	}
}

// TestThreadFollowsARun: where somebody asked for it, from its beginning to its end, over restarts, each thing once.
func TestThreadFollowsARun(t *testing.T) {
	t.Parallel()
	run(t, &house{asks: true}, func(t *testing.T, h *house) {
		h.moves("run_1", append([]entry.Payload{created("")}, acts()...)...)
		wait(time.Minute)
		if got := h.lines(); len(got) > 0 {
			t.Fatalf("nobody asked for %q", got)
		}
		for range 2 {
			if err := h.c.Follow(t.Context(), "threads", "C0X", "run_1"); err != nil {
				t.Fatal(err)
			}
		}
		wait(time.Second)
		h.close()
		h.open()
		h.moves("run_1", &entry.StepResult{Path: "steps[1]", Outcome: entry.Failed, Fault: &entry.Fault{Message: "no space"}})
		wait(time.Second)
		// Nothing tells that it moved, and it is seen all the same.
		h.grows("run_1", &entry.StepHeld{Path: "steps[2]", Why: "a freeze"})
		wait(2 * time.Minute)
		if err := h.c.Follow(t.Context(), "threads", "C0Y", "run_1"); err != nil {
			t.Fatal(err)
		}
		h.moves("run_1", &entry.RunEnded{Status: "failed", Fault: &entry.Fault{Message: "no space"}})
		wait(time.Minute)
		h.close()
		h.open()
		h.c.Moved("run_1")
		wait(time.Minute)
		want := []string{
			"C0X reclaim-disk began",
			"C0X ssh began on host:db-1 (steps[1]) below reclaim-disk began",
			"C0X ssh failed (steps[1]): no space below reclaim-disk began",
			"C0X steps[2] is held: a freeze below reclaim-disk began",
			"C0X reclaim-disk failed below reclaim-disk began",
			"C0Y reclaim-disk began",
			"C0Y reclaim-disk failed below reclaim-disk began",
		}
		got := h.lines()
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		for _, m := range h.side.all() {
			if strings.HasSuffix(m.Title, "disk failed") && (m.Edit["id"] == nil || m.Edit["id"] != m.First["id"]) {
				t.Errorf("the first message does not show how it ended: %+v", m)
			}
		}
		if err := h.c.Follow(t.Context(), "nowhere", "C0X", "run_1"); !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
	})
}

// TestChannelFollowsRuns: all of them, in a thread of their own or in that of their incident; not those that a run calls.
func TestChannelFollowsRuns(t *testing.T) {
	t.Parallel()
	run(t, &house{asks: true, runs: true}, func(t *testing.T, h *house) {
		wait(time.Second)
		list, err := incident.OpenNew(incident.Start{ID: "inc_1", Project: "default", Title: "Disk", Severity: incident.Major, By: entry.Who{Name: "tend"}})
		if err != nil {
			t.Fatal(err)
		}
		s := new(incident.State)
		if err := s.Evolve(time.Now(), list[0]); err != nil {
			t.Fatal(err)
		}
		body, err := json.Marshal(s.Brief())
		if err != nil {
			t.Fatal(err)
		}
		if err := h.book.Append(t.Context(), ledger.Batch{
			Facts: []ledger.Fact{{Stream: "incident/inc_1", Payload: list[0]}},
			Rows:  []store.Row{{Key: store.Key{Kind: "incident", ID: "inc_1"}, Project: "default", Status: "open", At: s.Opened, Body: body}},
		}); err != nil {
			t.Fatal(err)
		}
		wait(time.Second)
		h.moves("run_1", append([]entry.Payload{created("inc_1")}, acts()...)...)
		called := created("")
		called.Cause.Parent = "run_1"
		h.moves("run_2", append([]entry.Payload{called}, acts()...)...)
		other := created("")
		other.Project = "secret"
		h.moves("run_3", append([]entry.Payload{other}, acts()...)...)
		wait(time.Second)
		h.moves("run_1", &entry.RunEnded{Status: "succeeded"})
		// One that nobody said of: it is found.
		h.grows("run_4", created(""))
		if err := h.book.Append(t.Context(), ledger.Batch{
			Rows: []store.Row{{Key: store.Key{Kind: "run", ID: "run_4"}, Project: "default", Status: "running", At: time.Now(), Body: []byte("{}")}},
		}); err != nil {
			t.Fatal(err)
		}
		wait(time.Minute)
		want := []string{"Disk", "ssh began on host:db-1 (steps[1]) below Disk", "reclaim-disk began"}
		if got := h.lines(); !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
		h.moves("run_4", &entry.RunEnded{Status: "succeeded"})
		wait(time.Second)
		if got := h.lines(); !slices.Equal(got, append(want, "reclaim-disk succeeded below reclaim-disk began")) {
			t.Errorf("%q", got)
		}
	})
}

// TestPages: people who are called hear it whatever the severity of the incident, each once, and hear that somebody has it and that
// it is over; also when all of that happens at once, and over restarts. Who cannot be called is said before.
func TestPages(t *testing.T) {
	t.Parallel()
	for _, atOnce := range []bool{false, true} {
		run(t, &house{pages: true}, func(t *testing.T, h *house) {
			wait(time.Second)
			alice := entry.Who{ID: "user:alice@example.org", Name: "Alice"}
			list, err := incident.OpenNew(incident.Start{ID: "inc_1", Project: "default", Title: "Disk of db-1", Severity: incident.Info, By: entry.Who{Name: "tend"}, Event: "evt_1"})
			if err != nil {
				t.Fatal(err)
			}
			s := new(incident.State)
			var b ledger.Batch
			flush := func() {
				t.Helper()
				b.Rows = []store.Row{{Key: store.Key{Kind: "incident", ID: "inc_1"}, Project: "default", Status: string(s.Status), At: s.Opened, Body: []byte("{}")}}
				if err := h.book.Append(t.Context(), b); err != nil {
					t.Fatal(err)
				}
				b = ledger.Batch{}
				wait(time.Second)
			}
			write := func(list []entry.Payload, err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range list {
					if err := s.Evolve(time.Now(), p); err != nil {
						t.Fatal(err)
					}
					b.Facts = append(b.Facts, ledger.Fact{Stream: "incident/inc_1", Payload: p})
				}
				if !atOnce {
					flush()
				}
			}
			write(list, nil)
			write(s.Page(entry.Who{Name: "run_1"}, []string{"oncall/db"}, "it grows", ""))
			if !atOnce {
				h.close()
				h.open()
			}
			write(s.Take(alice))
			write(s.Resolve(alice, "", "done"))
			if atOnce {
				flush()
			}
			var got []string
			for _, m := range h.side.all() {
				got = append(got, fmt.Sprintf("%s %s %s %s %v", m.To[0], m.Step, m.Key, m.Severity, m.First != nil))
			}
			slices.Sort(got)
			want := []string{}
			for _, who := range []string{"alice", "bob"} {
				want = append(want, who+"@example.org ends inc_1/page/2  true", who+"@example.org opens inc_1/page/2 critical false", who+"@example.org takes inc_1/page/2  true")
			}
			if !slices.Equal(got, want) {
				t.Errorf("at once %v: %q", atOnce, got)
			}
		})
	}
	run(t, &house{}, func(t *testing.T, h *house) {
		if err := h.c.Reach([]string{"oncall/db"}); !fault.Is(err, fault.Unavailable) {
			t.Error(err)
		}
		if err := h.c.Reach([]string{"threads"}); !fault.Is(err, fault.Unavailable) {
			t.Error(err)
		}
		if err := h.c.Reach([]string{"ops"}); err != nil {
			t.Error(err)
		}
	})
}
