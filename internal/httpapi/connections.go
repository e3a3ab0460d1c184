package httpapi

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/wire"
)

func (s *server) connections(a *api) {
	add(a, access.Need{Verb: access.View, Kind: "integration"}, http.MethodGet, "/v1/integrations", about{
		id: "listIntegrations", tag: "server", summary: "What the server is connected to, how it stands, and what to do about it",
		text: "Sources of events, channels, integrations, runners, duties and repositories, as far as the asker may look at their projects. " +
			"It is what the server knows: nobody is asked for it but whoever keeps secrets, whether they are there. None is given away.",
	}, s.listIntegrations)
}

type connectionsOutput struct{ Body wire.Connections }

func (s *server) listIntegrations(ctx context.Context, _ *struct{}) (*connectionsOutput, error) {
	if s.Connected == nil {
		return nil, fault.New(fault.Unavailable, "no server drives this data directory: what it is connected to is a server's").WithNext("tend serve")
	}
	out, err := s.Connected(ctx)
	if err != nil {
		return nil, err
	}
	sight := s.sight(ctx)
	sees := func(project string) bool { return sight.Sees(cmp.Or(project, home), nil) }
	out.Sources = slices.DeleteFunc(out.Sources, func(x wire.Source) bool { return !sees(x.Project) })
	out.Integrations = slices.DeleteFunc(out.Integrations, func(x wire.Integration) bool { return x.Repository != "" && !sees(x.Project) })
	out.Channels = slices.DeleteFunc(out.Channels, func(x wire.Channel) bool { return len(x.Projects) > 0 && !slices.ContainsFunc(x.Projects, sees) })
	out.Repositories = []wire.ConnectedRepository{}
	if s.Repositories != nil {
		for _, r := range s.Repositories.Status() {
			if x := wire.NewRepository(&r); sees(x.Project) {
				out.Repositories = append(out.Repositories, x.Connected())
			}
		}
	}
	return &connectionsOutput{*out}, nil
}
