package engine

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
)

var _ Service = (*Engine)(nil)

// Start implements Service.
func (e *Engine) Start(ctx context.Context, s Start) (string, error) {
	if s.Program == nil {
		return "", fault.New(fault.Invalid, "a run needs a compiled playbook")
	}
	if err := outside(s.Params, s.Event, s.Metadata); err != nil {
		return "", err
	}
	runID, there, err := e.named(ctx, s.ID)
	if there || err != nil {
		return runID, err
	}
	if err := e.sealStart(runID, &s); err != nil {
		return "", err
	}
	if s.Request != "" {
		leave, err := e.alone(ctx)
		if err != nil {
			return "", err
		}
		defer leave()
	}
	return e.start(ctx, runID, s, nil, nil)
}

// named gives a run its id, and tells whether a run with it is there.
func (e *Engine) named(ctx context.Context, want string) (runID string, there bool, err error) {
	if want == "" {
		runID, err = newRun()
		return runID, false, err
	}
	if !id.Valid("run", want) {
		return "", false, fault.New(fault.Invalid, "%.80q is no id of a run", want)
	}
	h, err := e.cfg.Store.Head(ctx, "run/"+want)
	return want, h.Length > 0, err
}

// alone lets one request with a key through at a time, so that of two that are the same the second one finds the run of
// the first.
func (e *Engine) alone(ctx context.Context) (leave func(), err error) {
	select {
	case e.keyed <- struct{}{}:
		return func() { <-e.keyed }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func newRun() (string, error) { return id.New("run", time.Now(), rand.Reader) }

// start makes a run durable whose request is sealed for it.
func (e *Engine) start(ctx context.Context, runID string, s Start, carried *entry.RunCarried, changed *entry.ParamsChanged) (string, error) {
	if s.Request != "" {
		if known, _, err := e.requested(ctx, s.Request); known != "" || err != nil {
			return known, err
		}
	}
	body, sum, err := e.archive.Pin(s.Program)
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "encode the compiled playbook")
	}
	heads := map[string]store.Head{}
	for _, g := range s.Guards {
		if heads["guard/"+g.Name], err = e.cfg.Store.Head(ctx, "guard/"+g.Name); err != nil && !fault.Is(err, fault.Damaged) {
			return "", err
		}
	}
	v, err := e.ask(ctx, func(q request) Input {
		return Begin{request: q, ID: runID, Start: s, Hash: sum, Closure: body, Carried: carried, Changed: changed, Heads: heads}
	})
	if err != nil {
		return "", err
	}
	return fmt.Sprint(v), nil
}

// Do implements Service.
func (e *Engine) Do(ctx context.Context, c Command) (Done, error) {
	switch c.Verb {
	case Retry:
		return e.retry(ctx, c)
	case Rollback:
		return e.rollback(ctx, c)
	case Redact:
		return e.redact(ctx, c)
	case Release:
		return e.release(ctx, c)
	case Params:
		bound, err := e.checkParams(ctx, c)
		if err != nil {
			return Done{}, err
		}
		c.Params = bound
	case Resume:
		return e.resume(ctx, c)
	case Cancel, Pause, Unpause, Permit, Skip, Leave:
	default:
		return Done{}, fault.New(fault.Invalid, "unknown command %q", c.Verb)
	}
	return e.command(ctx, Commanded{Command: c})
}

func (e *Engine) command(ctx context.Context, x Commanded) (Done, error) {
	v, err := e.ask(ctx, func(q request) Input { x.request = q; return x })
	if err != nil {
		return Done{}, err
	}
	d, _ := v.(Done)
	return d, nil
}

// resume lets a run go on, with the run that called it first.
func (e *Engine) resume(ctx context.Context, c Command) (Done, error) {
	st, err := e.Status(ctx)
	if err != nil {
		return Done{}, err
	}
	if st.Halted != "" {
		return Done{}, haltedError(st.Halted)
	}
	return e.command(ctx, Commanded{Command: c})
}

