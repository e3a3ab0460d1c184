package template

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tendhq/tend/internal/expr/function"
	"github.com/tendhq/tend/internal/expr/ref"
)

const (
	maxSource = 1 << 20 // bytes of a template
	maxDepth  = 100     // blocks inside each other, and parentheses
	maxErrors = 10
)

// Template is a compiled template. It is safe for concurrent use.
type Template struct {
	nodes  []node
	slots  int
	single expression // of a template that is one action and nothing else
	uses   ref.Uses
}

// Parse compiles a template. Its errors are *ref.Error, several of them joined.
func Parse(src string, set *function.Set) (*Template, error) {
	if len(src) > maxSource {
		return nil, fail(-1, "a template of more than %d bytes", maxSource)
	}
	if !utf8.ValidString(src) {
		return nil, fail(invalidAt(src), "a template that is not UTF-8")
	}
	p := parser{src: src, set: set}
	nodes, err := p.nodes()
	if err != nil {
		p.errs = append(p.errs, err)
	}
	t := &Template{nodes: nodes, slots: p.slots}
	if len(p.errs) == 0 {
		u := tracer{vars: make([]origin, p.slots)}
		u.trace(nodes, origin{known: true})
		t.uses, p.errs = u.uses, u.errs
		if o, ok := only(nodes); ok && p.single {
			t.single = o.value
		}
	}
	if len(p.errs) > 0 {
		return nil, errors.Join(p.errs...)
	}
	return t, nil
}

func only(nodes []node) (*outputNode, bool) {
	if len(nodes) != 1 {
		return nil, false
	}
	o, ok := nodes[0].(*outputNode)
	return o, ok
}

func invalidAt(s string) int {
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			return i
		}
	}
	return -1
}

// Uses tells what the template needs. The caller must not change it.
func (t *Template) Uses() ref.Uses { return t.uses }

// parser reads a template. A broken action ends the reading; unknown functions and variables are collected.
type parser struct {
	src    string
	set    *function.Set
	pos    int
	trim   bool // the text that follows loses its leading space
	errs   []error
	vars   []variable // in scope, innermost last
	slots  int
	loops  int
	depth  int
	single bool // the source is one action
	sc     scanner
	tok    token
	last   int // where the token before tok ends
}

type variable struct {
	name string
	slot int
}

// ending is what ended a list of nodes.
type ending struct {
	word string // "", "end", "else"
	at   span
}

func (p *parser) nodes() ([]node, error) {
	nodes, e, err := p.list()
	if err == nil && e.word != "" {
		return nodes, fail(e.at.from, "unexpected {{ %s }}: nothing is open", e.word)
	}
	return nodes, err
}

// list reads nodes up to the end of the source or to an {{ end }} or {{ else.
func (p *parser) list() ([]node, ending, error) {
	var out []node
	for p.pos < len(p.src) {
		i := strings.Index(p.src[p.pos:], leftDelim)
		if i < 0 {
			i = len(p.src) - p.pos
		}
		text := p.src[p.pos : p.pos+i]
		start := p.pos + i
		inside := start + len(leftDelim)
		if p.trim {
			text = strings.TrimLeft(text, " \t\r\n")
		}
		p.trim = false
		if start < len(p.src) && trimsLeft(p.src, inside) {
			text = strings.TrimRight(text, " \t\r\n")
			inside++
		}
		if text != "" {
			out = append(out, &textNode{text})
		}
		if start == len(p.src) {
			p.pos = start
			break
		}
		n, e, err := p.action(start, inside)
		if err != nil || e.word != "" {
			return out, e, err
		}
		if n != nil {
			out = append(out, n)
		}
	}
	return out, ending{}, nil
}

