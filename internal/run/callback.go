package run

import (
	"errors"
	"slices"

	"github.com/tendhq/tend/internal/value"
)

// Why a callback is not taken. After the first two it never will be; after ErrEarly it may be later.
var (
	ErrCalled = errors.New("this callback was used: it is good once")
	ErrOver   = errors.New("the run is over, and waits for nothing any more")
	ErrEarly  = errors.New("the run does not wait for this event now")
)

// Callback gives the step that the callback of an event wakes: the first in the order of paths that waits for it, whatever
// its correlation key. The error is one of ErrCalled, ErrOver and ErrEarly.
func (s *State) Callback(event string) (path string, err error) {
	switch {
	case slices.Contains(s.Called, event):
		return "", ErrCalled
	case s.Status().Ended():
		return "", ErrOver
	}
	for _, path := range value.Keys(s.Nodes) {
		if n := s.Nodes[path]; n.Phase == PhaseWaiting && n.On == event && n.def != nil && n.def.Wait != nil {
			return path, nil
		}
	}
	return "", ErrEarly
}
