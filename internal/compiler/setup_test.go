package compiler_test

import (
	"bytes"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/program"
)

var update = flag.Bool("update", os.Getenv("TEND_UPDATE") != "", "write the golden files anew")

// catalog is a small set of actions with the shapes that the language meets.
type catalog struct {
	specs   map[string]contract.Spec
	aliases map[string]alias
}

type alias struct {
	action string
	contract.Alias
}

func (c *catalog) Spec(name string) (contract.Spec, bool) { s, ok := c.specs[name]; return s, ok }

func (c *catalog) Alias(name string) (contract.Spec, contract.Alias, bool) {
	a, ok := c.aliases[strings.TrimPrefix(name, compiler.Registry)]
	return c.specs[a.action], a.Alias, ok
}

func (c *catalog) Names() []string {
	var out []string
	for n := range c.specs {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

func newCatalog() *catalog {
	c := &catalog{specs: map[string]contract.Spec{}, aliases: map[string]alias{}}
	text := func(name string) contract.Field { return contract.Field{Name: name, Type: contract.String} }
	for _, s := range []contract.Spec{
		{
			Name: "shell", Effect: contract.Mutate, Env: true,
			Inputs: []contract.Field{
				{Name: "script", Type: contract.String, Verbatim: true},
				{Name: "argv", Type: contract.List, Items: &contract.Field{Type: contract.String}},
				{Name: "parse", Type: contract.String, Default: "text", Enum: []any{"text", "json", "lines", "number", "auto"}},
				text("shell"),
			},
			Aliases: []contract.Alias{{Name: "utils/inline-python", Inputs: map[string]string{"INLINE_SCRIPT": "script"}, With: map[string]any{"shell": "python3"}}},
		},
		{
			Name: "http", Effect: contract.Mutate,
			Inputs: []contract.Field{
				{Name: "url", Type: contract.String, Required: true, Description: "The address. With its scheme."},
				text("method"),
				{Name: "headers", Type: contract.Map},
				{Name: "timeout", Type: contract.Duration},
			},
			EffectOf: func(with map[string]any) contract.Effect {
				switch with["method"] {
				case nil, "GET", "HEAD":
					return contract.Read
				}
				return contract.Mutate
			},
			Outputs: []contract.Field{{Name: "token", Type: contract.String, Sensitive: true}},
		},
		{
			Name: "tabulate", Effect: contract.Read, Proven: true,
			Inputs: []contract.Field{
				{Name: "input", Type: contract.Any, Required: true},
				{Name: "headers", Type: contract.Any},
				{Name: "maxColumnLength", Type: contract.Number},
			},
			Outputs: []contract.Field{text("text")},
			Aliases: []contract.Alias{
				{Name: "utils/tabulate", Outputs: map[string]string{"tabulate_output": ".text"}},
				{Name: "parsers/tabulate", Outputs: map[string]string{"tabulate_output": ".text"}},
			},
		},
		{
			Name: "container", Effect: contract.Mutate, Env: true,
			Inputs: []contract.Field{{Name: "image", Type: contract.String, Required: true}},
		},
		{
			Name: "wait", Verb: true, Effect: contract.Read, Proven: true,
			Inputs:  []contract.Field{{Name: "duration", Type: contract.Duration}},
			Aliases: []contract.Alias{{Name: "utils/wait", Inputs: map[string]string{"SECONDS": "duration"}}},
		},
		{
			Name: "ask", Verb: true, Effect: contract.Read, Proven: true,
			Inputs: []contract.Field{
				{Name: "message", Type: contract.String, Required: true},
				text("title"),
				{Name: "choices", Type: contract.List},
				text("selector"), text("default"),
				{Name: "within", Type: contract.Duration},
				{Name: "recipients", Type: contract.Any},
			},
			Aliases: []contract.Alias{{
				Name: "slack/message/interactive",
				Inputs: map[string]string{
					"QUESTION": "message", "HEADER_MESSAGE": "title", "RESPONSES": "choices", "SELECTOR_TYPE": "selector",
					"DEFAULT_RESPONSE": "default", "TIMEOUT": "within", "RECIPIENTS": "recipients",
				},
				Outputs: map[string]string{"slack_response": ".answer", "selected_responses": ".answers"},
			}},
		},
	} {
		c.specs[s.Name] = s
		for _, a := range s.Aliases {
			c.aliases[a.Name] = alias{s.Name, a}
		}
	}
	for _, v := range []string{"approve", "manual", "playbook", "assert", "fail"} {
		c.specs[v] = contract.Spec{Name: v, Verb: true, Effect: contract.Read, Proven: true}
	}
	return c
}

// roundTrip checks that a closure is read back as what it was.
func roundTrip(t *testing.T, p *program.Program) {
	t.Helper()
	closure, sum, err := p.Closure()
	if err != nil {
		t.Fatal(err)
	}
	back, err := program.Load(closure)
	if err != nil {
		t.Fatal(err)
	}
	again, sum2, err := back.Closure()
	if err != nil {
		t.Fatal(err)
	}
	if sum != sum2 || !bytes.Equal(closure, again) {
		t.Errorf("the closure of %s changes when it is read:\n%s", p.Metadata.Name, cmp.Diff(string(closure), string(again)))
	}
}
