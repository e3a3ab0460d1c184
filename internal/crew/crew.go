// Package crew runs functions on goroutines that it keeps.
//
// A new goroutine has a small stack, and to grow it costs more than a short step of a playbook does. A crew keeps a few
// goroutines whose stacks have grown; as many as are needed work at a time. It decides nothing, and a function that does
// not return keeps its goroutine, as it would without a crew.
package crew

// Crew runs functions. The zero value is not usable: see New.
type Crew struct {
	jobs chan func()
	over <-chan struct{}
	idle chan struct{} // a place for each that may wait
}

// keep is how many goroutines wait for the next function at most.
const keep = 64

// New makes a crew. Those of it that wait go home when over is closed; it still runs what it is given then.
func New(over <-chan struct{}) *Crew {
	return &Crew{jobs: make(chan func()), over: over, idle: make(chan struct{}, keep)}
}

// Do runs f and does not wait for it.
func (c *Crew) Do(f func()) {
	select {
	case c.jobs <- f:
	default:
		go c.work(f)
	}
}

func (c *Crew) work(f func()) {
	for {
		f()
		select {
		case c.idle <- struct{}{}:
		default:
			return // enough wait already
		}
		select {
		case f = <-c.jobs:
			<-c.idle
		case <-c.over:
			return
		}
	}
}
