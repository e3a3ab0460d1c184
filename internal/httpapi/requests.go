package httpapi

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/catalog"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/value"
	"github.com/tendhq/tend/internal/wire"
)

// requests are self-service: what is offered to somebody, and what they asked for. Nothing else of a run is shown here.
func (s *server) requests(a *api) {
	own := access.Need{Verb: access.Own, Kind: "request"}
	add(a, own, http.MethodGet, "/v1/offers", about{
		id: "listOffers", tag: "requests", summary: "What is offered to the asker", text: "Each with its form, and the outputs that whoever asked is shown.",
	}, s.listOffers)
	// What is asked for is known when it was looked up: whether it is offered to the asker is asked there.
	add(a, own, http.MethodPost, "/v1/offers/{name}/requests", about{
		id: "submitRequest", tag: "requests", summary: "Ask for what is offered", status: http.StatusCreated,
		text: "Starts a run of the playbook, for the asker. All that is wrong with the parameters is told at once.",
	}, s.submit)
	add(a, own, http.MethodGet, "/v1/requests", about{
		id: "listRequests", tag: "requests", summary: "What the asker asked for", text: "The newest first, unless `oldest` is set. Never what others asked for.",
	}, s.listRequests)
	add(a, own, http.MethodGet, "/v1/requests/{id}", about{
		id: "showRequest", tag: "requests", summary: "One request of the asker, with the outputs that the offer declares",
	}, s.showRequest)
}

// offered lists what the asker may ask for.
func (s *server) offered(ctx context.Context) []*catalog.Playbook {
	if s.Library == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(s.Library.Playbooks()), func(p *catalog.Playbook) bool {
		return p.Program == nil || p.Program.Offer == nil || !s.may(ctx, requestOf(p))
	})
}

// requestOf is what asking for a playbook needs.
func requestOf(p *catalog.Playbook) access.Need {
	return access.Need{Verb: access.Request, Kind: "playbook", Project: p.Project, Labels: p.Labels, To: p.Program.Offer.To}
}

type offersOutput struct{ Body wire.Offers }

func (s *server) listOffers(ctx context.Context, _ *struct{}) (*offersOutput, error) {
	out := &offersOutput{wire.Offers{Offers: []wire.Offer{}}}
	for _, p := range s.offered(ctx) {
		t := s.told(p)
		o := wire.Offer{
			Approvers:   p.Program.Approvers(),
			Description: t.Description, Environment: t.Environment, Name: t.Name, Owner: t.Owner, Parameters: t.Parameters, Project: t.Project,
			Title: cmp.Or(p.Program.Offer.Title, t.Description, t.Name), Note: observed(&t),
		}
		for _, name := range p.Program.Offer.Outputs {
			f := wire.Field{Name: name, Type: "any"}
			if i := slices.IndexFunc(t.Outputs, func(x wire.Field) bool { return x.Name == name }); i >= 0 {
				f = t.Outputs[i]
			}
			o.Outputs = append(o.Outputs, f)
		}
		out.Body.Offers = append(out.Body.Offers, o)
	}
	return out, nil
}

// observed says that nothing would be changed.
func observed(p *wire.Playbook) string {
	if p.Mutates && p.Mode == string(guard.ModeObserve) {
		return "nothing is changed at the moment: what would be done is only recorded (mode observe)"
	}
	return ""
}

type submitInput struct {
	PlaybookPath

	Request string `header:"Tend-Request" doc:"Names the wish: a repeat with the same name gives the same request." maxLength:"200"`
	Body    wire.Submit
}

type submittedOutput struct {
	Location string `header:"Location" doc:"Where the request is."`
	Body     wire.Submitted
}

func (s *server) submit(ctx context.Context, in *submitInput) (*submittedOutput, error) {
	p, err := in.among(s.offered(ctx), "nothing called %q is offered to you")
	if err != nil {
		return nil, err
	}
	if err := s.allow(ctx, requestOf(p)); err != nil {
		return nil, err
	}
	// Somebody else's wish of the same name is another one.
	request := onceOf(ctx, "offer "+p.Project+" "+p.Environment+" "+p.Name)
	if in.Request != "" {
		request = "offer " + Asker(ctx).ID + " " + in.Request
	}
	run, err := s.Library.RequestPlaybook(ctx, p, in.Body.Params, who(ctx), in.Body.Why, request, TraceOf(ctx).asked())
	if err != nil {
		return nil, err
	}
	t := s.told(p)
	return &submittedOutput{Location: "/v1/requests/" + run, Body: wire.Submitted{Request: run, Note: observed(&t)}}, nil
}

type requestsInput struct {
	Limit  int    `query:"limit" minimum:"0" maximum:"1000" doc:"How many at most. 0: 100."`
	Cursor string `query:"cursor" doc:"From \"next\" of the page before."`
	Oldest bool   `query:"oldest" doc:"The oldest first."`
}

