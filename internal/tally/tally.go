// Package tally is what guards counted, and until when each of it counts. It is data: what is to be counted is decided by
// package guard.
package tally

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// Reservation is something that a guard counted, and until when it counts.
type Reservation struct {
	Guard  string    `json:"guard"`
	Kind   string    `json:"kind,omitempty"` // "" an effect; failed, helped: a run; alarm, running: a start
	Per    string    `json:"per,omitempty"`  // what it is counted with
	Root   string    `json:"root"`
	Slot   string    `json:"slot,omitempty"` // two with the same slot are one; default: the target
	Target string    `json:"target"`
	Until  time.Time `json:"until"`
}

// ID names a reservation among all.
func (r Reservation) ID() string { return Key(r.Guard, cmp.Or(r.Slot, r.Target)) }

// Key names the counter of a guard for a slot.
func Key(guard, slot string) string { return guard + "|" + slot }

// Counted is what guards counted. The zero Counted is empty; so is a nil one.
type Counted struct {
	by map[string]map[string]Reservation // by guard, by slot
	n  int
}

// Add counts r, in place of what has the same slot.
func (c *Counted) Add(r Reservation) {
	if c.by == nil {
		c.by = map[string]map[string]Reservation{}
	}
	of := c.by[r.Guard]
	if of == nil {
		of = map[string]Reservation{}
		c.by[r.Guard] = of
	}
	slot := cmp.Or(r.Slot, r.Target)
	if _, ok := of[slot]; !ok {
		c.n++
	}
	of[slot] = r
}

// Has tells whether a reservation with the slot of r is counted.
func (c *Counted) Has(r Reservation) bool {
	_, ok := c.Get(r.Guard, cmp.Or(r.Slot, r.Target))
	return ok
}

// Counts tells whether a reservation with the slot of r counts at a moment.
func (c *Counted) Counts(r Reservation, now time.Time) bool {
	x, ok := c.Get(r.Guard, cmp.Or(r.Slot, r.Target))
	return ok && now.Before(x.Until)
}

// Drop forgets a reservation.
func (c *Counted) Drop(r Reservation) {
	slot := cmp.Or(r.Slot, r.Target)
	if _, ok := c.by[r.Guard][slot]; ok {
		delete(c.by[r.Guard], slot)
		c.n--
	}
}

// Clone gives a copy that does not change.
func (c *Counted) Clone() *Counted {
	out := &Counted{by: make(map[string]map[string]Reservation, len(c.by)), n: c.n}
	for k, of := range c.by {
		out.by[k] = maps.Clone(of)
	}
	return out
}

// Len tells how many reservations there are.
func (c *Counted) Len() int {
	if c == nil {
		return 0
	}
	return c.n
}

// Forget drops what no longer counts, and gives it.
func (c *Counted) Forget(now time.Time) []Reservation {
	var gone []Reservation
	for name, of := range c.by {
		for slot, r := range of {
			if !now.Before(r.Until) {
				delete(of, slot)
				c.n--
				gone = append(gone, r)
			}
		}
		if len(of) == 0 {
			delete(c.by, name)
		}
	}
	slices.SortFunc(gone, func(a, b Reservation) int { return strings.Compare(a.ID(), b.ID()) })
	return gone
}

// Get gives what has a slot of a guard, whether it still counts or not.
func (c *Counted) Get(guard, slot string) (Reservation, bool) {
	if c == nil {
		return Reservation{}, false
	}
	r, ok := c.by[guard][slot]
	return r, ok
}

// Live gives what still counts of a guard, by when it is over, the first to be over first.
func (c *Counted) Live(guard string, now time.Time, keep func(Reservation) bool) []Reservation {
	if c == nil {
		return nil
	}
	var out []Reservation
	for _, r := range c.by[guard] {
		if now.Before(r.Until) && keep(r) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b Reservation) int {
		return cmp.Or(a.Until.Compare(b.Until), strings.Compare(a.ID(), b.ID()))
	})
	return out
}

// Reaches tells whether at least n of a guard still count. It looks at no more of them than that needs: in a storm every
// start asks.
func (c *Counted) Reaches(n int, guard string, now time.Time, keep func(Reservation) bool) bool {
	if c == nil {
		return n <= 0
	}
	for _, r := range c.by[guard] {
		if n <= 0 {
			break
		}
		if now.Before(r.Until) && keep(r) {
			n--
		}
	}
	return n <= 0
}
