package sim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/archive"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store/memory"
	"github.com/tendhq/tend/internal/value"
)

// intent finds the durable intent of an attempt (I2).
func (w *world) intent(x engine.Act) (*entry.StepIntent, error) {
	for _, p := range w.payloads("run/"+x.Run, 200) {
		if i, ok := p.(*entry.StepIntent); ok && i.Path == x.Path && i.Attempt == x.Attempt {
			return i, nil
		}
	}
	return nil, fmt.Errorf("I2: %s %s#%d acts without a durable intent", x.Run, x.Path, x.Attempt)
}

// allow counts how often the effect of a key may happen: once, and once more for each time that the policy or a person
// lets it be repeated. Failed attempts had no effect.
func (w *world) allow(i *entry.StepIntent) {
	if i.Effect != string(contract.Mutate) {
		w.allowed[i.Key] = 1 << 20
		return
	}
	w.allowed[i.Key] = max(w.allowed[i.Key], 1)
}

// excused counts the times that somebody said it did not happen although it did.
func (w *world) excused(a *act) int {
	n := 0
	for _, p := range w.payloads("run/"+a.x.Run, 0) {
		if d, ok := p.(*entry.DoubtDecided); ok && d.Path == a.x.Path && (d.Answer == "not-happened" || d.Answer == "again") {
			n++
		}
	}
	return n
}

// payloads reads a stream, or with last > 0 only its last entries.
func (w *world) payloads(stream string, last uint64) []entry.Payload {
	if w.damaged[strings.TrimPrefix(stream, "run/")] {
		return nil
	}
	s := memory.Open(w.disk)
	from := uint64(1)
	if h, err := s.Head(context.Background(), stream); err == nil && last > 0 && h.Length > last {
		from = h.Length - last
	}
	var out []entry.Payload
	for {
		page, err := s.Read(context.Background(), stream, from, 1000)
		if err != nil {
			w.failure = errors.Join(w.failure, fmt.Errorf("I7: %w", err))
			return out
		}
		if len(page) == 0 {
			return out
		}
		for _, e := range page {
			p, err := entry.Decode(e)
			if err != nil {
				w.failure = errors.Join(w.failure, err)
				return out
			}
			out = append(out, p)
		}
		from = page[len(page)-1].Seq + 1
	}
}

func (w *world) state(runID string) *run.State {
	s, _, err := archive.New(memory.Open(w.disk)).Run(context.Background(), runID)
	if err != nil {
		if !fault.Is(err, fault.NotFound) {
			w.failure = errors.Join(w.failure, err)
		}
		return nil
	}
	return s
}

// replayed checks that the stream of a run at rest folds to the state that the machine holds (I9).
func (w *world) replayed(q engine.Quiet) {
	held := w.p.m.Holds(q.Run)
	if held == nil || (held.Length > 200 && w.rng.IntN(100) > 0) {
		return // long runs are looked at now and then
	}
	stored := w.state(q.Run)
	if stored == nil || held.Length != stored.Length {
		return
	}
	a, err1 := value.Canonical(held)
	b, err2 := value.Canonical(stored)
	if err := errors.Join(err1, err2); err != nil {
		w.failure = errors.Join(w.failure, err)
		return
	}
	if string(a) != string(b) {
		w.failure = errors.Join(w.failure, fmt.Errorf("I9: run %s\nheld   %s\nreplay %s", q.Run, a, b))
	}
}

// rest checks what must hold when everything is over.
func (w *world) rest() error {
	for _, l := range w.rows("lock") {
		return fmt.Errorf("I11: the lock %s is held by %s although every run is over", l.ID, l.Parent)
	}
	for _, r := range w.rows("run") {
		if w.damaged[r.ID] {
			if !run.Status(r.Status).Ended() {
				return fmt.Errorf("I1: the damaged run %s rests as %s", r.ID, r.Status)
			}
			w.ended[r.Status]++
			continue
		}
		if err := w.repeats(r.ID); err != nil {
			return err
		}
		s := w.state(r.ID)
		if s == nil {
			return errors.Join(w.failure, fmt.Errorf("run %s has a row and no stream", r.ID))
		}
		if st := string(s.Status()); st != r.Status {
			return fmt.Errorf("I9: the row of %s says %s, its stream %s", r.ID, r.Status, st)
		}
		if !s.Status().Ended() {
			return fmt.Errorf("I1: run %s rests as %s: %s", r.ID, s.Status(), w.tell(r.ID))
		}
		if s.Quarantine != nil {
			return fmt.Errorf("run %s is quarantined although its stream is sound: %s%s", r.ID, s.Quarantine.Why, w.tell(r.ID))
		}
		w.ended[r.Status]++
		seen := map[string]bool{}
		for _, p := range w.payloads("run/"+r.ID, 0) {
			x, ok := p.(*entry.StepResult)
			if !ok {
				continue
			}
			k := fmt.Sprintf("%s#%d", x.Path, x.Attempt)
			if seen[k] {
				return fmt.Errorf("I3: %s %s has two results", r.ID, k)
			}
			seen[k] = true
		}
	}
	_, _, damaged, err := memory.Open(w.disk).Verify(context.Background())
	damaged = slices.DeleteFunc(damaged, func(err error) bool {
		for r := range w.damaged {
			if strings.Contains(err.Error(), "run/"+r) {
				return true
			}
		}
		return false
	})
	if err = errors.Join(append(damaged, err, w.failure)...); err != nil {
		return fmt.Errorf("I7: %w", err)
	}
	return nil
}

// tell gives the last facts of a run, for a failure.
func (w *world) tell(runID string) string {
	ps := w.payloads("run/"+runID, 12)
	var b strings.Builder
	for _, p := range ps {
		t, _ := value.Canonical(p)
		fmt.Fprintf(&b, "\n  %s %.300s", p.Kind(), t)
	}
	for _, l := range w.rows("lock") {
		fmt.Fprintf(&b, "\n  lock %s is held by %s %s", l.ID, l.Parent, l.Tag)
	}
	return b.String()
}
