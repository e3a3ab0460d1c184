// Package vault writes what a run made into the Vault or OpenBao that the server's configuration names (secrets.vault): key
// value engine, version 2, by its documented API. Reading is what `secret` is for.
package vault

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

// Engine is a key value engine.
type Engine interface {
	// Write puts fields at a path as a new version. With create it is an error of kind fault.Conflict when something is there.
	Write(ctx context.Context, path string, fields map[string]secret.Value, create bool) (version string, err error)
	// Find reads the field at the end of a name.
	Find(ctx context.Context, name string) (secret.Found, error)
}

// Action implements action.Action.
type Action struct {
	engine func() Engine
	scopes secret.Scopes
}

// New makes the action. engine gives the configured engine, or nil; a run writes only what it could also use by the scopes.
func New(engine func() Engine, scopes secret.Scopes) Action { return Action{engine, scopes} }

type inputs struct {
	Path   string                 `in:"path"`
	Fields map[string]action.Text `in:"fields"`
	Over   bool                   `in:"overwrite"`
}

// Spec implements action.Action.
func (Action) Spec() contract.Spec {
	return contract.Spec{
		Name: "vault/write", Summary: "Writes secrets that the run made into Vault or OpenBao.",
		Doc: `The Vault is the one of ` + "`secrets.vault`" + ` in the configuration of whoever runs the step, with its mount and prefix. The fields
at the path become a new version; others that stood there are not part of it. Without ` + "`overwrite`" + ` nothing is replaced: where something
stands already the step fails, unless it is the same, as after a repeat.

A run writes only what it could also use, by ` + "`secrets.scopes`" + `. The login of the configuration needs the right to create and update
below the path. Tested against a stand-in that follows Vault's API documentation.`,
		Effect: contract.Idempotent, Proven: true, Targets: []string{"vault:{{ .path }}"},
		Inputs: []contract.Field{
			{Name: "path", Type: contract.String, Required: true, Description: "Where: shop/db. The field `password` there is the secret shop/db/password."},
			{Name: "fields", Type: contract.Map, Required: true, Sensitive: true, Description: "Names and texts."},
			{Name: "overwrite", Type: contract.Boolean, Default: false, Description: "Replace what stands there, as a new version."},
		},
		Outputs: []contract.Field{
			{Name: "path", Type: contract.String, Description: "The path."},
			{Name: "version", Type: contract.String, Description: "The version that the engine counts."},
		},
		Ends: []contract.End{
			{When: "it is written, or stood there already just so", Outcome: "succeeded"},
			{When: "an input is wrong", Outcome: "not-started", Kind: fault.Invalid},
			{When: "the scopes of secrets do not let the run write there", Outcome: "not-started", Kind: fault.Refused},
			{When: "no Vault is configured", Outcome: "not-started", Kind: fault.Missing},
			{When: "the step was cancelled before it began", Outcome: "not-started", Kind: fault.Cancelled},
			{When: "the time limit passed before it began", Outcome: "not-started", Kind: fault.Timeout},
			{When: "something else stands there, and `overwrite` is not set", Outcome: "failed", Kind: fault.Conflict},
			{When: "Vault refuses the login or the write", Outcome: "failed", Kind: fault.Auth},
			{When: "the connection failed or was lost", Outcome: "in-doubt", Kind: fault.Unreachable},
			{When: "Vault answered with an error, is sealed, or sends elsewhere", Outcome: "in-doubt", Kind: fault.Unavailable},
			{When: "Vault's answer is not what its API documents", Outcome: "in-doubt", Kind: fault.Parse},
			{When: "the step was cancelled while it waited for the answer", Outcome: "in-doubt", Kind: fault.Cancelled},
			{When: "the time limit passed while it waited for the answer", Outcome: "in-doubt", Kind: fault.Timeout},
		},
		Examples: []contract.Example{{Title: "Keep a new password", YAML: `- uses: vault/write
  with:
    path: 'accounts/{{ $.params.database }}'
    fields: {login: '{{ $.params.database }}', password: '{{ $.steps.account.password }}'}
`}},
	}
}

// Run implements action.Action.
func (a Action) Run(ctx context.Context, req action.Request, _ action.Log) action.Result {
	if ctx.Err() != nil {
		k, why := action.Stopped(ctx)
		return action.Never(k, why+" before anything was written")
	}
	var in inputs
	if err := action.Decode(req.Inputs, &in); err != nil {
		return action.Never(fault.Invalid, err.Error())
	}
	if len(in.Fields) == 0 {
		return action.Never(fault.Invalid, "fields: there is nothing to write")
	}
	fields := make(map[string]secret.Value, len(in.Fields))
	for _, name := range slices.Sorted(maps.Keys(in.Fields)) {
		whole := in.Path + "/" + name
		if err := secret.CheckName(whole); err != nil || strings.Contains(name, "/") {
			return action.Never(fault.Invalid, "path, fields: these make no name of a secret")
		}
		if err := a.scopes.Check(whole, req.For); err != nil {
			return action.Never(fault.Refused, err.Error())
		}
		fields[name] = secret.New(in.Fields[name].Reveal())
	}
	var e Engine
	if a.engine != nil {
		e = a.engine()
	}
	if e == nil {
		return action.Never(fault.Missing, "no Vault is configured (secrets.vault)")
	}
	version, err := e.Write(ctx, in.Path, fields, !in.Over)
	if fault.Is(err, fault.Conflict) {
		var same bool
		if version, same = stands(ctx, e, in.Path, fields); same {
			err = nil // as an attempt before this one left it
		}
	}
	switch k := fault.KindOf(err); {
	case err == nil:
		return action.OK(map[string]any{"path": in.Path, "version": version})
	case ctx.Err() != nil, k == fault.Cancelled:
		k, why := action.Stopped(ctx)
		return action.Doubt(k, why+" while it waited for Vault")
	case k == fault.Conflict, k == fault.Auth:
		return action.Fail(k, err.Error())
	case k == fault.Unreachable, k == fault.Unavailable, k == fault.Parse:
		return action.Doubt(k, err.Error())
	case k == fault.Missing: // of the credential: nothing was asked
		return action.Never(k, err.Error())
	default:
		return action.Doubt(fault.Unavailable, err.Error())
	}
}

// stands tells whether the fields stand at a path just so.
func stands(ctx context.Context, e Engine, path string, fields map[string]secret.Value) (version string, same bool) {
	for name, v := range fields {
		f, err := e.Find(ctx, path+"/"+name)
		if err != nil || f.Value.Reveal() != v.Reveal() {
			return "", false
		}
		version = f.Version
	}
	return version, true
}
