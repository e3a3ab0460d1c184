package verb_test

import (
	"slices"
	"testing"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/actiontest"
	"github.com/tendhq/tend/internal/action/verb"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/program"
)

func TestSpecsAreComplete(t *testing.T) {
	t.Parallel()
	for _, s := range verb.All() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			actiontest.Spec(t, s)
			if !s.Verb || !s.Proven {
				t.Error("a verb has no effect of its own")
			}
		})
	}
}

// TestInputsAreWhatTheParserReads keeps the Specs and the parser's tables of keys together.
func TestInputsAreWhatTheParserReads(t *testing.T) {
	t.Parallel()
	for _, s := range verb.All() {
		var inputs []string
		for _, f := range s.Inputs {
			if f.Name != "recipients" { // of the older dialect's alias only
				inputs = append(inputs, f.Name)
			}
		}
		keys := playbook.VerbTable(program.Kind(s.Name)).Names()
		slices.Sort(inputs)
		slices.Sort(keys)
		if !slices.Equal(inputs, keys) {
			t.Errorf("%s: the Spec has the inputs %v, the parser reads %v", s.Name, inputs, keys)
		}
	}
}

func TestOlderNamesFindVerbs(t *testing.T) {
	t.Parallel()
	set, err := action.NewSet(nil, verb.All())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		action.Registry + "utils/wait":                     "wait",
		"utils/wait:v1.2":                                  "wait",
		action.Registry + "slack/message/interactive:best": "ask",
	} {
		s, a, ok := set.Alias(name)
		if !ok || s.Name != want || a.Name == "" {
			t.Errorf("%s gives %q, %v", name, s.Name, ok)
		}
	}
	if _, ok := set.Find("wait"); ok {
		t.Error("a verb was found as an action that can be run")
	}
	if _, ok := set.Spec("wait"); !ok {
		t.Error("the catalog does not know wait")
	}
}
