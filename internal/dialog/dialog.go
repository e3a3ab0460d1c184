// Package dialog draws typed forms for Slack (views of type modal) and reads what was sent with them.
//
// It is pure. What a field declares decides how it is asked for: a menu, a number, a text; what was sent gets the types that the
// fields declare, and what is wrong with it is said by block, so that it can be shown where it was typed. It refuses what is
// sensitive: that is not typed into Slack. It guarantees views within Slack's bounds.
package dialog

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/slack"
	"github.com/tendhq/tend/internal/task"
	"github.com/tendhq/tend/internal/value"
)

// Bounds of Slack's forms.
const (
	maxTitle   = 24
	maxOptions = 100
	maxLabel   = 75
	maxHint    = 2000
	maxTyped   = 3000
	maxShown   = 2900 // characters of what a form tells
	maxError   = 300
)

// MaxFields is how many fields a form may have that is shown in Slack.
const MaxFields = 40

// The blocks of a form. A field's block is field: and its name; a name has no colon.
const (
	Whole = "tend:why" // it is always there: what is wrong with the whole is said at it

	fieldBlock  = "field:"
	choiceBlock = "tend:choice"
	pickBlock   = "tend:pick"
)

// Callback is the callback_id of our forms.
const Callback = "tend"

// Purpose is what a form is for. It travels in the form, within what Slack signs; who sends it is asked again all the same.
type Purpose struct {
	Task     string `json:"task,omitempty"`
	Playbook string `json:"playbook,omitempty"`
	Project  string `json:"project,omitempty"`
	Channel  string `json:"channel,omitempty"`
	Answer   string `json:"answer,omitempty"` // where what came of it is told
}

// modal makes a view.
func modal(title, submit string, p Purpose, blocks []any) (map[string]any, error) {
	private, err := json.Marshal(p)
	if err != nil || len(private) > 3000 {
		return nil, fault.New(fault.Limit, "the form is too large for Slack")
	}
	return map[string]any{
		"type": "modal", "callback_id": Callback, "title": plain(title, maxTitle), "submit": plain(submit, maxTitle), "close": plain("Cancel", maxTitle),
		"private_metadata": string(private), "blocks": blocks,
	}, nil
}

func plain(s string, n int) map[string]any {
	s = strings.TrimSpace(strings.ToValidUTF8(s, "\uFFFD"))
	if r := []rune(s); len(r) > n {
		s = string(r[:n-1]) + "…"
	}
	return map[string]any{"type": "plain_text", "text": cmp.Or(s, "—")}
}

func told(text string) map[string]any {
	r := []rune(text)
	if len(r) > maxShown/5 && len(slack.Escape(text)) > maxShown { // escaped, a character is five at most
		text = string(r[:maxShown/5]) + "…"
	}
	return map[string]any{"type": "section", "text": map[string]any{"type": "mrkdwn", "text": slack.Escape(text)}}
}

func input(block, label, hint string, optional bool, element map[string]any) map[string]any {
	element["action_id"] = "value"
	b := map[string]any{"type": "input", "block_id": block, "label": plain(label, maxHint), "optional": optional, "element": element}
	if hint != "" {
		b["hint"] = plain(hint, maxHint)
	}
	return b
}

// option is one of a menu: values are places in a list, because Slack bounds them.
func options(labels []string) []any {
	out := make([]any, len(labels))
	for i, l := range labels {
		out[i] = map[string]any{"text": plain(l, maxLabel), "value": strconv.Itoa(i)}
	}
	return out
}

func menu(labels []string, several bool, initial int) map[string]any {
	list := options(labels)
	m := map[string]any{"type": "static_select", "options": list}
	if several {
		m["type"] = "multi_static_select"
		return m
	}
	if initial >= 0 && initial < len(list) {
		m["initial_option"] = list[initial]
	}
	return m
}

func why(label string) map[string]any {
	return input(Whole, label, "", true, map[string]any{"type": "plain_text_input", "multiline": true, "max_length": maxTyped})
}

// Fits tells whether a task can be answered in Slack.
func Fits(t *entry.TaskCreated) bool {
	if t.Type != "ask" {
		return len(task.Choices(t.Type)) > 0
	}
	list, _ := t.Form["fields"].([]any)
	return len(task.Sensitive(list)) == 0 && len(list) <= MaxFields
}

// PurposeOf reads what a form that was sent is for. The error is of kind fault.Invalid.
func PurposeOf(v *slack.View) (Purpose, error) {
	var p Purpose
	if err := json.Unmarshal([]byte(v.Private), &p); err != nil {
		return p, fault.New(fault.Invalid, "this form was not made here")
	}
	return p, nil
}

