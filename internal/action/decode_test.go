package action_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

type inputs struct {
	Script  string                 `in:"script"`
	Token   action.Text            `in:"token"`
	On      bool                   `in:"on"`
	Off     *bool                  `in:"off"`
	Count   int                    `in:"count"`
	Ratio   float64                `in:"ratio"`
	Within  time.Duration          `in:"within"`
	Codes   []int64                `in:"codes"`
	Args    []action.Text          `in:"args"`
	Headers map[string]action.Text `in:"headers"`
	Body    any                    `in:"body"`
	Private int
}

func TestDecodeReadsEveryType(t *testing.T) {
	t.Parallel()
	var got inputs
	hidden := secret.New("s3cret-value")
	err := action.Decode(map[string]any{
		"script": "echo", "token": hidden, "on": true, "off": false, "count": int64(3), "ratio": int64(2),
		"within": "1m30s", "codes": []any{int64(0), int64(3)}, "args": []any{"-x", hidden, int64(5)},
		"headers": map[string]any{"A": hidden, "B": "b"}, "body": map[string]any{"k": hidden},
	}, &got)
	if err != nil {
		t.Fatal(err)
	}
	if got.Script != "echo" || !got.On || got.Off == nil || *got.Off || got.Count != 3 || got.Ratio != 2 || got.Within != 90*time.Second {
		t.Errorf("got %+v", got)
	}
	if d := cmp.Diff([]int64{0, 3}, got.Codes); d != "" {
		t.Error(d)
	}
	if got.Token.Reveal() != "s3cret-value" || got.Args[1].Reveal() != "s3cret-value" || got.Args[2].Reveal() != "5" || got.Headers["A"].Reveal() != "s3cret-value" {
		t.Error("a secret was lost")
	}
	if s := fmt.Sprintf("%v %+v %#v %q", got, got, got, got.Token); strings.Contains(s, "s3cret") {
		t.Errorf("a secret is printed: %s", s)
	}
	if m, ok := action.Reveal(got.Body).(map[string]any); !ok || m["k"] != "s3cret-value" || !action.HasSecret(got.Body) {
		t.Error("Reveal did not reach into a map")
	}
}

func TestDecodeReportsAllProblems(t *testing.T) {
	t.Parallel()
	var got inputs
	err := action.Decode(map[string]any{
		"script": secret.New("s3cret-value"), "on": "yes", "count": 1.5, "within": "soon", "codes": "0",
		"args": []any{[]any{}}, "headers": []any{}, "colour": "red",
	}, &got)
	if !fault.Is(err, fault.Invalid) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{
		"input script: a secret cannot be given here", `input on: expected true or false, not "yes"`,
		"input count: expected a whole number, not 1.5", "input within: expected a duration", "input codes: expected a list",
		"input args: [0]: expected text, not a list", "input headers: expected a map", "input colour: there is no such input",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "s3cret") {
		t.Error("the error shows a secret")
	}
}

func TestDecodeTakesNilAsNotGiven(t *testing.T) {
	t.Parallel()
	got := inputs{Count: 7}
	if err := action.Decode(map[string]any{"count": nil, "off": nil, "script": nil}, &got); err != nil {
		t.Fatal(err)
	}
	if got.Count != 7 || got.Off != nil {
		t.Errorf("got %+v", got)
	}
	if err := action.Decode(nil, got); !fault.Is(err, fault.Internal) {
		t.Errorf("a struct that cannot be written gave %v", err)
	}
}
