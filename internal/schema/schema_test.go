package schema_test

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/lint"
	"github.com/tendhq/tend/internal/schema"
	"github.com/tendhq/tend/internal/value"
)

var update = flag.Bool("update", os.Getenv("TEND_UPDATE") != "", "write the schemas anew")

const root = "../.."

func catalog(t *testing.T) contract.Catalog {
	t.Helper()
	set, err := app.Actions()
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func files(t *testing.T) []schema.File {
	t.Helper()
	fs, err := schema.Files(catalog(t))
	if err != nil {
		t.Fatal(err)
	}
	return fs
}

// TestCommitted keeps the folder schema/ as the language and the actions are.
func TestCommitted(t *testing.T) {
	t.Parallel()
	for _, f := range files(t) {
		path := filepath.Join(root, "schema", f.Name)
		if *update {
			if err := os.WriteFile(path, f.Body, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		committed, err := os.ReadFile(path)
		if err != nil {
			t.Fatalf("%v (write it with go test ./internal/schema -update)", err)
		}
		if !bytes.Equal(committed, f.Body) {
			t.Errorf("%s is not what the language is now; write it with go test ./internal/schema -update\n%s", path, cmp.Diff(string(committed), string(f.Body)))
		}
	}
}

// validators gives the compiled schemas of a dialect, one for each draft.
func validators(t *testing.T, d expr.Dialect) map[string]*jsonschema.Schema {
	t.Helper()
	out := map[string]*jsonschema.Schema{}
	for _, f := range files(t) {
		if f.Dialect != d {
			continue
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(f.Body))
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		c := jsonschema.NewCompiler()
		if err := c.AddResource(f.Name, doc); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		s, err := c.Compile(f.Name)
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		out[f.Name] = s
	}
	if len(out) != 2 {
		t.Fatalf("%d schemas for %s", len(out), d)
	}
	return out
}

// plain is a YAML node as an editor reads it.
func plain(n *yaml.Node) any {
	switch n.Kind {
	case yaml.AliasNode:
		return plain(n.Alias)
	case yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			out[n.Content[i].Value] = plain(n.Content[i+1])
		}
		return out
	case yaml.SequenceNode:
		out := make([]any, 0, len(n.Content))
		for _, c := range n.Content {
			out = append(out, plain(c))
		}
		return out
	default:
		var v any
		if n.Tag == "!!timestamp" || n.Decode(&v) != nil {
			return n.Value
		}
		v, err := value.Normalize(v)
		if err != nil {
			return n.Value
		}
		switch x := v.(type) { // the types that the validator knows
		case int64:
			return float64(x)
		default:
			return x
		}
	}
}

// TestWhatLintsIsValid validates all documents that the repository has, and those of TEND_CORPUS: what lints without an
// error is valid.
func TestWhatLintsIsValid(t *testing.T) {
	t.Parallel()
	l := lint.New(catalog(t), nil)
	all := map[expr.Dialect]map[string]*jsonschema.Schema{expr.Strict: validators(t, expr.Strict), expr.Lenient: validators(t, expr.Lenient)}
	checked := 0
	places := []string{filepath.Join(root, "examples"), filepath.Join(root, "internal"), filepath.Join(root, "testdata"), "testdata"}
	if corpus := os.Getenv("TEND_CORPUS"); corpus != "" {
		places = append(places, corpus)
	}
	for _, place := range places {
		err := filepath.WalkDir(place, func(path string, d fs.DirEntry, err error) error {
			if os.IsNotExist(err) {
				return nil
			}
			if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" {
				return err
			}
			src, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			r := l.File(path, src)
			for _, doc := range r.Documents {
				if invalid := errorsOf(r.Findings); invalid || strings.Contains(string(src), "<<:") {
					continue
				}
				checked++
				for name, s := range all[doc.Dialect] {
					if err := s.Validate(plain(doc.Node)); err != nil {
						t.Errorf("%s lints and is not valid by %s: %v", path, name, err)
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d documents", checked)
	if checked < 12 {
		t.Errorf("only %d documents were there to validate", checked)
	}
}

// TestEverything checks that the documents which use each construct once are among those that must be valid.
func TestEverything(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"testdata/everything.yaml", "testdata/older.yaml"} {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range lint.New(catalog(t), nil).File(file, src).Findings {
			if f.Severity == document.Error {
				t.Errorf("%s", f)
			}
		}
	}
}

// errorsOf tells whether there is an error that a schema could see. Names and data flow are beyond it.
func errorsOf(fs []document.Finding) bool {
	for _, f := range fs {
		if rule, ok := lint.RuleOf(f.Rule); f.Severity == document.Error && (!ok || rule.Fixed) {
			return true
		}
	}
	return false
}

// TestWhatIsWrongIsNot keeps the net from having no meshes at all.
func TestWhatIsWrongIsNot(t *testing.T) {
	t.Parallel()
	head := "apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: x}\n"
	step := head + "steps:\n- "
	for _, c := range []struct{ name, doc string }{
		{"no steps", head},
		{"an unknown key of the document", head + "stepz: []\nsteps: [{uses: log, with: {message: x}}]"},
		{"an unknown key of a step", step + "{uses: log, with: {message: x}, wehn: 'true'}"},
		{"an unknown key of a block", step + "{steps: [{uses: log, with: {message: x}}], retry: {attempts: 2}}"},
		{"two heads", step + "{steps: [{uses: log, with: {message: x}}], parallel: [{uses: log, with: {message: x}}]}"},
		{"an id with capitals", step + "{id: Usage, uses: log, with: {message: x}}"},
		{"an unknown effect", step + "{uses: shell, effect: write, with: {script: x}}"},
		{"a duration without a unit", step + "{uses: shell, timeout: 30, with: {script: x}}"},
		{"a duration that is none", step + "{uses: shell, timeout: soon, with: {script: x}}"},
		{"an unknown input", step + "{uses: shell, with: {skript: x}}"},
		{"a wrong enum", step + "{uses: shell, with: {script: x, parse: xml}}"},
		{"a wrong type of input", step + "{uses: shell, with: {script: x, exitCodes: 7}}"},
		{"a required input that is missing", step + "{uses: http}"},
		{"a verb without its message", step + "{uses: fail}"},
		{"a wait for two things", step + "{uses: wait, with: {duration: 1s, for: x}}"},
		{"a retry without attempts", step + "{uses: shell, with: {script: x}, retry: {backoff: 1s}}"},
		{"an unknown doubt", step + "{uses: shell, with: {script: x}, onDoubt: hope}"},
		{"a loop without a list", step + "{foreach: {steps: [{uses: log, with: {message: x}}]}}"},
		{"a lock without a key", step + "{lock: {steps: [{uses: log, with: {message: x}}]}}"},
		{"a wrong input in verify", step + "{uses: shell, with: {script: x}, verify: {uses: shell, with: {skript: x}, until: 'true'}}"},
		{"a parameter without a type", head + "parameters: [{name: x}]\nsteps: [{uses: log, with: {message: x}}]"},
		{"a type of the older dialect", head + "parameters: [{name: x, type: var}]\nsteps: [{uses: log, with: {message: x}}]"},
		{"an unknown kind", "apiVersion: tend/v1\nkind: Playbok\nmetadata: {name: x}\nsteps: [{uses: log, with: {message: x}}]"},
		{"another dialect", "apiVersion: tend/v2\nkind: Playbook\nmetadata: {name: x}\nsteps: [{uses: log, with: {message: x}}]"},
		{"a guard without a rule", "apiVersion: tend/v1\nkind: Guard\nmetadata: {name: x}"},
		{"a module without a body", "apiVersion: tend/v1\nkind: Step\nmetadata: {name: x}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var n yaml.Node
			if err := yaml.Unmarshal([]byte(c.doc), &n); err != nil {
				t.Fatal(err)
			}
			r := lint.New(catalog(t), nil).File("x.yaml", []byte(c.doc))
			if !document.HasErrors(r.Findings) {
				t.Errorf("the linter finds nothing wrong with\n%s", c.doc)
			}
			for name, s := range validators(t, expr.Strict) {
				if s.Validate(plain(n.Content[0])) == nil {
					t.Errorf("valid by %s:\n%s", name, c.doc)
				}
			}
		})
	}
}

func TestUnknownDraft(t *testing.T) {
	t.Parallel()
	if _, err := schema.Document(catalog(t), expr.Strict, "draft-04"); err == nil {
		t.Error("draft-04 is not known")
	}
}
