package spelling_test

import (
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/spelling"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"timeout", "retry", "uses", "with", "when", "stopWhen", "kubernetes/rollout-restart"}
	for in, want := range map[string]string{
		"tiemout": "timeout", "time-out": "timeout", "Retry": "retry", "wiht": "with", "use": "uses", "stop_when": "stopWhen",
		"kubernetes/rollout-restrat": "kubernetes/rollout-restart", "nonsense": "", "": "", "x": "",
		strings.Repeat("y", 10_000): "",
	} {
		if got := spelling.Nearest(in, known); got != want {
			t.Errorf("Nearest(%.20q) = %q, want %q", in, got, want)
		}
	}
}

func TestGlob(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "k8s:prod/shop/deployment/cart", true},
		{"k8s:prod/*", "k8s:prod/shop/deployment/cart", true},
		{"k8s:prod/*", "k8s:test/shop", false},
		{"*cart", "k8s:prod/cart", true},
		{"a*b*c", "axxbxxc", true},
		{"a*b*c", "axxbxx", false},
		{"host:?", "host:1", true},
		{"host:?", "host:", false},
		{"host:?", "host:12", false},
		{"host:1", "host:1x", false},
		{"host:1x", "host:1", false},
	} {
		if got := spelling.Glob(c.pattern, c.s); got != c.want {
			t.Errorf("%q matches %q: %v", c.pattern, c.s, got)
		}
	}
}
