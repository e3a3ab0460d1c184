package secret

import (
	"strings"

	"github.com/tendhq/tend/internal/fault"
)

// maxName bounds the length of a secret's name.
const maxName = 200

// CheckName tells what is wrong with the name of a secret: it has letters, digits, `.`, `_`, `-`, and `/` between its
// parts, and begins and ends every part with a letter, a digit or `_`. The error does not repeat the name: what is not a
// name is often a secret that was given in place of its name.
func CheckName(name string) error {
	bad := func(format string, a ...any) error {
		return fault.New(fault.Invalid, "the name of a secret "+format, a...).
			WithNext("give the secret's name, such as database_password, and not its value")
	}
	switch {
	case name == "":
		return bad("is empty")
	case len(name) > maxName:
		return bad("has %d characters, and at most %d are allowed", len(name), maxName)
	}
	for i, r := range name {
		if !plain(r) && r != '.' && r != '-' && r != '/' {
			return bad("(%d characters) has something else than letters, digits and ._-/ at character %d", len(name), i+1)
		}
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || !plain(rune(part[0])) || !plain(rune(part[len(part)-1])) {
			return bad("(%d characters) has a part that does not begin and end with a letter, a digit or an underscore", len(name))
		}
	}
	return nil
}

func plain(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_'
}
