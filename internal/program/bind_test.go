package program_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/program"
)

// catalog knows the one action that the playbooks here use.
type catalog struct{}

func (catalog) Spec(name string) (contract.Spec, bool) {
	return contract.Spec{Name: name, Effect: contract.Read, Proven: true, Inputs: []contract.Field{{Name: "that", Type: contract.Boolean}}}, name == "look"
}

func (catalog) Alias(string) (contract.Spec, contract.Alias, bool) {
	return contract.Spec{}, contract.Alias{}, false
}
func (catalog) Names() []string { return []string{"look"} }

// programOf compiles a playbook, and gives what a run has: the program of the closure.
func programOf(t *testing.T, src string) *program.Program {
	t.Helper()
	docs, findings := playbook.Parse("playbook.yaml", []byte(src))
	if len(docs) != 1 || document.HasErrors(findings) {
		t.Fatal(findings)
	}
	p, findings := compiler.Compile(docs[0], catalog{}, nil)
	if p == nil {
		t.Fatal(findings)
	}
	closure, _, err := p.Closure()
	if err != nil {
		t.Fatal(err)
	}
	if p, err = program.Load(closure); err != nil {
		t.Fatal(err)
	}
	return p
}

const bound = `
kind: Playbook
metadata: {name: bound}
parameters:
  - {name: host, type: string}
  - {name: count, type: number, default: 5}
  - {name: ratio, type: number, required: false}
  - {name: hosts, type: list, default: [a, '{{ $.event.host }}']}
  - {name: reporter, type: string, default: '{{ $.event.reporter }}'}
  - {name: tier, type: string, enum: [gold, silver], default: silver}
  - {name: zone, type: string, pattern: '[a-z]+-\d', default: eu-1}
  - {name: dry, type: boolean, default: false}
steps:
  - {uses: look, with: {that: true}}
`

func TestBind(t *testing.T) {
	t.Parallel()
	ev := expr.New(expr.Limits{})
	event := map[string]any{"host": "h", "reporter": "me"}
	strict := programOf(t, "apiVersion: tend/v1"+bound)
	lenient := programOf(t, "apiVersion: stackpulse.io/v1"+bound)
	full := func(change map[string]any) map[string]any {
		m := map[string]any{
			"host": "x", "count": int64(5), "hosts": []any{"a", "h"}, "reporter": "me", "tier": "silver", "zone": "eu-1", "dry": false,
		}
		for k, v := range change {
			m[k] = v
		}
		return m
	}
	for name, c := range map[string]struct {
		p     *program.Program
		given map[string]any
		event map[string]any
		want  map[string]any
		errs  []string
	}{
		"defaults":   {strict, map[string]any{"host": "x"}, event, full(nil), nil},
		"from texts": {strict, map[string]any{"host": "x", "count": "7", "ratio": "0.5", "hosts": "b,c", "dry": "true"}, event, full(map[string]any{"count": int64(7), "ratio": 0.5, "hosts": []any{"b", "c"}, "dry": true}), nil},
		"typed":      {strict, map[string]any{"host": "x", "count": 7, "hosts": []string{"b"}}, event, full(map[string]any{"count": int64(7), "hosts": []any{"b"}}), nil},
		"all problems at once": {
			strict,
			map[string]any{"count": "many", "tier": "bronze", "zone": "EU", "hsot": "x"},
			nil, nil,
			[]string{
				"parameter `host` is required and not given: -p host=…", "parameter `count` must be a number", "must be one of gold, silver",
				"must match [a-z]+-\\d", "there is no parameter `hsot`: did you mean `host`?", "parameter `reporter` has a default that cannot be rendered",
			},
		},
		"required and empty": {strict, map[string]any{"host": ""}, event, nil, []string{"parameter `host` is required and empty"}},
		"the older dialect asks for nothing": {
			lenient, nil, nil,
			full(map[string]any{"host": "", "reporter": "", "hosts": []any{"a", nil}, "ratio": nil}), nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := c.p.Bind(c.given, c.event, nil, ev)
			if len(c.errs) == 0 {
				if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
					t.Fatalf("%v\n%s", err, diff)
				}
				return
			}
			if !fault.Is(err, fault.Invalid) || fault.NextOf(err) == "" {
				t.Fatalf("%v: not invalid, or no next step", err)
			}
			for _, e := range c.errs {
				if !strings.Contains(err.Error(), e) {
					t.Errorf("%q\nlacks %q", err, e)
				}
			}
		})
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		closure string
		kind    fault.Kind
	}{
		"nothing":        {"", fault.Damaged},
		"another thing":  {"[]", fault.Damaged},
		"no version":     {"{}", fault.Damaged},
		"newer":          {`{"language": 99}`, fault.Newer},
		"two":            {`{"language": 1} {}`, fault.Damaged},
		"a number":       {`{"language": 1, "parameters": [{"name": "a", "enum": [1e999]}]}`, fault.Damaged},
		"a missing call": {`{"language": 1, "calls": {"a": null}}`, fault.Damaged},
		"deep calls":     {strings.Repeat(`{"language": 1, "calls": {"a": `, 30) + `{"language": 1}` + strings.Repeat("}}", 30), fault.Damaged},
	} {
		if p, err := program.Load([]byte(c.closure)); !fault.Is(err, c.kind) {
			t.Errorf("%s: %v, %v; want %s", name, p, err, c.kind)
		}
	}
}

// The closure is what a run is pinned to: another text gives other bytes.
func TestClosure(t *testing.T) {
	t.Parallel()
	_, a, _ := programOf(t, "apiVersion: tend/v1"+bound).Closure()
	_, b, _ := programOf(t, strings.Replace("apiVersion: tend/v1"+bound, "default: 5", "default: 6", 1)).Closure()
	if a == b {
		t.Error("another default gives the same closure")
	}
}
