package logic

import (
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"cel.dev/cel-go/common/types"
	celref "cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/tendhq/tend/internal/value"
)

var errTooLarge = fmt.Errorf("the expression makes a value that is too large or nested deeper than %d levels", value.MaxDepth)

// native makes a value of the result of an expression. Times become RFC 3339, durations 1h30m.
func native(v celref.Val) (any, error) {
	n := maxValues
	return nativeWithin(v, &n, 0)
}

func nativeWithin(v celref.Val, left *int, depth int) (any, error) {
	if *left--; *left < 0 || depth > value.MaxDepth {
		return nil, errTooLarge
	}
	switch x := v.(type) {
	case types.Null, nil:
		return nil, nil
	case types.Double:
		f := float64(x)
		if depth == 0 && math.IsNaN(f) {
			return f, nil // for the caller to read as no data
		}
		return value.Normalize(f)
	case types.Bytes:
		if !utf8.Valid(x) {
			return nil, errors.New("the expression gives bytes that are no text")
		}
		return string(x), nil
	case types.Timestamp:
		return x.Time.UTC().Format(time.RFC3339Nano), nil
	case types.Duration:
		return x.Duration.String(), nil
	case traits.Mapper:
		out := make(map[string]any)
		for it := x.Iterator(); it.HasNext() == types.True; {
			k := it.Next()
			key, ok := scalar(k)
			if !ok {
				return nil, fmt.Errorf("the expression gives a map whose keys are no text")
			}
			e, err := nativeWithin(x.Get(k), left, depth+1)
			if err != nil {
				return nil, err
			}
			out[value.Text(key)] = e
		}
		return out, nil
	case traits.Lister:
		out := []any{}
		for it := x.Iterator(); it.HasNext() == types.True; {
			e, err := nativeWithin(it.Next(), left, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, e)
		}
		return out, nil
	}
	if s, ok := scalar(v); ok {
		return s, nil
	}
	return nil, fmt.Errorf("the expression gives %s, which is no data", describeValue(v))
}
