package action_test

import (
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

// TestAsText: what a process gets is text, and a secret in it stays one.
func TestAsText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		given any
		want  string
	}{
		{nil, ""},
		{"a 'b'", "a 'b'"},
		{int64(3), "3"},
		{0.5, "0.5"},
		{true, "true"},
		{[]any{"a", int64(1), nil}, `["a",1,null]`},
		{map[string]any{"k": []any{"<&>"}}, `{"k":["<&>"]}`},
		{action.PlainText("x"), "x"},
	} {
		if got, err := action.AsText(c.given); err != nil || got.Reveal() != c.want || got.Secret() {
			t.Errorf("%v: %v, %v", c.given, got, err)
		}
	}
	hidden := secret.New("planted-secret")
	if got, err := action.AsText(hidden); err != nil || !got.Secret() || got.Reveal() != "planted-secret" {
		t.Errorf("a secret: %v, %v", got, err)
	}
	for _, v := range []any{[]any{hidden}, map[string]any{"k": []any{&hidden}}, []any{action.SecretText(hidden)}} {
		if _, err := action.AsText(v); !fault.Is(err, fault.Invalid) || fault.NextOf(err) == "" || strings.Contains(err.Error(), "planted") {
			t.Errorf("a secret in a list: %v", err)
		}
	}
}