// retry makes a linked run that goes on at the step that failed; for a step in doubt it is the answer "again".
func (e *Engine) retry(ctx context.Context, c Command) (Done, error) {
	s, _, err := e.archive.Run(ctx, c.Run)
	if err != nil {
		return Done{}, err
	}
	if s.End == nil {
		return e.retryDoubt(ctx, s, c)
	}
	leave, err := e.alone(ctx)
	if err != nil {
		return Done{}, err
	}
	defer leave()
	request, err := e.retriable(ctx, s)
	if err != nil {
		return Done{}, err
	}
	next, err := newRun()
	if err != nil {
		return Done{}, err
	}
	carried, err := e.archive.Carry(ctx, s, next, e.mover())
	if err != nil {
		return Done{}, err
	}
	var changed *entry.ParamsChanged
	if len(c.Params) > 0 {
		if changed, err = e.changes(s.Program(), next, c); err != nil {
			return Done{}, err
		}
	}
	st := again(s, c.By)
	if err := e.reseal(groupOf(s), next, &st.Params, &st.Event, &st.Metadata); err != nil {
		return Done{}, err
	}
	st.Cause.Carry, st.Cause.Why, st.Request = s.ID, c.Why, request
	id, err := e.start(ctx, next, st, carried, changed)
	return Done{Run: id, Note: "continues " + s.ID}, err
}

// retriable refuses the retry of a run where the retry of another one does what is meant, or where it would repeat what
// was done since. It gives the key of the request: of the runs that could carry a run on, there is one.
func (e *Engine) retriable(ctx context.Context, s *run.State) (request string, err error) {
	top, err := e.archive.Caller(ctx, s)
	if err != nil {
		return "", err
	}
	if top != "" {
		return "", fault.New(fault.Conflict, "run %s was called by %s, whose retry carries it on", s.ID, s.Created.Cause.Parent).
			WithNext("tend runs retry %s", top)
	}
	by, _, err := e.requested(ctx, undoes(s.ID))
	if err != nil {
		return "", err
	}
	if by != "" {
		return "", fault.New(fault.Conflict, "run %s was rolled back by %s: what it had done is not there any more", s.ID, by).
			WithNext("start a new run")
	}
	request = "retry of " + s.ID
	for {
		next, status, err := e.requested(ctx, request)
		switch {
		case err != nil:
			return "", err
		case next == "":
			return request, nil
		case status != string(run.Quarantined):
			return "", fault.New(fault.Conflict, "run %s was retried already: %s goes on from there, and is %s", s.ID, next, status).
				WithNext("see `tend runs explain %s`; when it has failed, `tend runs retry %s`", next, next)
		}
		request += ", " + next + " being damaged"
	}
}

// undoes is the key of the request for a rollback: what is undone is not undone twice.
func undoes(id string) string { return "rollback of " + id }

// requested finds the run that was started for a request, and how it stands. There may be none: "".
func (e *Engine) requested(ctx context.Context, request string) (id, status string, err error) {
	p, err := e.cfg.Store.Rows(ctx, store.Filter{Kind: "request", ID: request, Limit: 1})
	if err != nil || len(p.Rows) == 0 {
		return "", "", err
	}
	id = p.Rows[0].Parent
	if p, err = e.cfg.Store.Rows(ctx, store.Filter{Kind: "run", ID: id, Limit: 1}); err == nil && len(p.Rows) > 0 {
		status = p.Rows[0].Status
	}
	return id, status, err
}

func (e *Engine) retryDoubt(ctx context.Context, s *run.State, c Command) (Done, error) {
	path := c.Path
	if path != "" {
		p, err := s.Find(path)
		if err != nil {
			return Done{}, err
		}
		path = p
	}
	for p, tid := range s.OpenTasks() {
		if n := s.Node(p); n.Phase == run.PhaseDoubted && (path == "" || path == p) {
			if len(c.Params) > 0 {
				if _, err := e.Do(ctx, Command{Verb: Params, Run: c.Run, Params: c.Params, By: c.By, Why: c.Why}); err != nil {
					return Done{}, err
				}
			}
			_, err := e.Answer(ctx, Answer{Task: tid, Choice: "again", By: c.By, Why: c.Why})
			return Done{Run: s.ID, Note: p + " is done again"}, err
		}
	}
	return Done{}, fault.New(fault.Conflict, "run %s is %s: an ended run, or a step in doubt, can be retried", s.ID, s.Status()).
		WithNext("tend runs explain %s", s.ID)
}

