package handover_test

import (
	"context"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/actiontest"
	"github.com/tendhq/tend/internal/action/handover"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

const planted = "pl4nted p4ssword"

// desk remembers what it is given, or fails.
type desk struct {
	fail error
	got  handover.Request
}

func (d *desk) HandOver(_ context.Context, r handover.Request) (string, time.Time, error) {
	d.got = r
	return "hnd_1", time.Unix(1_800_000_000, 0), d.fail
}

func request(*testing.T) action.Request {
	return action.Request{Run: "run_1", Step: "steps[0]", Key: "k", Inputs: map[string]any{
		"to": "user:ann@example.org", "value": secret.New(planted), "title": "Password", "expires": "48h",
	}}
}

func TestHandsOver(t *testing.T) {
	t.Parallel()
	d := &desk{}
	r := handover.New(func() handover.Desk { return d }).Run(t.Context(), request(t), func(string, []byte) {})
	if r.Outcome != action.Succeeded || r.Output["id"] != "hnd_1" || r.Output["expires"] != "2027-01-15T08:00:00Z" {
		t.Errorf("%+v", r)
	}
	if d.got.Key != "k" || d.got.Value.Reveal() != planted || d.got.For != 48*time.Hour || d.got.To != "user:ann@example.org" {
		t.Errorf("%+v", d.got)
	}
}

func TestEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		desk handover.Desk
		want action.Outcome
		kind fault.Kind
	}{
		"nobody":       {nil, action.NotStarted, fault.Unavailable},
		"a full disk":  {&desk{fail: fault.New(fault.Unavailable, "the disk is full")}, action.NotStarted, fault.Unavailable},
		"a group":      {&desk{fail: fault.New(fault.Invalid, "to: it is a group")}, action.NotStarted, fault.Invalid},
		"nobody knows": {&desk{fail: fault.New(fault.Damaged, "x")}, action.InDoubt, fault.Internal},
	} {
		a := handover.New(func() handover.Desk { return c.desk })
		r := a.Run(t.Context(), request(t), func(string, []byte) {})
		if r.Outcome != c.want || r.Kind != c.kind {
			t.Errorf("%s: %s %s %s", name, r.Outcome, r.Kind, r.Message)
		}
		if err := actiontest.Legal(a.Spec(), r); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	actiontest.Run(t, handover.New(func() handover.Desk { return &desk{} }), actiontest.Suite{Cases: []actiontest.Case{
		{Name: "works", Want: action.Succeeded, Request: request, Secrets: []string{planted}},
		{Name: "a title that is secret", Want: action.NotStarted, Kind: fault.Invalid, Secrets: []string{planted}, Request: func(t *testing.T) action.Request {
			r := request(t)
			r.Inputs["title"] = secret.New(planted)
			return r
		}},
	}})
}
