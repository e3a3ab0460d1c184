package app

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/chat"
	"github.com/tendhq/tend/internal/exchange"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/httpapi"
	"github.com/tendhq/tend/internal/slack"
)

// maxChat is the largest request of Slack.
const maxChat = 1 << 20

// openChat lets people answer and ask in Slack, where an integration can verify what Slack sends.
func (w *owned) openChat(s *server) {
	dial := action.Dialer{Egress: egress(s.Config.Egress)}.DialContext
	door := &chat.Door{
		Secrets: w.secrets, Engine: w.engine, Governor: w.desk.governor, Call: exchange.Caller{Dial: dial}, Log: s.log,
		Follow: func(ctx context.Context, team, channel, run string) error {
			c := w.desk.courier.Load()
			if c == nil {
				return fault.New(fault.Unavailable, "no messages are told here")
			}
			return c.Follow(ctx, threadsPrefix+team, channel, run)
		},
		Library: library{w.desk.shelf, w.engine}, Desk: w.desk.dispatch.Load(), Authorize: s.people.Authorize, Look: s.people.Look,
		Groups: func(id string) []string {
			return append(s.people.Groups(id), w.desk.duties.of(id)...)
		},
	}
	for _, name := range slices.Sorted(maps.Keys(s.Config.Integrations)) {
		x := s.Config.Integrations[name].Slack
		if x == nil || x.Signing == "" {
			continue
		}
		door.Teams = append(door.Teams, chat.Team{
			Name: name, ID: x.Team, Signing: x.Signing, API: x.URL,
			Client: func(ctx context.Context) (*slack.Client, error) { return w.connections.team(ctx, name, dial) },
		})
	}
	if len(door.Teams) == 0 {
		return
	}
	var mounts []httpapi.Mount
	for path, h := range map[string]http.HandlerFunc{"events": door.Events, "interactive": door.Interactive, "command": door.Command} {
		mounts = append(mounts, httpapi.Mount{
			Method: http.MethodPost, Pattern: "/slack/" + path, Need: access.Need{Verb: access.Nothing}, Body: maxChat, Handler: h,
		})
	}
	slices.SortFunc(mounts, func(a, b httpapi.Mount) int { return strings.Compare(a.Pattern, b.Pattern) })
	s.parts = append(s.parts, part{name: "chat", mounts: mounts})
}
