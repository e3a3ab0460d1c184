package function

import (
	"cmp"
	"strconv"
	"strings"
)

func versionFunctions() []Function {
	return group(groupVersion,
		Function{Usage: "semver TEXT", Doc: "A map of Major, Minor, Patch, Prerelease, Metadata and Original.", Min: 1, Max: 1, body: semver},
		Function{Usage: "semverCompare CONSTRAINT VERSION", Doc: "True if VERSION meets CONSTRAINT: \">=1.2, <2\", \"^1.4\", \"~1.4.2\", \"1.x || 3.x\".", Min: 2, Max: 2, body: semverCompare},
	)
}

// version is a semantic version. parts tells how many of its numbers were written.
type version struct {
	numbers    [3]uint64
	parts      int
	prerelease string
	metadata   string
}

// parseVersion reads `v1.2.3-rc.1+build`; Minor and Patch may be left out. With wild, x, X and * stand for what is left
// out.
func parseVersion(s string, wild bool) (version, bool) {
	var v version
	s = strings.TrimPrefix(s, "v")
	s, v.metadata, _ = strings.Cut(s, "+")
	s, v.prerelease, _ = strings.Cut(s, "-")
	parts := strings.Split(s, ".")
	if len(parts) > 3 || len(s) > 60 {
		return v, false
	}
	for i, p := range parts {
		if wild && (p == "x" || p == "X" || p == "*") {
			return v, true
		}
		n, err := strconv.ParseUint(p, 10, 63)
		if err != nil {
			return v, false
		}
		v.numbers[i] = n
		v.parts = i + 1
	}
	return v, true
}

func (v version) compare(w version) int {
	for i := range v.numbers {
		if c := cmp.Compare(v.numbers[i], w.numbers[i]); c != 0 {
			return c
		}
	}
	switch {
	case v.prerelease == w.prerelease:
		return 0
	case v.prerelease == "":
		return 1
	case w.prerelease == "":
		return -1
	}
	return comparePrerelease(strings.Split(v.prerelease, "."), strings.Split(w.prerelease, "."))
}

func comparePrerelease(x, y []string) int {
	for i := range min(len(x), len(y)) {
		n, errN := strconv.ParseUint(x[i], 10, 64)
		m, errM := strconv.ParseUint(y[i], 10, 64)
		var c int
		switch {
		case errN == nil && errM == nil:
			c = cmp.Compare(n, m)
		case errN == nil:
			c = -1 // numbers come before words
		case errM == nil:
			c = 1
		default:
			c = cmp.Compare(x[i], y[i])
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(len(x), len(y))
}

// next is the first version after those that agree with v in its first n numbers.
func (v version) next(n int) version {
	var w version
	copy(w.numbers[:n], v.numbers[:n])
	w.numbers[n-1]++
	return w
}

func semver(a *Args) any {
	s := a.text(0)
	v, ok := parseVersion(strings.TrimSpace(s), false)
	if !ok {
		a.wrong(0, "a version")
	}
	return map[string]any{
		"Major": int64(v.numbers[0]), "Minor": int64(v.numbers[1]), "Patch": int64(v.numbers[2]),
		"Prerelease": v.prerelease, "Metadata": v.metadata, "Original": s,
	}
}

func semverCompare(a *Args) any {
	constraint, s := a.text(0), a.text(1)
	v, ok := parseVersion(strings.TrimSpace(s), false)
	if !ok {
		a.wrong(1, "a version")
	}
	if len(constraint) > 1000 {
		return a.fail("a constraint of more than 1000 bytes")
	}
	met := false
	for alternative := range strings.SplitSeq(constraint, "||") {
		all := true
		for _, c := range constraints(alternative) {
			holds, ok := c.holds(v)
			if !ok {
				return a.fail("%s is no constraint", excerpt(constraint))
			}
			all = all && holds
		}
		met = met || all
	}
	return met
}

type constraint struct{ operator, version string }

// constraints takes `>= 1.2, <2` apart.
func constraints(s string) []constraint {
	var out []constraint
	operator := ""
	for word := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ' ' || r == ',' }) {
		rest := strings.TrimLeft(word, "=!<>~^")
		operator += word[:len(word)-len(rest)]
		if rest != "" {
			out = append(out, constraint{operator, rest})
			operator = ""
		}
	}
	if operator != "" || len(out) == 0 {
		out = append(out, constraint{operator, ""})
	}
	return out
}

func (c constraint) holds(v version) (holds, ok bool) {
	w, ok := parseVersion(c.version, true)
	if !ok {
		return false, false
	}
	// A version before its release is met only by a constraint that names one.
	if v.prerelease != "" && w.prerelease == "" {
		return c.operator == "!=", true
	}
	if w.parts == 0 {
		return c.operator != "!=" && c.operator != "<" && c.operator != ">", true
	}
	order := v.compare(w)
	same := order == 0
	if w.parts < 3 {
		same = order >= 0 && v.compare(w.next(w.parts)) < 0
	}
	switch c.operator {
	case "", "=":
		return same, true
	case "!=":
		return !same, true
	case ">":
		return order > 0 && !same, true
	case ">=", "=>":
		return order >= 0, true
	case "<":
		return order < 0, true
	case "<=", "=<":
		return order < 0 || same, true
	case "~", "~>":
		return order >= 0 && v.compare(w.next(min(w.parts, 2))) < 0, true
	case "^":
		n := 1
		for n < w.parts && w.numbers[n-1] == 0 {
			n++
		}
		return order >= 0 && v.compare(w.next(n)) < 0, true
	}
	return false, false
}
