package runner

import (
	"sync"
	"time"
)

// Line is one line that a step printed: clean UTF-8, masked, without its line end.
type Line struct {
	Run     string
	Path    string
	Attempt int
	Stream  string // stdout, stderr, or tend for what the runner says about the step
	Text    string
	At      time.Time
	// More says that the line goes on in the next one of the same stream: it was longer than what is shown at once.
	More bool
	// Dropped is the number of lines before this one that this follower lost because it was slow or late.
	Dropped int
}

// What a follower may hold, and what is kept of an attempt in flight for those who come late. A line counts its text
// and lineCost, so that empty lines are bounded too.
const (
	followerBytes = 1 << 20
	replayBytes   = 256 << 10
	lineCost      = 128
)

// Live is the fan-out of what steps print, for those who watch a run in this process. It never makes a step wait: a slow
// follower loses its oldest lines and is told how many. The stored log is complete; Live is for eyes.
//
// The zero value is ready, and a nil *Live forgets everything.
type Live struct {
	mu   sync.Mutex
	runs map[string]*liveRun
}

// liveRun exists while somebody follows the run or one of its attempts that printed something is in flight.
type liveRun struct {
	attempts  []*tail // in the order in which they began to print
	followers map[*Follower]struct{}
}

// tail is the end of what an attempt in flight printed.
type tail struct {
	path   string
	number int
	queue  queue
}

// Follow begins to watch a run: first what its attempts in flight have printed so far, as far as it is kept, then what
// comes. The caller must Close it.
func (l *Live) Follow(run string) *Follower {
	f := &Follower{live: l, run: run, ready: make(chan struct{}, 1)}
	if l == nil {
		return f
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.run(run)
	r.followers[f] = struct{}{}
	for _, t := range r.attempts {
		lost := t.queue.lost
		for _, line := range t.queue.lines {
			line.Dropped, lost = lost, 0
			f.put(line)
		}
	}
	return f
}

// Follower is one watcher of a run. Wait for Ready, then Take.
type Follower struct {
	live  *Live
	run   string
	ready chan struct{} // one place: a flag that lines wait

	mu    sync.Mutex
	queue queue
}

// Ready receives after lines have come since the last Take.
func (f *Follower) Ready() <-chan struct{} { return f.ready }

// Take gives the lines that came, oldest first.
func (f *Follower) Take() []Line {
	f.mu.Lock()
	defer f.mu.Unlock()
	lines := f.queue.lines
	if len(lines) > 0 {
		lines[0].Dropped += f.queue.lost
	}
	f.queue = queue{}
	return lines
}

// Close ends the watching. Lines that were not taken are gone.
func (f *Follower) Close() {
	l := f.live
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.runs[f.run]; r != nil {
		delete(r.followers, f)
		l.drop(f.run, r)
	}
}

func (f *Follower) put(line Line) {
	f.mu.Lock()
	f.queue.put(line, followerBytes)
	f.mu.Unlock()
	select {
	case f.ready <- struct{}{}:
	default: // the flag is up already
	}
}

// print hands a line to the followers of its run and keeps it for those who come late.
func (l *Live) print(line Line) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.run(line.Run)
	t := r.tail(line.Path, line.Attempt)
	if t == nil {
		t = &tail{path: line.Path, number: line.Attempt}
		r.attempts = append(r.attempts, t)
	}
	t.queue.put(line, replayBytes)
	for f := range r.followers {
		f.put(line)
	}
}

// end forgets an attempt: its log is stored now.
func (l *Live) end(run, path string, number int) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.runs[run]
	if r == nil {
		return
	}
	for i, t := range r.attempts {
		if t.path == path && t.number == number {
			r.attempts = append(r.attempts[:i:i], r.attempts[i+1:]...)
			break
		}
	}
	l.drop(run, r)
}

func (l *Live) run(id string) *liveRun {
	r := l.runs[id]
	if r == nil {
		r = &liveRun{followers: map[*Follower]struct{}{}}
		if l.runs == nil {
			l.runs = map[string]*liveRun{}
		}
		l.runs[id] = r
	}
	return r
}

func (l *Live) drop(id string, r *liveRun) {
	if len(r.followers) == 0 && len(r.attempts) == 0 {
		delete(l.runs, id)
	}
}

func (r *liveRun) tail(path string, number int) *tail {
	for _, t := range r.attempts {
		if t.path == path && t.number == number {
			return t
		}
	}
	return nil
}

// queue holds the newest lines within a bound and counts the others.
type queue struct {
	lines []Line
	bytes int
	lost  int
}

func (q *queue) put(line Line, bound int) {
	q.lines = append(q.lines, line)
	q.bytes += len(line.Text) + lineCost
	for q.bytes > bound && len(q.lines) > 1 {
		q.bytes -= len(q.lines[0].Text) + lineCost
		q.lost += 1 + q.lines[0].Dropped
		q.lines[0] = Line{} // let go of the text while the array lives on
		q.lines = q.lines[1:]
	}
}
