package terminal_test

import (
	"bytes"
	"testing"

	"github.com/tendhq/tend/internal/terminal"
)

func TestCleanTakesControlOutOfWhatCameFromOutside(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"plain text\n\ttabbed", "plain text\n\ttabbed"},
		{"\x1b[31mred\x1b[0m", "red"},
		{"\x1b]0;title\x07after", "after"},
		{"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"},
		{"a\x1b[2Jb", "ab"},
		{"cut\x1b[31", "cut"},
		{"cut\x1b", "cut"},
		{"cut\x1b[\nnext", "cut\nnext"},
		{"dos\r\nline", "dos\nline"},
		{"over\rwrite", "over\ufffdwrite"},
		{"nul\x00", "nul\ufffd"},
		{"grüße 好", "grüße 好"},
	} {
		if got := terminal.Clean(c.in); got != c.want {
			t.Errorf("Clean(%q) = %q, want %q", c.in, got, c.want)
		}
	}
	if got := terminal.Line("a\n\x1b[31m b\t c"); got != "a b c" {
		t.Errorf("Line = %q", got)
	}
}

func TestAFileGetsNoColours(t *testing.T) {
	t.Parallel()
	s := terminal.Detect(new(bytes.Buffer), func(string) string { return "" })
	if s.TTY || s.Colour || s.Red("x") != "x" {
		t.Errorf("a buffer is styled: %+v", s)
	}
	if got := (terminal.Style{Colour: true}).Red("x"); got != "\x1b[31mx\x1b[0m" {
		t.Errorf("red is %q", got)
	}
}

func FuzzClean(f *testing.F) {
	f.Add("\x1b[31m\x1b]0;x")
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range terminal.Clean(s) {
			if r == 0x1b || r == '\r' || r == 0 || r == 0x9b {
				t.Fatalf("%q lets %q through", s, r)
			}
		}
	})
}
