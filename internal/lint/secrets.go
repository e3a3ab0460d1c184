package lint

import (
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
)

// secrets looks where the secrets of an expression go.
func (c *checker) secrets(s *document.Scalar, u expr.Uses, where site) {
	for _, x := range u.Secrets {
		if len(x.Path) > 1 && x.Path[0] == "params" {
			c.used[x.Path[1]] = true
		} else if len(x.Path) > 0 && x.Name == "" && len(x.Path) == 1 {
			c.allUsed = true
		}
		switch {
		case where.sink != "":
			c.exposed(s, x.Offset, x.Length, "a secret", where.sink)
		case where.args:
			if c.once(s, ruleArguments, "") {
				c.find(ruleArguments, c.inside(s, x.Offset, x.Length), "", "the secret becomes an argument of the program: every user of its host can read it there")
			}
		}
	}
	for _, p := range u.Paths {
		c.sensitive(s, p, u.Secrets, where)
	}
}

// sensitive looks at one path: is it a secret, or the name of one?
func (c *checker) sensitive(s *document.Scalar, p expr.PathUse, secrets []expr.SecretUse, where site) {
	if len(p.Path) > 1 && p.Path[0] == "params" {
		d := c.declaredParameter(p.Path[1])
		switch {
		case d == nil:
		case d.Type == contract.Secret:
			c.nameOnly(s, p, secrets, where)
		case d.Sensitive && where.sink != "" && !where.logic && !where.sealed:
			c.exposed(s, p.Offset, p.Length, "the sensitive parameter `"+d.Name+"`", where.sink)
		}
		return
	}
	if id, rest, ok := c.stepOf(p.Path); ok && p.Path[0] != "run" {
		for _, d := range c.steps[id] {
			c.sealed(s, p, id, rest, &d.spec, where)
		}
	}
}

// sealed looks at a path into the output of a step with secret outputs: they go where secrets go, by their names.
func (c *checker) sealed(s *document.Scalar, p expr.PathUse, id string, rest []string, spec *contract.Spec, where site) {
	for _, f := range spec.Outputs {
		if !f.Sensitive {
			continue
		}
		what := "the sealed output `" + id + "." + f.Name + "`"
		switch {
		case len(rest) == 0 || rest[0] == expr.Element:
			if c.once(s, ruleExposed, what) {
				c.find(ruleExposed, c.inside(s, p.Offset, p.Length), "name the output that is meant", "`%s` holds the sealed output `%s`, and cannot be used as a whole", id, f.Name)
			}
			return
		case f.Name != rest[0]:
		case where.logic:
			if c.once(s, ruleExposed, what) {
				c.find(ruleExposed, c.inside(s, p.Offset, p.Length), "", "%s cannot be part of %s: it is opened when a step is dispatched, and not before", what, where.sink)
			}
		case where.sink != "":
			c.exposed(s, p.Offset, p.Length, what, where.sink)
		case where.args && c.once(s, ruleArguments, ""):
			c.find(ruleArguments, c.inside(s, p.Offset, p.Length), "", "%s becomes an argument of the program: every user of its host can read it there", what)
		}
	}
}

// nameOnly finds a parameter of type secret that is taken for the secret itself.
func (c *checker) nameOnly(s *document.Scalar, p expr.PathUse, secrets []expr.SecretUse, where site) {
	inside := func(x expr.SecretUse) bool {
		return slices.Equal(x.Path, p.Path) && (p.Length == 0 || x.Length == 0 || p.Offset >= x.Offset && p.Offset <= x.Offset+x.Length)
	}
	if slices.ContainsFunc(secrets, inside) || where.logic || where.sink != "" && where.input == "" {
		return
	}
	if f := where.field; f != nil && (f.Type == contract.Secret || f.Type == contract.Integration) {
		return
	}
	name := p.Path[1]
	if c.once(s, ruleSecretName, name) {
		c.find(ruleSecretName, c.inside(s, p.Offset, p.Length), "write `{{ secret $.params."+name+" }}`", "`%s` holds the name of a secret, not the secret", name)
	}
}

func (c *checker) exposed(s *document.Scalar, offset, length int, what, sink string) {
	if c.once(s, ruleExposed, what) {
		c.find(ruleExposed, c.inside(s, offset, length), "", "%s would be shown and recorded by %s", what, sink)
	}
}

// echoes tells whether what an action is given comes back as its output: one that only computes, and shows.
func echoes(spec *contract.Spec) bool {
	return spec.Proven && spec.Effect == contract.Read && !spec.Verb
}

// sinkOf words where an input goes that may hold no secret, or is empty.
func sinkOf(spec *contract.Spec, f *contract.Field) string {
	switch {
	case f != nil && f.Sensitive:
		return ""
	case spec.Name == "log":
		return "the log"
	case echoes(spec):
		return "the output of `" + spec.Name + "`"
	case f != nil && f.Verbatim:
		return "the text of a script"
	default:
		return ""
	}
}

// secretish tells names whose values are secrets.
func secretish(name string) bool {
	folded := strings.Map(func(r rune) rune {
		switch {
		case r == '_' || r == '-' || r == '.':
			return -1
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		default:
			return r
		}
	}, name)
	for _, end := range []string{"password", "passwd", "passphrase", "pwd", "secret", "token", "apikey", "secretkey", "accesskey", "privatekey", "credential", "credentials", "authorization"} {
		if strings.HasSuffix(folded, end) {
			return true
		}
	}
	return false
}
