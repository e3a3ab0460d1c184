// Package message is what tend tells people and other services, and the port through which it leaves: a Sender, with a
// child for each way (slack, email, pagerduty, webhook).
//
// A sender makes one attempt and says honestly how it ended. It does not wait and does not repeat: order, patience and
// budget are for package courier. Texts are from outside and stay texts: a sender escapes them for its medium.
package message

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/exchange"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/value"
)

// Bounds of a message; longer texts are cut, and say so.
const (
	MaxTitle   = 300    // characters
	MaxText    = 12_000 // characters
	MaxFacts   = 30
	MaxButtons = 5
	MaxOptions = 100 // of a menu
	MaxTo      = 50
)

// Step says where a message stands in the story that it belongs to.
type Step string

// The steps of a story.
const (
	Opens   Step = "opens"
	Updates Step = "updates"
	Takes   Step = "takes" // somebody has it
	Ends    Step = "ends"
	Closes  Step = "closes" // it is over, and not as it should have been
)

// Message is one thing to tell.
type Message struct {
	ID       string    // the same over all attempts
	At       time.Time // when it was decided to tell it
	Type     string    // what kind of news: incident, run, task, summary, …
	Step     Step
	Key      string // what it is about: messages about the same thing have the same key; "" is a thing of its own
	Severity string // critical, major, minor, info; "" is info
	Title    string // one line
	Text     string // more, in plain text
	Facts    []Fact
	Links    []entry.Link
	Buttons  []Button
	To       []string       // channels or addresses; none: where the sender's configuration says
	First    map[string]any // how the other side named the first message about Key: see Result.Remote; nil: this is it
	Data     value.Object   // the same for programs
	Edit     map[string]any // how the other side named an earlier message that this one overtakes: what was asked there is answered
	Again    bool           // an earlier attempt may have arrived: look first, where that is possible
}

// Fact is a named value.
type Fact struct{ Name, Value string }

// Button is an answer that can be given from where the message is read.
type Button struct {
	Name  string // what it does, for whoever receives the answer
	Label string
	Value string // what it is about
	Style string // primary, danger, ""
	// Options make it a menu: one of them is chosen, and its value comes with Value. Confirm, when it is not "", is asked before
	// it counts.
	Options []Option
	Confirm string
}

// Option is what can be chosen from a menu.
type Option struct{ Label, Value string }

// Result is how an attempt ended.
type Result struct {
	exchange.End

	Remote map[string]any // how the other side names it, after a success
}

// Sender makes one attempt to tell a message. It is safe for concurrent use. It returns within seconds of the end of ctx,
// panics on no message, and never puts a secret into a Result.
//
//   - succeeded: the other side took it
//   - failed, not-started: it did not, and is not going to
//   - in-doubt: nobody knows; the next attempt has Again set
type Sender interface {
	Send(ctx context.Context, m Message) Result
}

// Sent is a success.
func Sent(remote map[string]any) Result { return Result{End: exchange.Done(), Remote: remote} }

// Not is every other end.
func Not(e exchange.End) Result { return Result{End: e} }

// Final tells whether another attempt cannot do better: the message or its address is wrong.
func (r Result) Final() bool {
	if r.Outcome == entry.InDoubt {
		return false
	}
	switch r.Kind {
	case fault.Invalid, fault.NotFound, fault.Status, fault.Limit:
		return true
	default:
		return false
	}
}

// Bound cuts a message to its bounds, and takes out what no medium can show.
func (m Message) Bound() Message {
	m.Title = clip(strings.Join(strings.Fields(clean(m.Title)), " "), MaxTitle)
	m.Text = clip(clean(m.Text), MaxText)
	if n := len(m.Facts) - MaxFacts; n > 0 {
		m.Facts = append(append([]Fact(nil), m.Facts[:MaxFacts]...), Fact{"more", fmt.Sprintf("%d more", n)})
	}
	facts := make([]Fact, len(m.Facts))
	for i, f := range m.Facts {
		facts[i] = Fact{clip(clean(f.Name), 100), clip(clean(f.Value), 1000)}
	}
	m.Facts = facts
	if len(m.Buttons) > MaxButtons {
		m.Buttons = m.Buttons[:MaxButtons]
	}
	if len(m.To) > MaxTo {
		m.To = m.To[:MaxTo]
	}
	return m
}

// Plain writes a message as plain text, without its title.
func (m Message) Plain() string {
	var parts []string
	if m.Text != "" {
		parts = append(parts, m.Text)
	}
	var facts []string
	for _, f := range m.Facts {
		facts = append(facts, f.Name+": "+f.Value)
	}
	if len(facts) > 0 {
		parts = append(parts, strings.Join(facts, "\n"))
	}
	var links []string
	for _, l := range m.Links {
		if l.Name == "" {
			links = append(links, l.URL)
			continue
		}
		links = append(links, l.Name+": "+l.URL)
	}
	if len(links) > 0 {
		parts = append(parts, strings.Join(links, "\n"))
	}
	return strings.Join(parts, "\n\n")
}

func clip(s string, n int) string {
	i := 0
	for at := range s {
		if i == n {
			return s[:at] + "…"
		}
		i++
	}
	return s
}

func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069: // direction marks that hide what a text says
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}
