package lint_test

import (
	"testing"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/playbook"
)

// newCatalog is the real set of actions.
func newCatalog(t testing.TB) playbook.Catalog {
	t.Helper()
	set, err := app.Actions()
	if err != nil {
		t.Fatal(err)
	}
	return set
}
