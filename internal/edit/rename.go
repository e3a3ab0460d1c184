package edit

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
)

var idText = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// rename gives a step another id, and everything that refers to it the new one: in templates and in logic, as steps.ID,
// $.steps.ID, run.steps.ID and with brackets. Texts, comments and scripts stay: they are no references.
func (w *writer) rename() error {
	n, err := w.step(w.op.Path)
	if err != nil {
		return err
	}
	id := n.at("id")
	switch {
	case w.dialect != expr.Strict:
		return fault.New(fault.Unavailable, "in the older dialect nobody can tell what refers to an id").WithNext("change it in the text")
	case id == nil:
		return fault.New(fault.NotFound, "the step at %q has no id", w.op.Path).WithNext("set one: the field `id`")
	case !idText.MatchString(w.op.ID):
		return fault.New(fault.Invalid, "%q is no id", w.op.ID).WithNext("begin with a small letter; then small letters, digits and _")
	}
	w.path = w.op.Path
	old := id.y.Value
	if old == w.op.ID {
		return nil
	}
	var ids []string
	walk(w.root, func(k *node) {
		if k.name == "id" && k.key != nil && k.up.form == "step" {
			ids = append(ids, k.y.Value)
		}
	})
	if slices.Contains(ids, w.op.ID) {
		return fault.New(fault.Conflict, "there is a step called %q already", w.op.ID)
	}
	if slices.Index(ids, old) != len(ids)-1 && slices.Contains(ids[slices.Index(ids, old)+1:], old) {
		return refused(id, "more than one step is called %q: nobody can tell which of them is meant elsewhere", old).WithNext("change it in the text")
	}
	type piece struct{ from, to int }
	pieces := []piece{{id.start, id.end}}
	refs := references(old)
	walk(w.root, func(k *node) {
		if k.y.Kind != yaml.ScalarNode {
			return
		}
		text := w.src[k.start:k.end]
		for _, span := range code(k, text) {
			for _, m := range refs.FindAllStringSubmatchIndex(text[span[0]:span[1]], -1) {
				pieces = append(pieces, piece{k.start + span[0] + m[2], k.start + span[0] + m[3]})
			}
		}
	})
	slices.SortFunc(pieces, func(a, b piece) int { return b.from - a.from })
	out := w.src
	for _, p := range pieces {
		out = out[:p.from] + w.op.ID + out[p.to:]
	}
	before := w.page
	if err := w.turn(out); err != nil {
		return err
	}
	// What must be there now: the same places, with the new id where the old one was referred to.
	w.want = renamed(before.root, refs, w.op.ID, real(id))
	return nil
}

// references finds an id in code, as its first group.
func references(id string) *regexp.Regexp {
	q := regexp.QuoteMeta(id)
	return regexp.MustCompile(`(?:^|[^A-Za-z0-9_.'"]|\$\.|\brun\.)steps(?:\s*\.\s*|\[\s*["']|\.'+)(` + q + `)(?:[^A-Za-z0-9_-]|$)`)
}

func walk(n *node, f func(*node)) {
	f(n)
	for _, k := range n.kids {
		walk(k, f)
	}
}

// code gives the parts of a scalar that are evaluated: the whole of a field of logic, else what stands in {{ }}.
func code(n *node, text string) [][2]int {
	if !strings.Contains(n.y.Value, "{{") {
		if logic(n) {
			return [][2]int{{0, len(text)}}
		}
		return nil
	}
	if verbatim(n) {
		return nil
	}
	var out [][2]int
	for at := 0; ; {
		i := strings.Index(text[at:], "{{")
		if i < 0 {
			return out
		}
		from := at + i + 2
		j := strings.Index(text[from:], "}}")
		if j < 0 {
			return out
		}
		out = append(out, [2]int{from, from + j})
		at = from + j + 2
	}
}

// verbatim tells whether a text is never rendered: names, ids, and scripts.
func verbatim(n *node) bool {
	return n.name == "script" && n.up != nil && n.up.name == "with" || n.name == "id"
}

// logic tells whether a scalar without a template is CEL.
func logic(n *node) bool {
	up := n.up
	if up == nil {
		return false
	}
	if slices.Contains([]document.Form{document.FormLogic, "loop", "wait-until"}, n.form) {
		return true
	}
	switch {
	case up.form == "range", up.name == "range" && up.up != nil && up.up.form == "foreach":
		return true
	case up.name == "outputs" && up.up != nil && up.up.up == nil:
		return true
	case up.name == "with" && (n.name == "until" || n.name == "that"):
		uses := up.up.at("uses")
		return uses != nil && (uses.y.Value == "wait" || uses.y.Value == "assert")
	}
	return false
}

// renamed is the data of a document after an id was renamed.
func renamed(n *node, refs *regexp.Regexp, to string, id []token) any {
	v := data(n.y)
	walk(n, func(k *node) {
		s, ok := data(k.y).(string)
		if k.y.Kind != yaml.ScalarNode || !ok {
			return
		}
		now := s
		spans := code(k, s)
		for i := len(spans) - 1; i >= 0; i-- {
			part := now[spans[i][0]:spans[i][1]]
			ms := refs.FindAllStringSubmatchIndex(part, -1)
			for j := len(ms) - 1; j >= 0; j-- {
				part = part[:ms[j][2]] + to + part[ms[j][3]:]
			}
			now = now[:spans[i][0]] + part + now[spans[i][1]:]
		}
		if now != s {
			v = alter(v, real(k), false, func(any) any { return now })
		}
	})
	return alter(v, id, false, func(any) any { return to })
}
