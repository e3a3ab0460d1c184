package playbook_test

import (
	"bytes"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/playbook"
)

var update = flag.Bool("update", os.Getenv("TEND_UPDATE") != "", "write the golden files anew")

// catalog is a small set of actions with the shapes that the language meets.
type catalog struct {
	specs   map[string]playbook.Spec
	aliases map[string]alias
}

type alias struct {
	action string
	playbook.Alias
}

func (c *catalog) Spec(name string) (playbook.Spec, bool) { s, ok := c.specs[name]; return s, ok }

func (c *catalog) Alias(name string) (playbook.Spec, playbook.Alias, bool) {
	a, ok := c.aliases[strings.TrimPrefix(name, playbook.Registry)]
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
	c := &catalog{specs: map[string]playbook.Spec{}, aliases: map[string]alias{}}
	text := func(name string) playbook.Field { return playbook.Field{Name: name, Type: playbook.String} }
	for _, s := range []playbook.Spec{
		{
			Name: "shell", Effect: playbook.Mutate, Env: true,
			Inputs: []playbook.Field{
				{Name: "script", Type: playbook.String, Verbatim: true},
				{Name: "argv", Type: playbook.List, Items: &playbook.Field{Type: playbook.String}},
				{Name: "parse", Type: playbook.String, Default: "text", Enum: []any{"text", "json", "lines", "number", "auto"}},
				text("shell"),
			},
			Aliases: []playbook.Alias{{Name: "utils/inline-python", Inputs: map[string]string{"INLINE_SCRIPT": "script"}, With: map[string]any{"shell": "python3"}}},
		},
		{
			Name: "http", Effect: playbook.Mutate,
			Inputs: []playbook.Field{
				{Name: "url", Type: playbook.String, Required: true, Description: "The address. With its scheme."},
				text("method"),
				{Name: "headers", Type: playbook.Map},
				{Name: "timeout", Type: playbook.DurationT},
			},
			EffectOf: func(with map[string]any) playbook.Effect {
				switch with["method"] {
				case nil, "GET", "HEAD":
					return playbook.Read
				}
				return playbook.Mutate
			},
			Outputs: []playbook.Field{{Name: "token", Type: playbook.String, Sensitive: true}},
		},
		{
			Name: "tabulate", Effect: playbook.Read, Proven: true,
			Inputs: []playbook.Field{
				{Name: "input", Type: playbook.Any, Required: true},
				{Name: "headers", Type: playbook.Any},
				{Name: "maxColumnLength", Type: playbook.Number},
			},
			Outputs: []playbook.Field{text("text")},
			Aliases: []playbook.Alias{
				{Name: "utils/tabulate", Outputs: map[string]string{"tabulate_output": ".text"}},
				{Name: "parsers/tabulate", Outputs: map[string]string{"tabulate_output": ".text"}},
			},
		},
		{
			Name: "container", Effect: playbook.Mutate, Env: true,
			Inputs: []playbook.Field{{Name: "image", Type: playbook.String, Required: true}},
		},
		{
			Name: "wait", Verb: true, Effect: playbook.Read, Proven: true,
			Inputs:  []playbook.Field{{Name: "duration", Type: playbook.DurationT}},
			Aliases: []playbook.Alias{{Name: "utils/wait", Inputs: map[string]string{"SECONDS": "duration"}}},
		},
		{
			Name: "ask", Verb: true, Effect: playbook.Read, Proven: true,
			Inputs: []playbook.Field{
				{Name: "message", Type: playbook.String, Required: true},
				text("title"),
				{Name: "choices", Type: playbook.List},
				text("selector"), text("default"),
				{Name: "within", Type: playbook.DurationT},
				{Name: "recipients", Type: playbook.Any},
			},
			Aliases: []playbook.Alias{{
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
		c.specs[v] = playbook.Spec{Name: v, Verb: true, Effect: playbook.Read, Proven: true}
	}
	return c
}

// roundTrip checks that a closure is read back as what it was.
func roundTrip(t *testing.T, p *playbook.Program) {
	t.Helper()
	closure, sum, err := p.Closure()
	if err != nil {
		t.Fatal(err)
	}
	back, err := playbook.Load(closure)
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
