package httpapi

import (
	"context"
	"net/http"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/wire"
)

func (s *server) events(a *api) {
	add(a, access.Need{Verb: access.Write, Kind: "event", Project: home}, http.MethodPost, "/v1/events", about{
		id: "sendEvent", tag: "events", summary: "Wake the runs that wait for an event",
	}, s.send)
}

type sendInput struct{ Body wire.Send }

type sendOutput struct{ Body wire.Sent }

func (s *server) send(ctx context.Context, in *sendInput) (*sendOutput, error) {
	if in.Body.Name == "" {
		return nil, fault.New(fault.Invalid, "the event has no name")
	}
	runs, err := s.Engine.Send(ctx, in.Body.Name, in.Body.Key, in.Body.Payload, who(ctx))
	return &sendOutput{wire.Sent{Runs: append([]string{}, runs...)}}, err
}
