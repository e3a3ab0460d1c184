package action

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/fault"
)

// Registry is the prefix under which documents of the older dialect name its public steps.
const Registry = compiler.Registry

// Set is an immutable collection of actions and verbs. It implements contract.Catalog. The wiring builds it from one
// visible list; nothing registers itself.
type Set struct {
	names   []string
	specs   map[string]contract.Spec
	actions map[string]Action
	aliases map[string]aliased
}

type aliased struct {
	action string
	alias  contract.Alias
}

var _ contract.Catalog = (*Set)(nil)

// NewSet builds a Set. It refuses, all problems at once: an action without a name, a verb that claims to be an action, an
// action that claims to be a verb, and two owners of one name or alias.
func NewSet(actions []Action, verbs []contract.Spec) (*Set, error) {
	s := &Set{
		specs:   make(map[string]contract.Spec, len(actions)+len(verbs)),
		actions: make(map[string]Action, len(actions)),
		aliases: map[string]aliased{},
	}
	var problems []error
	report := func(format string, a ...any) {
		problems = append(problems, fault.New(fault.Internal, format, a...))
	}
	add := func(spec contract.Spec) bool {
		if spec.Name == "" {
			report("an action without a name")
			return false
		}
		if _, taken := s.specs[spec.Name]; taken {
			report("two actions are named %q", spec.Name)
			return false
		}
		s.specs[spec.Name] = spec
		for _, a := range spec.Aliases {
			if other, taken := s.aliases[a.Name]; taken {
				report("%q is an alias of both %q and %q", a.Name, other.action, spec.Name)
				continue
			}
			s.aliases[a.Name] = aliased{action: spec.Name, alias: a}
		}
		return true
	}
	for _, a := range actions {
		spec := a.Spec()
		if spec.Verb {
			report("action %q says that it is a verb", spec.Name)
		}
		if add(spec) {
			s.actions[spec.Name] = a
		}
	}
	for _, v := range verbs {
		if !v.Verb {
			report("verb %q says that it is an action", v.Name)
		}
		add(v)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	s.names = slices.Sorted(maps.Keys(s.specs))
	return s, nil
}

// Find gives the action of a name. Verbs are not found: the engine itself executes them.
func (s *Set) Find(name string) (Action, bool) {
	a, ok := s.actions[name]
	return a, ok
}

// Spec implements contract.Catalog.
func (s *Set) Spec(name string) (contract.Spec, bool) {
	spec, ok := s.specs[name]
	return spec, ok
}

// Alias implements contract.Catalog. A version after a colon is ignored: the older registry's tags have no meaning here.
func (s *Set) Alias(name string) (contract.Spec, contract.Alias, bool) {
	name = strings.TrimPrefix(name, Registry)
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name = name[:i]
	}
	a, ok := s.aliases[name]
	if !ok {
		return contract.Spec{}, contract.Alias{}, false
	}
	return s.specs[a.action], a.alias, true
}

// Names implements contract.Catalog.
func (s *Set) Names() []string { return slices.Clone(s.names) }
