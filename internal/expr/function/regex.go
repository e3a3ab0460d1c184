package function

import (
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/tendhq/tend/internal/value"
)

func regexFunctions() []Function {
	return group(groupRegex,
		Function{Usage: "regexMatch REGEX TEXT", Doc: "True if REGEX matches in TEXT.", Min: 2, Max: 2, body: regexMatch},
		Function{Usage: "regexFind REGEX TEXT", Doc: "The first match, or empty text.", Min: 2, Max: 2, body: regexFind},
		Function{Usage: "regexFindAll REGEX TEXT COUNT", Doc: "A list of at most COUNT matches; -1 is all.", Min: 3, Max: 3, body: regexFindAll},
		Function{Usage: "regexReplaceAll REGEX TEXT NEW", Doc: "With every match replaced; ${1} in NEW is the first group.", Min: 3, Max: 3, body: func(a *Args) any { return a.regexReplace(false) }},
		Function{Usage: "regexReplaceAllLiteral REGEX TEXT NEW", Doc: "With every match replaced by NEW as it is.", Min: 3, Max: 3, body: func(a *Args) any { return a.regexReplace(true) }},
		Function{Usage: "regexSplit REGEX TEXT COUNT", Doc: "A list of at most COUNT parts between the matches; -1 is all.", Min: 3, Max: 3, body: regexSplit},
		Function{Usage: "regexQuoteMeta TEXT", Doc: "TEXT as a regular expression that matches it.", Min: 1, Max: 1, body: func(a *Args) any { return a.made(regexp.QuoteMeta(a.text(0))) }},
	)
}

const (
	maxRegex        = 2000 // bytes of a regular expression
	maxInstructions = 10_000
	priceCompile    = 100 // work for compiling one instruction
)

// compile answers the regular expression and pays for running it once over text. A match takes time in proportion to
// text times instructions at the very worst, so that is its price.
func (a *Args) compile(expr, text string) *regexp.Regexp {
	if a.failed() {
		return nil
	}
	c, ok := a.regexps[expr]
	if !ok {
		if c = a.compileNew(expr); c == nil {
			return nil
		}
		if a.regexps == nil {
			a.regexps = make(map[string]*compiled)
		}
		a.regexps[expr] = c
	}
	if !a.try(a.Budget.Spend(len(text) * c.price)) {
		return nil
	}
	return c.re
}

func (a *Args) compileNew(expr string) *compiled {
	if len(expr) > maxRegex {
		a.fail("a regular expression of more than %d bytes", maxRegex)
		return nil
	}
	parsed, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		a.fail("%v", err)
		return nil
	}
	if n := instructions(parsed); n > maxInstructions {
		a.fail("the regular expression %s is too large", excerpt(expr))
		return nil
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		a.fail("%v", err)
		return nil
	}
	if n := len(prog.Inst); !a.try(a.Budget.Spend(n * priceCompile)) {
		return nil
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		a.fail("%v", err)
		return nil
	}
	return &compiled{re: re, price: 8 + 2*len(prog.Inst)}
}

// instructions estimates how large a regular expression becomes when its repetitions are written out, without doing so.
func instructions(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)
	for _, sub := range re.Sub {
		n += instructions(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return min(n, maxInstructions+1)
}

func regexMatch(a *Args) any {
	s := a.text(1)
	re := a.compile(a.text(0), s)
	return re != nil && re.MatchString(s)
}

func regexFind(a *Args) any {
	s := a.text(1)
	if re := a.compile(a.text(0), s); re != nil {
		return re.FindString(s)
	}
	return ""
}

func regexFindAll(a *Args) any {
	s, n := a.text(1), a.int(2)
	re := a.compile(a.text(0), s)
	if re == nil {
		return nil
	}
	return a.texts(re.FindAllString(s, a.most(n)))
}

// most bounds a count of results by what the budget allows; -1 is all.
func (a *Args) most(n int64) int {
	limit := int64(a.Budget.elements) + 1
	if n < 0 || n > limit {
		return int(limit)
	}
	return int(n)
}

func regexSplit(a *Args) any {
	s, n := a.text(1), a.int(2)
	re := a.compile(a.text(0), s)
	if re == nil {
		return nil
	}
	return a.texts(re.Split(s, a.most(n)))
}

func (a *Args) regexReplace(literal bool) any {
	s, with := a.text(1), a.text(2)
	re := a.compile(a.text(0), s)
	if re == nil {
		return nil
	}
	// What the replacement will come to is known only once the matches are: they are counted, and groups can be as long as
	// the text.
	matches := re.FindAllStringIndex(s, a.most(-1))
	if !a.visit(len(matches)) {
		return nil
	}
	if literal {
		if !a.room(len(s) + len(matches)*len(with)) {
			return nil
		}
		return re.ReplaceAllLiteralString(s, with)
	}
	var out []byte
	last, groups := 0, strings.Count(with, "$")
	for _, m := range re.FindAllStringSubmatchIndex(s, len(matches)) {
		if !a.grow(len(out), m[0]-last) {
			return nil
		}
		out = append(out, s[last:m[0]]...)
		if !a.grow(len(out), len(with)+groups*(m[1]-m[0])) {
			return nil
		}
		out = re.ExpandString(out, with, s, m)
		last = m[1]
	}
	return a.made(string(out) + s[last:])
}

// texts passes on a list of texts, and pays for it.
func (a *Args) texts(parts []string) any {
	if !a.visit(len(parts)) {
		return nil
	}
	return value.Texts(parts)
}
