package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/wire"
)

func (s *server) runs(a *api) {
	const kind = "run"
	look := access.Need{Verb: access.View, Kind: kind}
	add(a, access.Need{Verb: access.Start, Kind: kind, Project: home}, http.MethodPost, "/v1/runs", about{
		id: "startRun", tag: "runs", summary: "Start a run", body: maxStart, status: http.StatusCreated,
		text: "Starts a run of a compiled playbook. Over the network the one who asks must also be allowed to publish playbooks, because the closure is its own. A repeat with the same `request` gives the same run.",
	}, s.startRun)
	add(a, look, http.MethodGet, "/v1/runs", about{
		id: "listRuns", tag: "runs", summary: "List runs", text: "The newest first, unless `oldest` is set.",
	}, s.listRows(kind))
	add(a, look, http.MethodGet, "/v1/runs/{run}", about{id: "showRun", tag: "runs", summary: "One run"},
		func(ctx context.Context, in *runInput) (*rowOutput, error) { return s.row(ctx, kind, in.Run, in.Held) })
	add(a, look, http.MethodGet, "/v1/runs/{run}/program", about{
		id: "runProgram", tag: "runs", summary: "The compiled playbook that a run is pinned to", media: "application/json",
	}, s.program)
	add(a, look, http.MethodGet, "/v1/runs/{run}/entries", about{
		id: "runEntries", tag: "runs", summary: "The entries of a run", text: "Payloads are the bytes that were hashed, so that a reader can verify the chain.",
	}, func(ctx context.Context, in *runEntries) (*entriesOutput, error) {
		return s.read(ctx, "run/"+in.Run, in.Span)
	})
	add(a, look, http.MethodGet, "/v1/runs/{run}/follow", about{
		id: "followRun", tag: "runs", summary: "Follow a run live", time: stream, media: "text/event-stream",
		text: "Server-sent events `entry` (with its number as id), `log`, `idle`, `dropped`, `end`. The last one comes only when the run has ended. A reader that lost the connection goes on with `Last-Event-ID`.",
	}, s.follow)
	add(a, look, http.MethodGet, "/v1/runs/{run}/blobs/{blob}", about{
		id: "runBlob", tag: "runs", summary: "A large output, a log or an artifact, as an entry names it", media: "application/octet-stream",
	}, s.blob)
	add(a, access.Need{Verb: access.Control, Kind: kind}, http.MethodPost, "/v1/runs/{run}/commands", about{
		id: "commandRun", tag: "runs", summary: "Cancel, pause, resume, retry, skip, roll back, …",
		text: "It answers when the command is durable, not when its effect is over. `redact` needs the right to manage.",
	}, s.command)
}

type startInput struct{ Body wire.Start }

type startOutput struct {
	Location string `header:"Location" doc:"Where the run is."`
	Body     wire.Started
}

func (s *server) startRun(ctx context.Context, in *startInput) (*startOutput, error) {
	req := &in.Body
	if p := Asker(ctx); !p.Local {
		if err := s.allow(ctx, access.Need{Verb: access.Publish, Kind: "playbook", Project: home}); err != nil {
			return nil, err
		}
		if req.Dir != "" || req.Cause != (entry.Cause{}) {
			return nil, fault.New(fault.Refused, "dir and cause are the server's to say").WithNext("leave them out")
		}
		if req.Source != "" {
			req.Source = "sent: " + req.Source // what comes from elsewhere must not look like a file or a commit of here
		}
	}
	if req.Request == "" {
		req.Request = onceOf(ctx, "runs")
	}
	program, err := wire.DecodeProgram(req.Program)
	if err != nil {
		return nil, err
	}
	run, err := s.Engine.Start(ctx, engine.Start{
		Program: program, Params: req.Params, Event: req.Event, Metadata: req.Metadata, Source: req.Source, Dir: req.Dir,
		By: who(ctx), Stepping: req.Stepping, Guards: req.Guards, Request: req.Request, Cause: req.Cause,
		Trace: TraceOf(ctx).asked(),
	})
	if err != nil {
		return nil, err
	}
	return &startOutput{Location: "/v1/runs/" + run, Body: wire.Started{Run: run}}, nil
}

// RunPath names a run.
type RunPath struct {
	Run string `path:"run" doc:"Id of the run." maxLength:"64"`
}

type runInput struct {
	RunPath
	Held
}

