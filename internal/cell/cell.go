// Package cell measures and cuts text in the cells of a terminal, so that carets, columns and boxes stand where the eye
// expects them.
//
// Wide characters take two cells, combining marks and format characters none, control characters one: Clean replaces
// those by a visible mark, so that a document cannot move the cursor of whoever reads it.
package cell

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// Rune tells how many cells r takes.
func Rune(r rune) int {
	switch {
	case r < 0x20 || r == 0x7f:
		return 1
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	default:
		return 1
	}
}

// Width tells how many cells s takes. Bytes that are not UTF-8 take one each.
func Width(s string) int {
	n := 0
	for _, r := range s {
		n += Rune(r)
	}
	return n
}

// Cut shortens s to at most n cells; what was cut shows as an ellipsis, which counts.
func Cut(s string, n int) string {
	if len(s) <= n || Width(s) <= n {
		return s
	}
	if n <= 0 {
		return ""
	}
	used := 0
	for i, r := range s {
		w := Rune(r)
		if used+w > n-1 {
			return s[:i] + "…"
		}
		used += w
	}
	return s
}

// Pad fills s with spaces up to n cells.
func Pad(s string, n int) string {
	if w := Width(s); w < n {
		return s + strings.Repeat(" ", n-w)
	}
	return s
}

// Line folds all white space of s, line breaks too, into single spaces and cleans it.
func Line(s string) string { return Clean(strings.Join(strings.Fields(s), " ")) }

// Clean replaces control characters (except tab and line break), characters that change the direction of text, and bytes
// that are not UTF-8 by U+FFFD.
func Clean(s string) string {
	clean := true
	for _, r := range s {
		if hostile(r) {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	return strings.Map(func(r rune) rune {
		if hostile(r) {
			return utf8.RuneError
		}
		return r
	}, s)
}

func hostile(r rune) bool {
	switch {
	case r == '\t' || r == '\n':
		return false
	case r < 0x20 || r >= 0x7f && r < 0xa0 || r == utf8.RuneError:
		return true
	case r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069: // bidirectional overrides and isolates
		return true
	default:
		return false
	}
}
