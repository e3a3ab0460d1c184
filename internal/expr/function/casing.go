package function

import (
	"strings"
	"unicode"
)

func casingFunctions() []Function {
	return group(groupText,
		Function{Usage: "title TEXT", Doc: "With every word's first letter in upper case.", Min: 1, Max: 1, body: title},
		Function{Usage: "untitle TEXT", Doc: "With every word's first letter in lower case.", Min: 1, Max: 1, body: untitle},
		Function{Usage: "swapcase TEXT", Doc: "With upper and lower case exchanged.", Min: 1, Max: 1, body: swapcase},
		Function{Usage: "snakecase TEXT", Doc: "In_lower_case: HelloWorld is hello_world.", Min: 1, Max: 1, body: func(a *Args) any { return joinWords(a.text(0), '_') }},
		Function{Usage: "kebabcase TEXT", Doc: "In-lower-case: HelloWorld is hello-world.", Min: 1, Max: 1, body: func(a *Args) any { return joinWords(a.text(0), '-') }},
		Function{Usage: "camelcase TEXT", Doc: "InUpperCamelCase: hello_world is HelloWorld.", Min: 1, Max: 1, body: camelcase},
	)
}

func separator(r rune) bool { return r == '_' || r == '-' || unicode.IsSpace(r) }

// mapWords maps the first letter of every word.
func mapWords(s string, starts func(before rune) bool, change func(rune) rune) string {
	before := ' '
	return strings.Map(func(r rune) rune {
		b := before
		before = r
		if starts(b) {
			return change(r)
		}
		return r
	}, s)
}

func title(a *Args) any {
	return a.made(mapWords(a.text(0), func(b rune) bool {
		return b != '_' && b != '\'' && !unicode.IsLetter(b) && !unicode.IsDigit(b)
	}, unicode.ToTitle))
}

func untitle(a *Args) any { return a.made(mapWords(a.text(0), unicode.IsSpace, unicode.ToLower)) }

func swapcase(a *Args) any {
	return a.made(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsUpper(r), unicode.IsTitle(r):
			return unicode.ToLower(r)
		case unicode.IsLower(r):
			return unicode.ToUpper(r)
		}
		return r
	}, a.text(0)))
}

// joinWords writes the words of s in lower case. A separator in s becomes sep; where s tells words apart by case or by a
// number, sep is put between.
func joinWords(s string, sep rune) string {
	in := []rune(s)
	var b strings.Builder
	for i, r := range in {
		switch {
		case separator(r):
			r = sep
		case i > 0 && !separator(in[i-1]) && wordStarts(in, i):
			b.WriteRune(sep)
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// wordStarts tells whether a word starts at in[i]: at an upper case letter behind one that is not (fooBar) or before one
// that is lower (HTTPServer), and at a number that lower case follows (foo10bar).
func wordStarts(in []rune, i int) bool {
	before, r := in[i-1], in[i]
	following := func(j int) rune {
		if j < len(in) {
			return in[j]
		}
		return ' '
	}
	switch {
	case unicode.IsUpper(r):
		if unicode.IsUpper(before) {
			return unicode.IsLower(following(i + 1))
		}
		return unicode.IsLetter(before) || unicode.IsDigit(before)
	case unicode.IsDigit(r) && unicode.IsLetter(before):
		j := i
		for unicode.IsDigit(following(j)) {
			j++
		}
		return unicode.IsLower(following(j))
	}
	return false
}

func camelcase(a *Args) any {
	up := true
	return a.made(strings.Map(func(r rune) rune {
		if separator(r) {
			up = true
			return -1
		}
		if up {
			up = false
			return unicode.ToUpper(r)
		}
		return r
	}, a.text(0)))
}
