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
