package incident

import "time"

// ToTake tells how long nobody had the incident; false when nobody took it.
func (s *State) ToTake() (time.Duration, bool) {
	if s.Taken.IsZero() {
		return 0, false
	}
	return s.Taken.Sub(s.Opened), true
}

// ToResolve tells how long it lasted, until it was resolved last; false when it was not, or was merged.
func (s *State) ToResolve() (time.Duration, bool) {
	if s.Status != Resolved {
		return 0, false
	}
	return s.Ended.Sub(s.Opened), true
}

// Measures of several incidents. A mean of none is 0, with its count.
type Measures struct {
	Count    int           `json:"count"`
	Taken    int           `json:"taken"`
	MTTA     time.Duration `json:"mtta"` // mean time to acknowledge, of those that a person took
	Resolved int           `json:"resolved"`
	MTTR     time.Duration `json:"mttr"` // mean time to resolve
}

// MeasureDocuments adds documents up, as Measure does incidents.
func MeasureDocuments(list []Document) Measures {
	states := make([]*State, len(list))
	for i := range list {
		d := &list[i]
		states[i] = &State{Status: d.Status, Opened: d.Opened, Taken: d.Taken, Ended: d.Ended}
	}
	return Measure(states)
}

// Measure adds incidents up. Merged ones count with the incident that tells their story.
func Measure(list []*State) Measures {
	var m Measures
	var take, resolve time.Duration
	for _, s := range list {
		if s.Status == Merged {
			continue
		}
		m.Count++
		if d, ok := s.ToTake(); ok {
			m.Taken++
			take += d
		}
		if d, ok := s.ToResolve(); ok {
			m.Resolved++
			resolve += d
		}
	}
	if m.Taken > 0 {
		m.MTTA = take / time.Duration(m.Taken)
	}
	if m.Resolved > 0 {
		m.MTTR = resolve / time.Duration(m.Resolved)
	}
	return m
}
