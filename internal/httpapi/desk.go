package httpapi

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/dispatch"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/incident"
	"github.com/tendhq/tend/internal/wire"
)

// Desk is what a server has for events and incidents, besides its engine. *dispatch.Dispatch is one.
type Desk interface {
	Accept(ctx context.Context, events []event.Event) ([]dispatch.Receipt, error)
	Event(ctx context.Context, id string) (*event.Event, *dispatch.Row, error)
	Replay(ctx context.Context, id string, by entry.Who, anyway bool) (dispatch.Receipt, error)
	Incident(ctx context.Context, id string) (*incident.State, []incident.Line, error)
	OpenIncident(ctx context.Context, x incident.Start) (*incident.State, error)
	ChangeIncident(ctx context.Context, id string, version *uint64, by entry.Who, what, why string,
		apply func(*incident.State, time.Time) ([]entry.Payload, error)) (*incident.State, error)
	MergeIncidents(ctx context.Context, from, into string, by entry.Who, why string) (*incident.State, error)
	SplitIncident(ctx context.Context, id string, x incident.Start, keys []string, why string) (*incident.State, error)
}

// noDesk answers where no server drives the directory.
type noDesk struct{ Desk }

func elsewhere() error {
	return fault.New(fault.Unavailable, "no server drives this data directory: events and incidents are a server's").WithNext("tend serve")
}

func (noDesk) Accept(context.Context, []event.Event) ([]dispatch.Receipt, error) {
	return nil, elsewhere()
}

func (noDesk) Event(context.Context, string) (*event.Event, *dispatch.Row, error) {
	return nil, nil, elsewhere()
}

func (noDesk) Replay(context.Context, string, entry.Who, bool) (dispatch.Receipt, error) {
	return dispatch.Receipt{}, elsewhere()
}

func (noDesk) Incident(context.Context, string) (*incident.State, []incident.Line, error) {
	return nil, nil, elsewhere()
}

func (noDesk) OpenIncident(context.Context, incident.Start) (*incident.State, error) {
	return nil, elsewhere()
}

func (noDesk) ChangeIncident(context.Context, string, *uint64, entry.Who, string, string, func(*incident.State, time.Time) ([]entry.Payload, error)) (*incident.State, error) {
	return nil, elsewhere()
}

func (noDesk) MergeIncidents(context.Context, string, string, entry.Who, string) (*incident.State, error) {
	return nil, elsewhere()
}

func (noDesk) SplitIncident(context.Context, string, incident.Start, []string, string) (*incident.State, error) {
	return nil, elsewhere()
}

func (s *server) inbound(a *api) {
	const kind = "event"
	look := access.Need{Verb: access.View, Kind: kind}
	add(a, look, http.MethodGet, "/v1/events", about{
		id: "listEvents", tag: "events", summary: "List events",
		text: "The newest first, unless `oldest` is set. `status` is what became of them: started, joined, held, queued, unmatched, stale, refused, woke or resolves. `tag` is the group, `parent` the run.",
	}, s.listEvents)
	add(a, look, http.MethodGet, "/v1/events/{event}", about{id: "showEvent", tag: "events", summary: "One event, with its data and what became of it"}, s.showEvent)
	add(a, access.Need{Verb: access.Write, Kind: kind}, http.MethodPost, "/v1/events/{event}/replay", about{
		id: "replayEvent", tag: "events", summary: "Decide about an event again", text: "By the triggers of now. What started a run, or waits, is left alone.",
	}, s.replay)
	add(a, access.Need{Verb: access.Write, Kind: kind, Project: home}, http.MethodPost, "/v1/events/reports", about{
		id: "reportEvents", tag: "events", summary: "Tell of events by hand",
		text: "They are decided about like those of any source; their source is `api`. The answer comes when all of it is durable.",
	}, s.report)
}

type eventFilter struct {
	Filter

	Source string `query:"source" maxLength:"200" doc:"From this source, by its exact name."`
}

func (s *server) listEvents(ctx context.Context, in *eventFilter) (*pageOutput, error) {
	f, err := in.of("event")
	if err != nil {
		return nil, err
	}
	f.Source = in.Source
	return s.page(ctx, f, in.Cut)
}

// EventPath names an event.
type EventPath struct {
	Event string `path:"event" doc:"Id of the event." maxLength:"64"`
}

type eventOutput struct{ Body wire.EventDetail }