// Filter is what a list can be narrowed by.
type Filter struct {
	ID      string    `query:"id" doc:"This one only."`
	Prefix  string    `query:"prefix" doc:"Ids that begin so."`
	Project string    `query:"project" doc:"Of this project."`
	Status  []string  `query:"status" doc:"With one of these statuses."`
	Name    string    `query:"name" doc:"Of this name: for runs that of the playbook."`
	Parent  string    `query:"parent" doc:"Of this parent: for runs the one that called them, for tasks their run."`
	Tag     string    `query:"tag" doc:"With this tag."`
	Since   time.Time `query:"since" doc:"Born then or later."`
	Until   time.Time `query:"until" doc:"Born before."`
	DueBy   time.Time `query:"dueBy" doc:"What is due at this time, in the order in which it is."`
	Limit   int       `query:"limit" minimum:"0" maximum:"1000" doc:"How many at most. 0: 100."`
	Cursor  string    `query:"cursor" doc:"From \"next\" of the page before."`
	Oldest  bool      `query:"oldest" doc:"The oldest first."`
	Cut     int       `query:"cut" minimum:"0" doc:"Texts of more bytes are cut, and end in an ellipsis: for who shows a list. The object itself has all of them. 0: none is."`
}

func (f Filter) of(kind string) (store.Filter, error) {
	cursor, err := openCursor(f.Cursor)
	return store.Filter{
		Kind: kind, ID: f.ID, Prefix: f.Prefix, Project: f.Project, Status: f.Status, Name: f.Name, Parent: f.Parent,
		Tag: f.Tag, Since: f.Since, Until: f.Until, DueBy: f.DueBy, Limit: f.Limit, Cursor: cursor, Oldest: f.Oldest,
	}, err
}

// closeCursor makes a position of the store something that nobody takes apart, and openCursor undoes that.
func closeCursor(c string) string {
	if c == "" {
		return ""
	}
	return "c1" + base64.RawURLEncoding.EncodeToString([]byte(c))
}

func openCursor(c string) (string, error) {
	if c == "" {
		return "", nil
	}
	rest, ok := strings.CutPrefix(c, "c1")
	b, err := base64.RawURLEncoding.DecodeString(rest)
	if !ok || err != nil {
		return "", fault.New(fault.Invalid, "the cursor %.80q is not one that a list gave", c).WithNext("start again without a cursor")
	}
	return string(b), nil
}

type pageOutput struct{ Body wire.Page }

func (s *server) listRows(kind string) func(context.Context, *Filter) (*pageOutput, error) {
	return func(ctx context.Context, f *Filter) (*pageOutput, error) { return s.list(ctx, *f, kind) }
}

// list gives a page of rows: those that the asker may look at.
func (s *server) list(ctx context.Context, narrowed Filter, kind string) (*pageOutput, error) {
	f, err := narrowed.of(kind)
	if err != nil {
		return nil, err
	}
	return s.page(ctx, f, narrowed.Cut)
}

func (s *server) page(ctx context.Context, f store.Filter, cut int) (*pageOutput, error) {
	f.Sight = s.sight(ctx)
	page, err := s.Engine.Rows(ctx, f)
	if err != nil {
		return nil, err
	}
	out := &pageOutput{Body: wire.Page{Next: closeCursor(page.Next), Rows: make([]wire.Row, len(page.Rows))}}
	for i, row := range page.Rows {
		out.Body.Rows[i] = wire.FromRow(row)
		cutRow(&out.Body.Rows[i], cut)
	}
	return out, nil
}

type rowOutput struct {
	Status int
	ETag   string `header:"ETag" doc:"Changes with the object. Send it as If-Match with what must not meet another state."`
	Body   wire.Row
}

// etag names a state of a row.
func etag(r wire.Row) string {
	b, err := json.Marshal(r)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}

// Held is what a reader has already.
type Held struct {
	NoneMatch string `header:"If-None-Match" doc:"The ETag that the reader has: 304 when it is still the same."`
}

// Meant is the state that a writer saw.
type Meant struct {
	Match string `header:"If-Match" doc:"The ETag that the writer saw: 412 when the object is another by now."`
}

// matches tells whether a header with ETags names this one.
func matches(header, tag string) bool {
	for _, t := range strings.Split(header, ",") {
		if t = strings.TrimPrefix(strings.TrimSpace(t), "W/"); t == tag || t == "*" {
			return true
		}
	}
	return false
}

// still refuses to go on when the object is not the one that the writer saw.
func (s *server) still(ctx context.Context, m Meant, kind, id string) error {
	if m.Match == "" {
		return nil
	}
	row, err := s.row(ctx, kind, id, Held{})
	if err != nil || matches(m.Match, row.ETag) {
		return err
	}
	p := wire.NewProblem(fault.New(fault.Conflict, "%s %s changed since it was looked at", kind, id).WithNext("look again, then decide"))
	p.Status, p.Title = http.StatusPreconditionFailed, http.StatusText(http.StatusPreconditionFailed)
	return problem{p}
}