// action reads one action, with its body if it opens a block.
func (p *parser) action(start, inside int) (node, ending, error) {
	p.sc = scanner{src: p.src, pos: inside}
	for p.sc.pos < len(p.src) && isSpace(p.src[p.sc.pos]) {
		p.sc.pos++
	}
	if strings.HasPrefix(p.src[p.sc.pos:], leftComment) {
		return nil, ending{}, p.comment(start)
	}
	if err := p.advance(); err != nil {
		return nil, ending{}, err
	}
	first := p.tok
	if first.kind == tokenName {
		switch first.text {
		case "if", "with", "range":
			n, err := p.block(first)
			return n, ending{}, err
		case "end", "else":
			if err := p.advance(); err != nil {
				return nil, ending{}, err
			}
			if first.text == "end" {
				if err := p.close(); err != nil {
					return nil, ending{}, err
				}
			}
			return nil, ending{first.text, first.span}, nil
		case "break", "continue":
			if p.loops == 0 {
				p.note(first.from, "{{ %s }} outside of {{ range }}", first.text)
			}
			if err := p.advance(); err != nil {
				return nil, ending{}, err
			}
			return &leaveNode{again: first.text == "continue"}, ending{}, p.close()
		case "define", "template", "block":
			return nil, ending{}, fail(first.from, "{{ %s }} is not part of the language: a scalar is one template", first.text)
		}
	}
	n, err := p.statement()
	if err != nil {
		return nil, ending{}, err
	}
	if err := p.close(); err != nil {
		return nil, ending{}, err
	}
	p.single = start == 0 && p.pos == len(p.src)
	return n, ending{}, nil
}

func (p *parser) comment(start int) error {
	end := strings.Index(p.src[p.sc.pos:], rightComment)
	if end < 0 {
		return fail(start, "a comment is not closed")
	}
	p.sc.pos += end + len(rightComment)
	for p.sc.pos < len(p.src) && isSpace(p.src[p.sc.pos]) {
		p.sc.pos++
	}
	p.tok = token{kind: tokenEnd, span: span{p.sc.pos, p.sc.pos}}
	if _, _, ok := p.sc.end(); !ok {
		return fail(start, "a comment and nothing else stands in its action: }} is missing behind */")
	}
	return p.close()
}

func (p *parser) advance() (err error) {
	p.last = p.tok.to
	p.tok, err = p.sc.next()
	return err
}

// close expects the end of the action and goes on behind it.
func (p *parser) close() error {
	if p.tok.kind != tokenEnd {
		return p.unexpected()
	}
	next, trim, _ := p.sc.end()
	p.pos, p.trim = next, trim
	return nil
}

func (p *parser) unexpected() error {
	if p.tok.kind == tokenEnd {
		return fail(p.tok.from, "the action ends where a value is expected")
	}
	return fail(p.tok.from, "unexpected %s", clip(p.src[p.tok.from:p.tok.to]))
}

// note collects a problem that does not hinder reading on.
func (p *parser) note(offset int, format string, v ...any) {
	if len(p.errs) < maxErrors {
		p.errs = append(p.errs, fail(offset, format, v...))
	}
}

func (p *parser) declare(name string) int {
	slot := p.slots
	p.slots++
	p.vars = append(p.vars, variable{name, slot})
	return slot
}

func (p *parser) lookup(t token) int {
	for _, v := range slices.Backward(p.vars) {
		if v.name == t.text {
			return v.slot
		}
	}
	names := make([]string, 0, len(p.vars))
	for _, v := range p.vars {
		names = append(names, v.name)
	}
	hint := ""
	if len(names) > 0 {
		hint = ref.Suggest(t.text, names)
	}
	p.note(t.from, "unknown variable %s%s", t.text, hint)
	return 0
}

func isVariable(t token) bool { return t.kind == tokenPath && len(t.text) > 1 && len(t.steps) == 0 }

