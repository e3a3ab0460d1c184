// Package replace replaces parts of a text, plainly or by a regular expression.
//
// Regular expressions are those of .NET, which know look-around and named groups as Perl's and Python's do. They can take
// exponential time, so a match has a time limit; the result has a size limit.
package replace

import (
	"context"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dlclark/regexp2"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/fault"
)

const (
	maxText    = 16 << 20
	maxPattern = 16 << 10
	matchTime  = 2 * time.Second
)

// Action is the action.
type Action struct{}

// New gives the action.
func New() Action { return Action{} }

// Spec implements action.Action.
func (Action) Spec() contract.Spec {
	return contract.Spec{
		Name:    "replace",
		Summary: "Replaces parts of a text.",
		Doc: "Every occurrence of `find` becomes `with`. With `regex: true`, `find` is a regular expression (the .NET flavour: " +
			"look-ahead, look-behind, named groups) and `with` may use `$1`, `${name}`, `$0` for the whole match and `$$` for a " +
			"dollar sign. `.` does not match a newline; write `(?s)` in front if it should.",
		Effect: contract.Read,
		Proven: true,
		Inputs: []contract.Field{
			{Name: "text", Type: contract.String, Description: "The text. Either this or `base64`."},
			{Name: "base64", Type: contract.String, Description: "The text, encoded as base64."},
			{Name: "find", Type: contract.String, Required: true, Description: "What to replace."},
			{Name: "with", Type: contract.String, Default: "", Description: "What to put there."},
			{Name: "regex", Type: contract.Boolean, Default: false, Description: "Whether `find` is a regular expression."},
		},
		Outputs: []contract.Field{
			{Name: "value", Type: contract.String, Description: "The new text."},
			{Name: "count", Type: contract.Number, Description: "How many parts were replaced."},
		},
		Ends: []contract.End{
			{When: "the text was searched, whether anything was found or not", Outcome: "succeeded"},
			{When: "the regular expression took too long on this text", Outcome: "failed", Kind: fault.Timeout},
			{When: "the step was cancelled", Outcome: "failed", Kind: fault.Cancelled},
			{When: "the result would be larger than 16 MiB", Outcome: "failed", Kind: fault.Limit},
			{When: "an input is wrong: no regular expression, no base64", Outcome: "not-started", Kind: fault.Invalid},
			{When: "the step was cancelled before it began", Outcome: "not-started", Kind: fault.Cancelled},
			{When: "the time limit passed before it began", Outcome: "not-started", Kind: fault.Timeout},
		},
		Examples: []contract.Example{{
			Title: "Take the generated fields out of a manifest",
			YAML:  "- id: manifest\n  uses: replace\n  with:\n    text: '{{ $.steps.get.value }}'\n    find: '(?m)^\\s*uid: .*\\n'\n    with: ''\n    regex: true\n",
		}},
		Aliases: []contract.Alias{{
			Name:    "utils/replace-string",
			Inputs:  map[string]string{"ORIGINAL_BASE64_STRING": "base64", "ORIGINAL_STRING": "text", "SUB_STR_SRC": "find", "SUB_STR_DEST": "with", "REGEX": "regex"},
			Outputs: map[string]string{"output": ".value"},
		}},
	}
}

type inputs struct {
	Text   *string `in:"text"`
	Base64 *string `in:"base64"`
	Find   string  `in:"find"`
	With   string  `in:"with"`
	Regex  bool    `in:"regex"`
}

// Run implements action.Action.
func (Action) Run(ctx context.Context, req action.Request, _ action.Log) action.Result {
	if ctx.Err() != nil {
		k, why := action.Stopped(ctx)
		return action.Never(k, why+" before anything was replaced")
	}
	var in inputs
	if err := action.Decode(req.Inputs, &in); err != nil {
		return action.Never(fault.Invalid, err.Error())
	}
	text, err := in.text()
	if err != nil {
		return action.Never(fault.Invalid, err.Error())
	}
	var (
		out   string
		count int
	)
	if in.Regex {
		re, err := regexp2.Compile(in.Find, regexp2.None)
		if err != nil {
			return action.Never(fault.Invalid, "find is no regular expression: "+err.Error())
		}
		out, count, err = byRegex(ctx, re, text, in.With)
		if err != nil {
			return action.Fail(fault.KindOf(err), err.Error())
		}
	} else if out, count, err = plainly(text, in.Find, in.With); err != nil {
		return action.Fail(fault.KindOf(err), err.Error())
	}
	return action.OK(map[string]any{"value": strings.ToValidUTF8(out, string(utf8.RuneError)), "count": int64(count)})
}