func (s *server) showEvent(ctx context.Context, in *EventPath) (*eventOutput, error) {
	e, row, err := s.Desk.Event(ctx, in.Event)
	if err != nil {
		return nil, err
	}
	d := &row.Decision
	return &eventOutput{wire.EventDetail{Event: *e, Chain: d.Chain, Decision: dispatch.ReceiptOf(e.ID, d), Guard: d.Guard, Playbook: d.Playbook, Again: d.By, Seq: row.Seq}}, nil
}

type replayInput struct {
	EventPath

	Body wire.Replay
}

type receiptOutput struct{ Body wire.Receipt }

func (s *server) replay(ctx context.Context, in *replayInput) (*receiptOutput, error) {
	r, err := s.Desk.Replay(ctx, in.Event, who(ctx), in.Body.Anyway)
	return &receiptOutput{r}, err
}

type reportsInput struct{ Body wire.Reports }

type receiptsOutput struct{ Body wire.Receipts }

func (s *server) report(ctx context.Context, in *reportsInput) (*receiptsOutput, error) {
	list := make([]event.Event, len(in.Body.Events))
	for i, r := range in.Body.Events {
		group := r.Group
		if group == "" {
			group = r.Key
		}
		list[i] = event.Event{
			Source: "api", Project: home, Kind: r.Kind, Key: r.Key, Group: group, Name: r.Name, Labels: r.Labels, Data: r.Data, Priority: r.Priority,
			Status: event.Status(r.Status), Trace: TraceOf(ctx).asked(),
		}
	}
	receipts, err := s.Desk.Accept(ctx, list)
	return &receiptsOutput{wire.Receipts{Receipts: receipts}}, err
}

func (s *server) messages(a *api) {
	add(a, access.Need{Verb: access.View, Kind: "message"}, http.MethodGet, "/v1/messages", about{
		id: "listMessages", tag: "messages", summary: "List messages to people and services, with what became of each",
		text: "The newest first, unless `oldest` is set. `status` is queued, sent, failed or dropped; `name` is the channel, `parent` the incident or run, `tag` the thread.",
	}, s.listRows("message"))
}

func (s *server) incidents(a *api) {
	const kind = "incident"
	look := access.Need{Verb: access.View, Kind: kind}
	write := access.Need{Verb: access.Write, Kind: kind}
	add(a, look, http.MethodGet, "/v1/incidents", about{
		id: "listIncidents", tag: "incidents", summary: "List incidents",
		text: "The newest first, unless `oldest` is set. `status` is open, acknowledged, mitigated, resolved or merged.",
	}, s.listRows(kind))
	add(a, access.Need{Verb: access.Write, Kind: kind, Project: home}, http.MethodPost, "/v1/incidents", about{
		id: "openIncident", tag: "incidents", summary: "Open an incident", text: "The open incident with the same key, if there is one, is given in its place.",
	}, s.openIncident)
	add(a, look, http.MethodGet, "/v1/incidents/{incident}", about{
		id: "showIncident", tag: "incidents", summary: "One incident, with its alerts, runs and timeline",
	}, s.showIncident)
	add(a, look, http.MethodGet, "/v1/incidents/{incident}/export", about{
		id: "exportIncident", tag: "incidents", summary: "An incident as a Markdown document", media: "text/markdown",
	}, s.exportIncident)
	add(a, write, http.MethodPatch, "/v1/incidents/{incident}", about{
		id: "updateIncident", tag: "incidents", summary: "Change an incident", text: "What is left out stays. With If-Match (the ETag that was read) a change of somebody else in between is a conflict.",
	}, s.updateIncident)
	add(a, write, http.MethodPost, "/v1/incidents/{incident}/take", about{
		id: "takeIncident", tag: "incidents", summary: "Acknowledge an incident, and be one of its responders",
	}, s.takeIncident)
	add(a, write, http.MethodPost, "/v1/incidents/{incident}/comments", about{id: "commentIncident", tag: "incidents", summary: "Say something"}, s.commentIncident)
	add(a, write, http.MethodPost, "/v1/incidents/{incident}/pages", about{
		id: "pageIncident", tag: "incidents", summary: "Call people",
		text: "People (`alice@example.org`), duties (`oncall/database`) and channels, through the channels that carry pages. When nobody would be called, it is an error.",
	}, s.pageIncident)
	add(a, write, http.MethodPost, "/v1/incidents/{incident}/items", about{
		id: "planIncident", tag: "incidents", summary: "Add something to do afterwards, or change it",
		text: "What is left out of a change stays. It becomes an issue of the repository whose playbook ran for the incident, where its `issues` allow that; else `kept` says why it stays here.",
	}, s.planIncident)
	add(a, write, http.MethodPost, "/v1/incidents/{incident}/merge", about{
		id: "mergeIncident", tag: "incidents", summary: "Let another incident tell the story of this one", text: "Its alerts, keys and open runs move there. The answer is the other one.",
	}, s.mergeIncident)
	add(a, write, http.MethodPost, "/v1/incidents/{incident}/split", about{
		id: "splitIncident", tag: "incidents", summary: "Make some alerts an incident of their own", text: "The answer is the new one.",
	}, s.splitIncident)
	add(a, write, http.MethodPost, "/v1/incidents/{incident}/resolve", about{id: "resolveIncident", tag: "incidents", summary: "End an incident"}, s.resolveIncident)
	add(a, write, http.MethodPost, "/v1/incidents/{incident}/reopen", about{id: "reopenIncident", tag: "incidents", summary: "Take the end of an incident back"}, s.reopenIncident)
}

