package sql

import (
	"strings"

	"github.com/tendhq/tend/internal/fault"
)

// refuseCopy refuses COPY from or to the client: the server would wait for data that no step has.
func refuseCopy(query string) error {
	words := strings.FieldsFunc(strings.ToLower(afterComments(query)), func(r rune) bool { return r < '0' || r > 'z' || r > '9' && r < 'a' })
	if len(words) == 0 || words[0] != "copy" {
		return nil
	}
	for _, w := range words {
		if w == "stdin" || w == "stdout" {
			return fault.New(fault.Invalid, "input query: COPY from or to the client is not supported").
				WithNext("use insert … select from jsonb_to_recordset($1), or a plain select")
		}
	}
	return nil
}

// afterComments gives the statement from its first word on. Comments in C's style nest.
func afterComments(s string) string {
	for {
		s = strings.TrimLeft(s, " \t\r\n\f\v(;")
		switch {
		case strings.HasPrefix(s, "--"):
			_, s, _ = strings.Cut(s, "\n")
		case strings.HasPrefix(s, "/*"):
			depth, at := 0, 0
			for at < len(s) {
				switch {
				case strings.HasPrefix(s[at:], "/*"):
					depth++
					at += 2
				case strings.HasPrefix(s[at:], "*/"):
					depth--
					at += 2
				default:
					at++
				}
				if depth == 0 {
					break
				}
			}
			s = s[at:]
		default:
			return s
		}
	}
}
