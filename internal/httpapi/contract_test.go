package httpapi_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/httpapi"
	"github.com/tendhq/tend/internal/testenv"
)

// TestTheContractIsCurrent compares docs/openapi.json with what the routes say; TEND_UPDATE=1 writes it anew.
func TestTheContractIsCurrent(t *testing.T) {
	t.Parallel()
	name := filepath.Join(testenv.Root(t), "docs", "openapi.json")
	want := httpapi.Document()
	if len(want) == 0 {
		t.Fatal("there is no document")
	}
	if os.Getenv("TEND_UPDATE") != "" {
		if err := os.WriteFile(name, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(name); err != nil || string(got) != string(want) {
		t.Errorf("docs/openapi.json is not what the routes say (%v): run `make update`", err)
	}
}

// released are the contracts of the releases, the newest last. What a client of one of them may rely on stays.
func released(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(testenv.Root(t), "docs", "openapi", "*.json"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no released contract: %v", err)
	}
	return names
}

// TestTheBaselineIsCurrent: before the first release the newest file in docs/openapi is baseline.json, and it is the whole
// contract, so that what was added yesterday is kept as well as what was there from the start. TEND_UPDATE=1 writes it anew,
// but not while something in it would break: what breaks it on purpose copies docs/openapi.json there, in its own commit.
func TestTheBaselineIsCurrent(t *testing.T) {
	t.Parallel()
	names := released(t)
	name := names[len(names)-1]
	if filepath.Base(name) != "baseline.json" {
		return // what was released stays as it was
	}
	was, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	is := httpapi.Document()
	if string(was) == string(is) || len(breaks(t, was, is)) > 0 {
		return // the next test says what breaks
	}
	if os.Getenv("TEND_UPDATE") == "" {
		t.Fatal("docs/openapi/baseline.json does not have all that the contract has: run `make update`")
	}
	if err := os.WriteFile(name, is, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestNothingBreaksTheLastRelease compares with the newest file in docs/openapi.
func TestNothingBreaksTheLastRelease(t *testing.T) {
	t.Parallel()
	names := released(t)
	b, err := os.ReadFile(names[len(names)-1])
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range breaks(t, b, httpapi.Document()) {
		t.Errorf("since %s: %s", filepath.Base(names[len(names)-1]), p)
	}
}

// A test that finds nothing must be able to find something.
func TestBreaksAreFound(t *testing.T) {
	t.Parallel()
	old := string(httpapi.Document())
	for _, c := range []struct{ from, to, says string }{
		{`"/v1/status"`, `"/v1/state"`, "GET /v1/status is gone"},
		{`"operationId": "listRuns"`, `"operationId": "runs"`, `GET /v1/runs is called "runs" and not "listRuns"`},
		{`"name": "oldest"`, `"name": "eldest"`, "GET /v1/events: parameter oldest is gone"},
		{`"201": {`, `"202": {`, "POST /v1/offers/{name}/requests: no answer 201"},
		{"\"required\": [\n          \"run\"\n        ]", "\"required\": []", "Started: run may be missing"},
		{`"choice": {`, `"decision": {`, "Answer: choice is gone"},
		{"\"maxLength\": 500,\n", "\"maxLength\": 50,\n", "has narrower bounds"},
		{`"format": "date-time",`, `"format": "unix",`, "is of another type"},
		{`"maximum": 1000`, `"maximum": 10`, "has narrower bounds"},
		{`"items": {
              "type": "string"`, `"items": {
              "type": "integer"`, "is of another type"},
		{"\"required\": [\n          \"choice\"\n        ]", "\"required\": [\"choice\", \"why\"]", "Answer: why is required"},
	} {
		changed := strings.Replace(old, c.from, c.to, 1)
		if changed == old {
			t.Errorf("%q is not in the document", c.from)
			continue
		}
		if got := breaks(t, []byte(old), []byte(changed)); !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, c.says) }) {
			t.Errorf("%s → %s: no %q in %q", c.from, c.to, c.says, got)
		}
	}
}

type openAPI struct {
	Paths      map[string]map[string]operation `json:"paths"`
	Components struct {
		Schemas map[string]schema `json:"schemas"`
	} `json:"components"`
}

type operation struct {
	ID         string `json:"operationId"`
	Parameters []struct {
		In       string `json:"in"`
		Name     string `json:"name"`
		Required bool   `json:"required"`
		Schema   schema `json:"schema"`
	} `json:"parameters"`
	Body struct {
		Content map[string]struct {
			Schema schema `json:"schema"`
		} `json:"content"`
	} `json:"requestBody"`
	Responses map[string]struct {
		Content map[string]struct {
			Schema schema `json:"schema"`
		} `json:"content"`
	} `json:"responses"`
}

// kind is what a value is, all the way down.
func kind(s schema) string {
	b, _ := json.Marshal(s.Type)
	out := string(b) + s.Ref + s.Format
	if s.Items != nil {
		out += " of " + kind(*s.Items)
	}
	var of schema
	if json.Unmarshal(s.Values, &of) == nil && len(s.Values) > 0 {
		out += " to " + kind(of)
	}
	return out
}

// narrower tells which values were taken and are refused now.
func narrower(was, is schema) (why []string) {
	if kind(was) != kind(is) {
		why = append(why, "is of another type")
	}
	less := func(a, b *float64, upper bool) bool {
		return b != nil && (a == nil || upper && *b < *a || !upper && *b > *a)
	}
	switch {
	case len(is.Enum) > 0 && (len(was.Enum) == 0 || slices.ContainsFunc(was.Enum, func(e any) bool { return !slices.Contains(is.Enum, e) })):
		why = append(why, "refuses a value that it took")
	case less(was.MaxLength, is.MaxLength, true), less(was.MinLength, is.MinLength, false), less(was.Maximum, is.Maximum, true),
		less(was.Minimum, is.Minimum, false), is.Pattern != "" && is.Pattern != was.Pattern:
		why = append(why, "has narrower bounds")
	}
	return why
}

type schema struct {
	Ref        string            `json:"$ref"`
	Format     string            `json:"format"`
	Pattern    string            `json:"pattern"`
	MaxLength  *float64          `json:"maxLength"`
	MinLength  *float64          `json:"minLength"`
	Maximum    *float64          `json:"maximum"`
	Minimum    *float64          `json:"minimum"`
	Values     json.RawMessage   `json:"additionalProperties"`
	Type       any               `json:"type"`
	Enum       []any             `json:"enum"`
	Required   []string          `json:"required"`
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
}

// breaks lists what a client of the older contract would stumble over: an operation, parameter, answer or field that is
// gone or is of another type, one that is required now, and a field of an answer that can be missing now.
func breaks(t *testing.T, before, after []byte) (found []string) {
	t.Helper()
	var was, is openAPI
	for b, into := range map[*[]byte]*openAPI{&before: &was, &after: &is} {
		if err := json.Unmarshal(*b, into); err != nil {
			t.Fatal(err)
		}
	}
	say := func(parts ...string) { found = append(found, strings.Join(parts, "")) }
	sent, answered := map[string]bool{}, map[string]bool{}
	for path, ops := range was.Paths {
		for method, old := range ops {
			name := strings.ToUpper(method) + " " + path
			op, ok := is.Paths[path][method]
			if !ok {
				say(name, " is gone")
				continue
			}
			if op.ID != old.ID {
				say(name, ` is called "`, op.ID, `" and not "`, old.ID, `"`)
			}
			here, types := map[string]bool{}, map[string]schema{}
			for _, p := range op.Parameters {
				here[p.In+" "+p.Name], types[p.In+" "+p.Name] = p.Required, p.Schema
			}
			for _, p := range old.Parameters {
				required, ok := here[p.In+" "+p.Name]
				if now := types[p.In+" "+p.Name]; ok {
					for _, why := range narrower(p.Schema, now) {
						say(name, ": parameter ", p.Name, " ", why)
					}
				}
				if !ok {
					say(name, ": parameter ", p.Name, " is gone")
				} else if required && !p.Required {
					say(name, ": parameter ", p.Name, " is required")
				}
				delete(here, p.In+" "+p.Name)
			}
			for p, required := range here {
				if required {
					say(name, ": parameter ", p, " is new and required")
				}
			}
			for status, answer := range old.Responses {
				now, ok := op.Responses[status]
				if !ok {
					say(name, ": no answer ", status)
					continue
				}
				for media, m := range answer.Content {
					n, ok := now.Content[media]
					if !ok || n.Schema.Ref != m.Schema.Ref {
						say(name, ": the answer ", status, " is not the same ", media)
					}
					reach(was.Components.Schemas, m.Schema, answered)
				}
			}
			for media, m := range old.Body.Content {
				if n, ok := op.Body.Content[media]; !ok || n.Schema.Ref != m.Schema.Ref {
					say(name, ": the body is not the same ", media)
				}
				reach(was.Components.Schemas, m.Schema, sent)
			}
		}
	}
	for name, old := range was.Components.Schemas {
		s, ok := is.Components.Schemas[name]
		if !ok {
			say(name, " is gone")
			continue
		}
		for field, f := range old.Properties {
			n, ok := s.Properties[field]
			switch {
			case !ok:
				say(name, ": ", field, " is gone")
			case kind(f) != kind(n):
				say(name, ": ", field, " is of another type")
			case sent[name]:
				for _, why := range narrower(f, n) {
					say(name, ": ", field, " ", why)
				}
			}
		}
		for _, field := range s.Required {
			if sent[name] && !slices.Contains(old.Required, field) {
				say(name, ": ", field, " is required")
			}
		}
		for _, field := range old.Required {
			if answered[name] && !slices.Contains(s.Required, field) {
				say(name, ": ", field, " may be missing")
			}
		}
	}
	slices.Sort(found)
	return found
}

// reach marks the schemas that s consists of.
func reach(all map[string]schema, s schema, seen map[string]bool) {
	name := strings.TrimPrefix(s.Ref, "#/components/schemas/")
	if s.Ref != "" && !seen[name] {
		seen[name] = true
		reach(all, all[name], seen)
	}
	for _, p := range s.Properties {
		reach(all, p, seen)
	}
	if s.Items != nil {
		reach(all, *s.Items, seen)
	}
}
