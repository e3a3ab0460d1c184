package httpapi

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/wire"
)

const (
	mostRows    = 1000
	mostEntries = 10_000
)

func (s *server) startRun(w http.ResponseWriter, r *http.Request) error {
	var req wire.Start
	if err := decode(r, &req); err != nil {
		return err
	}
	if len(req.Program) == 0 {
		return fault.New(fault.Invalid, "there is no program to run").WithNext("send the compiled closure as \"program\"")
	}
	program, err := wire.DecodeProgram(req.Program)
	if err != nil {
		return err
	}
	run, err := s.Engine.Start(r.Context(), engine.Start{
		Program: program, Params: req.Params, Event: req.Event, Metadata: req.Metadata, Source: req.Source, Dir: req.Dir,
		By: s.who(r), Stepping: req.Stepping, Guards: req.Guards, Request: req.Request, Cause: req.Cause,
	})
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/v1/runs/"+run)
	return encode(w, http.StatusCreated, wire.Started{Run: run})
}

func (s *server) listRows(kind string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error { return s.rows(w, r, kind) }
}

func (s *server) listKind(w http.ResponseWriter, r *http.Request) error {
	return s.rows(w, r, r.PathValue("kind"))
}

func (s *server) rows(w http.ResponseWriter, r *http.Request, kind string) error {
	f, err := filter(r, kind)
	if err != nil {
		return err
	}
	page, err := s.Engine.Rows(r.Context(), f)
	if err != nil {
		return err
	}
	out := wire.Page{Next: page.Next, Rows: make([]wire.Row, len(page.Rows))}
	for i, row := range page.Rows {
		out.Rows[i] = wire.FromRow(row)
	}
	return encode(w, http.StatusOK, out)
}

func filter(r *http.Request, kind string) (store.Filter, error) {
	q := r.URL.Query()
	f := store.Filter{
		Kind: kind, ID: q.Get("id"), Prefix: q.Get("prefix"), Project: q.Get("project"), Name: q.Get("name"),
		Parent: q.Get("parent"), Tag: q.Get("tag"), Cursor: q.Get("cursor"), Oldest: q.Get("oldest") == "true",
	}
	for _, s := range q["status"] {
		f.Status = append(f.Status, strings.Split(s, ",")...)
	}
	var err error
	f.Limit, err = query(r, "limit", 100, mostRows)
	if err != nil {
		return f, err
	}
	if by := q.Get("dueBy"); by != "" {
		if err := f.DueBy.UnmarshalText([]byte(by)); err != nil {
			return f, fault.New(fault.Invalid, "dueBy=%q is not a time", by).WithNext("write it as 2026-01-31T15:04:05Z")
		}
	}
	return f, nil
}

func (s *server) showRow(kind string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		id := r.PathValue("run")
		page, err := s.Engine.Rows(r.Context(), store.Filter{Kind: kind, ID: id, Limit: 1})
		if err != nil {
			return err
		}
		if len(page.Rows) == 0 {
			return fault.New(fault.NotFound, "there is no %s %q", kind, id)
		}
		return encode(w, http.StatusOK, wire.FromRow(page.Rows[0]))
	}
}

func (s *server) program(w http.ResponseWriter, r *http.Request) error {
	p, err := s.Engine.Program(r.Context(), r.PathValue("run"))
	if err != nil {
		return err
	}
	b, _, err := p.Closure()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b)
	return nil
}

func (s *server) entries(prefix string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		return s.read(w, r, prefix+r.PathValue("run"))
	}
}

func (s *server) stream(w http.ResponseWriter, r *http.Request) error {
	return s.read(w, r, r.PathValue("stream"))
}

func (s *server) read(w http.ResponseWriter, r *http.Request, stream string) error {
	from, err := query[uint64](r, "from", 1, 1<<62)
	if err != nil {
		return err
	}
	limit, err := query(r, "limit", 1000, mostEntries)
	if err != nil {
		return err
	}
	if limit == 0 {
		limit = 1000
	}
	list, err := s.Engine.Entries(r.Context(), stream, max(from, 1), limit)
	if err != nil {
		return err
	}
	if len(list) == 0 && from <= 1 {
		return fault.New(fault.NotFound, "there is no stream %q", stream)
	}
	out := wire.Entries{Entries: make([]wire.Entry, len(list))}
	for i, e := range list {
		out.Entries[i] = wire.FromEntry(e)
	}
	if len(list) == limit {
		out.Next = list[len(list)-1].Seq + 1
	}
	return encode(w, http.StatusOK, out)
}

func (s *server) blob(w http.ResponseWriter, r *http.Request) error {
	ref := entry.Ref{ID: r.PathValue("blob")}
	q := r.URL.Query()
	size, err := strconv.ParseInt(q.Get("size"), 10, 64)
	if err != nil || size < 0 {
		return fault.New(fault.Invalid, "size=%q is not the size of a blob", q.Get("size"))
	}
	ref.Size = size
	if err := ref.Salt.UnmarshalText([]byte(q.Get("salt"))); err != nil {
		return fault.Wrap(fault.Invalid, err, "read salt")
	}
	if err := ref.Sum.UnmarshalText([]byte(q.Get("sum"))); err != nil {
		return fault.Wrap(fault.Invalid, err, "read sum")
	}
	b, err := s.Engine.Blob(r.Context(), r.PathValue("run"), ref)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b)
	return nil
}

func (s *server) command(w http.ResponseWriter, r *http.Request) error {
	var req wire.Command
	if err := decode(r, &req); err != nil {
		return err
	}
	done, err := s.Engine.Do(r.Context(), engine.Command{
		Verb: req.Verb, Run: r.PathValue("run"), Path: req.Path, All: req.All, Params: req.Params, Text: req.Text,
		By: s.who(r), Why: req.Why,
	})
	if err != nil {
		return err
	}
	return encode(w, http.StatusOK, done)
}
