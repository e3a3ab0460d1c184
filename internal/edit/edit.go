// Package edit changes the text of a playbook as a person would: adds, moves, removes and wraps steps, sets and unsets
// what they say, and renames an id with what refers to it. Comments, the order of keys and the way in which everything
// else is written stay.
//
//	Apply(file, text, operation) → text, and where the step is now
//
// It is pure. It changes what was asked for and nothing else: what it writes is read again, and compared with the same
// operation on the data. Where the two differ, or a comment would be lost that belongs to something that stays, nothing is
// changed and an error says so. It does not check what the text means: package lint does.
package edit

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/fault"
)

// Verb says what is done.
type Verb string

// The verbs.
const (
	Add       Verb = "add"       // Step or Value, at Place
	Move      Verb = "move"      // the step at Path to Place
	Remove    Verb = "remove"    // the step at Path
	Duplicate Verb = "duplicate" // the step at Path, right after it; the copy has no id
	Set       Verb = "set"       // Field of the step at Path to Value
	Unset     Verb = "unset"     // Field of the step at Path
	Wrap      Verb = "wrap"      // Count steps from Path on, in a Block
	Unwrap    Verb = "unwrap"    // the steps of the block at Path take its place
	Rename    Verb = "rename"    // the id of the step at Path to ID, with what refers to it
)

// Verbs lists the verbs.
func Verbs() []Verb { return []Verb{Add, Move, Remove, Duplicate, Set, Unset, Wrap, Unwrap, Rename} }

// Operation is one change. Paths are those of package graph: `steps[1].foreach.steps[0]`, `steps[2].parallel[1]`,
// `catch[0]`, `steps[0].verify`. The empty Path is the document itself, of which fields can be set and unset.
type Operation struct {
	Do       Verb
	Document int // of the file, from 0
	Path     string
	Place    Place
	Field    string // `when`, `with.message`, `retry.attempts`, `with["a.b"]`, `parameters[0].default`
	Value    any    // JSON-like data; for Set also a map or list
	Step     string // Add: the YAML of a step, in place of Value
	Block    string // Wrap: steps, parallel, foreach or lock
	Count    int    // Wrap: 0 is 1
	ID       string
}

// Place is where a step goes: exactly one of the three is set.
type Place struct {
	Before string // the step at this path
	After  string // the step at this path
	// Into is the end of a list: `steps`, `steps[1].catch`, `steps[2].parallel`; it is made when it is not there. Or the
	// place of a step that holds one of its own, `steps[1].verify` and `steps[1].undo`, when nothing stands there; of what is
	// moved there the id goes, and the entries of Value are set besides (`until`).
	Into string
}

// Result is what Apply gives.
type Result struct {
	Text []byte
	Path string // of the step that was changed, added or moved; of a removed one "": where it was there is another one, or none
}

// Apply carries an operation out. file is for places in errors.
func Apply(file string, text []byte, op Operation) (Result, error) {
	if bytes.Contains(text, []byte("\r\n")) {
		// Windows ends of lines are taken away and given back.
		r, err := Apply(file, bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), op)
		r.Text = bytes.ReplaceAll(r.Text, []byte("\n"), []byte("\r\n"))
		return r, err
	}
	before, err := read(file, text, op.Document)
	if err != nil {
		return Result{}, err
	}
	if len(text) > 0 && text[len(text)-1] != '\n' {
		before, err = read(file, append(slices.Clone(text), '\n'), op.Document)
		if err != nil {
			return Result{}, err
		}
	}
	w := &writer{page: before, file: file, op: op, want: data(before.root.y)}
	if err := w.do(); err != nil {
		return Result{}, err
	}
	out := []byte(w.src)
	if err := w.same(before); err != nil {
		return Result{}, err
	}
	return Result{Text: out, Path: w.path}, nil
}

// writer carries one operation out, in steps that each give a whole text.
type writer struct {
	*page

	file string
	op   Operation
	path string   // where the step is now
	want any      // the data as it must be afterwards
	gone []string // comments that go with what is removed
}

func (w *writer) do() error {
	switch w.op.Do {
	case Add:
		return w.add()
	case Move:
		return w.tidy(w.move)
	case Remove:
		return w.tidy(w.remove)
	case Duplicate:
		return w.duplicate()
	case Set:
		return w.set(w.op.Path, w.op.Field, w.op.Value)
	case Unset:
		return w.unset(w.op.Path, w.op.Field)
	case Wrap:
		return w.wrap()
	case Unwrap:
		return w.unwrap()
	case Rename:
		return w.rename()
	default:
		names := make([]string, 0, len(Verbs()))
		for _, v := range Verbs() {
			names = append(names, string(v))
		}
		return fault.New(fault.Invalid, "there is no operation %q", string(w.op.Do)).WithNext("use one of: %s", strings.Join(names, ", "))
	}
}

// tidy does something, and takes a block away that lost its last step by it: a block without steps means nothing.
func (w *writer) tidy(do func() error) error {
	had := w.hollow() != nil
	if err := do(); err != nil || had {
		return err
	}
	for b := w.hollow(); b != nil; b = w.hollow() {
		block := real(b)
		up, path, op := block[:len(block)-1], w.path, w.op.Path
		w.op.Path = w.shown(up, b.index)
		if err := w.remove(); err != nil {
			return err
		}
		w.op.Path, w.path = op, path
		if path == "" {
			continue
		}
		ts, err := parse(path)
		if err != nil {
			return err
		}
		gone, err := parse(w.shown(up, b.index))
		if err != nil {
			return err
		}
		if d := len(gone) - 1; len(ts) > d && write(ts[:d]) == write(gone[:d]) && ts[d].index > gone[d].index {
			ts[d].index--
			w.path = write(ts)
		}
	}
	return nil
}

// hollow finds a block of a list that has no steps; nil when each has some.
func (w *writer) hollow() *node {
	var out *node
	walk(w.root, func(n *node) {
		if n.form != "step[]" || n.name != "steps" && n.name != "parallel" || n.y.Kind != yaml.SequenceNode || len(n.kids) > 0 {
			return
		}
		b := n.up
		if b.form == "foreach" || b.form == "lock" {
			b = b.up
		}
		if b.form == "step" && b.key == nil {
			out = b
		}
	})
	return out
}

// turn replaces the text and reads it again.
func (w *writer) turn(text string) error {
	p, err := read(w.file, []byte(text), w.op.Document)
	if err != nil {
		return &fault.Error{Kind: fault.Conflict, Message: "this cannot be changed here without breaking the text", Next: "write it in the text, or bring the file into its canonical form first", Err: err}
	}
	w.page = p
	return nil
}

func refused(at *node, format string, a ...any) *fault.Error {
	e := fault.New(fault.Conflict, "%s", fmt.Sprintf(format, a...))
	if at != nil && at.y != nil {
		e = fault.New(fault.Conflict, "line %d: %s", at.y.Line, fmt.Sprintf(format, a...))
	}
	return e
}