// again is the request for a run like s.
func again(s *run.State, by entry.Who) Start {
	c := s.Created
	return Start{
		Program: s.Program(), Params: s.Params, Event: c.Event, Metadata: c.Metadata, Source: c.Source, Dir: c.Dir, By: by, Project: c.Project, Environment: c.Environment,
		Guards: decodeGuards(c.Guards), Cause: entry.Cause{For: c.Cause.For, Offer: c.Cause.Offer}, Shown: c.Shown,
	}
}

func (e *Engine) rollback(ctx context.Context, c Command) (Done, error) {
	s, _, err := e.archive.Run(ctx, c.Run)
	if err != nil {
		return Done{}, err
	}
	leave, err := e.alone(ctx)
	if err != nil {
		return Done{}, err
	}
	defer leave()
	next, err := newRun()
	if err != nil {
		return Done{}, err
	}
	st := again(s, c.By)
	data := []*map[string]any{&st.Params, &st.Event, &st.Metadata}
	for i := range s.Undo {
		data = append(data, (*map[string]any)(&s.Undo[i].Inputs))
	}
	if err := e.reseal(groupOf(s), next, data...); err != nil {
		return Done{}, err
	}
	prog, left, err := run.Rollback(s)
	if err != nil {
		return Done{}, err
	}
	st.Program, st.Cause.Undoes, st.Cause.Why, st.Cause.Offer = prog, s.ID, c.Why, "" // nobody asked for that
	st.Request = undoes(s.ID)
	id, err := e.start(ctx, next, st, nil, nil)
	d := Done{Run: id, Count: len(prog.Steps), Note: "undoes " + s.ID}
	for _, l := range left {
		d.Note += "; not undone: " + l
	}
	return d, err
}

// checkParams converts changed parameters by their declarations.
func (e *Engine) checkParams(ctx context.Context, c Command) (map[string]any, error) {
	s, _, err := e.archive.Run(ctx, c.Run)
	if err != nil {
		return nil, err
	}
	changed, err := e.changes(s.Program(), groupOf(s), c)
	if err != nil {
		return nil, err
	}
	return changed.Params, nil
}

func bindSome(p *program.Program, given map[string]any) (map[string]any, error) {
	out := map[string]any{}
	for name, v := range given {
		known := false
		for _, q := range p.Parameters {
			if q.Name != name {
				continue
			}
			known = true
			c, err := contract.ConvertParameter(v, q)
			if err != nil {
				return nil, fault.Wrap(fault.Invalid, err, "parameter %s", name)
			}
			out[name] = c
		}
		if !known {
			return nil, fault.New(fault.Invalid, "%s has no parameter %q", p.Metadata.Name, name)
		}
	}
	return out, nil
}

// Send implements Service.
func (e *Engine) Send(ctx context.Context, name, key string, payload map[string]any, by entry.Who) ([]string, error) {
	if err := outside(payload); err != nil {
		return nil, err
	}
	var rows []store.Row
	if err := e.eachRow(ctx, store.Filter{Kind: "wake", Tag: eventTag(name, key)}, func(r store.Row) { rows = append(rows, r) }); err != nil {
		return nil, err
	}
	body := map[string]any{"by": by.Name, "key": key, "name": name, "payload": payload}
	var runs []string
	for _, r := range rows {
		path := r.ID[len(r.Parent)+1:]
		_, err := e.ask(ctx, func(q request) Input { return Arrived{request: q, Run: r.Parent, Path: path, Payload: body} })
		switch {
		case err == nil:
			runs = append(runs, r.Parent)
		case fault.Is(err, fault.Damaged), fault.Is(err, fault.Newer):
			// It is quarantined, and shows so. The others hear of the event.
		case !fault.Is(err, fault.Conflict):
			return runs, err
		}
	}
	return runs, nil
}

// Entries implements Service.
func (e *Engine) Entries(ctx context.Context, stream string, from uint64, limit int) ([]entry.Entry, error) {
	return e.cfg.Store.Read(ctx, stream, from, limit)
}

