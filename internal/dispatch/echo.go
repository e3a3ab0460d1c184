package dispatch

import (
	"github.com/tendhq/tend/internal/trace"
)

// manyTraces is how many traces of runs are remembered: an echo comes while its run goes on, or soon after.
const manyTraces = 10_000

// traces tells which run stands in a trace that is a run's own: what comes in it was brought about by that run. It is empty at
// first, and for one goroutine at a time.
type traces struct {
	runs map[string]string
	list []string // the oldest first
}

// put says that a run begins by an event that came with given. A trace that others made is theirs: what comes in it need not come
// from the run. In a trace of tend's own the latest run counts, because its chain has the others in it.
func (t *traces) put(run, given string) {
	at := trace.Of(run, given).Trace
	_, known := t.runs[at]
	if given != "" && !known {
		return
	}
	if t.runs == nil {
		t.runs = map[string]string{}
	}
	t.runs[at] = run
	if known {
		return
	}
	if t.list = append(t.list, at); len(t.list) > manyTraces {
		delete(t.runs, t.list[0])
		t.list = t.list[1:]
	}
}

// traced names the run in whose trace an event came; "" is none that is known.
func (d *Dispatch) traced(header string) string {
	at, ok := trace.Parse(header)
	if !ok {
		return ""
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.traces.runs[at.Trace]
}
