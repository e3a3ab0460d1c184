package sql

import (
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/value"
)

// encode writes the parameters in PostgreSQL's text form for the types that the server found for them.
func encode(params []any, oids []uint32) ([][]byte, error) {
	if len(params) != len(oids) {
		return nil, fault.New(fault.Invalid, "input params: the statement has %d parameters, and %d were given", len(oids), len(params))
	}
	out := make([][]byte, len(params))
	for i, p := range params {
		b, problem := encodeOne(action.Reveal(p), oids[i])
		if problem != "" {
			return nil, fault.New(fault.Invalid, "input params: $%d %s", i+1, problem)
		}
		out[i] = b
	}
	return out, nil
}

func encodeOne(p any, oid uint32) ([]byte, string) {
	isJSON := oid == pgtype.JSONOID || oid == pgtype.JSONBOID
	_, isText := p.(string)
	switch {
	case p == nil:
		return nil, ""
	case isJSON && !isText:
		b, err := value.Canonical(p)
		if err != nil {
			return nil, "cannot be written as JSON"
		}
		return b, ""
	}
	switch x := p.(type) {
	case string:
		if strings.ContainsRune(x, 0) {
			return nil, "has a NUL byte, which PostgreSQL cannot hold in text"
		}
		return []byte(x), ""
	case []any:
		if _, scalar := scalars[oid]; scalar {
			return nil, "is a list, and the statement wants one value there; write $" + "n = any(…) or cast it to an array"
		}
		var b strings.Builder
		if problem := array(&b, x, 0); problem != "" {
			return nil, problem
		}
		return []byte(b.String()), ""
	case map[string]any:
		return nil, "is a map, and the statement wants no JSON there; cast it, as in $1::jsonb"
	case bool, int64, int, float64:
		return []byte(value.Text(x)), ""
	default:
		return nil, "cannot be a parameter"
	}
}

// array writes a list as an array, with every element in quotes, so that none can be anything else.
func array(b *strings.Builder, list []any, depth int) string {
	if depth > 5 {
		return "is a list nested deeper than arrays can be"
	}
	b.WriteByte('{')
	for i, e := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		switch x := e.(type) {
		case nil:
			b.WriteString("NULL")
		case []any:
			if problem := array(b, x, depth+1); problem != "" {
				return problem
			}
		case map[string]any:
			text, err := value.Canonical(x)
			if err != nil {
				return "cannot be written as JSON"
			}
			quote(b, string(text))
		default:
			text := value.Text(x)
			if strings.ContainsRune(text, 0) {
				return "has a NUL byte in element " + strconv.Itoa(i)
			}
			quote(b, text)
		}
	}
	b.WriteByte('}')
	return ""
}

func quote(b *strings.Builder, s string) {
	b.WriteByte('"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	b.WriteByte('"')
}
