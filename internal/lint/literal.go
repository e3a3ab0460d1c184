package lint

import (
	"bytes"
	"math"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/playbook"
)

// maxLeaks bounds the work of redacting. A file with more of them has no line printed at all.
const maxLeaks = 500

// leak is a secret that stands in the file: findings must not repeat it.
type leak struct{ text string }

// shape is how tokens of a kind look. marks are parts that are cheap to look for: one of them stands in each token.
type shape struct {
	what  string
	marks []string
	regex *regexp.Regexp
}

// known lists the shapes of secrets that cannot be anything else.
var known = []shape{
	{"a private key", []string{"-----BEGIN"}, regexp.MustCompile(`-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----`)},
	{"an AWS access key", []string{"AKIA", "ASIA"}, regexp.MustCompile(`\b(?:AKIA|ASIA)[0-9A-Z]{16}\b`)},
	{"a GitHub token", []string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_"}, regexp.MustCompile(`\bgh[pousr]_[0-9A-Za-z]{36,}\b`)},
	{"a GitHub token", []string{"github_pat_"}, regexp.MustCompile(`\bgithub_pat_[0-9A-Za-z_]{22,}\b`)},
	{"a GitLab token", []string{"glpat-"}, regexp.MustCompile(`\bglpat-[0-9A-Za-z_-]{20,}`)},
	{"a Slack token", []string{"xox"}, regexp.MustCompile(`\bxox[abeprs]-[0-9A-Za-z-]{10,}`)},
	{"a Slack webhook", []string{"hooks.slack.com"}, regexp.MustCompile(`hooks\.slack\.com/services/(T[0-9A-Z]+/B[0-9A-Z]+/[0-9A-Za-z]{16,})`)},
	{"a Google API key", []string{"AIza"}, regexp.MustCompile(`\bAIza[0-9A-Za-z_-]{35}`)},
	{"a Google access token", []string{"ya29."}, regexp.MustCompile(`\bya29\.[0-9A-Za-z_-]{20,}`)},
	{"a Stripe key", []string{"_live_"}, regexp.MustCompile(`\b[rs]k_live_[0-9A-Za-z]{16,}\b`)},
	{"an npm token", []string{"npm_"}, regexp.MustCompile(`\bnpm_[0-9A-Za-z]{36}\b`)},
	{"a Vault token", []string{"hvs."}, regexp.MustCompile(`\bhvs\.[0-9A-Za-z_-]{20,}`)},
	{"an age key", []string{"AGE-SECRET-KEY-"}, regexp.MustCompile(`\bAGE-SECRET-KEY-1[0-9A-Z]{50,}`)},
	{"a JSON web token", []string{"eyJ"}, regexp.MustCompile(`\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}`)},
	{"a password in an address", []string{"@"}, regexp.MustCompile(`\b[a-z][a-z0-9+.-]*://[^\s/:@{}$<>"']*:([^\s/@{}$<>"']{4,})@`)},
}

// shapes looks for tokens of a known shape anywhere in the file, comments and scripts too.
func (l *Linter) shapes(t *text, docs []*document.Document) ([]document.Finding, []leak) {
	dialect := expr.Strict
	if len(docs) > 0 {
		dialect = docs[0].Dialect
	}
	var out []document.Finding
	var leaks []leak
	if len(t.src) > document.MaxSize { // refused unread
		return nil, nil
	}
	found := func(k shape, from, to int) {
		word := string(t.src[from:to])
		if placeholder(word) {
			return
		}
		leaks = append(leaks, leak{word})
		p := t.place(from, to)
		out = append(out, document.Finding{
			Rule: ruleLiteral, Severity: l.rules[ruleLiteral].severity(dialect), Place: p, Message: k.what + " stands in the document",
			Remedy: l.rules[ruleLiteral].hint(), SourceLine: t.line(p.Line),
		})
	}
	for _, k := range known {
		for _, mark := range k.marks {
			t.lines(mark, func(start, end int) {
				for _, m := range k.regex.FindAllSubmatchIndex(t.src[start:end], 20) {
					if len(m) > 2 {
						m = m[2:]
					}
					found(k, start+m[0], start+m[1])
				}
			})
		}
	}
	return out, leaks
}

// literals looks for secrets that are given as plain text to what wants a secret.
func (c *checker) literals() {
	for i := range c.doc.Parameters {
		p := &c.doc.Parameters[i]
		if p.Type == contract.Secret || p.Type == contract.Integration {
			continue // the default is a name
		}
		if secretish(p.Name) || p.Sensitive {
			c.literal(p.Name, &p.Default)
		}
		c.random(&p.Default)
	}
	c.literalSteps(c.doc.Steps)
	c.literalSteps(c.doc.Catch)
	c.literalSteps(c.doc.Finally)
	if c.doc.Body != nil {
		c.literalStep(c.doc.Body)
	}
}

func (c *checker) literalSteps(steps []*playbook.Step) {
	for _, s := range steps {
		c.literalStep(s)
		for _, list := range [][]*playbook.Step{s.Steps, s.Catch, s.Finally} {
			c.literalSteps(list)
		}
		for _, k := range []*playbook.CheckDecl{s.Verify, s.Probe, s.StopWhen} {
			if k != nil && k.Step != nil {
				c.literalStep(k.Step)
			}
		}
		if s.Undo != nil && s.Undo.Step != nil {
			c.literalStep(s.Undo.Step)
		}
	}
}

func (c *checker) literalStep(s *playbook.Step) {
	spec := c.callees[s].Spec
	for _, m := range [][]document.Entry{s.With.Map, s.Env.Map} {
		for i := range m {
			f := field(spec.Inputs, m[i].Name)
			if f != nil && (f.Type == contract.Secret || f.Type == contract.Integration) {
				continue
			}
			switch {
			case f != nil && f.Verbatim, f != nil && m[i].Name == "argv":
				c.commands(&m[i].Data)
			default:
				c.random(&m[i].Data)
			}
			c.given(m[i].Name, &m[i].Data)
		}
	}
	if len(s.Args) > 0 {
		c.arguments(s.Args)
	}
}

// given looks at a value under its name, and into maps.
func (c *checker) given(name string, d *document.Data) {
	if secretish(name) {
		c.literal(name, d)
		return
	}
	for i := range d.Map {
		c.given(d.Map[i].Name, &d.Map[i].Data)
	}
	for i := range d.List {
		c.given("", &d.List[i])
	}
}

func (c *checker) literal(name string, d *document.Data) {
	for e := range d.Scalars() {
		text, ok := e.Lit.(string)
		if !ok || e.Kind != expr.Literal || placeholder(text) {
			continue
		}
		c.leaks = append(c.leaks, leak{strings.TrimSpace(text)})
		c.find(ruleLiteral, c.at(e.Node), "", "the value of `%s` stands in the document", name)
	}
}

// random finds texts that look as if somebody had drawn them.
func (c *checker) random(d *document.Data) {
	for e := range d.Scalars() {
		text, ok := e.Lit.(string)
		if !ok || e.Kind != expr.Literal || !drawn(text) {
			continue
		}
		c.leaks = append(c.leaks, leak{text})
		c.find(ruleEntropy, c.at(e.Node), "", "this text of %d characters looks random", len(text))
	}
}

var token = regexp.MustCompile(`^[A-Za-z0-9+/_=-]{32,200}$`)

// drawn tells long texts with letters of both cases, digits, and nearly no repeats.
func drawn(s string) bool {
	if len(s) < 32 || len(s) > 200 || !token.MatchString(s) {
		return false
	}
	var lower, upper, digit bool
	var count [128]int
	for i := range len(s) {
		b := s[i]
		lower, upper, digit = lower || b >= 'a' && b <= 'z', upper || b >= 'A' && b <= 'Z', digit || b >= '0' && b <= '9'
		count[b]++
	}
	if !lower || !upper || !digit || strings.Count(s, "/")+strings.Count(s, "-")+strings.Count(s, "_") > 4 {
		return false
	}
	bits := 0.0
	for _, n := range count {
		if n > 0 {
			p := float64(n) / float64(len(s))
			bits -= p * math.Log2(p)
		}
	}
	return bits > 4.2
}

// placeholder tells values that stand for a secret without being one.
func placeholder(s string) bool {
	s = strings.TrimSpace(s)
	low := strings.ToLower(s)
	switch {
	case len(s) < 4, strings.Contains(s, "{{"), strings.HasPrefix(s, "$"), strings.HasPrefix(s, "<"), strings.HasPrefix(s, "["):
		return true
	case strings.Trim(low, "x*.-_ ") == "", strings.Contains(low, "example"), strings.Contains(low, "placeholder"), strings.Contains(low, "redacted"):
		return true
	case low == "true", low == "false", low == "none", low == "null", low == "empty":
		return true
	default:
		return false
	}
}

// redact takes the secrets that were found out of what is printed, without moving the columns.
func redact(fs []document.Finding, leaks []leak) []document.Finding {
	if len(leaks) == 0 {
		return fs
	}
	if len(leaks) > maxLeaks {
		for i := range fs {
			fs[i].SourceLine = ""
		}
		leaks = leaks[:maxLeaks]
	}
	for i := range fs {
		for _, l := range leaks {
			for part := range strings.SplitSeq(l.text, "\n") {
				if part = strings.TrimSpace(part); len(part) < 4 {
					continue
				}
				stars := strings.Repeat("*", utf8.RuneCountInString(part))
				fs[i].SourceLine = strings.ReplaceAll(fs[i].SourceLine, part, stars)
				fs[i].Message = strings.ReplaceAll(fs[i].Message, part, stars)
				fs[i].Remedy = strings.ReplaceAll(fs[i].Remedy, part, stars)
			}
		}
	}
	return fs
}

var assigned = regexp.MustCompile(`(?i)(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|secret[_-]?key|access[_-]?key|private[_-]?key|credentials?)["']?\s*[:=]\s*["']?([^\s"',{}]{4,})`)

// suspect takes out of the lines of a file that could not be read what may be a secret: there, nobody can tell.
func suspect(fs []document.Finding) []document.Finding {
	for i := range fs {
		var leaks []leak
		for _, m := range assigned.FindAllStringSubmatch(fs[i].SourceLine, -1) {
			leaks = append(leaks, leak{m[1]})
		}
		for _, word := range strings.FieldsFunc(fs[i].SourceLine, func(r rune) bool { return strings.ContainsRune(" \t\"',{}[]:", r) }) {
			if drawn(word) {
				leaks = append(leaks, leak{word})
			}
		}
		redact(fs[i:i+1], leaks)
	}
	return fs
}

// text is the source of a file by lines.
type text struct {
	file string
	src  []byte
	rows []string
}

func newText(file string, src []byte) *text { return &text{file: file, src: src} }

func (t *text) split() []string {
	if t.rows == nil {
		t.rows = strings.Split(string(t.src), "\n")
	}
	return t.rows
}

// lines calls f with the ends of each line that holds the mark.
func (t *text) lines(mark string, f func(start, end int)) {
	for at := 0; ; {
		i := bytes.Index(t.src[at:], []byte(mark))
		if i < 0 {
			return
		}
		start, end := bytes.LastIndexByte(t.src[:at+i], '\n')+1, bytes.IndexByte(t.src[at+i:], '\n')
		if end += at + i; end < at+i {
			end = len(t.src)
		}
		f(start, end)
		at = end
	}
}

func (t *text) line(n int) string {
	if l := t.split(); n >= 1 && n <= len(l) {
		return strings.TrimRightFunc(l[n-1], func(r rune) bool { return r == '\r' })
	}
	return ""
}

func (t *text) place(from, to int) document.Place {
	start := bytes.LastIndexByte(t.src[:from], '\n') + 1
	p := document.Place{File: t.file, Line: 1 + bytes.Count(t.src[:from], []byte{'\n'}), Column: 1 + utf8.RuneCount(t.src[start:from])}
	if !bytes.ContainsFunc(t.src[from:to], func(r rune) bool { return r == '\n' || !unicode.IsPrint(r) }) {
		p.EndColumn = p.Column + utf8.RuneCount(t.src[from:to])
	}
	return p
}
