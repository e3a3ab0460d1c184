// Package calendar tells what a time belongs to: windows in which nothing may change, and who is on call.
//
// It is pure: files come as bytes, now as an argument. Every answer says until when it holds, so that nobody has to ask again
// before that.
package calendar

import (
	"slices"
	"strings"
	"time"

	"github.com/teambition/rrule-go"
)

// Bounds of a calendar file.
const (
	maxEvents = 10_000
	longest   = 400 * 24 * time.Hour // of an event that comes again
)

// Span is a stretch of time, From included and To not.
type Span struct {
	From   time.Time
	To     time.Time
	Title  string
	People []string // addresses, else names
}

// Covers tells whether a time lies in the span.
func (s Span) Covers(t time.Time) bool { return !t.Before(s.From) && t.Before(s.To) }

// Calendar is a file of events, some of which come again.
type Calendar struct{ events []occasion }

type occasion struct {
	Span
	rule   *rrule.ROption // nil: once
	except []time.Time
	also   []time.Time
	id     string
	moved  time.Time // it replaces the occurrence of id at this time
}

// At gives the events that go on at a time, the one that began last first.
func (c Calendar) At(now time.Time) []Span {
	var out []Span
	for i := range c.events {
		o := &c.events[i]
		for _, from := range o.starts(now) {
			s := o.Span
			s.To = from.Add(o.To.Sub(o.From))
			s.From = from
			if s.Covers(now) && !c.replaced(o, from) {
				out = append(out, s)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Span) int { return b.From.Compare(a.From) })
	return out
}

// replaced tells whether an occurrence was moved: another event with the same id says when it is instead.
func (c Calendar) replaced(o *occasion, from time.Time) bool {
	return o.moved.IsZero() && o.id != "" && slices.ContainsFunc(c.events, func(x occasion) bool { return x.id == o.id && !x.moved.IsZero() && x.moved.Equal(from) })
}

// starts gives when the occurrences begin that may still go on at a time.
func (o *occasion) starts(now time.Time) []time.Time {
	long := o.To.Sub(o.From)
	var out []time.Time
	if o.rule == nil {
		out = append(out, o.From)
	} else if !now.Before(o.From) {
		// Nothing after now is looked for: a rule that never holds would be followed to the year 9999.
		bounded := *o.rule
		if bounded.Until.IsZero() || bounded.Until.After(now) {
			bounded.Until = now
		}
		if r, err := rrule.NewRRule(bounded); err == nil {
			out = append(out, r.Between(now.Add(-long), now, true)...)
		}
	}
	for _, t := range o.also {
		if !slices.ContainsFunc(out, t.Equal) {
			out = append(out, t)
		}
	}
	return slices.DeleteFunc(out, func(t time.Time) bool { return slices.ContainsFunc(o.except, t.Equal) })
}

// OnCall gives who is on call by the calendar: the attendees of what goes on, or the titles of events without any.
// until is when that may change; zero when nobody is.
func (c Calendar) OnCall(now time.Time) (who []string, until time.Time) {
	for _, s := range c.At(now) {
		names := s.People
		if len(names) == 0 {
			names = []string{strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(s.Title), "On-call:"))}
		}
		for _, n := range names {
			if n != "" && !slices.Contains(who, n) {
				who = append(who, n)
			}
		}
		if until.IsZero() || s.To.Before(until) {
			until = s.To
		}
	}
	return who, until
}
