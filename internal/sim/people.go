package sim

import (
	"errors"
	"fmt"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/task"
)

// people answer what is open. It tells whether there was anything.
func (w *world) people() (bool, error) {
	if w.p == nil {
		return true, w.boot()
	}
	if w.orphans() {
		return true, nil
	}
	for _, r := range w.rows("task") {
		if r.Status != task.Open || w.damaged[r.Parent] {
			continue // nobody can answer a run that cannot be read
		}
		var t engine.TaskRow
		if err := decode(r.Body, &t); err != nil {
			return false, err
		}
		choices := task.Choices(t.Type)
		c := choices[w.rng.IntN(len(choices))]
		w.note("answer %s %s", r.ID, c)
		w.events++
		w.feed(engine.Answered{Run: r.Parent, Task: r.ID, Answer: task.Answer{Choice: c, By: entry.Who{Name: fmt.Sprintf("person-%d", w.rng.IntN(3))}}})
		return true, nil
	}
	for _, r := range w.rows("run") {
		if (r.Status == "paused" || r.Status == "interrupted") && !w.damaged[r.ID] {
			w.events++
			w.feed(engine.Commanded{Command: engine.Command{Verb: engine.Resume, Run: r.ID, By: entry.Who{Name: "ops"}}})
			return true, nil
		}
	}
	if len(w.agenda) > 0 {
		return true, nil
	}
	if w.release() {
		return true, nil
	}
	for _, r := range w.rows("run") {
		if w.retry(r) {
			return true, nil
		}
	}
	return false, nil
}

// meddle is what people do unasked.
func (w *world) meddle() {
	if len(w.runs) == 0 {
		return
	}
	r := w.runs[w.rng.IntN(len(w.runs))]
	v := []engine.Verb{engine.Cancel, engine.Pause, engine.Unpause, engine.Skip, engine.Resume, engine.Retry}[w.rng.IntN(6)]
	if v == engine.Retry {
		for _, row := range w.rows("run") {
			if row.ID == r {
				w.retry(row)
			}
		}
		return
	}
	c := engine.Command{Verb: v, Run: r, By: entry.Who{Name: "eve"}, Path: fmt.Sprintf("steps[%d]", w.rng.IntN(4))}
	w.note("meddle %s", v)
	w.feed(engine.Commanded{Command: c})
	if _, err := w.people(); err != nil {
		w.failure = errors.Join(w.failure, err)
	}
}
