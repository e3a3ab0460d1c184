package courier

import (
	"cmp"
	"slices"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/message"
)

// The rules of waiting.
const (
	firstWait = time.Second
	longest   = 5 * time.Minute
	patience  = 24 * time.Hour // a message that could not be told for so long is given up
	stubborn  = 3              // after so many doubts a message lets others go first
)

// item is a message that waits.
type item struct {
	queued   *entry.MessageQueued
	at       time.Time
	order    int // of arrival
	attempts int
	doubts   int
	after    time.Time
	again    bool // an earlier attempt may have arrived
}

// outbox is what waits for one channel. It is pure: it decides which message is attempted next, and what its end means.
type outbox struct {
	threads map[string][]*item // in order; the first of each may go
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

// standing tells how it stands.
func (o *outbox) standing() Standing {
	s := o.last
	s.Waiting, s.Next = o.waiting, o.after
	for _, list := range o.threads {
		for _, x := range list {
			if s.Oldest.IsZero() || x.at.Before(s.Oldest) {
				s.Oldest = x.at
			}
		}
	}
	return s
}

// troubled says how an attempt before the start failed.
func (o *outbox) troubled(f *entry.Fault) { o.last.Fault = f }

// newOutbox gives an empty one.
func newOutbox() *outbox { return &outbox{threads: map[string][]*item{}} }

// add puts a message behind those of its thread.
func (o *outbox) add(x *item) {
	x.order = o.next
	o.next++
	o.waiting++
	t := thread(x.queued)
	o.threads[t] = append(o.threads[t], x)
}

// thread names what a message goes in order with. One without a thread goes by itself.
func thread(q *entry.MessageQueued) string { return cmp.Or(q.Thread, q.ID) }

// due gives the message to attempt now; else when to look again (zero: when something arrives).
func (o *outbox) due(now time.Time) (*item, time.Time) {
	if o.waiting == 0 {
		return nil, time.Time{}
	}
	if o.after.After(now) {
		return nil, o.after
	}
	var best *item
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
func before(a, b *item) bool {
	return cmp.Or(
		cmp.Compare(min(a.doubts/stubborn, 1), min(b.doubts/stubborn, 1)),
		cmp.Compare(b.queued.Priority, a.queued.Priority),
		cmp.Compare(a.order, b.order),
	) < 0
}

// ended folds the end of an attempt in, and tells what to record: that it was sent, or that it failed, finally or not.
func (o *outbox) ended(x *item, r message.Result, now time.Time) entry.Payload {
	x.attempts++
	if r.OK() {
		o.fails, o.after = 0, time.Time{}
		o.last = Standing{Told: now}
		o.remove(x)
		return &entry.MessageSent{Attempt: x.attempts, ID: x.queued.ID, Remote: r.Remote}
	}
	f := &entry.MessageFailed{Attempt: x.attempts, ID: x.queued.ID, Fault: entry.Fault{Kind: string(r.Kind), Message: r.Why}}
	o.last.Fault, o.last.Failed, o.last.GivenUp = &f.Fault, now, false
	if r.Final() || now.Sub(x.at) >= patience {
		// What is wrong with one message says nothing about the channel.
		f.Final = true
		o.last.GivenUp = true
		o.remove(x)
		return f
	}
	if r.Outcome == entry.InDoubt {
		x.doubts++
		x.again = true
	}
	o.fails++
	o.after = now.Add(max(backoff(o.fails), r.After))
	x.after = now.Add(max(backoff(x.attempts), r.After))
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

// backoff is how long to wait after so many failures in a row.
func backoff(n int) time.Duration {
	return min(longest, firstWait<<min(n-1, 10))
}

func (o *outbox) remove(x *item) {
	t := thread(x.queued)
	o.threads[t] = slices.DeleteFunc(o.threads[t], func(y *item) bool { return y == x })
	if len(o.threads[t]) == 0 {
		delete(o.threads, t)
	}
	o.waiting--
}

// budget bounds how much news a channel gets: so many within a minute, and of the rest one message that says how many there
// were. What is urgent always goes.
type budget struct {
	limit  int
	window time.Time // its begin
	count  int
}

// spend tells whether one more message fits.
func (b *budget) spend(q *entry.MessageQueued, now time.Time) bool {
	if b.limit == 0 {
		return true
	}
	if now.Sub(b.window) >= time.Minute || now.Before(b.window) {
		b.window, b.count = now, 0
	}
	if q.Priority > 0 {
		return true
	}
	b.count++
	return b.count <= b.limit
}

// over tells when the window ends.
func (b *budget) over() time.Time { return b.window.Add(time.Minute) }
