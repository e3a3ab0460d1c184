package cell_test

import (
	"testing"

	"github.com/tendhq/tend/internal/cell"
)

func TestWidth(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"":         0,
		"abc":      3,
		"日本":       4,
		"e\u0301":  1, // e and a combining acute
		"\u200bx":  1, // zero width space
		"ｆｕｌｌ":     8,
		"🚀":        2,
		"a\xffb":   3,
		"größe":    5,
		"한국어 text": 11,
	} {
		if got := cell.Width(text); got != want {
			t.Errorf("Width(%q) = %d, want %d", text, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		n    int
		want string
	}{
		{"short", 10, "short"},
		{"exactly", 7, "exactly"},
		{"too long", 5, "too …"},
		{"日本語", 4, "日…"},
		{"日本語", 6, "日本語"},
		{"abc", 0, ""},
		{"abc", 1, "…"},
	} {
		if got := cell.Cut(c.text, c.n); got != c.want {
			t.Errorf("Cut(%q, %d) = %q, want %q", c.text, c.n, got, c.want)
		}
	}
}

func TestCleanAndPad(t *testing.T) {
	t.Parallel()
	if got, want := cell.Clean("a\x1b[31mb\u202ec\xff\td"), "a\uFFFD[31mb\uFFFDc\uFFFD\td"; got != want {
		t.Errorf("Clean = %q, want %q", got, want)
	}
	if got := cell.Clean("plain"); got != "plain" {
		t.Errorf("Clean = %q", got)
	}
	if got := cell.Pad("日", 4); got != "日  " {
		t.Errorf("Pad = %q", got)
	}
	if got := cell.Line(" a\n\t b \r\n"); got != "a b" {
		t.Errorf("Line = %q", got)
	}
}
