package httpapi

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/catalog"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/spelling"
	"github.com/tendhq/tend/internal/wire"
)

// Library has the playbooks that are live on a server.
type Library interface {
	Playbooks() []*catalog.Playbook
	// StartPlaybook binds parameters, all problems at once, and starts a run. A repeat with the same request gives the same run;
	// trace is the traceparent that asked, or "".
	StartPlaybook(ctx context.Context, p *catalog.Playbook, params map[string]any, by entry.Who, why, request, trace string) (run string, err error)
	// RequestPlaybook does the same for somebody whom the playbook is offered to.
	RequestPlaybook(ctx context.Context, p *catalog.Playbook, params map[string]any, by entry.Who, why, request, trace string) (run string, err error)
}

func (s *server) playbooks(a *api) {
	const kind = "playbook"
	add(a, access.Need{Verb: access.View, Kind: kind}, http.MethodGet, "/v1/playbooks", about{
		id: "listPlaybooks", tag: "playbooks", summary: "The playbooks that are live",
	}, s.listPlaybooks)
	add(a, access.Need{Verb: access.View, Kind: kind}, http.MethodGet, "/v1/playbooks/{name}", about{
		id: "showPlaybook", tag: "playbooks", summary: "One playbook, with its parameters and outputs",
	}, s.showPlaybook)
	// What is started is known when it was looked up: the need of its project and labels is asked for there.
	add(a, access.Need{Verb: access.View, Kind: kind}, http.MethodPost, "/v1/playbooks/{name}/runs", about{
		id: "startPlaybook", tag: "playbooks", summary: "Start a live playbook", status: http.StatusCreated,
		text: "Needs the right to start runs of the playbook's project and labels. `/v1/playbooks/openapi.json` has an operation of its own for each playbook, with typed parameters and outputs.",
	}, s.startPlaybook)
	a.mount(access.Need{Verb: access.View, Kind: kind}, http.MethodGet, "/v1/playbooks/openapi.json", maxBody, http.HandlerFunc(s.playbookContract))
}

// PlaybookPath names a live playbook.
type PlaybookPath struct {
	Name        string `path:"name" doc:"Name of the playbook." maxLength:"200"`
	Project     string `query:"project" doc:"Its project; needed when playbooks of several projects have the name." maxLength:"200"`
	Environment string `query:"environment" doc:"The environment that it is live in; needed when it is live in several." maxLength:"200"`
}

type playbooksOutput struct{ Body wire.Playbooks }

type playbookOutput struct{ Body wire.Playbook }

type startPlaybookInput struct {
	PlaybookPath

	Wait    string `query:"wait" doc:"How long to wait for its end, as 30s, a minute at most. The answer has its status and outputs then, when it ended." maxLength:"20"`
	Request string `header:"Tend-Request" doc:"Names the wish: a repeat with the same name gives the same run." maxLength:"200"`
	Body    wire.StartPlaybook
}

// visible lists what the asker may look at.
func (s *server) visible(ctx context.Context) []*catalog.Playbook {
	if s.Library == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(s.Library.Playbooks()), func(p *catalog.Playbook) bool {
		return !s.may(ctx, access.Need{Verb: access.View, Kind: "playbook", Project: p.Project, Labels: p.Labels})
	})
}

func (s *server) listPlaybooks(ctx context.Context, _ *struct{}) (*playbooksOutput, error) {
	out := wire.Playbooks{Playbooks: []wire.Playbook{}}
	for _, p := range s.visible(ctx) {
		out.Playbooks = append(out.Playbooks, s.told(p))
	}
	return &playbooksOutput{out}, nil
}

// told gives the wire form of a playbook.
func (s *server) told(p *catalog.Playbook) wire.Playbook {
	commit, _ := p.Metadata["commit"].(string)
	out := wire.Playbook{
		Commit: commit, Description: p.Description, Digest: p.Digest, Environment: p.Environment, Labels: p.Labels, Mode: string(guard.ModeAuto),
		Mutates: p.Mutates, Name: p.Name, Owner: p.Owner, Project: p.Project, Source: p.Source,
	}
	if s.Governor != nil {
		m, _ := s.Governor.Rules().ModeOf(p.Project, p.Environment, p.Name)
		out.Mode = string(m)
	}
	for i := range p.Program.Parameters {
		out.Parameters = append(out.Parameters, wire.FromParameter(&p.Program.Parameters[i]))
	}
	for _, f := range p.Program.OutputDefs {
		out.Outputs = append(out.Outputs, wire.Field{Name: f.Name, Type: string(f.Type), Description: f.Description, Sensitive: f.Sensitive})
	}
	return out
}

