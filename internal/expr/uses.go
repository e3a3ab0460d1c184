package expr

// Uses is what an expression needs, found without evaluating it.
type Uses struct {
	Paths     []PathUse
	Secrets   []SecretUse
	Functions []FunctionUse
}

// PathUse is one path into the data. Paths are from the root: inside `range` and `with`, behind variables and in CEL's
// macros the path of the surrounding data is put in front.
type PathUse struct {
	// Path holds keys as they are, `[0]` for an index and `[*]` for slices and wildcards. An empty Path is the whole root.
	Path []string
	// Dynamic tells that Path is only the part that is known: the rest is computed (`index $.a $i`).
	Dynamic bool
	// Guarded tells that the data may be missing here: directly inside default, coalesce, get, required or has.
	Guarded bool
	// Offset and Length say where it stands in the source, in bytes.
	Offset, Length int
}

// SecretUse is one use of the function secret: with a literal name, with a name that stands in the data, or with one that
// is computed (Name and Path empty).
type SecretUse struct {
	Name   string
	Path   []string
	Offset int
	Length int
}

// FunctionUse is one call of a function.
type FunctionUse struct {
	Name   string
	Offset int
	Length int
}
