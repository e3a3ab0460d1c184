// Package jenkins decodes what Jenkins' Notification plugin posts (format JSON, protocol HTTP): one event for each phase of
// a build (QUEUED, STARTED, COMPLETED, FINALIZED). Jenkins' CloudEvents plugin is read by package cloudevents.
package jenkins

import (
	"strings"

	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/signature"
	"github.com/tendhq/tend/internal/source"
)

// Decoder implements source.Decoder.
type Decoder struct{}

var _ source.Decoder = Decoder{}

// Spec implements source.Decoder.
func (Decoder) Spec() source.Spec {
	return source.Spec{
		Name: "jenkins", Schemes: []signature.Scheme{signature.Bearer, signature.Basic},
		Doc: "The phases of builds from Jenkins' Notification plugin.",
	}
}

// Decode implements source.Decoder.
func (Decoder) Decode(r source.Request) ([]event.Event, error) {
	n, err := r.Object()
	if err != nil {
		return nil, err
	}
	name, err := n.At("name").Must()
	if err != nil {
		return nil, err
	}
	b := n.At("build")
	number, err := b.At("number").Must()
	if err != nil {
		return nil, err
	}
	phase, err := b.At("phase").Must()
	if err != nil {
		return nil, err
	}
	branch := b.At("scm", "branch").Text()
	e := event.Event{
		Kind: "pipeline", Data: n.Map(), Name: name, Group: n.At("url").Text() + name,
		// Build numbers begin again when a job is made anew: the time of the build tells them apart.
		Key: strings.Join([]string{name, number, phase, b.At("timestamp").Text()}, "#"), At: b.At("timestamp").Time(),
		Labels: source.Set("event", "build", "job", name, "phase", phase, "status", b.At("status").Text(), "branch", strings.TrimPrefix(branch, "origin/")),
	}
	return []event.Event{r.Event(e)}, nil
}