func (s *server) live(ctx context.Context, in PlaybookPath) (*catalog.Playbook, error) {
	return in.among(s.visible(ctx), "no playbook %q is live here")
}

// among finds the one that is meant; missing says that there is none of a name.
func (in *PlaybookPath) among(all []*catalog.Playbook, missing string) (*catalog.Playbook, error) {
	var names []string
	var found []*catalog.Playbook
	for _, p := range all {
		if p.Name == in.Name && (in.Project == "" || in.Project == p.Project) && (in.Environment == "" || in.Environment == p.Environment) {
			found = append(found, p)
		}
		names = append(names, p.Name)
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return nil, several(in.Name, found)
	}
	f := fault.New(fault.NotFound, missing, in.Name)
	if near := spelling.Nearest(in.Name, names); near != "" {
		return nil, f.WithNext("did you mean %q?", near)
	}
	return nil, f
}

// several refuses to choose: what is meant for stage must not happen in production.
func several(name string, found []*catalog.Playbook) error {
	var places []string
	for _, p := range found {
		where := "project " + p.Project
		if p.Environment != "" {
			where += ", environment " + p.Environment
		}
		places = append(places, where)
	}
	return fault.New(fault.Conflict, "%q is live more than once: %s", name, strings.Join(places, "; ")).WithNext("say which one is meant: --environment, or --project")
}

func (s *server) showPlaybook(ctx context.Context, in *PlaybookPath) (*playbookOutput, error) {
	p, err := s.live(ctx, *in)
	if err != nil {
		return nil, err
	}
	return &playbookOutput{s.told(p)}, nil
}

func (s *server) startPlaybook(ctx context.Context, in *startPlaybookInput) (*startOutput, error) {
	p, err := s.live(ctx, in.PlaybookPath)
	if err != nil {
		return nil, err
	}
	if err := s.allow(ctx, access.Need{Verb: access.Start, Kind: "run", Project: p.Project, Labels: p.Labels}); err != nil {
		return nil, err
	}
	wait, err := waited(in.Wait)
	if err != nil {
		return nil, err
	}
	if wait > 0 {
		// What comes of it is told, too.
		if err := s.allow(ctx, access.Need{Verb: access.View, Kind: "run", Project: p.Project, Labels: p.Labels}); err != nil {
			return nil, err
		}
	}
	request := in.Request
	if request == "" {
		request = onceOf(ctx, "playbook "+p.Project+" "+p.Environment+" "+p.Name)
	}
	run, err := s.Library.StartPlaybook(ctx, p, in.Body.Params, who(ctx), in.Body.Why, request, TraceOf(ctx).asked())
	if err != nil {
		return nil, err
	}
	out := &startOutput{Location: "/v1/runs/" + run, Body: wire.Started{Run: run}}
	if wait > 0 {
		err = s.await(ctx, wait, p, &out.Body)
	}
	return out, err
}

// longestWait is how long an answer may wait for the end of a run.
const longestWait = time.Minute

func waited(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > longestWait {
		return 0, fault.New(fault.Invalid, "wait=%q is not a time to wait", text).WithNext("write it as 30s, a minute at most; follow the run for longer")
	}
	return d, nil
}

// await waits for the end of a run, and tells what came of it. That it goes on is no error.
func (s *server) await(ctx context.Context, wait time.Duration, p *catalog.Playbook, out *wire.Started) error {
	ctx, done := context.WithTimeout(ctx, wait)
	defer done()
	updates, err := s.Engine.Follow(ctx, out.Run, 1)
	if err != nil {
		return err
	}
	for {
		select {
		case <-closing(ctx):
			return nil
		case <-ctx.Done():
			return nil
		case u, ok := <-updates:
			if !ok {
				return nil
			}
			if u.Entry == nil || u.Entry.Kind != entry.KindRunEnded {
				continue
			}
			x, err := entry.Decode(*u.Entry)
			if err != nil {
				return err
			}
			end, _ := x.(*entry.RunEnded)
			return s.ended(context.WithoutCancel(ctx), p, end, out)
		}
	}
}

