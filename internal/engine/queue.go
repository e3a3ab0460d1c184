package engine

import "sync"

// commitQueue hands commits to the writer: as many as there are, in order.
type commitQueue struct {
	mu     sync.Mutex
	cond   *sync.Cond
	list   []Commit
	spare  []Commit // the array of what was taken before
	busy   bool     // what was taken is being committed
	closed bool
}

// groupLimit bounds how many commits share one transaction, so that none of them waits long.
const groupLimit = 512

func (q *commitQueue) init() { q.cond = sync.NewCond(&q.mu) }

func (q *commitQueue) put(cs ...Commit) {
	q.mu.Lock()
	q.list = append(q.list, cs...)
	q.mu.Unlock()
	q.cond.Signal()
}

// idle tells whether the writer has nothing to do.
func (q *commitQueue) idle() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return !q.busy && len(q.list) == 0 && !q.closed
}

// front puts a commit that was refused back in its place: before all that are younger.
func (q *commitQueue) front(c Commit) {
	q.mu.Lock()
	i := 0
	for i < len(q.list) && q.list[i].ID < c.ID {
		i++
	}
	q.list = append(q.list[:i], append([]Commit{c}, q.list[i:]...)...)
	q.mu.Unlock()
	q.cond.Signal()
}

// take waits for commits; nil means that the queue is closed and empty. What it gives is valid until it is called again.
func (q *commitQueue) take() []Commit {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.busy = false
	for len(q.list) == 0 {
		if q.closed {
			return nil
		}
		q.cond.Wait()
	}
	n := min(len(q.list), groupLimit)
	out := q.list[:n]
	clear(q.spare)
	rest := append(q.spare[:0], q.list[n:]...)
	q.list, q.spare, q.busy = rest, out, true
	return out
}

func (q *commitQueue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.cond.Broadcast()
}
