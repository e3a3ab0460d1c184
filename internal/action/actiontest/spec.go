package actiontest

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/value"
)

// Spec checks that a Spec says all that lint, schema and the reference need.
func Spec(t *testing.T, s contract.Spec) {
	t.Helper()
	if !regexp.MustCompile(`^[a-z][a-z0-9-]*(/[a-z][a-z0-9-]*)*$`).MatchString(s.Name) {
		t.Errorf("name %q", s.Name)
	}
	if !strings.HasSuffix(s.Summary, ".") || strings.Contains(s.Summary, "\n") {
		t.Errorf("summary %q is not one sentence", s.Summary)
	}
	if strings.TrimSpace(s.Doc) == "" {
		t.Error("no doc")
	}
	if !slices.Contains([]contract.Effect{contract.Read, contract.Idempotent, contract.Mutate}, s.Effect) {
		t.Errorf("effect %q", s.Effect)
	}
	fields(t, "input", s.Inputs)
	fields(t, "output", s.Outputs)
	ends(t, s)
	if len(s.Examples) == 0 {
		t.Error("no example")
	}
	for _, e := range s.Examples {
		example(t, s, e)
	}
	for _, a := range s.Aliases {
		alias(t, s, a)
	}
}

func fields(t *testing.T, what string, fs []contract.Field) {
	t.Helper()
	seen := map[string]bool{}
	for _, f := range fs {
		if f.Name == "" || seen[f.Name] {
			t.Errorf("%s %q has no name or occurs twice", what, f.Name)
		}
		seen[f.Name] = true
		field(t, what+" "+f.Name, f)
	}
}

func field(t *testing.T, what string, f contract.Field) {
	t.Helper()
	known := []contract.Type{
		contract.String, contract.Number, contract.Boolean, contract.List, contract.Map, contract.Secret, contract.Integration,
		contract.Any, contract.Duration,
	}
	if !slices.Contains(known, f.Type) {
		t.Errorf("%s has type %q", what, f.Type)
	}
	if f.Name != "" && !strings.HasSuffix(strings.TrimSpace(f.Description), ".") {
		t.Errorf("%s: its description %q is not a sentence", what, f.Description)
	}
	if f.Default != nil {
		if n, err := value.Normalize(f.Default); err != nil || !fits(f.Type, n) {
			t.Errorf("%s: its default %v is not of type %s", what, f.Default, f.Type)
		}
		if f.Required {
			t.Errorf("%s is required and has a default", what)
		}
		if len(f.Enum) > 0 && !slices.Contains(f.Enum, f.Default) {
			t.Errorf("%s: its default %v is not one of %v", what, f.Default, f.Enum)
		}
	}
	for _, e := range f.Fields {
		field(t, what+"."+e.Name, e)
	}
	if f.Items != nil {
		field(t, what+"[]", *f.Items)
	}
}

func ends(t *testing.T, s contract.Spec) {
	t.Helper()
	outcomes := []action.Outcome{action.Succeeded, action.Failed, action.NotStarted, action.InDoubt}
	for _, e := range s.Ends {
		if !slices.Contains(outcomes, action.Outcome(e.Outcome)) {
			t.Errorf("end %q has outcome %q", e.When, e.Outcome)
		}
		if (e.Kind == "") != (e.Outcome == string(action.Succeeded)) {
			t.Errorf("end %q: outcome %s with kind %q", e.When, e.Outcome, e.Kind)
		}
		if strings.TrimSpace(e.When) == "" {
			t.Error("an end that does not say when")
		}
	}
	if len(s.Ends) == 0 {
		t.Error("no ends")
	}
}

// example checks that an example is a list of steps, one of which uses the action with inputs that it has. That the whole
// of it lints is tested where all actions are known.
func example(t *testing.T, s contract.Spec, e contract.Example) {
	t.Helper()
	if strings.TrimSpace(e.Title) == "" {
		t.Error("an example without a title")
	}
	var steps []map[string]any
	if err := yaml.Unmarshal([]byte(e.YAML), &steps); err != nil {
		t.Errorf("example %q: %v", e.Title, err)
		return
	}
	used := false
	for _, step := range steps {
		if step["uses"] != s.Name {
			continue
		}
		used = true
		with, _ := step["with"].(map[string]any)
		for name := range with {
			if !has(s.Inputs, name) {
				t.Errorf("example %q gives the input %q, which %s does not have", e.Title, name, s.Name)
			}
		}
		for _, f := range s.Inputs {
			if _, given := with[f.Name]; f.Required && !given {
				t.Errorf("example %q does not give the required input %q", e.Title, f.Name)
			}
		}
	}
	if !used {
		t.Errorf("example %q does not use %s", e.Title, s.Name)
	}
}

func alias(t *testing.T, s contract.Spec, a contract.Alias) {
	t.Helper()
	if a.Name == "" || strings.HasPrefix(a.Name, action.Registry) {
		t.Errorf("alias %q: without the registry, please", a.Name)
	}
	for from, to := range a.Inputs {
		if !has(s.Inputs, to) {
			t.Errorf("alias %s: %s becomes the input %q, which %s does not have", a.Name, from, to, s.Name)
		}
	}
	for name := range a.With {
		if !has(s.Inputs, name) {
			t.Errorf("alias %s fixes the input %q, which %s does not have", a.Name, name, s.Name)
		}
	}
	for name, query := range a.Outputs {
		m := regexp.MustCompile(`^\.([a-zA-Z]\w*)`).FindStringSubmatch(query)
		if m == nil || !has(s.Outputs, m[1]) {
			t.Errorf("alias %s: output %s comes from %q, which %s does not have", a.Name, name, query, s.Name)
		}
	}
}

func has(fs []contract.Field, name string) bool {
	return slices.ContainsFunc(fs, func(f contract.Field) bool { return f.Name == name })
}
