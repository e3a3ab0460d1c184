package template_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/expr/function"
	"github.com/tendhq/tend/internal/expr/template"
)

const planted = "correct-horse-battery"

func reveal(name string) (string, error) {
	if name == "missing" {
		return "", errors.New("no secret named missing")
	}
	return planted + "-" + name, nil
}

func TestSecretsAreFinishedLater(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		src   string
		names []string
		want  string
	}{
		{`{{ secret "db" }}`, []string{"db"}, planted + "-db"},
		{`{{ secret .params.name }}`, []string{"tok"}, planted + "-tok"},
		{`{{ callback "done" }}`, []string{"callback:run_1/done"}, planted + "-callback:run_1/done"},
		{`{{ .params.name | callback | b64enc }}`, []string{"callback:run_1/tok"}, "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5LWNhbGxiYWNrOnJ1bl8xL3Rvaw=="},
		{`{{ secret "db" | b64enc }}`, []string{"db"}, "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5LWRi"},
		{`user:{{ secret "db" }}@{{ .params.host }}`, []string{"db"}, "user:" + planted + "-db@h"},
		{`{{ printf "%s:%s" "u" (secret "db") | upper }}`, []string{"db"}, "U:" + strings.ToUpper(planted) + "-DB"},
		{`{{ $s := secret "db" }}{{ $s }}/{{ $s }}`, []string{"db"}, planted + "-db/" + planted + "-db"},
		{`{{ range .params.names }}{{ secret . }};{{ end }}`, []string{"a", "b"}, planted + "-b;" + planted + "-a;"},
		{`{{ if .params.yes }}{{ secret "db" }}{{ else }}{{ secret "other" }}{{ end }}`, []string{"db"}, planted + "-db"},
		{`{{ dict "k" (secret "db") | toJson }}`, []string{"db"}, `{"k":"` + planted + `-db"}`},
		{`{{ join "," (list (secret "b") (secret "a")) }}`, []string{"a", "b"}, planted + "-b," + planted + "-a"},
		{`{{ default "none" (secret "db") }}`, []string{"db"}, planted + "-db"},
	} {
		t.Run(c.src, func(t *testing.T) {
			t.Parallel()
			tmpl, err := template.Parse(c.src, function.Standard())
			if err != nil {
				t.Fatal(err)
			}
			in := template.Input{Root: secretData(), Elements: 100, Output: 1000}
			r, err := tmpl.Render(in)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(r.Secrets, c.names) || r.Value != nil {
				t.Errorf("rendered %v, secrets %v, want %v", r.Value, r.Secrets, c.names)
			}
			got, err := tmpl.Finish(in, nil, reveal)
			if err != nil {
				t.Fatal(err)
			}
			if got != c.want {
				t.Errorf("finished %q, want %q", got, c.want)
			}
		})
	}
}

func secretData() map[string]any {
	return map[string]any{"run": map[string]any{"id": "run_1"}, "params": map[string]any{
		"name": "tok", "host": "h", "yes": true, "names": []any{"b", "a"}, "empty": "", "none": nil, "n": int64(5),
	}}
}

// A secret must not decide anything, and must not reach an error.
func TestSecretMisuse(t *testing.T) {
	t.Parallel()
	for _, src := range []string{
		`{{ if secret "db" }}a{{ end }}`,
		`{{ if callback "done" }}a{{ end }}`,
		`{{ callback (secret "db") }}`,
		`{{ callback "done" | atoi }}`,
		`{{ with secret "db" }}a{{ end }}`,
		`{{ range secret "db" }}a{{ end }}`,
		`{{ if eq (secret "db") "x" }}a{{ end }}`,
		`{{ eq (secret "db") "x" }}`,
		`{{ and (secret "db") "x" }}`,
		`{{ not (secret "db") }}`,
		`{{ $s := secret "db" }}{{ if $s }}a{{ end }}`,
		`{{ $s := 1 }}{{ $s = secret "db" }}{{ if $s }}a{{ end }}`,
		`{{ fail (secret "db") }}`,
		`{{ required (secret "db") "" }}`,
		`{{ atoi (secret "db") }}`,
		`{{ index (list 1) (secret "db") }}`,
		`{{ get .params (secret "db") }}`,
		`{{ .params | get (secret "db") }}`,
		`{{ regexMatch "a" (secret "db") }}`,
		`{{ hasPrefix "c" (secret "db") }}`,
		`{{ len (secret "db") }}`,
		`{{ secret (secret "db") }}`,
		`{{ (secret "db").x }}`,
		`{{ ternary 1 2 (secret "db") }}`,
		`{{ if eq (secret "db" | b64enc) "x" }}a{{ end }}`,
		`{{ if eq (dict "a" (secret "db") | toJson) "x" }}a{{ end }}`,
		`{{ secret "" }}`,
		`{{ secret 5 }}`,
	} {
		t.Run(src, func(t *testing.T) {
			t.Parallel()
			if _, err := template.Parse(src, function.Standard()); err == nil {
				t.Fatal("parsed")
			}
		})
	}
}

