package app_test

import (
	"testing"

	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/program"
)

// TestIntegrationOfAStep: what a step names as its integration is what its action is given, in both dialects.
func TestIntegrationOfAStep(t *testing.T) {
	t.Parallel()
	set := actions(t)
	for name, src := range map[string]string{
		"slack/post": "apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: x, description: X.}\nparameters:\n  - {name: workspace, type: integration}\nsteps:\n" +
			"  - {uses: slack/post, integration: '{{ $.params.workspace }}', with: {to: ['#ops'], text: hello}}\n",
		"slack/snippet": "apiVersion: stackpulse.io/v1\nkind: Playbook\nmetadata: {name: x, description: X.}\nparameters:\n  - {name: workspace, type: integration}\nsteps:\n" +
			"  - name: us-docker.pkg.dev/stackpulse/public/slack/message/snippet\n    env: {TITLE: t, CONTENT: c, RECIPIENTS: '#ops,#db', INITIAL_COMMENT: i}\n" +
			"    envFrom: {integrationRef: '{{ $.params.workspace }}'}\n",
	} {
		docs, findings := playbook.Parse("x.yaml", []byte(src))
		p, more := compiler.Compile(docs[0], set, nil)
		if all := append(findings, more...); document.HasErrors(all) {
			t.Fatalf("%v", all)
		}
		n := p.Steps[0]
		if got := n.With["integration"].Scalar; n.Uses != name || n.Kind != program.KindAction || got == nil || got.Source != "{{ $.params.workspace }}" {
			t.Errorf("%s: %s, %+v", name, n.Uses, n.With)
		}
	}
}