// IncidentPath names an incident.
type IncidentPath struct {
	Incident string `path:"incident" doc:"Id of the incident." maxLength:"64"`
}

type incidentOutput struct {
	ETag string `header:"ETag" doc:"Version of the incident, for If-Match."`
	Body wire.Incident
}

func incidentOut(st *incident.State, lines []incident.Line, err error) (*incidentOutput, error) {
	if err != nil {
		return nil, err
	}
	return &incidentOutput{ETag: strconv.Quote(strconv.FormatUint(st.Length, 10)), Body: wire.Incident{Document: st.Export(lines)}}, nil
}

func (s *server) showIncident(ctx context.Context, in *IncidentPath) (*incidentOutput, error) {
	return incidentOut(s.Desk.Incident(ctx, in.Incident))
}

func (s *server) exportIncident(ctx context.Context, in *IncidentPath) (*bytesOutput, error) {
	st, lines, err := s.Desk.Incident(ctx, in.Incident)
	if err != nil {
		return nil, err
	}
	return &bytesOutput{"text/markdown; charset=utf-8", []byte(st.Export(lines).Markdown())}, nil
}

type openIncidentInput struct{ Body wire.IncidentOpen }

func (s *server) openIncident(ctx context.Context, in *openIncidentInput) (*incidentOutput, error) {
	b := &in.Body
	severity, ok := incident.ParseSeverity(b.Severity)
	if !ok {
		return nil, fault.New(fault.Invalid, "severity: %.80q is none", b.Severity).WithNext("say critical, major, minor or info")
	}
	project := b.Project
	if project == "" {
		project = home
	}
	if project != home {
		if err := s.allow(ctx, access.Need{Verb: access.Write, Kind: "incident", Project: project}); err != nil {
			return nil, err
		}
	}
	st, err := s.Desk.OpenIncident(ctx, incident.Start{
		Project: project, Key: b.Key, Title: b.Title, Severity: severity, Summary: b.Summary, Labels: b.Labels, Links: b.Links, By: who(ctx),
	})
	return incidentOut(st, nil, err)
}

// change applies a transition for whoever asks.
func (s *server) change(ctx context.Context, id, match, what, why string, apply func(*incident.State, entry.Who, time.Time) ([]entry.Payload, error)) (*incidentOutput, error) {
	var version *uint64
	if match != "" && match != "*" {
		text := strings.Trim(strings.TrimPrefix(match, "W/"), `"`)
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return nil, fault.New(fault.Invalid, "If-Match: %.80q is no version of an incident", match).WithNext("send the ETag that was read")
		}
		version = &n
	}
	by := who(ctx)
	st, err := s.Desk.ChangeIncident(ctx, id, version, by, what, why, func(st *incident.State, now time.Time) ([]entry.Payload, error) { return apply(st, by, now) })
	return incidentOut(st, nil, err)
}

type updateIncidentInput struct {
	IncidentPath

	IfMatch string `header:"If-Match" doc:"The ETag that was read."`
	Body    wire.IncidentChange
}

func (s *server) updateIncident(ctx context.Context, in *updateIncidentInput) (*incidentOutput, error) {
	b := &in.Body
	u := entry.IncidentUpdated{
		Commander: b.Commander, Links: b.Links, Next: b.Next, NextBy: b.NextBy, Responders: b.Responders, Severity: b.Severity,
		Stakeholders: b.Stakeholders, Status: b.Status, Summary: b.Summary, Title: b.Title, Why: b.Why,
	}
	if len(b.Labels) > 0 {
		u.Labels = map[string]any{}
		for k, v := range b.Labels {
			u.Labels[k] = nil
			if v != nil {
				u.Labels[k] = *v
			}
		}
	}
	return s.change(ctx, in.Incident, in.IfMatch, "updated", b.Why, func(st *incident.State, by entry.Who, _ time.Time) ([]entry.Payload, error) {
		u.By = by
		return st.Update(u)
	})
}

