package httpapi

import (
	"context"
	"net/http"
	"path/filepath"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/handover"
	"github.com/tendhq/tend/internal/wire"
)

func (s *server) house(a *api) {
	server := func(v access.Verb) access.Need { return access.Need{Verb: v, Kind: "server"} }
	add(a, server(access.View), http.MethodGet, "/v1/status", about{
		id: "status", tag: "server", summary: "The engine: commits, what it drives, whether it is halted",
	}, s.status)
	add(a, server(access.Own), http.MethodGet, "/v1/me", about{
		id: "me", tag: "server", summary: "Who asks, as the server knows them",
	}, s.me)
	add(a, server(access.Unhalt), http.MethodPost, "/v1/unhalt", about{
		id: "unhalt", tag: "server", summary: "Let a halted store move again",
	}, s.unhalt)
	add(a, server(access.Manage), http.MethodPost, "/v1/backup", about{
		id: "backup", tag: "server", summary: "Back up to a directory on the server", time: time.Hour,
		text: "Over the socket `path` is an absolute path that does not exist yet; over the network it is a name in the directory that the server's configuration has for backups.",
	}, s.backup)
	add(a, server(access.Manage), http.MethodPost, "/v1/verify", about{
		id: "verify", tag: "server", summary: "Read and verify everything", time: time.Hour,
	}, s.verify)
	add(a, access.Need{Verb: access.Start, Kind: "run", Project: home}, http.MethodPost, "/v1/secrets/check", about{
		id: "checkSecrets", tag: "server", summary: "Which secrets cannot be found where steps run", text: "None is given away.",
	}, s.secrets)
	add(a, server(access.Audit), http.MethodGet, "/v1/rows/{kind}", about{
		id: "listRows", tag: "server", summary: "List rows of any kind: locks, guards' counts, waiting events",
	}, s.anyRows)
	add(a, server(access.Audit), http.MethodGet, "/v1/streams/{stream...}", about{
		id: "readStream", tag: "server", summary: "The entries of any stream", text: "run/…, task/…, guard/…, audit/…",
	}, func(ctx context.Context, in *streamInput) (*entriesOutput, error) {
		return s.read(ctx, in.Stream, in.Span)
	})
}

// anyRows lists rows of a kind. Tokens have a list of their own, without what they are known by.
func (s *server) anyRows(ctx context.Context, in *kindInput) (*pageOutput, error) {
	switch in.Kind {
	case "token":
		return nil, fault.New(fault.Refused, "tokens are not listed as rows").WithNext("GET /v1/tokens")
	case "answer":
		return nil, fault.New(fault.Refused, "what others were answered is not listed")
	}
	if handover.Hidden(in.Kind) {
		return nil, fault.New(fault.Refused, "what is handed over is nobody's to read").WithNext("GET /v1/handovers")
	}
	return s.list(ctx, in.Filter, in.Kind)
}

type kindInput struct {
	Filter

	Kind string `path:"kind" doc:"Kind of the rows." maxLength:"64"`
}

type streamInput struct {
	Span

	Stream string `path:"stream" doc:"Name of the stream." maxLength:"200"`
}

type statusOutput struct{ Body engine.Status }

func (s *server) status(ctx context.Context, _ *struct{}) (*statusOutput, error) {
	st, err := s.Engine.Status(ctx)
	return &statusOutput{st}, err
}

type unhaltInput struct{ Body wire.Unhalt }

type unhaltOutput struct{ Body wire.Unhalted }

func (s *server) unhalt(ctx context.Context, in *unhaltInput) (*unhaltOutput, error) {
	doubts, err := s.Engine.Unhalt(ctx, who(ctx), in.Body.Why)
	return &unhaltOutput{wire.Unhalted{Doubts: append([]string{}, doubts...)}}, err
}

type backupInput struct{ Body wire.Backup }

type backupOutput struct{ Body wire.BackedUp }

func (s *server) backup(ctx context.Context, in *backupInput) (*backupOutput, error) {
	if s.House == nil {
		return nil, fault.New(fault.Refused, "backups are not offered here")
	}
	path := in.Body.Path
	if !Asker(ctx).Local {
		// Whoever is an admin over the network is not the owner of the machine's files.
		switch {
		case s.Backups == "":
			return nil, fault.New(fault.Refused, "the server's configuration names no directory for backups over the network").
				WithNext("set `backups` there, or back up on the server itself")
		case filepath.Base(path) != path || !filepath.IsLocal(path):
			return nil, fault.New(fault.Invalid, "%q is not the name of a backup", path).WithNext("give a name without slashes: it goes to the server's directory for backups")
		}
		path = filepath.Join(s.Backups, path)
	}
	if !filepath.IsAbs(path) {
		return nil, fault.New(fault.Invalid, "path %q is not absolute", path)
	}
	done, err := s.House.Backup(ctx, path)
	return &backupOutput{done}, err
}

type verifyOutput struct{ Body wire.Verified }

func (s *server) verify(ctx context.Context, _ *struct{}) (*verifyOutput, error) {
	if s.House == nil {
		return nil, fault.New(fault.Refused, "verifying everything is not offered here")
	}
	done, err := s.House.Verify(ctx)
	return &verifyOutput{done}, err
}

type secretsInput struct{ Body wire.Secrets }

type secretsOutput struct{ Body wire.MissingSecrets }

func (s *server) secrets(ctx context.Context, in *secretsInput) (*secretsOutput, error) {
	out := &secretsOutput{wire.MissingSecrets{Missing: []wire.Problem{}}}
	if s.House == nil {
		return out, nil
	}
	missing, err := s.House.MissingSecrets(ctx, in.Body.Names)
	out.Body.Missing = append(out.Body.Missing, missing...)
	return out, err
}

type meOutput struct{ Body wire.Me }

func (s *server) me(ctx context.Context, _ *struct{}) (*meOutput, error) {
	p := s.onDuty(Asker(ctx))
	var policy access.Policy
	if s.Roll != nil {
		policy = s.Roll.Policy()
	}
	return &meOutput{wire.Me{
		From: p.From, Groups: append([]string{}, s.groups(ctx)...), ID: p.ID, Local: p.Local, May: append([]access.Power{}, access.Powers(policy, p)...),
		Name: p.Name, Scope: p.Scope,
	}}, nil
}
