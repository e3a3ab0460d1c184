package mask

import (
	"maps"
	"slices"

	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/value"
)

// Texts lists what can be found in data that is secret: its texts and numbers, and neither the keys of its maps nor what is
// true or false. Keys are visited in order.
func Texts(v any) []secret.Value {
	switch x := v.(type) {
	case []any:
		var out []secret.Value
		for _, e := range x {
			out = append(out, Texts(e)...)
		}
		return out
	case value.Object:
		return Texts(map[string]any(x))
	case map[string]any:
		var out []secret.Value
		for _, k := range slices.Sorted(maps.Keys(x)) {
			out = append(out, Texts(x[k])...)
		}
		return out
	case string, int64, float64:
		if t := value.Text(x); len(t) >= secret.MinLength {
			return []secret.Value{secret.New(t)}
		}
	}
	return nil
}
