package vault_test

import (
	"context"
	"strconv"
	"testing"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/actiontest"
	"github.com/tendhq/tend/internal/action/vault"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

const planted = "pl4nted p4ssword"

// engine is a key value engine in memory, or fails. That the real client speaks to Vault as documented is tested there, and by
// a script with a stand-in.
type engine struct {
	fail    error
	data    map[string]string
	version int
}

func (e *engine) Write(_ context.Context, path string, fields map[string]secret.Value, create bool) (string, error) {
	if e.fail != nil {
		return "", e.fail
	}
	if create && e.version > 0 {
		return "", fault.New(fault.Conflict, "Vault has something at %s already", path)
	}
	e.data = map[string]string{}
	for k, v := range fields {
		e.data[path+"/"+k] = v.Reveal()
	}
	e.version++
	return strconv.Itoa(e.version), nil
}

func (e *engine) Find(_ context.Context, name string) (secret.Found, error) {
	v, ok := e.data[name]
	if !ok {
		return secret.Found{}, fault.New(fault.Missing, "there is no %s", name)
	}
	return secret.Found{Value: secret.New(v), Version: strconv.Itoa(e.version)}, nil
}

func request(change ...func(m map[string]any)) action.Request {
	in := map[string]any{"path": "shop/db", "fields": map[string]any{"login": "u", "password": secret.New(planted)}, "overwrite": false}
	for _, c := range change {
		c(in)
	}
	return action.Request{Run: "run_1", Step: "steps[0]", Key: "k", Inputs: in, For: secret.Use{Project: "shop"}}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	e := &engine{}
	a := vault.New(func() vault.Engine { return e }, secret.Scopes{{Names: []string{"shop/*"}, Projects: []string{"shop"}}})
	run := func(r action.Request, want action.Outcome, kind fault.Kind, version string) {
		t.Helper()
		got := a.Run(t.Context(), r, func(string, []byte) {})
		if got.Outcome != want || got.Kind != kind || want == action.Succeeded && got.Output["version"] != version {
			t.Errorf("%s %s %s, %v", got.Outcome, got.Kind, got.Message, got.Output)
		}
		if err := actiontest.Legal(a.Spec(), got); err != nil {
			t.Error(err)
		}
	}
	run(request(), action.Succeeded, "", "1")
	if e.data["shop/db/password"] != planted {
		t.Errorf("%v", e.data)
	}
	run(request(), action.Succeeded, "", "1") // a repeat changes nothing
	other := func(m map[string]any) { m["fields"] = map[string]any{"password": secret.New("other")} }
	run(request(other), action.Failed, fault.Conflict, "")
	run(request(other, func(m map[string]any) { m["overwrite"] = true }), action.Succeeded, "", "2")
	run(request(func(m map[string]any) { m["fields"] = map[string]any{} }), action.NotStarted, fault.Invalid, "")
	run(request(func(m map[string]any) { m["path"] = "../sys" }), action.NotStarted, fault.Invalid, "")
	run(request(func(m map[string]any) { m["fields"] = map[string]any{"a/b": "x"} }), action.NotStarted, fault.Invalid, "")
	run(request(func(m map[string]any) { m["path"] = "bank/db" }), action.NotStarted, fault.Refused, "")
	elsewhere := request()
	elsewhere.For = secret.Use{Project: "bank"}
	run(elsewhere, action.NotStarted, fault.Refused, "")
}

func TestEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fail error
		want action.Outcome
		kind fault.Kind
	}{
		{fault.New(fault.Auth, "Vault refuses"), action.Failed, fault.Auth},
		{fault.New(fault.Unreachable, "no connection"), action.InDoubt, fault.Unreachable},
		{fault.New(fault.Unavailable, "sealed"), action.InDoubt, fault.Unavailable},
		{fault.New(fault.Parse, "no JSON"), action.InDoubt, fault.Parse},
		{fault.New(fault.Missing, "no credential"), action.NotStarted, fault.Missing},
		{fault.New(fault.Internal, "what?"), action.InDoubt, fault.Unavailable},
	} {
		a := vault.New(func() vault.Engine { return &engine{fail: c.fail} }, nil)
		r := a.Run(t.Context(), request(), func(string, []byte) {})
		if r.Outcome != c.want || r.Kind != c.kind {
			t.Errorf("%v: %s %s %s", c.fail, r.Outcome, r.Kind, r.Message)
		}
		if err := actiontest.Legal(a.Spec(), r); err != nil {
			t.Errorf("%v: %v", c.fail, err)
		}
	}
	if r := vault.New(nil, nil).Run(t.Context(), request(), func(string, []byte) {}); r.Outcome != action.NotStarted || r.Kind != fault.Missing {
		t.Errorf("without a Vault: %+v", r)
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	actiontest.Run(t, vault.New(func() vault.Engine { return &engine{} }, nil), actiontest.Suite{Cases: []actiontest.Case{
		{Name: "works", Want: action.Succeeded, Secrets: []string{planted}, Request: func(*testing.T) action.Request { return request() }},
		{Name: "a path that is secret", Want: action.NotStarted, Kind: fault.Invalid, Secrets: []string{planted}, Request: func(*testing.T) action.Request {
			return request(func(m map[string]any) { m["path"] = secret.New(planted) })
		}},
	}})
}
