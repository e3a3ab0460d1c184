// Package log writes a message into the log of the run.
//
// It refuses secrets: a message is kept for ever and read by many.
package log

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/fault"
)

const maxMessage = 1 << 20

// Action is the action.
type Action struct{}

// New gives the action.
func New() Action { return Action{} }

// Spec implements action.Action.
func (Action) Spec() contract.Spec {
	return contract.Spec{
		Name:    "log",
		Summary: "Writes a message into the log of the run.",
		Doc:     "For people who read the run later: what was found, what was decided. It has no effect on anything else.",
		Effect:  contract.Read,
		Proven:  true,
		Inputs: []contract.Field{
			{Name: "message", Type: contract.String, Required: true, Description: "The message, at most 1 MiB."},
			{Name: "level", Type: contract.String, Default: "info", Enum: []any{"debug", "info", "warn", "error"}, Description: "How much it matters."},
			{Name: "echo", Type: contract.Boolean, Default: false, Description: "Older dialect: read `-n` and `-e` at the beginning as the program echo does."},
		},
		Outputs: []contract.Field{
			{Name: "message", Type: contract.String, Description: "The message."},
			{Name: "level", Type: contract.String, Description: "Its level."},
		},
		Ends: []contract.End{
			{When: "always", Outcome: "succeeded"},
			{When: "an input is wrong, or the message is a secret", Outcome: "not-started", Kind: fault.Invalid},
			{When: "the step was cancelled before it began", Outcome: "not-started", Kind: fault.Cancelled},
			{When: "the time limit passed before it began", Outcome: "not-started", Kind: fault.Timeout},
		},
		Examples: []contract.Example{{
			Title: "Say what was found",
			YAML:  "- uses: log\n  with: {message: '{{ $.params.path }} holds {{ $.steps.usage.value }} MiB.', level: warn}\n",
		}},
		Aliases: []contract.Alias{{
			Name: "echo", Inputs: map[string]string{"MESSAGE": "message"}, With: map[string]any{"echo": true},
			Outputs: map[string]string{"output": ".message"},
		}},
	}
}

// Run implements action.Action.
func (Action) Run(ctx context.Context, req action.Request, log action.Log) action.Result {
	if ctx.Err() != nil {
		k, why := action.Stopped(ctx)
		return action.Never(k, why+" before anything was logged")
	}
	in := struct {
		Message string `in:"message"`
		Level   string `in:"level"`
		Echo    bool   `in:"echo"`
	}{Level: "info"}
	if err := action.Decode(req.Inputs, &in); err != nil {
		return action.Never(fault.Invalid, err.Error())
	}
	switch {
	case len(in.Message) > maxMessage:
		return action.Never(fault.Invalid, "message is larger than 1 MiB")
	case !slices.Contains([]string{"debug", "info", "warn", "error"}, in.Level):
		return action.Never(fault.Invalid, "level is "+strconv.Quote(in.Level[:min(len(in.Level), 40)])+"; it can be debug, info, warn or error")
	}
	text := strings.ToValidUTF8(in.Message, string(utf8.RuneError))
	if in.Echo {
		text = echo(text)
	}
	prefix := ""
	if in.Level != "info" {
		prefix = in.Level + ": "
	}
	log("stdout", []byte(prefix+strings.TrimRight(text, "\n")+"\n"))
	return action.OK(map[string]any{"message": text, "level": in.Level})
}

// echo reads the options of the program echo: -n is nothing here, -e asks for escapes.
func echo(s string) string {
	escapes := false
	for {
		word, rest, _ := strings.Cut(s, " ")
		if word == "" || word[0] != '-' || len(word) == 1 || strings.Trim(word[1:], "neE") != "" {
			break
		}
		escapes = strings.Contains(word, "e")
		s = rest
	}
	if !escapes {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i == len(s)-1 {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 'r':
			b.WriteByte('\r')
		case '\\':
			b.WriteByte('\\')
		case 'c':
			return b.String()
		default:
			b.WriteByte('\\')
			b.WriteByte(s[i])
		}
	}
	return b.String()
}