// ended tells how a run ended, and the outputs that are not sensitive.
func (s *server) ended(ctx context.Context, p *catalog.Playbook, end *entry.RunEnded, out *wire.Started) error {
	outputs, err := s.outputs(ctx, out.Run, end)
	if err != nil {
		return err
	}
	out.Status, out.Outputs = end.Status, map[string]any{}
	declared := s.told(p).Outputs
	for _, name := range slices.Sorted(maps.Keys(outputs)) {
		secret := slices.ContainsFunc(declared, func(f wire.Field) bool { return f.Name == name && f.Sensitive })
		if secret || expr.IsDeferred(outputs[name]) {
			out.Withheld = append(out.Withheld, name)
			continue
		}
		out.Outputs[name] = outputs[name]
	}
	return nil
}

// playbookContract is an OpenAPI document with an operation for each playbook that the asker may look at.
func (s *server) playbookContract(w http.ResponseWriter, r *http.Request) {
	var names []string
	byName := map[string][]*catalog.Playbook{}
	for _, p := range s.visible(r.Context()) {
		if byName[p.Name] == nil {
			names = append(names, p.Name)
		}
		byName[p.Name] = append(byName[p.Name], p)
	}
	paths := map[string]any{}
	for _, name := range names {
		paths["/v1/playbooks/"+url.PathEscape(name)+"/runs"] = map[string]any{"post": s.operation(byName[name])}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"openapi": "3.1.0", "info": map[string]any{"title": "The playbooks that are live", "version": "1"}, "servers": []any{map[string]any{"url": "/"}}, "paths": paths,
	})
}

// operation starts a playbook. One that is live more than once, in several environments or projects, is asked for by them.
func (s *server) operation(all []*catalog.Playbook) map[string]any {
	first := s.told(all[0])
	outputs := map[string]any{}
	for i := range first.Outputs {
		outputs[first.Outputs[i].Name] = first.Outputs[i].Schema()
	}
	var bodies []any
	needed := true
	places := map[string][]string{}
	for _, p := range all {
		body, need := startBody(s.told(p))
		bodies, needed = append(bodies, body), needed && need
		for in, value := range map[string]string{"project": p.Project, "environment": p.Environment} {
			if value != "" && !slices.Contains(places[in], value) {
				places[in] = append(places[in], value)
			}
		}
	}
	schema := bodies[0]
	if len(bodies) > 1 {
		schema = map[string]any{"anyOf": bodies}
	}
	op := map[string]any{
		"operationId": "start-" + first.Name, "summary": first.Description, "tags": []string{first.Project},
		"requestBody": map[string]any{"required": needed, "content": map[string]any{"application/json": map[string]any{"schema": schema}}},
		"responses": map[string]any{"201": map[string]any{
			"description": "The run began, and with `wait` perhaps ended.", "content": map[string]any{"application/json": map[string]any{"schema": map[string]any{
				"type": "object", "required": []string{"run"}, "properties": map[string]any{
					"run": map[string]any{"type": "string"}, "status": map[string]any{"type": "string"},
					"outputs":  map[string]any{"type": "object", "properties": outputs},
					"withheld": map[string]any{"type": "array", "items": map[string]any{"type": "string"}},
				},
			}}},
		}, "default": map[string]any{"description": "A problem document (RFC 9457)."}},
		"x-tend-outputs": map[string]any{"type": "object", "properties": outputs},
		"x-tend-mutates": first.Mutates, "x-tend-digest": first.Digest,
	}
	params := []any{map[string]any{
		"name": "wait", "in": "query", "schema": map[string]any{"type": "string"},
		"description": "How long to wait for its end, as 30s, a minute at most.",
	}}
	for _, in := range []string{"project", "environment"} {
		if values := places[in]; len(values) > 0 {
			params = append(params, map[string]any{"name": in, "in": "query", "required": len(values) > 1, "schema": map[string]any{"type": "string", "enum": values}})
		}
	}
	op["parameters"] = params
	return op
}

// startBody is the schema of what a playbook is started with, and whether it must be given.
func startBody(t wire.Playbook) (body map[string]any, needed bool) {
	params, need := map[string]any{}, []string{}
	for i := range t.Parameters {
		params[t.Parameters[i].Name] = t.Parameters[i].Schema()
		if t.Parameters[i].Required {
			need = append(need, t.Parameters[i].Name)
		}
	}
	body = map[string]any{"type": "object", "additionalProperties": false, "properties": map[string]any{
		"params": map[string]any{"type": "object", "properties": params, "required": need, "additionalProperties": false},
		"why":    map[string]any{"type": "string"},
	}}
	if len(need) > 0 {
		body["required"] = []string{"params"}
	}
	return body, len(need) > 0
}
