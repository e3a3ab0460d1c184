package expr

// Tree is data with expressions at its leaves. Exactly one of the three is set; the zero Tree is nil.
type Tree struct {
	Scalar *Expr           `json:"scalar,omitempty"`
	List   []Tree          `json:"list,omitempty"`
	Map    map[string]Tree `json:"map,omitempty"`
}

// Literal gives a value without templates; nil for one with, and for lists and maps.
func (t Tree) Literal() any {
	if t.Scalar != nil && (t.Scalar.Kind == Literal || t.Scalar.Kind == "") {
		return t.Scalar.Lit
	}
	return nil
}

// Joined puts two texts below each other.
func Joined(a, b *Expr) *Expr {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	both := &Expr{Kind: Literal, Line: a.Line, Column: a.Column}
	text := func(e *Expr) string {
		if e.Kind == Template {
			both.Kind = Template
			return e.Source
		}
		s, _ := e.Lit.(string)
		return s
	}
	all := text(a) + "\n" + text(b)
	if both.Kind == Template {
		both.Source = all
	} else {
		both.Lit = all
	}
	return both
}