type requestsOutput struct{ Body wire.Requests }

func (s *server) listRequests(ctx context.Context, in *requestsInput) (*requestsOutput, error) {
	cursor, err := openCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	page, err := s.Engine.Rows(ctx, store.Filter{Kind: "run", Tag: engine.RequestTag(Asker(ctx).ID), Limit: in.Limit, Cursor: cursor, Oldest: in.Oldest})
	if err != nil {
		return nil, err
	}
	out := &requestsOutput{wire.Requests{Next: closeCursor(page.Next), Requests: make([]wire.Request, len(page.Rows))}}
	for i := range page.Rows {
		if out.Body.Requests[i], err = requestFrom(&page.Rows[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// requestFrom is what the row of a run says to whoever asked for it.
func requestFrom(row *store.Row) (wire.Request, error) {
	var r engine.RunRow
	if err := json.Unmarshal(row.Body, &r); err != nil {
		return wire.Request{}, fault.Wrap(fault.Damaged, err, "read run %s", row.ID)
	}
	out := wire.Request{Asked: row.At, Ended: r.Ended, ID: row.ID, Offer: r.Cause.Offer, Project: row.Project, Status: row.Status}
	for _, w := range r.Waits {
		switch w.For {
		case "task", "doubt":
			out.Waits = "people"
		case "time", "retry":
			out.Waits = cmp.Or(out.Waits, "time")
		default:
			out.Waits = cmp.Or(out.Waits, "work")
		}
	}
	return out, nil
}

// RequestPath names a request.
type RequestPath struct {
	ID string `path:"id" doc:"Id of the request." maxLength:"64"`
}

type requestOutput struct{ Body wire.Request }

func (s *server) showRequest(ctx context.Context, in *RequestPath) (*requestOutput, error) {
	page, err := s.Engine.Rows(ctx, store.Filter{Kind: "run", ID: in.ID, Tag: engine.RequestTag(Asker(ctx).ID), Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(page.Rows) == 0 {
		return nil, fault.New(fault.NotFound, "you have no request %q", in.ID).WithNext("GET /v1/requests")
	}
	r, err := requestFrom(&page.Rows[0])
	if err != nil {
		return nil, err
	}
	prog, err := s.Engine.Program(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if prog.Offer == nil {
		return &requestOutput{r}, nil
	}
	r.Title = cmp.Or(prog.Offer.Title, prog.Metadata.Description, prog.Metadata.Name)
	err = s.tell(ctx, prog, &r)
	return &requestOutput{r}, err
}

// tell adds what was given, and what came of it.
func (s *server) tell(ctx context.Context, prog *program.Program, r *wire.Request) error {
	var outputs value.Object
	for from := uint64(1); ; {
		list, err := s.Engine.Entries(ctx, "run/"+r.ID, from, 1000)
		if err != nil {
			return err
		}
		for i := range list {
			switch list[i].Kind {
			case entry.KindRunCreated, entry.KindRunEnded:
			default:
				continue
			}
			p, err := entry.Decode(list[i])
			if err != nil {
				return err
			}
			switch x := p.(type) {
			case *entry.RunCreated:
				r.Params = given(prog, x.Params)
			case *entry.RunEnded:
				if outputs, err = s.outputs(ctx, r.ID, x); err != nil {
					return err
				}
			}
		}
		if len(list) < 1000 {
			break
		}
		from = list[len(list)-1].Seq + 1
	}
	for _, name := range prog.Offer.Outputs {
		v, ok := outputs[name]
		switch {
		case !ok:
		case expr.IsDeferred(v):
			r.Withheld = append(r.Withheld, name)
		default:
			if r.Outputs == nil {
				r.Outputs = map[string]any{}
			}
			r.Outputs[name] = v
		}
	}
	return nil
}

// given are the parameters as whoever asked knows them: nothing sensitive, and no default that the server made.
func given(prog *program.Program, params value.Object) map[string]any {
	out := map[string]any{}
	for i := range prog.Parameters {
		p := &prog.Parameters[i]
		v, ok := params[p.Name]
		if ok && !p.Sensitive && !expr.IsDeferred(v) && (p.Default == nil || p.Default.Literal() != nil) {
			out[p.Name] = v
		}
	}
	return out
}

// outputs are those of a run that has ended.
func (s *server) outputs(ctx context.Context, run string, end *entry.RunEnded) (value.Object, error) {
	if end.Ref == nil {
		return end.Outputs, nil
	}
	b, err := s.Engine.Blob(ctx, run, *end.Ref)
	if err != nil {
		return nil, err
	}
	v, err := value.Parse(b)
	if err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "read the outputs of run %s", run)
	}
	m, _ := v.(map[string]any)
	return m, nil
}
