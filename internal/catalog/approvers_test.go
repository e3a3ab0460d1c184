package catalog_test

import (
	"slices"
	"testing"

	"github.com/tendhq/tend/internal/catalog"
)

const asking = `-- a.yaml --
apiVersion: tend/v1
kind: Playbook
metadata: {name: give, description: Asks on its way.}
steps:
  - {id: sure, uses: approve, with: {message: Sure?, from: [data, sre]}}
  - uses: log
    with: {message: x}
    approval: {message: Again?}
  - uses: playbook
    with: {name: other}
-- b.yaml --
apiVersion: tend/v1
kind: Playbook
metadata: {name: other, description: Asks too.}
steps:
  - {id: sure, uses: approve, with: {message: Sure?, from: [sre, leads]}}
-- c.yaml --
apiVersion: tend/v1
kind: Playbook
metadata: {name: quiet, description: Asks nobody.}
steps:
  - {uses: log, with: {message: x}}
`

// TestApprovers: who is asked, by a step, before one, and in what is called, each once.
func TestApprovers(t *testing.T) {
	t.Parallel()
	c := good(t, asking, catalog.Binding{})
	for name, want := range map[string][]string{"give": {"data", "sre", catalog.Anybody, "leads"}, "other": {"sre", "leads"}, "quiet": nil} {
		p, err := c.Playbook("", "", name)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(p.Approvers, want) {
			t.Errorf("%s: %q, not %q", name, p.Approvers, want)
		}
	}
}