func (in inputs) text() (string, error) {
	var problems []error
	bad := func(format string, a ...any) { problems = append(problems, fault.New(fault.Invalid, format, a...)) }
	text := ""
	switch {
	case (in.Text == nil) == (in.Base64 == nil):
		bad("exactly one of text and base64 must be given")
	case in.Text != nil:
		text = *in.Text
	default:
		b, err := decode(*in.Base64)
		if err != nil {
			bad("base64: the text is not encoded as base64")
		}
		text = string(b)
	}
	if len(text) > maxText {
		bad("the text is larger than %d MiB", maxText>>20)
	}
	if in.Find == "" {
		bad("find is empty")
	}
	if in.Regex && len(in.Find) > maxPattern {
		bad("find is longer than %d KiB", maxPattern>>10)
	}
	return strings.ToValidUTF8(text, string(utf8.RuneError)), errors.Join(problems...)
}

// decode reads base64 in either alphabet, with or without padding and line breaks.
func decode(s string) ([]byte, error) {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return -1
		case r == '-':
			return '+'
		case r == '_':
			return '/'
		}
		return r
	}, s)
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
}

func tooLarge() error {
	return fault.New(fault.Limit, "the result would be larger than %d MiB", maxText>>20)
}

func plainly(text, find, with string) (string, int, error) {
	n := strings.Count(text, find)
	if len(text)+n*(len(with)-len(find)) > maxText {
		return "", 0, tooLarge()
	}
	return strings.ReplaceAll(text, find, with), n, nil
}

func byRegex(ctx context.Context, re *regexp2.Regexp, text, with string) (string, int, error) {
	re.MatchTimeout = matchTime
	deadline := time.Now().Add(matchTime) // for all matches together
	parts := template(with)
	runes := []rune(text)
	var out strings.Builder
	count, at := 0, 0
	m, err := re.FindRunesMatch(runes)
	for ; m != nil && err == nil; m, err = re.FindNextMatch(m) {
		out.WriteString(string(runes[at:m.Index]))
		for _, p := range parts {
			out.WriteString(p.expand(m))
			if out.Len() > maxText {
				return "", 0, tooLarge()
			}
		}
		at = m.Index + m.Length
		count++
		if ctx.Err() != nil {
			k, why := action.Stopped(ctx)
			return "", 0, fault.New(k, "%s", why)
		}
		if time.Now().After(deadline) {
			return "", 0, slow()
		}
	}
	if err != nil { // the only error of a match is its time limit
		return "", 0, slow()
	}
	out.WriteString(string(runes[at:]))
	if out.Len() > maxText {
		return "", 0, tooLarge()
	}
	return out.String(), count, nil
}

func slow() error {
	return fault.New(fault.Timeout, "the regular expression took longer than %s on this text", matchTime)
}

// part of a replacement: a text, or a group of the match.
type part struct {
	text  string
	group string
}

func (p part) expand(m *regexp2.Match) string {
	if p.group == "" {
		return p.text
	}
	var g *regexp2.Group
	if n, err := strconv.Atoi(p.group); err == nil {
		g = m.GroupByNumber(n)
	} else {
		g = m.GroupByName(p.group)
	}
	if g == nil {
		return p.text // no such group: as it is written
	}
	return g.String()
}

// template reads a replacement: $1, ${name}, ${1}, $0, $$. Everything else stands for itself.
func template(s string) []part {
	var out []part
	for {
		i := strings.IndexByte(s, '$')
		if i < 0 || i == len(s)-1 {
			return append(out, part{text: s})
		}
		out = append(out, part{text: s[:i]})
		s = s[i:]
		n := 1
		for n < len(s) && n < 4 && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		switch {
		case s[1] == '$':
			out, s = append(out, part{text: "$"}), s[2:]
		case n > 1:
			out, s = append(out, part{text: s[:n], group: s[1:n]}), s[n:]
		case s[1] == '{' && strings.IndexByte(s, '}') > 2:
			end := strings.IndexByte(s, '}')
			out, s = append(out, part{text: s[:end+1], group: s[2:end]}), s[end+1:]
		default:
			out, s = append(out, part{text: "$"}), s[1:]
		}
	}
}
