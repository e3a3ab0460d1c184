package task

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/value"
)

// Form checks the answer to a typed form against its fields, all problems at once, and gives it with the types that the
// fields declare. What people type for a boolean may be yes or no.
func Form(fields []any, given map[string]any) (value.Object, error) {
	defs, err := Fields(fields)
	if err != nil {
		return nil, err
	}
	return contract.Inputs(defs, meant(defs, given), expr.Strict)
}

// Problems checks what is given for each field by itself, and says what is wrong with it, by the name of the field: for
// whoever shows a form and marks its fields. It gives nothing when Form takes all of it.
func Problems(defs []contract.Field, given map[string]any) map[string]string {
	out := map[string]string{}
	understood := meant(defs, given)
	for i := range defs {
		one := map[string]any{}
		if v, ok := understood[defs[i].Name]; ok {
			one[defs[i].Name] = v
		}
		if _, err := contract.Inputs(defs[i:i+1], one, expr.Strict); err != nil {
			out[defs[i].Name] = strings.TrimPrefix(err.Error(), "input `"+defs[i].Name+"` ")
		}
	}
	return out
}

// meant understands what people type for a boolean.
func meant(defs []contract.Field, given map[string]any) map[string]any {
	meant := maps.Clone(given)
	for _, d := range defs {
		if typed, ok := given[d.Name].(string); ok && d.Type == contract.Boolean {
			switch strings.ToLower(typed) {
			case "yes", "y":
				meant[d.Name] = true
			case "no", "n":
				meant[d.Name] = false
			}
		}
	}
	return meant
}

// Sensitive names the fields of a form that are sensitive.
func Sensitive(fields []any) []string {
	var out []string
	defs, _ := Fields(fields) // what cannot be read is refused by Form
	for _, d := range defs {
		if d.Sensitive {
			out = append(out, d.Name)
		}
	}
	return out
}

// Fields reads the fields that a form declares.
func Fields(fields []any) ([]contract.Field, error) {
	b, err := value.Canonical(fields)
	if err != nil {
		return nil, err
	}
	var defs []contract.Field
	if err := json.Unmarshal(b, &defs); err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "read the form")
	}
	return defs, nil
}

// Named is what a form with choices says of how the answer is named.
const Named = "named"

// Chosen gives what was chosen as the output of its step: as answer and answers, where the form says so (tend/v1), else by the names
// of the older dialect.
func Chosen(form value.Object, first string, all []any) value.Object {
	if form[Named] == "answer" {
		return value.Object{"answer": first, "answers": all}
	}
	return value.Object{"slack_response": first, "selected_responses": all}
}

// chosen checks the answer to a selection. The person gives {"selected": [...]} or {"value": "x"}, where
// several may be chosen also {"value": "x, y"}.
func chosen(form value.Object, given map[string]any) (value.Object, error) {
	choices, _ := form["choices"].([]any)
	selector := form["selector"]
	names := make([]string, len(choices))
	for i, c := range choices {
		names[i] = value.Text(c)
	}
	var picked []any
	switch {
	case given["selected"] != nil:
		l, ok := given["selected"].([]any)
		if !ok {
			l = []any{given["selected"]}
		}
		picked = l
	case given["value"] != nil:
		picked = []any{given["value"]}
		if text := value.Text(given["value"]); selector == "multi" && !slices.Contains(names, text) {
			picked = nil
			for p := range strings.SplitSeq(text, ",") {
				picked = append(picked, strings.TrimSpace(p))
			}
		}
	}
	for _, p := range picked {
		if !slices.Contains(names, value.Text(p)) {
			return nil, fault.New(fault.Invalid, "%q is none of the choices", value.Text(p)).WithNext("choose from: %s", strings.Join(names, ", "))
		}
	}
	if len(picked) == 0 || (len(picked) > 1 && selector != "multi") {
		return nil, fault.New(fault.Invalid, "choose one of: %s", strings.Join(names, ", "))
	}
	return Chosen(form, value.Text(picked[0]), picked), nil
}
