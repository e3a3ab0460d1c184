package engine

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
)

// Locks are taken by blocks, by key, over all runs of a store. A block inside the one that holds a lock (also in a
// sub-playbook) has it too. A lock is free for others when its release is committed. Blocks that would wait for each
// other for ever are not left to: the one that asks last fails.

// Holder is the block that holds a lock.
type Holder struct{ Run, Path string }

// tryLock lets a block have its lock, if nobody else has it. It tells whether anything was decided.
func (m *Machine) tryLock(s *session, path, key string, now time.Time) bool {
	h, held := m.locks[key]
	me := Holder{s.id, path}
	if !held || h == me || m.covers(h, me) {
		m.fact(s, &entry.LockTaken{Path: path, Key: key}, now)
		return true
	}
	if chain := m.deadlock(me, key); chain != nil {
		m.fact(s, &entry.BlockEnded{Path: path, Outcome: string(entry.Failed), Fault: &entry.Fault{
			Kind: string(fault.Conflict), Path: path, Message: "waiting for the lock \"" + key + "\" would never end: " + strings.Join(chain, ", "),
		}}, now)
		return true
	}
	return false
}

// covers tells whether waiter stands inside the block that holds, in the same run or in a sub-playbook below it.
func (m *Machine) covers(h, waiter Holder) bool {
	for {
		if waiter.Run == h.Run {
			return waiter.Path == h.Path || strings.HasPrefix(waiter.Path, h.Path+".")
		}
		s := m.runs[waiter.Run]
		if s == nil || s.state == nil || s.state.Created.Cause.Parent == "" {
			return false
		}
		waiter = Holder{s.state.Created.Cause.Parent, s.state.Created.Cause.Path}
	}
}

// deadlock follows who waits for whom, from a block that would wait for key. It gives the chain when it leads back.
func (m *Machine) deadlock(me Holder, key string) []string {
	seen := map[string]bool{}
	var chain []string
	var follow func(key string) bool
	follow = func(key string) bool {
		if seen[key] {
			return false
		}
		seen[key] = true
		h, held := m.locks[key]
		if !held {
			return false
		}
		chain = append(chain, "\""+key+"\" is held by "+h.Run+" "+h.Path)
		if m.covers(h, me) {
			return true
		}
		for _, id := range slices.Sorted(maps.Keys(m.runs)) {
			s := m.runs[id]
			if s.state == nil {
				continue
			}
			for _, path := range slices.Sorted(maps.Keys(s.last.Locks)) {
				if m.covers(h, Holder{id, path}) && follow(s.last.Locks[path]) {
					return true
				}
			}
		}
		chain = chain[:len(chain)-1]
		return false
	}
	if !follow(key) {
		return nil
	}
	return chain
}

func (m *Machine) take(s *session, t *tx, x *entry.LockTaken, now time.Time) {
	if _, held := m.locks[x.Key]; held {
		return // inside the block that has it
	}
	m.locks[x.Key] = Holder{s.id, x.Path}
	t.rows = append(t.rows, store.Row{
		Key: store.Key{Kind: "lock", ID: x.Key}, Status: "held", Parent: s.id, Tag: x.Path, At: now, Body: []byte("{}"),
	})
}

func (m *Machine) release(s *session, t *tx, x *entry.LockReleased) {
	if m.locks[x.Key] == (Holder{s.id, x.Path}) {
		t.free = append(t.free, x.Key)
		t.drop(store.Key{Kind: "lock", ID: x.Key})
	}
}

// releaseAll frees what an ended run still holds.
func (m *Machine) releaseAll(s *session, t *tx) {
	for _, key := range m.heldBy(s.id) {
		if !slices.Contains(t.free, key) {
			t.free = append(t.free, key)
			t.drop(store.Key{Kind: "lock", ID: key})
		}
	}
}

// heldBy lists the locks of a run, in order.
func (m *Machine) heldBy(runID string) []string {
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(m.locks)) {
		if m.locks[key].Run == runID {
			keys = append(keys, key)
		}
	}
	return keys
}

// unlock frees locks whose release is committed, and wakes the runs that wait.
func (m *Machine) unlock(keys []string, now time.Time) {
	for _, key := range keys {
		delete(m.locks, key)
	}
	if len(keys) == 0 {
		return
	}
	for _, id := range slices.Sorted(maps.Keys(m.runs)) {
		if s := m.runs[id]; s != nil && s.state != nil && len(s.last.Locks) > 0 {
			m.advance(s, now)
		}
	}
}
