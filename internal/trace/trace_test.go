package trace_test

import (
	"testing"

	"github.com/tendhq/tend/internal/trace"
)

func TestParse(t *testing.T) {
	t.Parallel()
	const good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	c, ok := trace.Parse(good)
	if !ok || c.Trace != "4bf92f3577b34da6a3ce929d0e0e4736" || c.Span != "00f067aa0ba902b7" || !c.Sampled || c.String() != good {
		t.Errorf("%+v, %v", c, ok)
	}
	if c, ok := trace.Parse("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02-more"); !ok || c.Sampled {
		t.Errorf("a later version: %+v, %v", c, ok)
	}
	for _, bad := range []string{
		"", "nonsense", good + "-more", "ff" + good[2:], good[:54], "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
	} {
		if c, ok := trace.Parse(bad); ok {
			t.Errorf("%q is %+v", bad, c)
		}
	}
}

// TestNames: they are what they always were. Other programs remember them.
func TestNames(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"d9cf390f945ac2916dd16170c65cea0b": trace.Of("run_1", "").Trace,
		"4bf92f3577b34da6a3ce929d0e0e4736": trace.Of("run_1", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").Trace,
		"42f8ca92db34757f":                 trace.Run("run_1"),
		"5d2297458dc7fb59":                 trace.Step("run_1", "steps[0]"),
		"1888220a942af923":                 trace.Attempt("run_1", "steps[0]", 1),
	} {
		if want != got {
			t.Errorf("%q: %q", want, got)
		}
	}
}
