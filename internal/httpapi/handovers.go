package httpapi

import (
	"context"
	"net/http"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/handover"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/wire"
)

// Handovers are what runs hand over to people. *handover.Desk has them.
type Handovers interface {
	For(ctx context.Context, principal string) ([]handover.Handover, error)
	Find(ctx context.Context, id string) (handover.Handover, store.Row, error)
	Take(ctx context.Context, id string, by access.Principal) (secret.Value, error)
	Withdraw(ctx context.Context, id string, by access.Principal, why string) error
}

func (s *server) handovers(a *api) {
	own := access.Need{Verb: access.Own, Kind: "handover"}
	add(a, own, http.MethodGet, "/v1/handovers", about{
		id: "listHandovers", tag: "requests", summary: "What runs hand over to the asker", text: "The newest first, at most 200; not what it is.",
	}, s.listHandovers)
	// Whom it is for is known when it was looked up: that is asked there.
	add(a, own, http.MethodPost, "/v1/handovers/{id}/take", about{
		id: "takeHandover", tag: "requests", summary: "Take what is handed over", shown: true,
		text: "Once: then it is gone for good. Only the person whom it is for can, whatever roles others have, and not with a token that has bounds.",
	}, s.takeHandover)
	add(a, access.Need{Verb: access.Manage, Kind: "handover"}, http.MethodPost, "/v1/handovers/{id}/withdraw", about{
		id: "withdrawHandover", tag: "requests", summary: "Take back what nobody has taken yet", text: "It is gone for good: it was for somebody else, say. What it is is not shown.",
	}, s.withdrawHandover)
}

func (s *server) handed() (Handovers, error) {
	if s.Handovers == nil {
		return nil, fault.New(fault.Unavailable, "no server drives this data directory: handing over is a server's").WithNext("tend serve")
	}
	return s.Handovers, nil
}

type handoversOutput struct{ Body wire.Handovers }

func (s *server) listHandovers(ctx context.Context, _ *struct{}) (*handoversOutput, error) {
	all, err := s.handed()
	if err != nil {
		return nil, err
	}
	list, err := all.For(ctx, Asker(ctx).ID)
	if err != nil {
		return nil, err
	}
	out := &handoversOutput{wire.Handovers{Handovers: make([]wire.Handover, len(list))}}
	for i, h := range list {
		out.Body.Handovers[i] = wire.Handover{At: h.At, Ended: h.Ended, Expires: h.Expires, ID: h.ID, Run: h.Run, Status: string(h.Status), Title: h.Title}
	}
	return out, nil
}

// HandoverPath names a handover.
type HandoverPath struct {
	ID string `path:"id" doc:"Id of the handover." maxLength:"64"`
}

type handedOutput struct{ Body wire.Handed }

func (s *server) takeHandover(ctx context.Context, in *HandoverPath) (*handedOutput, error) {
	all, err := s.handed()
	if err != nil {
		return nil, err
	}
	h, row, err := all.Find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	// Whoever tries to take what is somebody else's is recorded, and learns nothing.
	if err := s.allow(ctx, access.Need{Verb: access.Take, Kind: "handover", Project: row.Project, Labels: row.Labels, To: []string{h.To}}); err != nil {
		if fault.Is(err, fault.Refused) && h.To != Asker(ctx).ID {
			err = fault.New(fault.NotFound, "nothing called %.80q is handed over to you", in.ID).WithNext("tend handovers list")
		}
		return nil, err
	}
	v, err := all.Take(ctx, in.ID, Asker(ctx))
	if err != nil {
		return nil, err
	}
	return &handedOutput{wire.Handed{Title: h.Title, Value: v.Reveal()}}, nil
}

type withdrawInput struct {
	HandoverPath

	Body wire.Withdraw
}

func (s *server) withdrawHandover(ctx context.Context, in *withdrawInput) (*struct{}, error) {
	all, err := s.handed()
	if err != nil {
		return nil, err
	}
	return nil, all.Withdraw(ctx, in.ID, Asker(ctx), in.Body.Why)
}