// Task asks for what a task wants. Without a form it is answered elsewhere: the error says where.
func Task(name string, t *entry.TaskCreated, p Purpose) (map[string]any, error) {
	p.Task = name
	if !Fits(t) {
		return nil, fault.New(fault.Invalid, "what this task asks for is not typed into Slack").WithNext("tend inbox show %s", name)
	}
	var blocks []any
	if t.Title != "" {
		blocks = append(blocks, told(t.Title))
	}
	if t.Message != "" && t.Message != t.Title {
		blocks = append(blocks, told(t.Message))
	}
	defs, choices, err := wanted(t)
	switch {
	case err != nil:
		return nil, err
	case t.Type != "ask":
		blocks = append(blocks, input(choiceBlock, "Answer", "", false, menu(task.Choices(t.Type), false, -1)))
	case len(choices) > maxOptions:
		return nil, fault.New(fault.Invalid, "there are more choices than Slack shows").WithNext("tend inbox show %s", name)
	case len(choices) > 0:
		blocks = append(blocks, input(pickBlock, "Choose", "", false, menu(choices, t.Form["selector"] == "multi", -1)))
	}
	for i := range defs {
		blocks = append(blocks, field(&defs[i], nil))
	}
	return modal("Answer", "Send", p, append(blocks, why("Why")))
}

// wanted gives the fields, or the choices, of a task of type ask.
func wanted(t *entry.TaskCreated) (defs []contract.Field, choices []string, err error) {
	if t.Type != "ask" {
		return nil, nil, nil
	}
	if list, ok := t.Form["choices"].([]any); ok {
		for _, c := range list {
			choices = append(choices, value.Text(c))
		}
		return nil, choices, nil
	}
	list, _ := t.Form["fields"].([]any)
	defs, err = task.Fields(list)
	return defs, nil, err
}

// field draws the input for a declared field.
func field(f *contract.Field, given any) map[string]any {
	if given == nil {
		given = f.Default
	}
	label, hint := f.Name, f.Description
	optional := !f.Required || f.Default != nil
	if list, several := listed(f); list != nil {
		initial := -1
		for i, v := range list {
			if given != nil && value.Text(v) == value.Text(given) {
				initial = i
			}
		}
		return input(fieldBlock+f.Name, label, hint, optional, menu(texts(list), several, initial))
	}
	e := map[string]any{"type": "plain_text_input", "max_length": maxTyped}
	switch f.Type {
	case contract.Number:
		e = map[string]any{"type": "number_input", "is_decimal_allowed": true}
	case contract.List:
		e["multiline"] = true
		hint = strings.TrimSpace(hint + " (one on each line)")
	case contract.Map:
		e["multiline"] = true
		hint = strings.TrimSpace(hint + " (as JSON)")
	default:
	}
	if text := shown(given); text != "" && len(text) <= maxTyped && !f.Sensitive {
		e["initial_value"] = text
	}
	return input(fieldBlock+f.Name, label, hint, optional, e)
}

func shown(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case []any:
		return strings.Join(texts(x), "\n")
	case map[string]any:
		b, err := value.Canonical(x)
		if err != nil {
			return ""
		}
		return string(b)
	default:
		return value.Text(v)
	}
}

func texts(list []any) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = value.Text(v)
	}
	return out
}

// listed gives what can be chosen for a field; nil when it is typed.
func listed(f *contract.Field) (list []any, several bool) {
	switch {
	case len(f.Enum) > 0 && f.Type != contract.List:
		list = f.Enum
	case f.Type == contract.List && f.Items != nil && len(f.Items.Enum) > 0:
		list, several = f.Items.Enum, true
	case f.Type == contract.Boolean:
		list = []any{true, false}
	}
	if len(list) > maxOptions {
		return nil, false
	}
	return list, several
}

// filled reads the fields of a form that was sent. What is empty is not given.
func filled(defs []contract.Field, v *slack.View) map[string]any {
	out := map[string]any{}
	for i := range defs {
		f := &defs[i]
		got := v.Values[fieldBlock+f.Name]
		if len(got) == 0 {
			continue
		}
		list, several := listed(f)
		switch {
		case several:
			out[f.Name] = picked(list, got)
		case list != nil:
			if one := picked(list, got); len(one) > 0 {
				out[f.Name] = one[0]
			}
		default:
			out[f.Name] = typed(f.Type, got[0])
		}
	}
	return out
}

// typed gives what a text is for a type; what it cannot be stays a text, so that it is refused with its reason.
func typed(t contract.Type, text string) any {
	switch t {
	case contract.List:
		if strings.HasPrefix(strings.TrimSpace(text), "[") {
			break
		}
		var list []any
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "" {
				list = append(list, line)
			}
		}
		return list
	case contract.Map, contract.Number:
	default:
		return text
	}
	if v, err := value.Parse([]byte(text)); err == nil {
		return v
	}
	return text
}