// Rows implements Service.
func (e *Engine) Rows(ctx context.Context, f store.Filter) (store.Page, error) {
	return e.cfg.Store.Rows(ctx, f)
}

// Program implements Service.
func (e *Engine) Program(ctx context.Context, runID string) (*program.Program, error) {
	page, err := e.cfg.Store.Read(ctx, "run/"+runID, 1, 1)
	if err != nil {
		return nil, err
	}
	if len(page) == 0 {
		return nil, fault.New(fault.NotFound, "there is no run %s", runID).WithNext("tend runs list")
	}
	return e.archive.ProgramOf(ctx, page[0])
}

// Blob implements Service.
func (e *Engine) Blob(ctx context.Context, runID string, ref entry.Ref) ([]byte, error) {
	root, err := e.root(ctx, runID)
	if err != nil {
		return nil, err
	}
	return e.blob(ctx, root, ref)
}

func (e *Engine) root(ctx context.Context, runID string) (string, error) {
	page, err := e.cfg.Store.Read(ctx, "run/"+runID, 1, 1)
	if err != nil {
		return "", err
	}
	if len(page) == 0 {
		return "", fault.New(fault.NotFound, "there is no run %s", runID).WithNext("tend runs list")
	}
	p, err := entry.Decode(page[0])
	if err != nil {
		return "", err
	}
	c, _ := p.(*entry.RunCreated)
	if c == nil {
		return runID, nil
	}
	return cmp.Or(c.Cause.Root, runID), nil
}

// Status implements Service.
func (e *Engine) Status(ctx context.Context) (Status, error) {
	ident, err := e.cfg.Store.Identity(ctx)
	if err != nil {
		return Status{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.status
	s.Index = ident.Index
	return s, e.broken
}

// Unhalt implements Service. Where the store went back in time, open runs stay interrupted until somebody resumes them,
// and their next mutation is in doubt. Where a stream is damaged, another one follows it.
func (e *Engine) Unhalt(ctx context.Context, by entry.Who, why string) ([]string, error) {
	ident, err := e.cfg.Store.Identity(ctx)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	halted, damaged := e.status.Halted, e.damaged
	e.mu.Unlock()
	switch {
	case halted == "":
		return nil, fault.New(fault.Conflict, "nothing is halted")
	case len(damaged) > 0 && strings.TrimSpace(why) == "":
		return nil, fault.New(fault.Invalid, "a reason is needed: %s", halted).
			WithNext("look what else is damaged (tend runs verify --all), copy the data directory, then say what you know: tend unhalt --why")
	}
	segments, err := e.followed(ctx, by, why, damaged)
	if err != nil {
		return nil, err
	}
	var open []string
	if ident.Halted != "" {
		if open, err = e.doubted(ctx, by, ident.Halted); err != nil {
			return nil, err
		}
	}
	if _, err := e.ask(ctx, func(q request) Input {
		fact := &entry.Audited{By: by, What: "unhalted", Object: ident.Instance, Why: cmp.Or(why, halted)}
		return audit{request: q, Fact: fact, Segments: segments, Unhalt: true}
	}); err != nil {
		return nil, err
	}
	e.mu.Lock()
	e.status.Halted, e.damaged = "", nil
	e.mu.Unlock()
	return open, nil
}

// doubted marks every open run: what it did in the time that the store lost is not known.
func (e *Engine) doubted(ctx context.Context, by entry.Who, why string) ([]string, error) {
	var open []string
	if err := e.eachRow(ctx, store.Filter{Kind: "run", Status: []string{
		string(run.Pending), string(run.Running), string(run.Waiting), string(run.Paused), string(run.Cancelling), string(run.Undoing),
		string(run.Interrupted), string(run.InDoubt),
	}}, func(r store.Row) { open = append(open, r.ID) }); err != nil {
		return nil, err
	}
	for _, r := range open {
		if _, err := e.command(ctx, Commanded{Command: Command{Verb: restored, Run: r, By: by, Why: why}}); err != nil && !fault.Is(err, fault.Conflict) {
			return nil, err
		}
	}
	return open, nil
}
