package lint

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/playbook"
)

// permit is a comment that silences a rule.
type permit struct {
	rule, reason string
	place        document.Place
	from, to     int // the lines that it is about
	used         bool
}

var allowComment = regexp.MustCompile(`(?:^|\s)#\s*tend:allow(?:\s+([^\s]+))?(?:[ \t]+(.*))?$`)

// allow drops what comments permit, and reports comments that are wrong or good for nothing.
func (l *Linter) allow(t *text, docs []*document.Document, fs []document.Finding) []document.Finding {
	if !bytes.Contains(t.src, []byte("tend:allow")) {
		return fs
	}
	dialect := expr.Strict
	if len(docs) > 0 {
		dialect = docs[0].Dialect
	}
	permits, out := l.permits(t, dialect)
	spans := steps(docs)
	for i := range permits {
		for _, s := range spans {
			if s.from >= permits[i].from && s.from <= permits[i].to {
				permits[i].to = max(permits[i].to, s.to)
				break
			}
		}
	}
	for _, f := range fs {
		i := slices.IndexFunc(permits, func(p permit) bool { return p.rule == f.Rule && f.Place.Line >= p.from && f.Place.Line <= p.to })
		if i < 0 || l.rules[f.Rule].Fixed && f.Severity == bad {
			out = append(out, f)
			continue
		}
		permits[i].used = true
	}
	for _, p := range permits {
		if !p.used {
			out = append(out, l.about(ruleNeedless, dialect, p.place, t, "", fmt.Sprintf("the comment allows `%s`, and there is nothing to allow", p.rule)))
		}
	}
	return out
}

func (l *Linter) about(rule string, d expr.Dialect, p document.Place, t *text, remedy, message string) document.Finding {
	if remedy == "" {
		remedy = l.rules[rule].hint()
	}
	return document.Finding{Rule: rule, Severity: l.rules[rule].severity(d), Place: p, Message: message, Remedy: remedy, SourceLine: t.line(p.Line)}
}

// permits reads the comments of a file.
func (l *Linter) permits(t *text, d expr.Dialect) (ok []permit, wrong []document.Finding) {
	about := t.about()
	for i, line := range t.split() {
		line = strings.TrimSuffix(line, "\r")
		m := allowComment.FindStringSubmatchIndex(line)
		if m == nil {
			continue
		}
		hash := m[0] + strings.IndexByte(line[m[0]:], '#')
		place := document.Place{File: t.file, Line: i + 1, Column: 1 + utf8.RuneCountInString(line[:hash]), EndColumn: 1 + utf8.RuneCountInString(line)}
		rule, reason := group(line, m, 1), strings.TrimSpace(group(line, m, 2))
		known, isRule := l.rules[rule]
		switch {
		case rule == "":
			wrong = append(wrong, l.about(ruleAllow, d, place, t, "", "the comment does not say which rule it allows to break"))
		case !isRule:
			wrong = append(wrong, l.about(ruleAllow, d, place, t, suggest(rule, names(l)), fmt.Sprintf("there is no rule `%s`", rule)))
		case known.Fixed && known.severity(d) == bad:
			wrong = append(wrong, l.about(ruleAllow, d, place, t, "correct what it finds", fmt.Sprintf("`%s` cannot be allowed: the document could not run", rule)))
		case reason == "":
			wrong = append(wrong, l.about(ruleAllow, d, place, t, "", fmt.Sprintf("the comment does not say why `%s` is allowed here", rule)))
		default:
			p := permit{rule: rule, reason: reason, place: place, from: i + 1, to: i + 1}
			if strings.TrimSpace(line[:hash]) == "" {
				p.to = 1 + about[i]
			}
			ok = append(ok, p)
		}
	}
	return ok, wrong
}

// about tells for each line which one a comment there is about: the next that is neither empty nor a comment. Lines count
// from 0.
func (t *text) about() []int {
	rows := t.split()
	out := make([]int, len(rows))
	next := len(rows)
	for i := len(rows) - 1; i >= 0; i-- {
		out[i] = next
		if row := strings.TrimSpace(rows[i]); row != "" && !strings.HasPrefix(row, "#") {
			next = i
		}
	}
	return out
}

func group(line string, m []int, n int) string {
	if m[2*n] < 0 {
		return ""
	}
	return line[m[2*n]:m[2*n+1]]
}

func names(l *Linter) []string {
	var out []string
	for _, r := range Rules() {
		if _, ok := l.rules[r.Name]; ok {
			out = append(out, r.Name)
		}
	}
	return out
}

// span is the lines of a step.
type span struct{ from, to int }

// steps lists where the steps stand, outer ones first.
func steps(docs []*document.Document) []span {
	var out []span
	var walk func(list []*playbook.Step)
	walk = func(list []*playbook.Step) {
		for _, s := range list {
			out = append(out, span{s.Node.Line, last(s.Node)})
			walk(s.Steps)
			walk(s.Catch)
			walk(s.Finally)
		}
	}
	for _, d := range docs {
		if p, ok := d.Content.(*playbook.Document); ok {
			walk(p.Steps)
			walk(p.Catch)
			walk(p.Finally)
		}
	}
	return out
}

// last is the last line of a node. A block of text ends where its text does.
func last(n *yaml.Node) int {
	end := n.Line
	if n.Kind == yaml.ScalarNode && n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		end += 1 + strings.Count(strings.TrimRight(n.Value, "\n"), "\n")
	}
	for _, c := range n.Content {
		end = max(end, last(c))
	}
	return end
}
