package engine

import "sync"

// commitQueue hands commits to the writer: as many as there are, in order.
type commitQueue struct {
	mu     sync.Mutex
	cond   *sync.Cond
	list   []Commit
	closed bool
}

// groupLimit bounds how many commits share one transaction, so that none of them waits long.
const groupLimit = 512

func (q *commitQueue) init() { q.cond = sync.NewCond(&q.mu) }

func (q *commitQueue) put(c Commit) {
	q.mu.Lock()
	q.list = append(q.list, c)
	q.mu.Unlock()
	q.cond.Signal()
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

// take waits for commits; nil means that the queue is closed and empty.
func (q *commitQueue) take() []Commit {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.list) == 0 {
		if q.closed {
			return nil
		}
		q.cond.Wait()
	}
	n := min(len(q.list), groupLimit)
	out := q.list[:n:n]
	q.list = q.list[n:]
	return out
}

func (q *commitQueue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.cond.Broadcast()
}
