package playbook

import (
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/document"
)

// envFrom reads the older dialect's reference to an integration.
func (r *reader) envFrom(s *Step, k document.Key) {
	if r.blank(k) {
		return
	}
	r.Fields(k, envFromKeys, func(k document.Key) { s.Integration = r.optional(k) })
}

// outputParser reads how the output of a step of the older dialect is read.
func (r *reader) outputParser(s *Step, k document.Key) {
	if r.blank(k) {
		return
	}
	name := k
	if k.Value.Kind == yaml.MappingNode {
		o, ok := r.Object(k.Value, "`output_parser`")
		if !ok {
			return
		}
		r.Known(&o, parserKeys, "`output_parser`")
		if name, ok = o.Key("name"); !ok {
			r.Find(document.RuleMissing, document.Warning, o.Node, "name json-parser or raw-output-parser", "`output_parser` names no parser")
			return
		}
	}
	switch n := r.Str(name); {
	case strings.HasSuffix(n, "raw-output-parser"), n == "raw":
		s.Parser = "raw"
	case strings.HasSuffix(n, "json-parser"), n == "json":
		s.Parser = "json"
	default:
		r.Find(document.RuleLegacy, document.Warning, name.Value, "json-parser and raw-output-parser are known", "the parser %q is not known: output is read as without one", n)
	}
}
