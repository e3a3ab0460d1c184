package template

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/tendhq/tend/internal/expr/function"
	"github.com/tendhq/tend/internal/expr/ref"
	"github.com/tendhq/tend/internal/value"
)

// workNode is the price of a node or an expression.
const workNode = 50

// machine is one walk over a template.
type machine struct {
	in    Input
	env   function.Env
	vars  []any
	out   []byte
	names []string // secrets called for

	reveal  func(name string) (string, error) // nil: placeholders
	refused error                             // of reveal
}

// sealed is the placeholder of a secret, and of everything that is made of one.
type sealed struct{}

// leave says how a list of nodes was left.
type leave uint8

const (
	onward leave = iota
	breaks
	continues
)

func (m *machine) render(t *Template) (any, error) {
	if t.single != nil {
		v, err := m.eval(t.single, any(m.in.Root), false)
		if err != nil {
			return nil, err
		}
		if _, direct := t.single.(*path); !direct {
			if err := m.env.Budget.Weigh(v); err != nil {
				return nil, m.at(t.single.place().from, err)
			}
		}
		return v, nil
	}
	if _, err := m.walk(t.nodes, any(m.in.Root)); err != nil {
		return nil, err
	}
	return string(m.out), nil
}

// at gives err a place, unless it has one.
func (m *machine) at(offset int, err error) error {
	if placed := (*ref.Error)(nil); errors.As(err, &placed) {
		return err
	}
	return &ref.Error{Offset: offset, Reason: err.Error()}
}

func (m *machine) walk(nodes []node, dot any) (leave, error) {
	for _, n := range nodes {
		var (
			l   leave
			err error
		)
		switch n := n.(type) {
		case *textNode:
			err = m.write(n.text)
		case *outputNode:
			err = m.output(n.value, dot)
		case *setNode:
			m.vars[n.slot], err = m.eval(n.value, dot, false)
		case *branchNode:
			l, err = m.branch(n, dot)
		case *rangeNode:
			l, err = m.loop(n, dot)
		case *leaveNode:
			if n.again {
				return continues, nil
			}
			return breaks, nil
		}
		if err != nil || l != onward {
			return l, err
		}
	}
	return onward, nil
}

func (m *machine) write(s string) error {
	if len(m.out)+len(s) > m.in.Output {
		return &ref.Error{Offset: -1, Reason: fmt.Sprintf("the rendered text is larger than %d bytes", m.in.Output)}
	}
	m.out = append(m.out, s...)
	return m.env.Budget.Spend(len(s) + workNode)
}

func (m *machine) output(e expression, dot any) error {
	v, err := m.eval(e, dot, false)
	if err != nil {
		return err
	}
	if _, secret := v.(sealed); secret {
		return nil
	}
	s, err := m.env.Text(v)
	if err == nil {
		err = m.write(s)
	}
	if err != nil {
		return m.at(e.place().from, err)
	}
	return nil
}

var errSecretDecides = errors.New("a secret cannot decide what is rendered")

func (m *machine) branch(n *branchNode, dot any) (leave, error) {
	v, err := m.eval(n.condition, dot, false)
	if err != nil {
		return onward, err
	}
	if _, secret := v.(sealed); secret {
		return onward, m.at(n.condition.place().from, errSecretDecides)
	}
	if n.set >= 0 {
		m.vars[n.set] = v
	}
	if !function.Truth(v) {
		return m.walk(n.otherwise, dot)
	}
	if n.with {
		dot = v
	}
	return m.walk(n.then, dot)
}

func (m *machine) loop(n *rangeNode, dot any) (leave, error) {
	over, err := m.eval(n.over, dot, false)
	if err != nil {
		return onward, err
	}
	each := func(key, element any) (stop bool, l leave, err error) {
		if err := m.env.Budget.Visit(1); err != nil {
			return true, onward, m.at(n.at.from, err)
		}
		if n.key >= 0 {
			m.vars[n.key] = key
		}
		if n.element >= 0 {
			m.vars[n.element] = element
		}
		l, err = m.walk(n.body, element)
		return err != nil || l == breaks, onward, err
	}
	switch x := over.(type) {
	case []any:
		for i, e := range x {
			if stop, l, err := each(int64(i), e); stop {
				return l, err
			}
		}
		if len(x) > 0 {
			return onward, nil
		}
	case map[string]any:
		if err := m.env.Budget.Visit(len(x)); err != nil { // for the order
			return onward, m.at(n.at.from, err)
		}
		for _, k := range slices.Sorted(maps.Keys(x)) {
			if stop, l, err := each(k, x[k]); stop {
				return l, err
			}
		}
		if len(x) > 0 {
			return onward, nil
		}
	case int64:
		for i := range x {
			if stop, l, err := each(i, i); stop {
				return l, err
			}
		}
		if x > 0 {
			return onward, nil
		}
	case sealed:
		return onward, m.at(n.at.from, errSecretDecides)
	default:
		if empty := over == nil || over == ""; !empty || !m.in.Lenient {
			return onward, m.at(n.at.from, fmt.Errorf("range over %s: it takes a list, a map or an integer", ref.Describe(over)))
		}
	}
	return m.walk(n.otherwise, dot)
}

