package expr_test

import (
	"fmt"

	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/secret"
)

func Example() {
	evaluator := expr.New(expr.Limits{})
	scope := expr.Scope{Dialect: expr.Strict, Root: map[string]any{
		"params": map[string]any{"limit": int64(800), "key": "database_access_key"},
		"steps":  map[string]any{"usage": map[string]any{"value": int64(900), "files": []any{map[string]any{"name": "a.gz"}, map[string]any{"name": "b.gz"}}}},
	}}

	// A template is a text, or the value of its one action.
	text, err := evaluator.Value(expr.Expr{Kind: expr.Template, Source: "{{ $.steps.usage.value }} MiB"}, scope)
	fmt.Printf("%#v %v\n", text, err)
	names, err := evaluator.Value(expr.Expr{Kind: expr.Template, Source: "{{ $.steps.usage.files[:].name }}"}, scope)
	fmt.Printf("%v %v\n", names, err)

	// Conditions are CEL.
	full, err := evaluator.Truth(expr.Expr{Kind: expr.Logic, Source: "steps.usage.value > params.limit"}, scope)
	fmt.Println(full, err)

	// What is missing is named.
	_, err = evaluator.Truth(expr.Expr{Kind: expr.Logic, Source: "steps.usage.valu > params.limit"}, scope)
	fmt.Println(err)

	// A text with a secret is finished when it is needed, and never printed.
	rendered, err := evaluator.Value(expr.Expr{Kind: expr.Template, Source: "token {{ secret .params.key }}"}, scope)
	deferred, ok := expr.AsDeferred(rendered)
	fmt.Println(deferred.Secrets, ok, err)
	finished, err := evaluator.Finish(deferred, expr.Strict, func(string) (secret.Value, error) { return secret.New("hunter2"), nil }, nil)
	token, _ := finished.(secret.Value)
	fmt.Println(token, len(token.Reveal()), err)

	// Lint asks what an expression needs.
	uses, err := evaluator.Uses(expr.Expr{Kind: expr.Template, Source: "{{ range .params.list }}{{ .name }}{{ end }}"}, expr.Strict)
	fmt.Println(uses.Paths[1].Path, err)

	// Output:
	// "900 MiB" <nil>
	// [a.gz b.gz] <nil>
	// true <nil>
	// steps.usage has no "valu"; did you mean "value"? in "steps.usage.valu > params.limit"
	// [database_access_key] true <nil>
	// [secret] 13 <nil>
	// [params list [*] name] <nil>
}
