// Package messagetest is the conformance suite of senders: what every one of them owes the courier.
//
// A stand-in of the other side, which follows the service's published documentation, is told how to behave and asked what
// arrived.
package messagetest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/message"
)

// Mode is how a stand-in behaves.
type Mode string

// The modes. A stand-in that cannot behave in one of them leaves it out of Suite.Modes.
const (
	Good    Mode = "good"
	Limited Mode = "limited" // it asks to come back after 7 seconds, and does nothing
	Broken  Mode = "broken"  // it answers that it has a problem, and does nothing
	Deaf    Mode = "deaf"    // it takes the message and does not answer
	Cut     Mode = "cut"     // it takes the message and closes the connection
	Locked  Mode = "locked"  // it does not know the credentials
	Wrong   Mode = "wrong"   // it says that the message cannot be
)

// Stand is the other side.
type Stand interface {
	Behave(m Mode)
	// Arrived gives the ids of the messages that arrived, in order, repeats included.
	Arrived() []string
}

// Suite is what Run needs to know of a sender.
type Suite struct {
	// Open starts a stand-in and a sender that speaks with it.
	Open func(t *testing.T) (message.Sender, Stand)
	// Away gives a sender whose other side is not there.
	Away  func(t *testing.T) message.Sender
	Modes []Mode
	// Once tells that a message that is sent again is told once.
	Once bool
	// Secrets were given to the sender and must not show.
	Secrets []string
}

// A Sample is a message with everything in it.
func Sample(id string) message.Message {
	return message.Message{
		ID: id, At: time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC), Type: "incident", Step: message.Opens, Key: "inc_1", Severity: "critical",
		Title: "Disk of db-1 is full", Text: "df says 99 %\n<!channel> & *friends*", Facts: []message.Fact{{Name: "host", Value: "db-1"}},
		Links: []entry.Link{{Name: "incident", URL: "https://tend.example.org/incidents/inc_1"}},
		Data:  map[string]any{"incident": "inc_1"},
	}
}

// Run checks a sender against the suite.
func Run(t *testing.T, s Suite) {
	t.Helper()
	t.Run("arrives", func(t *testing.T) {
		t.Parallel()
		sender, stand := s.Open(t)
		want(t, s, sender.Send(t.Context(), Sample("msg_1")), entry.Succeeded, "")
		if got := stand.Arrived(); len(got) != 1 || got[0] != "msg_1" {
			t.Errorf("arrived: %v", got)
		}
	})
	t.Run("again", func(t *testing.T) {
		t.Parallel()
		sender, stand := s.Open(t)
		m := Sample("msg_2")
		first := sender.Send(t.Context(), m)
		want(t, s, first, entry.Succeeded, "")
		m.Again = true
		second := sender.Send(t.Context(), m)
		want(t, s, second, entry.Succeeded, "")
		if got := stand.Arrived(); s.Once && len(got) != 1 {
			t.Errorf("a message that was sent again arrived %d times", len(got))
		}
	})
	t.Run("nobody there", func(t *testing.T) {
		t.Parallel()
		want(t, s, s.Away(t).Send(t.Context(), Sample("msg_3")), entry.NotStarted, fault.Unreachable)
	})
	t.Run("cancelled before", func(t *testing.T) {
		t.Parallel()
		sender, stand := s.Open(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("enough"))
		want(t, s, sender.Send(ctx, Sample("msg_4")), entry.NotStarted, fault.Cancelled)
		if len(stand.Arrived()) > 0 {
			t.Error("it was sent all the same")
		}
	})
	t.Run("odd messages", func(t *testing.T) {
		t.Parallel()
		sender, _ := s.Open(t)
		for _, m := range []message.Message{
			{},
			{ID: "msg_5", Title: "\x00\xff\r\nBcc: evil@example.org", Text: strings.Repeat("\u202e<@U1> ]]>\n.\n", 4000), To: []string{"\r\nRCPT TO:<x>", ""}},
			{ID: "msg_6", Title: strings.Repeat("é", 5000), Facts: make([]message.Fact, 500), Buttons: make([]message.Button, 60), First: map[string]any{"ts": 4, "channel": nil}},
		} {
			legal(t, s, sender.Send(t.Context(), m))
		}
	})
	t.Run("at once", func(t *testing.T) {
		t.Parallel()
		sender, stand := s.Open(t)
		var wg sync.WaitGroup
		for _, id := range []string{"msg_a", "msg_b", "msg_c", "msg_d"} {
			wg.Go(func() {
				if r := sender.Send(t.Context(), Sample(id)); !r.OK() {
					t.Errorf("%s: %s", id, r.Why)
				}
			})
		}
		wg.Wait()
		if got := stand.Arrived(); len(got) != 4 {
			t.Errorf("arrived: %v", got)
		}
	})
	for _, m := range s.Modes {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			mode(t, s, m)
		})
	}
}