// statement reads `value`, `$x := value` or `$x = value`.
func (p *parser) statement() (node, error) {
	if !isVariable(p.tok) {
		e, err := p.pipeline()
		return &outputNode{e}, err
	}
	name, after := p.tok, p.sc
	if err := p.advance(); err != nil {
		return nil, err
	}
	op := p.tok.kind
	if op != tokenSet && op != tokenAssign {
		p.tok, p.sc = name, after
		e, err := p.pipeline()
		return &outputNode{e}, err
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	e, err := p.pipeline()
	if err != nil {
		return nil, err
	}
	n := &setNode{value: e, again: op == tokenAssign}
	if op == tokenSet {
		n.slot = p.declare(name.text)
	} else {
		n.slot = p.lookup(name)
	}
	return n, nil
}

// block reads if, with or range up to its end.
func (p *parser) block(word token) (node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, fail(word.from, "more than %d blocks inside each other", maxDepth)
	}
	defer func(vars int) {
		p.depth--
		p.vars = p.vars[:vars]
	}(len(p.vars))
	if err := p.advance(); err != nil {
		return nil, err
	}
	if word.text == "range" {
		return p.loop(word)
	}
	n := &branchNode{set: -1, with: word.text == "with"}
	var err error
	if s, isSet, errSet := p.head(); errSet != nil {
		return nil, errSet
	} else if isSet {
		n.set, n.condition = s.slot, s.value
	} else if n.condition, err = p.pipeline(); err != nil {
		return nil, err
	}
	if err := p.close(); err != nil {
		return nil, err
	}
	var e ending
	if n.then, e, err = p.body(word); err != nil {
		return nil, err
	}
	if e.word == "else" {
		n.otherwise, err = p.otherwise(word)
	}
	return n, err
}

// head reads the `$x := value` of `if $x := value`.
func (p *parser) head() (*setNode, bool, error) {
	if !isVariable(p.tok) {
		return nil, false, nil
	}
	name, after := p.tok, p.sc
	if err := p.advance(); err != nil {
		return nil, false, err
	}
	if p.tok.kind != tokenSet {
		p.tok, p.sc = name, after
		return nil, false, nil
	}
	if err := p.advance(); err != nil {
		return nil, false, err
	}
	e, err := p.pipeline()
	if err != nil {
		return nil, false, err
	}
	return &setNode{slot: p.declare(name.text), value: e}, true, nil
}

func (p *parser) body(word token) ([]node, ending, error) {
	vars := len(p.vars)
	nodes, e, err := p.list()
	p.vars = p.vars[:vars]
	if err == nil && e.word == "" {
		err = fail(word.from, "{{ %s }} is not closed: {{ end }} is missing", word.text)
	}
	return nodes, e, err
}

// otherwise reads what follows {{ else, where `else if` and `else with` are a block of their own that shares the end.
func (p *parser) otherwise(word token) ([]node, error) {
	if p.tok.kind == tokenName && (p.tok.text == "if" || p.tok.text == "with") && word.text != "range" {
		n, err := p.block(p.tok)
		return []node{n}, err
	}
	if err := p.close(); err != nil {
		return nil, err
	}
	nodes, e, err := p.body(word)
	if err == nil && e.word == "else" {
		err = fail(e.at.from, "a second {{ else }}")
	}
	return nodes, err
}

func (p *parser) loop(word token) (node, error) {
	n := &rangeNode{key: -1, element: -1}
	names, err := p.loopVariables()
	if err != nil {
		return nil, err
	}
	if n.over, err = p.pipeline(); err != nil {
		return nil, err
	}
	n.at = n.over.place()
	if err := p.close(); err != nil {
		return nil, err
	}
	switch len(names) {
	case 1:
		n.element = p.declare(names[0])
	case 2:
		n.key, n.element = p.declare(names[0]), p.declare(names[1])
	}
	p.loops++
	var e ending
	n.body, e, err = p.body(word)
	p.loops--
	if err == nil && e.word == "else" {
		n.otherwise, err = p.otherwise(word)
	}
	return n, err
}

// loopVariables reads `$x :=` and `$k, $v :=`.
func (p *parser) loopVariables() ([]string, error) {
	if !isVariable(p.tok) {
		return nil, nil
	}
	first, after := p.tok, p.sc
	if err := p.advance(); err != nil {
		return nil, err
	}
	names := []string{first.text}
	if p.tok.kind == tokenComma {
		if err := p.advance(); err != nil {
			return nil, err
		}
		if !isVariable(p.tok) {
			return nil, p.unexpected()
		}
		names = append(names, p.tok.text)
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	switch {
	case p.tok.kind == tokenSet:
		return names, p.advance()
	case len(names) == 1 && p.tok.kind != tokenAssign:
		p.tok, p.sc = first, after
		return nil, nil
	}
	return nil, fail(p.tok.from, "a range declares its variables with :=")
}
