package app

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/calendar"
	"github.com/tendhq/tend/internal/chat"
	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/exchange"
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

// duties tell who is on call. Calendars are read again when they change.
type duties struct {
	list map[string]config.OnCall
	log  *slog.Logger

	mu    sync.Mutex
	files map[string]read // by duty
}

// read is a calendar as it was when it was read last. One that cannot be read any more stays as it was.
type read struct {
	at  time.Time
	cal calendar.Calendar
}

func openDuties(list map[string]config.OnCall, log *slog.Logger) *duties {
	return &duties{list: list, log: log, files: map[string]read{}}
}

// of gives the groups of duties that a principal has now.
func (d *duties) of(id string) []string {
	_, who, ok := strings.Cut(id, ":")
	if d == nil || !ok {
		return nil
	}
	var out []string
	for _, n := range slices.Sorted(maps.Keys(d.list)) {
		if slices.ContainsFunc(d.now(n), func(s string) bool { return strings.EqualFold(s, who) || s == id }) {
			out = append(out, "oncall/"+n)
		}
	}
	return out
}

// now gives who has a duty.
func (d *duties) now(name string) []string {
	o := d.list[name]
	if o.Calendar == "" {
		r, err := o.Rotation()
		if err != nil {
			return nil // the configuration was checked
		}
		if who, _ := r.At(now()); who != "" {
			return []string{who}
		}
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	known := d.files[name]
	info, err := os.Stat(o.Calendar)
	if err == nil && !info.ModTime().Equal(known.at) {
		known, err = d.load(o, known, info.ModTime())
		d.files[name] = known
	}
	if err != nil {
		d.log.Warn("a calendar cannot be read: what it said before holds", "duty", name, "why", err)
	}
	who, _ := known.cal.OnCall(now())
	return who
}

func (d *duties) load(o config.OnCall, known read, at time.Time) (read, error) {
	b, err := os.ReadFile(o.Calendar)
	if err != nil {
		return known, err
	}
	zone, err := time.LoadLocation(o.Zone)
	if err != nil {
		return known, err
	}
	c, err := calendar.ParseICS(b, zone)
	known.at = at
	if err != nil {
		return known, err
	}
	known.cal = c
	return known, nil
}
