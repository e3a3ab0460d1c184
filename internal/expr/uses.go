package expr

import "github.com/tendhq/tend/internal/expr/ref"

// What an expression needs, see package ref.
type (
	// Uses is what an expression needs, found without evaluating it.
	Uses = ref.Uses
	// PathUse is one path into the data.
	PathUse = ref.PathUse
	// SecretUse is one use of the function secret.
	SecretUse = ref.SecretUse
	// FunctionUse is one call of a function.
	FunctionUse = ref.FunctionUse
)

// Element is the segment of a PathUse that stands for any element of a list or map.
const Element = ref.Element
