package function

import (
	"bytes"
	"encoding/json"

	"github.com/tendhq/tend/internal/value"
)

func convertFunctions() []Function {
	return group(groupConvert,
		Function{Usage: "toString VALUE", Doc: "As text; lists and maps as JSON.", Min: 1, Max: 1, Secret: true, body: func(a *Args) any { return a.made(a.print(a.any(0))) }},
		Function{Usage: "toJson VALUE", Doc: "As JSON in one line, with <, > and & escaped.", Min: 1, Max: 1, Secret: true, body: func(a *Args) any { return a.json("", true) }},
		Function{Usage: "toPrettyJson VALUE", Doc: "As indented JSON, with <, > and & escaped.", Min: 1, Max: 1, Secret: true, body: func(a *Args) any { return a.json("  ", true) }},
		Function{Usage: "toRawJson VALUE", Doc: "As JSON in one line.", Min: 1, Max: 1, Secret: true, body: func(a *Args) any { return a.json("", false) }},
		Function{Usage: "fromJson TEXT", Doc: "The value that JSON text holds. What is no JSON is an error (stackpulse.io/v1: null).", Min: 1, Max: 1, body: fromJSON},
		Function{Usage: "kindOf VALUE", Doc: "string, int64, float64, bool, slice, map or invalid (null).", Min: 1, Max: 1, body: func(a *Args) any { return kind(a.any(0)) }},
		Function{Usage: "kindIs KIND VALUE", Doc: "True if VALUE is of that kind.", Min: 2, Max: 2, body: func(a *Args) any { return kind(a.any(1)) == a.text(0) }},
	)
}

func (a *Args) json(indent string, escape bool) any {
	v := a.any(0)
	if !a.try(a.Budget.Weigh(v)) {
		return nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(escape)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return a.fail("the value is no JSON")
	}
	return a.made(string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))))
}

func fromJSON(a *Args) any {
	s := a.text(0)
	if !a.try(a.Budget.Spend(len(s) * workValue)) {
		return nil
	}
	v, err := value.Parse([]byte(s))
	if err != nil && !a.Lenient {
		return a.fail("%s is no JSON: %v", excerpt(s), err)
	}
	return v
}

func kind(v any) string {
	switch v.(type) {
	case nil:
		return "invalid"
	case string:
		return "string"
	case bool:
		return "bool"
	case int64:
		return "int64"
	case float64:
		return "float64"
	case []any:
		return "slice"
	}
	return "map"
}