// eval evaluates e. With guard, a path that is missing is null in Strict as well.
func (m *machine) eval(e expression, dot any, guard bool) (any, error) {
	if err := m.env.Budget.Spend(workNode); err != nil {
		return nil, m.at(e.place().from, err)
	}
	switch e := e.(type) {
	case *literal:
		return e.value, nil
	case *path:
		return m.follow(e, dot, guard)
	case *call:
		return m.call(e, dot, guard)
	}
	return nil, nil
}

func (m *machine) follow(e *path, dot any, guard bool) (any, error) {
	var from any
	switch e.base {
	case atRoot:
		from = m.in.Root
	case atDot:
		from = dot
	case atVariable:
		from = m.vars[e.slot]
	case atValue:
		var err error
		if from, err = m.eval(e.inner, dot, guard); err != nil {
			return nil, err
		}
	}
	if len(e.steps) == 0 {
		return plain(from), nil
	}
	if _, secret := from.(sealed); secret {
		return nil, m.at(e.from, errors.New("a secret has no parts"))
	}
	v, err := ref.Resolve(from, e.steps, m.in.Lenient, m.env.Budget.Visit)
	if err == nil {
		return plain(v), nil
	}
	if missing := (*ref.Missing)(nil); errors.As(err, &missing) && (guard || m.in.Lenient) {
		return nil, nil
	}
	return nil, m.at(e.from, err)
}

// plain makes sure that v is a value, whatever has found its way into the data.
func plain(v any) any {
	switch v := v.(type) {
	case nil, bool, int64, float64, string, []any, map[string]any, sealed:
		return v
	case value.Object:
		return map[string]any(v)
	}
	n, err := value.Normalize(v)
	if err != nil {
		return nil
	}
	return n
}

func (m *machine) call(e *call, dot any, guard bool) (any, error) {
	if e.fn.Special {
		return m.special(e, dot)
	}
	args := make([]any, len(e.args))
	secret := false
	for i, arg := range e.args {
		v, err := m.eval(arg, dot, e.fn.Guards)
		if err != nil {
			return nil, err
		}
		if _, is := v.(sealed); is {
			if secret = true; !e.fn.Secret {
				return nil, m.at(arg.place().from, fmt.Errorf("a secret cannot be given to %s", e.fn.Name))
			}
		}
		args[i] = v
	}
	if secret {
		return sealed{}, nil
	}
	env := &m.env
	if env.NoData && e.null { // who writes nil asks about null
		plain := m.env
		plain.NoData = false
		env = &plain
	}
	v, err := e.fn.Call(env, args)
	if err == nil {
		return v, nil
	}
	if missing := (*ref.Missing)(nil); errors.As(err, &missing) && guard {
		return nil, nil
	}
	return nil, m.at(e.name.from, fmt.Errorf("%s: %w", e.fn.Name, err))
}

func (m *machine) special(e *call, dot any) (any, error) {
	switch e.fn.Name {
	case function.And, function.Or:
		return m.shortcut(e, dot)
	case function.Secret, function.Callback:
		return m.secret(e, dot)
	}
	return nil, m.at(e.from, errors.New("a function that cannot be called"))
}

// shortcut evaluates and, or: up to the argument that decides.
func (m *machine) shortcut(e *call, dot any) (v any, err error) {
	for _, arg := range e.args {
		if v, err = m.eval(arg, dot, false); err != nil {
			return nil, err
		}
		if _, secret := v.(sealed); secret {
			return nil, m.at(arg.place().from, errSecretDecides)
		}
		if function.Truth(v) == (e.fn.Name == function.Or) {
			break
		}
	}
	return v, nil
}

func (m *machine) secret(e *call, dot any) (any, error) {
	v, err := m.eval(e.args[0], dot, false)
	if err != nil {
		return nil, err
	}
	name, ok := v.(string)
	if v == nil || name == "" {
		if m.in.Lenient && (v == nil || ok) && e.fn.Name == function.Secret {
			return "", nil // a secret that is not named is not wanted
		}
	}
	if !ok || name == "" {
		return nil, m.at(e.from, fmt.Errorf("%s: a name is text, not %s", e.fn.Name, emptyOr(v)))
	}
	if e.fn.Name == function.Callback { // a secret that is made and not found, for the run that asks for it
		name = ref.CallbackName(m.in.Root, name)
	}
	m.names = append(m.names, name)
	if m.reveal == nil {
		return sealed{}, nil
	}
	text, err := m.reveal(name)
	if err != nil {
		m.refused = err
		return nil, err
	}
	return text, nil
}

func emptyOr(v any) string {
	if v == "" {
		return "empty text"
	}
	return ref.Describe(v)
}
