// Package spelling compares names as people write them: which one was probably meant, which ones are the same, and
// which ones a pattern means.
package spelling

import (
	"slices"
	"strings"
)

// Nearest finds the candidate that name was probably meant to be, or "". Case, - and _ do not count as differences. A name
// of which nothing is left is like no other.
func Nearest(name string, candidates []string) string {
	best, bestAt := "", 0
	folded := Fold(name)
	limit := max(1, min(3, len([]rune(folded))/3))
	for _, c := range candidates {
		d := distance(folded, Fold(c), limit)
		if d <= limit && (d == 0 || d < len(folded)) && (best == "" || d < bestAt || d == bestAt && c < best) {
			best, bestAt = c, d
		}
	}
	return best
}

// Same tells whether two names of modules or playbooks mean the same: case, - and _ do not matter.
func Same(a, b string) bool { return Fold(a) == Fold(b) }

// Fold brings a name into the form in which names are compared.
func Fold(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		case r == '-':
			return '_'
		default:
			return r
		}
	}, s)
}

// distance counts the edits between a and b: insert, delete, replace, swap two neighbours. Past limit it stops counting.
func distance(a, b string, limit int) int {
	x, y := []rune(a), []rune(b)
	if d := len(x) - len(y); d > limit || -d > limit || len(x) > 200 {
		return limit + 1
	}
	prev2, prev, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], prev2[j-2]+1)
			}
		}
		if slices.Min(row) > limit {
			return limit + 1
		}
		prev2, prev, row = prev, row, prev2
	}
	return prev[len(y)]
}

// Suggest words a suggestion, or says what is known when there is none and the list is short.
func Suggest(name string, candidates []string) string {
	if n := Nearest(name, candidates); n != "" {
		return "did you mean `" + n + "`?"
	}
	if len(candidates) == 0 || len(candidates) > 24 {
		return ""
	}
	return "known here: " + strings.Join(candidates, ", ")
}

// Glob matches a pattern with * (any text, also slashes) and ?. It takes time in proportion to the product of the lengths at worst.
func Glob(pattern, s string) bool {
	star, mark := -1, 0
	p, i := 0, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// Globs tells whether one of the patterns matches, or there is none.
func Globs(patterns []string, s string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool { return Glob(p, s) })
}