// What the parse cannot see is found before a secret is there.
func TestSecretMisuseThatDependsOnData(t *testing.T) {
	t.Parallel()
	for _, src := range []string{
		`{{ $s := "" }}{{ range .params.names }}{{ if $s }}x{{ end }}{{ $s = secret . }}{{ end }}`,
		`{{ secret .params.n }}`,
		`{{ secret .params.empty }}`,
		`{{ secret .params.none }}`,
		`{{ secret .params.nope }}`,
	} {
		tmpl, err := template.Parse(src, function.Standard())
		if err != nil {
			t.Fatal(err)
		}
		in := template.Input{Root: secretData(), Elements: 100, Output: 1000}
		if _, err := tmpl.Render(in); err == nil {
			t.Errorf("%s rendered", src)
		}
		_, err = tmpl.Finish(in, nil, func(string) (string, error) {
			t.Errorf("%s asked for the secret", src)
			return planted, nil
		})
		if err == nil {
			t.Errorf("%s finished", src)
		}
	}
}

func TestFinishErrorsHoldNoSecret(t *testing.T) {
	t.Parallel()
	for _, src := range []string{
		`{{ secret "db" | b64dec }}`,
		`{{ secret "db" | unhex }}`,
		`{{ printf "%d" (secret "db") }}`,
		`{{ secret "db" | repeat 1000000 }}`,
		`{{ trunc (secret "db") "x" }}`,
		`{{ printf (secret "db") 1 }}`,
	} {
		tmpl, err := template.Parse(src, function.Standard())
		if err != nil {
			t.Fatal(err)
		}
		_, err = tmpl.Finish(template.Input{Root: secretData(), Elements: 100, Output: 1000}, nil, reveal)
		if err == nil {
			t.Errorf("%s finished", src)
			continue
		}
		if strings.Contains(err.Error(), "horse") {
			t.Errorf("%s tells: %v", src, err)
		}
	}
}

func TestSecretThatIsNotThere(t *testing.T) {
	t.Parallel()
	tmpl, err := template.Parse(`{{ secret "missing" }}`, function.Standard())
	if err != nil {
		t.Fatal(err)
	}
	_, err = tmpl.Finish(template.Input{Root: secretData(), Elements: 100, Output: 1000}, nil, reveal)
	if err == nil || err.Error() != "no secret named missing" {
		t.Errorf("error is %v", err)
	}
}

// In the older dialect a secret whose name was not given is not wanted.
func TestUnnamedSecretIsEmptyForLenient(t *testing.T) {
	t.Parallel()
	for _, src := range []string{`{{ secret .params.empty }}`, `{{ secret .params.nope }}`, `<{{ secret .params.none }}>`} {
		tmpl, err := template.Parse(src, function.Standard())
		if err != nil {
			t.Fatal(err)
		}
		r, err := tmpl.Render(template.Input{Root: secretData(), Lenient: true, Elements: 100, Output: 1000})
		if err != nil || len(r.Secrets) > 0 || r.Value != "" && r.Value != "<>" {
			t.Errorf("%s: %v %v", src, r, err)
		}
	}
}
