// Package outbox decides which message of a channel is attempted next, and what the end of an attempt means. It is pure: package
// courier does what it says.
//
// Guarantees: messages of one thread go in the order in which they were added; what is urgent goes first; trouble of a channel
// does not use up its messages; one that is in doubt again and again lets others go first, and is marked, so that the sender
// looks before it repeats; after a day a message is given up. A budget bounds how much news a channel gets.
package outbox

import (
	"cmp"
	"slices"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/message"
)

// Urgent is the priority of what always goes.
const Urgent = 1

// The rules of waiting.
const (
	firstWait = time.Second
	longest   = 5 * time.Minute
	Patience  = 24 * time.Hour // a message that could not be told for so long is given up
	stubborn  = 3              // after so many doubts a message lets others go first
)

// Item is a message that waits.
type Item struct {
	Queued   *entry.MessageQueued
	At       time.Time
	order    int // of arrival
	Attempts int
	doubts   int
	after    time.Time
	Again    bool // an earlier attempt may have arrived
}

// Box is what waits for one channel. It is pure: it decides which message is attempted next, and what its end means.
type Box struct {
	threads map[string][]*Item // in order; the first of each may go
	waiting int
	next    int
	after   time.Time // trouble of the whole channel
	fails   int       // in a row
	last    Standing  // but what waits
}

// Standing is how a channel stands.
type Standing struct {
	Waiting int
	Oldest  time.Time    // when what waits longest was to be told
	Told    time.Time    // the last message; zero: none since the start
	Fault   *entry.Fault // of the last attempt, when that failed
	Failed  time.Time    // that attempt; zero when it was before the start
	GivenUp bool         // and it is not tried again
	Next    time.Time    // when it is tried again; zero: at once, or never
}

// Standing tells how it stands.
func (o *Box) Standing() Standing {
	s := o.last
	s.Waiting, s.Next = o.waiting, o.after
	for _, list := range o.threads {
		for _, x := range list {
			if s.Oldest.IsZero() || x.At.Before(s.Oldest) {
				s.Oldest = x.At
			}
		}
	}
	return s
}

// Troubled says how an attempt before the start failed.
func (o *Box) Troubled(f *entry.Fault) { o.last.Fault = f }

// New gives an empty one.
func New() *Box { return &Box{threads: map[string][]*Item{}} }

// Add puts a message behind those of its thread.
func (o *Box) Add(x *Item) {
	x.order = o.next
	o.next++
	o.waiting++
	t := thread(x.Queued)
	o.threads[t] = append(o.threads[t], x)
}

// thread names what a message goes in order with. One without a thread goes by itself.
func thread(q *entry.MessageQueued) string { return cmp.Or(q.Thread, q.ID) }

// Due gives the message to attempt now; else when to look again (zero: when something arrives).
func (o *Box) Due(now time.Time) (*Item, time.Time) {
	if o.waiting == 0 {
		return nil, time.Time{}
	}
	if o.after.After(now) {
		return nil, o.after
	}
	var best *Item
	var wake time.Time
	for _, list := range o.threads {
		x := list[0]
		if x.after.After(now) {
			if wake.IsZero() || x.after.Before(wake) {
				wake = x.after
			}
			continue
		}
		if best == nil || before(x, best) {
			best = x
		}
	}
	if best != nil {
		return best, time.Time{}
	}
	return nil, wake
}

// before orders messages that may go: what is urgent first, then by arrival; one that is in doubt again and again yields.
func before(a, b *Item) bool {
	return cmp.Or(
		cmp.Compare(min(a.doubts/stubborn, 1), min(b.doubts/stubborn, 1)),
		cmp.Compare(b.Queued.Priority, a.Queued.Priority),
		cmp.Compare(a.order, b.order),
	) < 0
}

// Ended folds the end of an attempt in, and tells what to record: that it was sent, or that it failed, finally or not.
func (o *Box) Ended(x *Item, r message.Result, now time.Time) entry.Payload {
	x.Attempts++
	if r.OK() {
		o.fails, o.after = 0, time.Time{}
		o.last = Standing{Told: now}
		o.remove(x)
		return &entry.MessageSent{Attempt: x.Attempts, ID: x.Queued.ID, Remote: r.Remote}
	}
	f := &entry.MessageFailed{Attempt: x.Attempts, ID: x.Queued.ID, Fault: entry.Fault{Kind: string(r.Kind), Message: r.Why}}
	o.last.Fault, o.last.Failed, o.last.GivenUp = &f.Fault, now, false
	if r.Final() || now.Sub(x.At) >= Patience {
		// What is wrong with one message says nothing about the channel.
		f.Final = true
		o.last.GivenUp = true
		o.remove(x)
		return f
	}
	if r.Outcome == entry.InDoubt {
		x.doubts++
		x.Again = true
	}
	o.fails++
	o.after = now.Add(max(Backoff(o.fails), r.After))
	x.after = now.Add(max(Backoff(x.Attempts), r.After))
	if x.doubts == 0 {
		x.after = o.after // it is the channel, not the message: it stays first
	}
	f.NotBefore = later(o.after, x.after)
	return f
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Backoff is how long to wait after so many failures in a row.
func Backoff(n int) time.Duration {
	return min(longest, firstWait<<min(n-1, 10))
}

func (o *Box) remove(x *Item) {
	t := thread(x.Queued)
	o.threads[t] = slices.DeleteFunc(o.threads[t], func(y *Item) bool { return y == x })
	if len(o.threads[t]) == 0 {
		delete(o.threads, t)
	}
	o.waiting--
}

// Budget bounds how much news a channel gets: so many within a minute, and of the rest one message that says how many there
// were. What is urgent always goes.
type Budget struct {
	Limit  int
	window time.Time // its begin
	count  int
}

// Spend tells whether one more message fits.
func (b *Budget) Spend(q *entry.MessageQueued, now time.Time) bool {
	if b.Limit == 0 {
		return true
	}
	if now.Sub(b.window) >= time.Minute || now.Before(b.window) {
		b.window, b.count = now, 0
	}
	if q.Priority > 0 {
		return true
	}
	b.count++
	return b.count <= b.Limit
}

// Over tells when the window ends.
func (b *Budget) Over() time.Time { return b.window.Add(time.Minute) }
