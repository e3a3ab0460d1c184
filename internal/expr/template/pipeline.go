package template

import (
	"github.com/tendhq/tend/internal/expr/function"
	"github.com/tendhq/tend/internal/expr/ref"
)

// maxArguments bounds a call as it is written.
const maxArguments = 1000

// pipeline reads `a | f b | g`.
func (p *parser) pipeline() (expression, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, fail(p.tok.from, "more than %d parentheses or blocks inside each other", maxDepth)
	}
	defer func() { p.depth-- }()
	e, err := p.command(nil)
	for err == nil && p.tok.kind == tokenPipe {
		if err = p.advance(); err == nil {
			e, err = p.command(e)
		}
	}
	return e, err
}

// command reads a function with its arguments, or a single value. piped, if not nil, is its last argument.
func (p *parser) command(piped expression) (expression, error) {
	if p.tok.kind != tokenName {
		at := p.tok.from
		e, err := p.operand()
		switch {
		case err != nil:
			return nil, err
		case piped != nil:
			return nil, fail(at, "behind | a function is expected")
		case p.startsOperand():
			return nil, fail(p.tok.from, "unexpected %s: what stands before it is a value and takes no arguments", clip(p.src[p.tok.from:p.tok.to]))
		}
		return e, nil
	}
	name := p.tok
	c := &call{span: name.span, name: name.span}
	if err := p.advance(); err != nil {
		return nil, err
	}
	for p.startsOperand() {
		arg, err := p.operand()
		if err != nil {
			return nil, err
		}
		if len(c.args) == maxArguments {
			return nil, fail(arg.place().from, "more than %d arguments", maxArguments)
		}
		c.args = append(c.args, arg)
		c.to = p.last
	}
	if piped != nil {
		c.args = append(c.args, piped)
		c.from = piped.place().from
	}
	p.bind(c, name)
	return c, nil
}

func (p *parser) startsOperand() bool {
	switch p.tok.kind {
	case tokenName, tokenPath, tokenValue, tokenOpen:
		return true
	default:
		return false
	}
}

// bind finds the function. keywords where a value is expected are named as such.
func (p *parser) bind(c *call, name token) {
	f, ok := p.set.Find(name.text)
	if !ok {
		switch name.text {
		case "if", "else", "end", "range", "with", "break", "continue", "define", "template", "block":
			p.note(name.from, "unexpected %s inside an action", name.text)
		default:
			p.note(name.from, "unknown function %s%s", clip(name.text), suggestFunction(name.text, p.set))
		}
		return
	}
	for _, arg := range c.args {
		if l, ok := arg.(*literal); ok && l.value == nil {
			c.null = true
		}
	}
	if wrong := f.Arity(len(c.args)); wrong != "" {
		p.note(name.from, "%s", wrong)
	}
	c.fn = f
}

// absent are functions that people will look for here, and why they are not.
func absent(name string) string {
	switch name {
	case "env", "expandenv":
		return ": templates do not see the environment; use a parameter"
	case "now", "ago":
		return ": templates have no clock; use the times in the data, such as event or run"
	case "randAlpha", "randAlphaNum", "randAscii", "randNumeric", "randInt", "randBytes", "shuffle", "uuidv4",
		"genPrivateKey", "genCA", "genSelfSignedCert", "genSignedCert", "derivePassword", "bcrypt", "htpasswd", "encryptAES":
		return ": templates have no randomness, they give the same each time"
	case "getHostByName":
		return ": templates do not use the network"
	case "call", "include", "tpl":
		return ": a scalar is one template, rendered once"
	}
	return ""
}

func suggestFunction(name string, set *function.Set) string {
	if why := absent(name); why != "" {
		return why
	}
	return ref.Suggest(name, set.Names())
}

// operand reads a single value. A name here is a function without arguments.
func (p *parser) operand() (expression, error) {
	t := p.tok
	switch t.kind {
	case tokenValue:
		return &literal{t.span, t.value}, p.advance()
	case tokenPath:
		e := &path{span: t.span, steps: t.steps}
		switch t.text {
		case "$":
		case ".":
			e.base = atDot
		default:
			e.base = atVariable
			e.slot = p.lookup(t)
		}
		return e, p.advance()
	case tokenName:
		c := &call{span: t.span, name: t.span}
		p.bind(c, t)
		return c, p.advance()
	case tokenOpen:
		if err := p.advance(); err != nil {
			return nil, err
		}
		e, err := p.pipeline()
		if err != nil {
			return nil, err
		}
		if p.tok.kind != tokenClose {
			if p.tok.kind == tokenEnd {
				return nil, fail(t.from, "( is not closed")
			}
			return nil, p.unexpected()
		}
		if closing := p.tok; len(closing.steps) > 0 {
			e = &path{span: span{t.from, closing.to}, base: atValue, inner: e, steps: closing.steps}
		}
		return e, p.advance()
	default:
		return nil, p.unexpected()
	}
}
