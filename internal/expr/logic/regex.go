package logic

import (
	"regexp"
	"sync"

	"cel.dev/cel-go/common/types"
	celref "cel.dev/cel-go/common/types/ref"
)

const (
	maxRegex        = 2000        // bytes of a regular expression
	maxInstructions = 10_000      // of its program
	maxMatching     = 100_000_000 // bytes of text times instructions, of one match
	keptRegexps     = 256
)

// regexps keeps compiled regular expressions: a macro may ask for the same one many times.
type regexps struct {
	mu   sync.Mutex
	kept map[string]compiledRegexp
}

type compiledRegexp struct {
	re   *regexp.Regexp
	size int
	err  error
}

func (r *regexps) compile(pattern string) compiledRegexp {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c, ok := r.kept[pattern]; ok {
		return c
	}
	var c compiledRegexp
	if c.size, c.err = types.RegexProgramSize(pattern); c.err == nil && c.size <= maxInstructions {
		c.re, c.err = regexp.Compile(pattern)
	}
	if r.kept == nil || len(r.kept) >= keptRegexps {
		r.kept = make(map[string]compiledRegexp)
	}
	r.kept[pattern] = c
	return c
}

// matches runs a regular expression at a price that is known before: the text times the size of its program.
func (r *regexps) matches(x, y celref.Val) celref.Val {
	text, isText := x.(types.String)
	pattern, isPattern := y.(types.String)
	if !isText || !isPattern {
		return noOverload("matches", x, y)
	}
	if len(pattern) > maxRegex {
		return failure("a regular expression of more than %d bytes", maxRegex)
	}
	c := r.compile(string(pattern))
	switch {
	case c.err != nil:
		return failure("%v", c.err)
	case c.size > maxInstructions || c.size*len(text) > maxMatching:
		return failure("the regular expression %.40q is too large for the text", string(pattern))
	}
	return types.Bool(c.re.MatchString(string(text)))
}
