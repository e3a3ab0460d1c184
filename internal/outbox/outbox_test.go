package outbox_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/exchange"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/message"
	"github.com/tendhq/tend/internal/outbox"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func item(id, thread string, priority int) *outbox.Item {
	return &outbox.Item{Queued: &entry.MessageQueued{ID: id, Thread: thread, Priority: priority}, At: start}
}

// drain attempts until nothing waits, each attempt ending as end says, and gives the ids of what was attempted.
func drain(t interface{ Fatalf(string, ...any) }, b *outbox.Box, end func(x *outbox.Item) message.Result) (attempted []string, ends []entry.Payload) {
	now := start
	for range 10000 {
		x, wake := b.Due(now)
		if x == nil && wake.IsZero() {
			return attempted, ends
		}
		if x == nil {
			now = wake
			continue
		}
		attempted = append(attempted, x.Queued.ID)
		ends = append(ends, b.Ended(x, end(x), now))
	}
	t.Fatalf("it never ends: %d attempts", len(attempted))
	return nil, nil
}

func sent(*outbox.Item) message.Result { return message.Sent(nil) }

func TestUrgentGoesFirst(t *testing.T) {
	t.Parallel()
	b := outbox.New()
	for _, x := range []*outbox.Item{item("a1", "a", 0), item("a2", "a", outbox.Urgent), item("b1", "b", outbox.Urgent), item("c1", "", 0)} {
		b.Add(x)
	}
	got, _ := drain(t, b, sent)
	// a2 waits for the one before it in its thread, however urgent it is, and goes first then.
	if diff := cmp.Diff([]string{"b1", "a1", "a2", "c1"}, got); diff != "" {
		t.Error(diff)
	}
	if s := b.Standing(); s.Waiting != 0 || s.Told.IsZero() {
		t.Errorf("%+v", s)
	}
}

// One that is in doubt again and again lets others go first, and is marked.
func TestDoubtYields(t *testing.T) {
	t.Parallel()
	b := outbox.New()
	bad := item("bad", "", 0)
	b.Add(bad)
	b.Add(item("good", "", 0))
	got, ends := drain(t, b, func(x *outbox.Item) message.Result {
		if x == bad && x.Attempts < 5 {
			return message.Not(exchange.Doubt(fault.Timeout, "no answer"))
		}
		return message.Sent(nil)
	})
	if at := slices.Index(got, "good"); at < 1 || at > 3 {
		t.Errorf("the good one was attempted at place %d of %v", at, got)
	}
	if !bad.Again {
		t.Error("whoever sends it does not look before it repeats")
	}
	if s, ok := ends[len(ends)-1].(*entry.MessageSent); !ok || s.ID != "bad" || s.Attempt != 6 {
		t.Errorf("%#v", ends[len(ends)-1])
	}
}

// What fails for ever is given up after a day, with the reason, and no attempt is made in vain a thousand times.
func TestPatienceEnds(t *testing.T) {
	t.Parallel()
	b := outbox.New()
	b.Add(item("a", "", 0))
	got, ends := drain(t, b, func(*outbox.Item) message.Result { return message.Not(exchange.Failed(fault.Unavailable, "closed")) })
	if len(got) < 100 || len(got) > 400 {
		t.Errorf("%d attempts in a day", len(got))
	}
	if f, ok := ends[len(ends)-1].(*entry.MessageFailed); !ok || !f.Final || f.Fault.Message != "closed" {
		t.Errorf("%#v", ends[len(ends)-1])
	}
}

// Whatever fails on the way: all is told, and in each thread in order.
func TestThreadsKeepTheirOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := outbox.New()
		want := map[string][]string{}
		for i := range rapid.IntRange(1, 20).Draw(t, "messages") {
			thread := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "thread")
			id := thread + strconv.Itoa(i)
			want[thread] = append(want[thread], id)
			b.Add(item(id, thread, rapid.IntRange(0, 1).Draw(t, "priority")))
		}
		got := map[string][]string{}
		drain(t, b, func(x *outbox.Item) message.Result {
			switch rapid.IntRange(0, 3).Draw(t, "end") {
			case 0:
				return message.Not(exchange.Failed(fault.Unavailable, "closed"))
			case 1:
				return message.Not(exchange.Doubt(fault.Timeout, "no answer"))
			}
			got[x.Queued.Thread] = append(got[x.Queued.Thread], x.Queued.ID)
			return message.Sent(nil)
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestBudget(t *testing.T) {
	t.Parallel()
	b := outbox.Budget{Limit: 2}
	news, alarm := &entry.MessageQueued{}, &entry.MessageQueued{Priority: outbox.Urgent}
	var got []bool
	for _, x := range []*entry.MessageQueued{news, alarm, news, news, alarm} {
		got = append(got, b.Spend(x, start))
	}
	got = append(got, b.Spend(news, b.Over()))
	if diff := cmp.Diff([]bool{true, true, true, false, true, true}, got); diff != "" {
		t.Error(diff)
	}
}

// What is told is read back as it was, from what an entry keeps of it; menus come first.
func TestBody(t *testing.T) {
	t.Parallel()
	m := message.Message{
		ID: "msg_1", At: start, Type: "task", Step: message.Opens, Key: "task_1", Severity: "major", Title: "May I?", Text: "It is full.", To: []string{"#ops"},
		Facts:   []message.Fact{{Name: "host", Value: "web-3"}},
		Links:   []entry.Link{{Name: "task_1", URL: "https://tend.example.org/tasks/task_1"}},
		Buttons: []message.Button{{Name: "which", Label: "Which?", Value: "1", Confirm: "Sure?", Options: []message.Option{{Label: "a", Value: "b"}}}, {Name: "yes", Label: "Yes", Value: "1", Style: "primary"}},
	}
	q := &entry.MessageQueued{Body: outbox.Encode(&m), ID: m.ID, Type: m.Type, To: m.To}
	if diff := cmp.Diff(m, outbox.Decode(q, m.At)); diff != "" {
		t.Error(diff)
	}
}
