package playbook

import (
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/spelling"
)

// offer reads to whom a playbook is offered, when its parameters and outputs are known.
func (r *reader) offer(k document.Key, d *Document) *program.Offer {
	x := &program.Offer{}
	o, ok := r.Fields(k, offerKeys, func(k document.Key) {
		switch k.Name {
		case "title":
			x.Title = r.Fixed(k)
		case "to":
			x.To = r.Texts(k, func(n *yaml.Node, s string) {
				if wrong := access.Subject(s); wrong != "" {
					r.Fail(document.RuleValue, n, "", "%s", wrong)
				}
			})
			if len(x.To) == 0 {
				r.Fail(document.RuleValue, k.Value, "write group:… of those who may ask, or remove the offer", "the offer is for nobody")
			}
		case "outputs":
			x.Outputs = r.Texts(k, func(n *yaml.Node, s string) { r.offered(n, s, d) })
		}
	})
	if !ok {
		return nil
	}
	if !r.Must(&o, "to", "`offer`") {
		return nil
	}
	// Whoever asks must not choose what the playbook may use.
	for i := range d.Parameters {
		p := &d.Parameters[i]
		if (p.Type == contract.Secret || p.Type == contract.Integration) && len(p.Enum) == 0 {
			r.Fail(document.RuleValue, p.Node, "list those that may be chosen in `enum`", "whoever asks could choose any %s for the parameter `%s`", p.Type, p.Name)
		}
	}
	return x
}

// offered checks an output that whoever asked is shown.
func (r *reader) offered(n *yaml.Node, name string, d *Document) {
	names := make([]string, len(d.Outputs))
	for i := range d.Outputs {
		names[i] = d.Outputs[i].Name
	}
	i := slices.Index(names, name)
	switch {
	case i < 0:
		r.Fail(document.RuleValue, n, spelling.Suggest(name, names), "the playbook has no output `%s`", name)
	case d.Outputs[i].Sensitive:
		r.Fail(document.RuleValue, n, "hand it over: a step with `uses: handover`", "the output `%s` is sensitive, and is shown to nobody", name)
	}
}