func (s *server) takeIncident(ctx context.Context, in *IncidentPath) (*incidentOutput, error) {
	return s.change(ctx, in.Incident, "", "taken", "", func(st *incident.State, by entry.Who, _ time.Time) ([]entry.Payload, error) { return st.Take(by) })
}

type commentInput struct {
	IncidentPath

	Body wire.Comment
}

func (s *server) commentIncident(ctx context.Context, in *commentInput) (*incidentOutput, error) {
	return s.change(ctx, in.Incident, "", "commented", "", func(st *incident.State, by entry.Who, _ time.Time) ([]entry.Payload, error) {
		return st.Comment(by, in.Body.Text, "")
	})
}

type pageInput struct {
	IncidentPath

	Body wire.PageOut
}

func (s *server) pageIncident(ctx context.Context, in *pageInput) (*incidentOutput, error) {
	if s.Reach != nil && len(in.Body.Targets) > 0 {
		if err := s.Reach(ctx, in.Body.Targets); err != nil {
			return nil, err
		}
	}
	return s.change(ctx, in.Incident, "", "paged", in.Body.Message, func(st *incident.State, by entry.Who, _ time.Time) ([]entry.Payload, error) {
		return st.Page(by, in.Body.Targets, in.Body.Message, "")
	})
}

type planInput struct {
	IncidentPath

	Body wire.ActionItem
}

func (s *server) planIncident(ctx context.Context, in *planInput) (*incidentOutput, error) {
	b := &in.Body
	kept := ""
	if s.Tracker != nil {
		st, _, err := s.Desk.Incident(ctx, in.Incident)
		if err != nil {
			return nil, err
		}
		kept = s.Tracker(ctx, st)
	}
	return s.change(ctx, in.Incident, "", "planned", "", func(st *incident.State, by entry.Who, _ time.Time) ([]entry.Payload, error) {
		x := entry.IncidentItem{By: by, Done: b.Done, Due: b.Due, ID: b.ID, Kept: kept, Owner: b.Owner, Text: b.Text, URL: b.URL}
		if x.ID == "" {
			x.ID = strconv.Itoa(len(st.Items) + 1)
		}
		return st.Plan(x)
	})
}

type mergeInput struct {
	IncidentPath

	Body wire.IncidentMerge
}

func (s *server) mergeIncident(ctx context.Context, in *mergeInput) (*incidentOutput, error) {
	if err := s.admitTo(ctx, Asker(ctx), access.Need{Verb: access.Write, Kind: "incident"}, in.Body.Into); err != nil {
		return nil, err
	}
	st, err := s.Desk.MergeIncidents(ctx, in.Incident, in.Body.Into, who(ctx), in.Body.Why)
	return incidentOut(st, nil, err)
}

type splitInput struct {
	IncidentPath

	Body wire.IncidentSplit
}

func (s *server) splitIncident(ctx context.Context, in *splitInput) (*incidentOutput, error) {
	x := incident.Start{Title: in.Body.Title, By: who(ctx)}
	if in.Body.Severity != "" {
		var ok bool
		if x.Severity, ok = incident.ParseSeverity(in.Body.Severity); !ok {
			return nil, fault.New(fault.Invalid, "severity: %.80q is none", in.Body.Severity).WithNext("say critical, major, minor or info")
		}
	}
	keys := make([]string, len(in.Body.Members))
	for i, m := range in.Body.Members {
		keys[i] = incident.MemberKey(m.Source, m.Group)
	}
	st, err := s.Desk.SplitIncident(ctx, in.Incident, x, keys, in.Body.Why)
	return incidentOut(st, nil, err)
}

type reasonInput struct {
	IncidentPath

	Body wire.Reason
}

func (s *server) resolveIncident(ctx context.Context, in *reasonInput) (*incidentOutput, error) {
	return s.change(ctx, in.Incident, "", "resolved", in.Body.Why, func(st *incident.State, by entry.Who, _ time.Time) ([]entry.Payload, error) {
		return st.Resolve(by, "", in.Body.Why)
	})
}

func (s *server) reopenIncident(ctx context.Context, in *reasonInput) (*incidentOutput, error) {
	return s.change(ctx, in.Incident, "", "reopened", in.Body.Why, func(st *incident.State, by entry.Who, _ time.Time) ([]entry.Payload, error) {
		return st.Reopen(by, "", in.Body.Why)
	})
}