func mode(t *testing.T, s Suite, m Mode) {
	t.Helper()
	sender, stand := s.Open(t)
	stand.Behave(m)
	ctx := t.Context()
	if m == Deaf {
		c, cancel := context.WithTimeoutCause(ctx, 300*time.Millisecond, fault.New(fault.Timeout, "no answer within 300ms"))
		defer cancel()
		ctx = c
	}
	began := time.Now()
	r := sender.Send(ctx, Sample("msg_7"))
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	legal(t, s, r)
	switch m {
	case Good:
		want(t, s, r, entry.Succeeded, "")
	case Limited:
		want(t, s, r, entry.Failed, fault.RateLimited)
		if r.After != 7*time.Second || r.Final() {
			t.Errorf("it asked to wait for 7s, not %s; final: %v", r.After, r.Final())
		}
	case Broken:
		if r.OK() || r.Final() {
			t.Errorf("%s %s: a service that has a problem is no reason to give up", r.Outcome, r.Kind)
		}
	case Deaf:
		want(t, s, r, entry.InDoubt, fault.Timeout)
	case Cut:
		want(t, s, r, entry.InDoubt, fault.Lost)
	case Locked:
		want(t, s, r, entry.Failed, fault.Auth)
		if r.Final() {
			t.Error("credentials can be mended: the message must wait")
		}
	case Wrong:
		if r.Outcome != entry.Failed || !r.Final() {
			t.Errorf("%s %s: another attempt cannot do better", r.Outcome, r.Kind)
		}
	}
	stand.Behave(Good)
	again := Sample("msg_7")
	again.Again = r.Outcome == entry.InDoubt
	want(t, s, sender.Send(t.Context(), again), entry.Succeeded, "")
	if got := stand.Arrived(); s.Once && len(got) != 1 {
		t.Errorf("%s, then again: it arrived %d times", m, len(got))
	}
}

func want(t *testing.T, s Suite, r message.Result, o entry.Outcome, k fault.Kind) {
	t.Helper()
	legal(t, s, r)
	if r.Outcome != o || r.Kind != k {
		t.Fatalf("ended %s %q, not %s %q: %s", r.Outcome, r.Kind, o, k, r.Why)
	}
}

// legal checks what every result owes.
func legal(t *testing.T, s Suite, r message.Result) {
	t.Helper()
	switch r.Outcome {
	case entry.Succeeded:
		if r.Kind != "" {
			t.Errorf("a success has the kind %q", r.Kind)
		}
	case entry.Failed, entry.NotStarted, entry.InDoubt:
		if r.Kind == "" || r.Why == "" {
			t.Errorf("%s without kind or reason", r.Outcome)
		}
	default:
		t.Errorf("the outcome %q does not exist", r.Outcome)
	}
	for _, x := range s.Secrets {
		if strings.Contains(r.Why, x) {
			t.Errorf("%q shows a secret", r.Why)
		}
	}
}
