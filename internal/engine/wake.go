package engine

import (
	"container/heap"
	"time"
)

// wakes is a set of runs by the time when they must be looked at again. The zero value is empty.
type wakes struct {
	at   map[string]time.Time
	heap wakeHeap
}

type wake struct {
	run string
	at  time.Time
}

func (w *wakes) set(run string, at time.Time) {
	if w.at == nil {
		w.at = map[string]time.Time{}
	}
	if old, ok := w.at[run]; ok && old.Equal(at) {
		return
	}
	w.at[run] = at
	heap.Push(&w.heap, wake{run, at})
}

// drop forgets a run; what is left of it in the heap is passed over later.
func (w *wakes) drop(run string) { delete(w.at, run) }

func (w *wakes) next() time.Time {
	w.trim()
	if len(w.heap) == 0 {
		return time.Time{}
	}
	return w.heap[0].at
}

// due takes out the runs whose time has come.
func (w *wakes) due(now time.Time) []string {
	var out []string
	for {
		w.trim()
		if len(w.heap) == 0 || now.Before(w.heap[0].at) {
			return out
		}
		x := heap.Pop(&w.heap).(wake) //nolint:errcheck // the heap holds nothing else
		delete(w.at, x.run)
		out = append(out, x.run)
	}
}

func (w *wakes) trim() {
	for len(w.heap) > 0 {
		if at, ok := w.at[w.heap[0].run]; ok && at.Equal(w.heap[0].at) {
			return
		}
		heap.Pop(&w.heap)
	}
}

type wakeHeap []wake

func (h wakeHeap) Len() int           { return len(h) }
func (h wakeHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h wakeHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *wakeHeap) Push(x any)        { *h = append(*h, x.(wake)) } //nolint:errcheck // see due
func (h *wakeHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}