// picked gives what was chosen by its places in a list. A place that is none gives nothing.
func picked[T any](list []T, places []string) []T {
	var out []T
	for _, p := range places {
		if i, err := strconv.Atoi(p); err == nil && i >= 0 && i < len(list) {
			out = append(out, list[i])
		}
	}
	return out
}

// Answer is what was said with a form.
type Answer struct {
	Choice string
	Output map[string]any
	Why    string
}

// Read reads the answer to a task from a form that was sent. What is wrong is said by block.
func Read(t *entry.TaskCreated, v *slack.View) (a Answer, problems map[string]string, err error) {
	a.Why = Why(v)
	defs, choices, err := wanted(t)
	if err != nil {
		return a, nil, err
	}
	switch {
	case t.Type != "ask":
		c := picked(task.Choices(t.Type), v.Values[choiceBlock])
		if len(c) != 1 {
			return a, map[string]string{choiceBlock: "choose one"}, nil
		}
		a.Choice = c[0]
	case len(choices) > 0:
		a.Choice = "answer"
		c := picked(choices, v.Values[pickBlock])
		if len(c) == 0 {
			return a, map[string]string{pickBlock: "choose one"}, nil
		}
		list := make([]any, len(c))
		for i := range c {
			list[i] = c[i]
		}
		a.Output = map[string]any{"selected": list}
	default:
		a.Choice, a.Output = "answer", filled(defs, v)
		return a, marked(task.Problems(defs, a.Output)), nil
	}
	return a, nil, nil
}

// marked puts problems at the blocks of their fields.
func marked(problems map[string]string) map[string]string {
	out := map[string]string{}
	for name, p := range problems {
		out[fieldBlock+name] = p
	}
	return out
}

// Playbook asks for the parameters of a playbook.
func Playbook(name string, params []contract.Parameter, given map[string]any, p Purpose) (map[string]any, error) {
	defs := fields(params)
	if len(defs) > MaxFields {
		return nil, fault.New(fault.Invalid, "the playbook has more parameters than a form in Slack can have").WithNext("/tend run %s name=value …", name)
	}
	for i := range defs {
		if defs[i].Sensitive && defs[i].Required && given[defs[i].Name] == nil {
			return nil, fault.New(fault.Invalid, "the parameter %s is sensitive: it is not typed into Slack", defs[i].Name).WithNext("tend run %s", name)
		}
	}
	blocks := []any{told("Run " + name)}
	for i := range defs {
		if !defs[i].Sensitive {
			blocks = append(blocks, field(&defs[i], given[defs[i].Name]))
		}
	}
	return modal("Run a playbook", "Run", p, append(blocks, why("Why")))
}

// Why gives the reason that was given with a form.
func Why(v *slack.View) string {
	if w := v.Values[Whole]; len(w) > 0 {
		return w[0]
	}
	return ""
}

// Params reads the parameters of a playbook from a form that was sent. What is wrong is said by block.
func Params(params []contract.Parameter, v *slack.View) (given map[string]any, problems map[string]string) {
	defs := fields(params)
	given = filled(defs, v)
	for i := range defs {
		if defs[i].Sensitive {
			delete(given, defs[i].Name) // it was not asked for
		}
	}
	return given, marked(task.Problems(defs, given))
}

// Given gives what is typed as name=value the types of parameters. Names that there are not stay: they are refused with their
// reason.
func Given(params []contract.Parameter, texts map[string]string) map[string]any {
	out := map[string]any{}
	for k, v := range texts {
		out[k] = v
		for i := range params {
			if params[i].Name == k {
				out[k] = typed(params[i].Type, v)
			}
		}
	}
	return out
}

// fields gives parameters as fields. A default that is computed is no text to show.
func fields(params []contract.Parameter) []contract.Field {
	out := make([]contract.Field, len(params))
	for i := range params {
		q := &params[i]
		out[i] = contract.Field{
			Name: q.Name, Type: q.Type, Description: q.Description, Required: q.Required, Enum: q.Enum, Pattern: q.Pattern, Sensitive: q.Sensitive,
		}
		if q.Default != nil && !q.Sensitive {
			out[i].Default = q.Default.Literal()
			if out[i].Default == nil {
				out[i].Description = strings.TrimSpace(fmt.Sprintf("%s (when it is empty, it is computed)", q.Description))
			}
		}
	}
	return out
}

// Short keeps what is said at a block short.
func Short(s string) string {
	if r := []rune(s); len(r) > maxError {
		return string(r[:maxError-1]) + "…"
	}
	return s
}