func (s *server) row(ctx context.Context, kind, id string, held Held) (*rowOutput, error) {
	page, err := s.Engine.Rows(ctx, store.Filter{Kind: kind, ID: id, Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(page.Rows) == 0 {
		return nil, fault.New(fault.NotFound, "there is no %s %q", kind, id)
	}
	out := &rowOutput{Status: http.StatusOK, Body: wire.FromRow(page.Rows[0])}
	out.ETag = etag(out.Body)
	if held.NoneMatch != "" && matches(held.NoneMatch, out.ETag) {
		out.Status = http.StatusNotModified
	}
	return out, nil
}

type bytesOutput struct {
	Type string `header:"Content-Type"`
	Body []byte
}

func (s *server) program(ctx context.Context, in *RunPath) (*bytesOutput, error) {
	p, err := s.Engine.Program(ctx, in.Run)
	if err != nil {
		return nil, err
	}
	b, _, err := p.Closure()
	return &bytesOutput{"application/json", b}, err
}

// Span is a part of a stream.
type Span struct {
	From  uint64 `query:"from" doc:"Number of the first entry."`
	Limit int    `query:"limit" minimum:"0" maximum:"10000" doc:"How many at most. 0: 1000."`
}

type runEntries struct {
	RunPath
	Span
}

type entriesOutput struct{ Body wire.Entries }

func (s *server) read(ctx context.Context, stream string, p Span) (*entriesOutput, error) {
	if p.Limit == 0 {
		p.Limit = 1000
	}
	list, err := s.Engine.Entries(ctx, stream, max(p.From, 1), p.Limit)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 && p.From <= 1 {
		return nil, fault.New(fault.NotFound, "there is no stream %q", stream)
	}
	out := &entriesOutput{wire.Entries{Entries: make([]wire.Entry, len(list))}}
	for i, e := range list {
		out.Body.Entries[i] = wire.FromEntry(e)
	}
	if len(list) == p.Limit {
		out.Body.Next = list[len(list)-1].Seq + 1
	}
	return out, nil
}

type blobInput struct {
	RunPath

	Blob string     `path:"blob" doc:"Id of the blob." maxLength:"200"`
	Salt entry.Salt `query:"salt" doc:"As the entry says."`
	Size int64      `query:"size" minimum:"0" doc:"As the entry says."`
	Sum  entry.Hash `query:"sum" doc:"As the entry says."`
}

func (s *server) blob(ctx context.Context, in *blobInput) (*bytesOutput, error) {
	b, err := s.Engine.Blob(ctx, in.Run, entry.Ref{ID: in.Blob, Salt: in.Salt, Size: in.Size, Sum: in.Sum})
	return &bytesOutput{"application/octet-stream", b}, err
}

type commandInput struct {
	RunPath
	Meant

	Body wire.Command
}

type doneOutput struct{ Body engine.Done }

func (s *server) command(ctx context.Context, in *commandInput) (*doneOutput, error) {
	req := &in.Body
	if err := s.still(ctx, in.Meant, "run", in.Run); err != nil {
		return nil, err
	}
	if req.Verb == engine.Redact || req.Verb == engine.Release {
		if err := s.allowRow(ctx, access.Manage, "run", in.Run); err != nil {
			return nil, err
		}
	}
	done, err := s.Engine.Do(ctx, engine.Command{
		Verb: req.Verb, Run: in.Run, Path: req.Path, All: req.All, Params: req.Params, Text: req.Text, By: who(ctx), Why: req.Why,
	})
	if req.Verb == engine.Redact {
		s.shelf.Forget(in.Run) // what was read before has the text in it
	}
	return &doneOutput{done}, err
}

// allowRow asks for another right to an object that the asker may see.
func (s *server) allowRow(ctx context.Context, v access.Verb, kind, id string) error {
	row, err := s.row(ctx, kind, id, Held{})
	if err != nil {
		return err
	}
	return s.allow(ctx, access.Need{Verb: v, Kind: kind, Project: row.Body.Project, Labels: row.Body.Labels})
}

type followInput struct {
	RunPath

	From uint64 `query:"from" doc:"Number of the first entry."`
	Last string `header:"Last-Event-ID" doc:"Number of the last entry that was read."`
}

type streamOutput struct{ Body func(huma.Context) }
