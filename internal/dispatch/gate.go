package dispatch

import (
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/trigger"
)

// Candidate is a run that would begin.
type Candidate struct {
	Run         string
	Project     string
	Environment string
	Trigger     string
	Playbook    string
	Key         string
	Event       string
	Source      string
	Kind        string
	Group       string
	Labels      map[string]string // of the event
	At          time.Time         // of the event
	Incident    string
	Depth       int  // how many triggers led to it
	Again       bool // it was asked about before, and waits: nothing of it is counted again unless it begins
}

// Verdict of a Gate. What it wants to remember is written in the same commit as the decision.
type Verdict struct {
	Outcome event.Outcome // Started, Held or Refused
	Guard   string
	Why     string
	Until   time.Time // of Held; zero: until the rules change, or the gate is asked again
	Facts   []ledger.Fact
	Rows    []store.Row
	Drop    []store.Key
}

// Gate judges runs before they begin: the guards of a server. It is called by the machine, and must not wait for anything;
// what it counts, it counts when it lets a run begin.
type Gate interface {
	// Seen tells of an event that a trigger took and that is no old news, before anything becomes of it: what follows may be
	// that it joins a run. Of the verdict only what is to be written counts.
	Seen(c Candidate, now time.Time) Verdict
	Start(c Candidate, now time.Time) Verdict
	// Ended tells that a run that it let begin is over, or did not begin ("not-started").
	Ended(c Candidate, status string, now time.Time) Verdict
}

// open lets everything begin.
type open struct{}

func (open) Seen(Candidate, time.Time) Verdict          { return Verdict{} }
func (open) Start(Candidate, time.Time) Verdict         { return Verdict{Outcome: event.Started} }
func (open) Ended(Candidate, string, time.Time) Verdict { return Verdict{} }

// Rules are what is live of the playbooks' repositories: for each project its triggers, in order. They are never changed.
type Rules struct {
	Triggers  map[string][]*trigger.Spec
	Evaluator trigger.Evaluator
}

// Match asks the triggers in order. The first one that fires takes the event. The notes say which ones could not be asked.
func (r *Rules) Match(e *event.Event) (*trigger.Outcome, []string) {
	if r == nil {
		return nil, nil
	}
	var notes []string
	for _, s := range r.Triggers[e.Project] {
		o, fires, err := trigger.Match(s, e, r.Evaluator)
		if err != nil {
			if len(notes) < 5 { // the others say nothing new
				notes = append(notes, err.Error())
			}
			continue
		}
		if fires {
			return o, notes
		}
	}
	return nil, notes
}

// self is who acts when nobody asked.
func self() entry.Who { return entry.Who{ID: "tend", Name: "tend", Via: "engine"} }
