package log_test

import (
	"testing"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/actiontest"
	"github.com/tendhq/tend/internal/action/log"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	c := func(name string, in map[string]any, o action.Outcome, k fault.Kind, printed string) actiontest.Case {
		return actiontest.Case{
			Name: name, Want: o, Kind: k, Secrets: []string{"pl4nted-s3cret"},
			Request: func(*testing.T) action.Request { return action.Request{Action: "log", Inputs: in} },
			Check: func(t *testing.T, _ action.Result, got string) {
				t.Helper()
				if got != printed {
					t.Errorf("printed %q, not %q", got, printed)
				}
			},
		}
	}
	m := func(message, level string, echo bool) map[string]any {
		return map[string]any{"message": message, "level": level, "echo": echo}
	}
	actiontest.Run(t, log.New(), actiontest.Suite{Cases: []actiontest.Case{
		c("info", m("all is well", "info", false), action.Succeeded, "", "all is well\n"),
		c("warn", m("nearly full\n", "warn", false), action.Succeeded, "", "warn: nearly full\n"),
		c("no level", map[string]any{"message": "x"}, action.Succeeded, "", "x\n"),
		c("as echo", m(`-e a\n\tb\\c\x`, "info", true), action.Succeeded, "", "a\n\tb\\c\\x\n"),
		c("as echo without options", m(`a\nb -e`, "info", true), action.Succeeded, "", "a\\nb -e\n"),
		c("as echo with a text like options", m(`-x y`, "info", true), action.Succeeded, "", "-x y\n"),
		c("a level that is none", m("x", "loud", false), action.NotStarted, fault.Invalid, ""),
		c("a secret", map[string]any{"message": secret.New("pl4nted-s3cret")}, action.NotStarted, fault.Invalid, ""),
	}})
}
