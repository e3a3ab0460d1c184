package document

import (
	"iter"
	"strings"

	"github.com/tendhq/tend/internal/expr"
)

// Tree is the data without its places. An empty list or map is a literal: a Tree holds only what has something in it.
func (d *Data) Tree() expr.Tree {
	switch {
	case d.Scalar != nil:
		e := d.Scalar.Expr
		return expr.Tree{Scalar: &e}
	case d.List != nil && len(d.List) == 0:
		return expr.Tree{Scalar: &expr.Expr{Kind: expr.Literal, Lit: []any{}}}
	case d.Map != nil && len(d.Map) == 0:
		return expr.Tree{Scalar: &expr.Expr{Kind: expr.Literal, Lit: map[string]any{}}}
	case d.List != nil:
		t := expr.Tree{List: make([]expr.Tree, len(d.List))}
		for i := range d.List {
			t.List[i] = d.List[i].Tree()
		}
		return t
	case d.Map != nil:
		t := expr.Tree{Map: make(map[string]expr.Tree, len(d.Map))}
		for i := range d.Map {
			t.Map[d.Map[i].Name] = d.Map[i].Data.Tree()
		}
		return t
	default:
		return expr.Tree{}
	}
}

// Literal tells whether nothing in the data is rendered.
func (d *Data) Literal() bool {
	for s := range d.Scalars() {
		if s.Kind != expr.Literal {
			return false
		}
	}
	return true
}

// Value is the value of data in which nothing is rendered.
func (d *Data) Value() any {
	switch {
	case d.Scalar != nil:
		return d.Scalar.Lit
	case d.List != nil:
		out := make([]any, len(d.List))
		for i := range d.List {
			out[i] = d.List[i].Value()
		}
		return out
	case d.Map != nil:
		out := make(map[string]any, len(d.Map))
		for i := range d.Map {
			out[d.Map[i].Name] = d.Map[i].Data.Value()
		}
		return out
	default:
		return nil
	}
}

// Scalars walks all scalars of the data in the order of the document.
func (d *Data) Scalars() iter.Seq[*Scalar] {
	return func(yield func(*Scalar) bool) { d.scalars(yield) }
}

func (d *Data) scalars(yield func(*Scalar) bool) bool {
	if d.Scalar != nil && !yield(d.Scalar) {
		return false
	}
	for i := range d.List {
		if !d.List[i].scalars(yield) {
			return false
		}
	}
	for i := range d.Map {
		if !d.Map[i].Data.scalars(yield) {
			return false
		}
	}
	return true
}

// IsPath tells whether the name of a sub-playbook or module is the path of a file.
func IsPath(name string) bool {
	return strings.HasPrefix(name, "./") || strings.HasPrefix(name, "../") || strings.HasPrefix(name, "/") ||
		strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
}

// Expression is the expression without its node; nil where nothing is written.
func (s *Scalar) Expression() *expr.Expr {
	if s == nil {
		return nil
	}
	e := s.Expr
	return &e
}
