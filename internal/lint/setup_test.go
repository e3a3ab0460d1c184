package lint_test

import (
	"testing"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/http"
	"github.com/tendhq/tend/internal/action/shell"
	"github.com/tendhq/tend/internal/action/verb"
	"github.com/tendhq/tend/internal/contract"
)

// catalog is a set of actions with one more: what computes and shows, and proves that it does nothing else.
type catalog struct {
	*action.Set
}

func (c catalog) Spec(name string) (contract.Spec, bool) {
	if name == "log" {
		return contract.Spec{
			Name: "log", Effect: contract.Read, Proven: true,
			Inputs:  []contract.Field{{Name: "message", Type: contract.String, Required: true}},
			Outputs: []contract.Field{{Name: "message", Type: contract.String}},
		}, true
	}
	return c.Set.Spec(name)
}

// newCatalog holds the actions that the documents of testdata use. A few are enough: how findings look must not change
// with every new action.
func newCatalog(t testing.TB) contract.Catalog {
	t.Helper()
	set, err := action.NewSet([]action.Action{http.New(), shell.New()}, verb.All())
	if err != nil {
		t.Fatal(err)
	}
	return catalog{set}
}

// exampleCatalog is newCatalog where there is no test.
func exampleCatalog() contract.Catalog {
	set, err := action.NewSet([]action.Action{http.New(), shell.New()}, verb.All())
	if err != nil {
		panic(err)
	}
	return catalog{set}
}
