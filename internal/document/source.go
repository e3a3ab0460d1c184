package document

// Source finds the documents that others name: the lookup is pure, reading files is the business of its implementation.
type Source interface {
	// Find gives the file that declares the document of a kind (KindPlaybook or KindModule). name is as written: a
	// metadata.name, to be compared by spelling.Same, or a path relative to the file from (it starts with ./ or ../ or
	// ends in .yaml or .yml). What is not there is fault.NotFound.
	Find(kind Kind, name, from string) (File, error)
	// Names lists the known names of a kind, for suggestions.
	Names(kind Kind) []string
}

// File is a file with its content. Name is how messages call it and what relative paths in it start from.
type File struct {
	Name    string
	Content []byte
}
