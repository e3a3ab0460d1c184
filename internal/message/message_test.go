package message_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/exchange"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/message"
)

func TestBound(t *testing.T) {
	t.Parallel()
	m := message.Message{
		Title: "a\r\nBcc: b\x00\u202e" + strings.Repeat("é", 1000), Text: "\xff" + strings.Repeat("x", 20_000),
		Facts: make([]message.Fact, 100), Buttons: make([]message.Button, 9), To: make([]string, 99),
	}.Bound()
	if strings.ContainsAny(m.Title, "\r\n\x00\u202e") || utf8.RuneCountInString(m.Title) != message.MaxTitle+1 || !strings.HasSuffix(m.Title, "…") {
		t.Errorf("%q", m.Title)
	}
	if !utf8.ValidString(m.Text) || utf8.RuneCountInString(m.Text) != message.MaxText+1 {
		t.Errorf("%d characters", utf8.RuneCountInString(m.Text))
	}
	if len(m.Facts) != message.MaxFacts+1 || m.Facts[message.MaxFacts].Value != "70 more" || len(m.Buttons) != message.MaxButtons || len(m.To) != message.MaxTo {
		t.Errorf("%d facts, %v", len(m.Facts), m.Facts[len(m.Facts)-1])
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	m := message.Message{Text: "hello", Facts: []message.Fact{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}}, Links: []entry.Link{{URL: "https://x"}, {Name: "n", URL: "https://y"}}}
	if got := m.Plain(); got != "hello\n\na: 1\nb: 2\n\nhttps://x\nn: https://y" {
		t.Errorf("%q", got)
	}
}

func TestFinal(t *testing.T) {
	t.Parallel()
	for end, want := range map[exchange.End]bool{
		exchange.Failed(fault.Invalid, "x"):     true,
		exchange.Failed(fault.NotFound, "x"):    true,
		exchange.Never(fault.Invalid, "x"):      true,
		exchange.Doubt(fault.Status, "x"):       false,
		exchange.Failed(fault.Auth, "x"):        false,
		exchange.Failed(fault.RateLimited, "x"): false,
		exchange.Never(fault.Unreachable, "x"):  false,
	} {
		if got := message.Not(end).Final(); got != want {
			t.Errorf("%v: %v", end, got)
		}
	}
}
