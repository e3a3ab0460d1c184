package httpapi

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/audit"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/wire"
)

// linesType is the media type of JSON lines.
const linesType = "application/jsonl"

func (s *server) audit(a *api) {
	need := access.Need{Verb: access.Audit, Kind: "server"}
	add(a, need, http.MethodGet, "/v1/audit", about{
		id: "searchAudit", tag: "audit", summary: "Who did what, from where and why", time: time.Hour,
		text: "The newest first. Everything that was let or not, every change, and how runs ended.",
	}, s.searchAudit)
	add(a, need, http.MethodGet, "/v1/audit/export", about{
		id: "exportAudit", tag: "audit", summary: "The audit trail as lines of JSON", media: linesType, time: time.Hour,
		text: "Stream by stream, each from its first entry (or `since`) on, with all that its hashes are made of: whoever gets it can verify it without tend. A stream that is damaged is given up to the damage; then the last line is no entry but says `kind` and `problem`, and the answer is cut off. An answer that is cut off is not whole.",
	}, s.exportAudit)
	add(a, need, http.MethodPost, "/v1/audit/verify", about{
		id: "verifyAudit", tag: "audit", summary: "Verify the audit trail", time: time.Hour,
		text: "Compares every entry with its hashes and the entry before it, the ends of runs with what the trail says of them, and the trail with what was seen of it before.",
	}, s.verifyAudit)
}

// Asked is what a search of the audit trail can be narrowed by.
type Asked struct {
	Who     string    `query:"who" doc:"By this id, name or address, or a part of one." maxLength:"200"`
	What    string    `query:"what" doc:"Of this kind: halted, approve, redacted, …" maxLength:"100"`
	Object  string    `query:"object" doc:"About this object: its id, or the beginning of it." maxLength:"500"`
	Project string    `query:"project" doc:"In this project." maxLength:"100"`
	Denied  bool      `query:"denied" doc:"Only what was not allowed."`
	Since   time.Time `query:"since" doc:"Not before."`
	Until   time.Time `query:"until" doc:"Before."`
}

func (q Asked) query() audit.Query { return audit.Query(q) }

type searchInput struct {
	Asked

	Limit  int    `query:"limit" minimum:"0" maximum:"1000" doc:"How many at most. 0: 100."`
	Cursor string `query:"cursor" doc:"From \"next\" of the page before." maxLength:"500"`
}

type searchOutput struct{ Body wire.AuditPage }

func (s *server) searchAudit(ctx context.Context, in *searchInput) (*searchOutput, error) {
	after, err := openPlace(in.Cursor)
	if err != nil {
		return nil, err
	}
	found, more, damaged, err := audit.Search(ctx, s.Engine, in.query(), after, in.Limit)
	if err != nil {
		return nil, err
	}
	out := wire.AuditPage{Records: make([]wire.AuditRecord, len(found)), Damaged: problemsOf(damaged)}
	for i, r := range found {
		out.Records[i] = wire.AuditRecord(r)
	}
	if more && len(found) > 0 {
		last := found[len(found)-1]
		out.Next = closeCursor(last.At.UTC().Format(time.RFC3339Nano) + "|" + last.Stream + "|" + strconv.FormatUint(last.Seq, 10))
	}
	return &searchOutput{out}, nil
}

func openPlace(cursor string) (*audit.Place, error) {
	text, err := openCursor(cursor)
	if err != nil || text == "" {
		return nil, err
	}
	bad := fault.New(fault.Invalid, "the cursor %.80q is not one that a search gave", cursor).WithNext("start again without a cursor")
	parts := strings.Split(text, "|")
	if len(parts) != 3 {
		return nil, bad
	}
	at, err := time.Parse(time.RFC3339Nano, parts[0])
	if err != nil {
		return nil, bad
	}
	seq, err := strconv.ParseUint(parts[2], 10, 64)
	if err != nil {
		return nil, bad
	}
	return &audit.Place{At: at, Stream: parts[1], Seq: seq}, nil
}

func problemsOf(errs []error) []wire.Problem {
	out := make([]wire.Problem, len(errs))
	for i, err := range errs {
		out[i] = wire.NewProblem(err)
	}
	return out
}

type exportInput struct{ Asked }

// exportAudit writes while it reads. What is damaged is found too late for the status: the last line says it, and the connection
// breaks, so that nobody takes for whole what is not.
func (s *server) exportAudit(ctx context.Context, in *exportInput) (*streamOutput, error) {
	return &streamOutput{func(c huma.Context) {
		_, w := humago.Unwrap(c)
		w.Header().Set("Content-Type", linesType)
		w.WriteHeader(http.StatusOK)
		err := audit.Export(ctx, s.Engine, in.query(), func(r audit.Record) error { return audit.Write(w, r) })
		if err == nil {
			return
		}
		if ctx.Err() == nil {
			s.Log.Error("export the audit trail", "error", err)
		}
		_ = audit.WriteProblem(w, err) // the reader may be gone
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}}, nil
}

type auditVerifiedOutput struct{ Body wire.AuditVerified }

func (s *server) verifyAudit(ctx context.Context, _ *struct{}) (*auditVerifiedOutput, error) {
	r, err := audit.Verify(ctx, s.Engine)
	if err != nil {
		return nil, err
	}
	return &auditVerifiedOutput{wire.AuditVerified{Damaged: problemsOf(r.Damaged), Entries: r.Entries, Runs: r.Runs, Streams: r.Streams}}, nil
}
