package sketch_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/catalog"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/sketch"
	"github.com/tendhq/tend/internal/trigger"
)

func alert(labels map[string]string, notes map[string]any) *event.Event {
	in := map[string]any{}
	for k, v := range labels {
		in[k] = v
	}
	return &event.Event{
		ID: "evt_01m8gnw8hrqgn6svq2dy", Source: "alertmanager", Kind: "alert", Name: labels["alertname"], Key: "k", Group: "g", Status: event.Firing, At: time.Unix(1_800_000_000, 0),
		Labels: labels, Data: map[string]any{"labels": in, "annotations": notes, "status": "firing"},
	}
}

// check builds a catalog of the sketch, and lets the trigger decide about the event it was made from.
func check(t interface {
	Fatalf(format string, a ...any)
}, e *event.Event,
) (*catalog.Catalog, *trigger.Outcome) {
	text := sketch.Playbook("first", e)
	set, err := app.Actions()
	if err != nil {
		t.Fatalf("%v", err)
	}
	c, findings := catalog.Build([]document.File{{Name: "playbooks/first/playbook.yaml", Content: []byte(text)}}, catalog.Binding{}, set)
	if len(findings) > 0 {
		t.Fatalf("%v\n%s", findings, text)
	}
	o, fires, err := trigger.Match(c.Triggers()[0], e, expr.New(expr.Limits{}))
	if err != nil || !fires {
		t.Fatalf("the trigger does not fire: %v\n%s", err, text)
	}
	p, err := c.Playbook("", o.Trigger, o.Playbook)
	if err != nil {
		t.Fatalf("%v", err)
	}
	if _, err := p.Program.Bind(o.Parameters, e.Data, p.Metadata, expr.New(expr.Limits{})); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if p.Mutates {
		t.Fatalf("it changes something:\n%s", text)
	}
	return c, o
}

func TestPlaybook(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		event *event.Event
		has   []string
		given map[string]any
	}{
		"host": {
			alert(map[string]string{"alertname": "HostDown", "instance": "web-3:9100", "job": "node", "severity": "page"}, map[string]any{"runbook_url": "https://example.org/run"}),
			[]string{"uses: ssh", "links: ['https://example.org/run']", "'alertname': 'HostDown'", "incident: {resolve: true}", "approval:"},
			map[string]any{"instance": "web-3:9100", "job": "node", "severity": "page"},
		},
		"pod": {
			alert(map[string]string{"alertname": "KubePodCrashLooping", "namespace": "shop", "pod": "cart-0", "app.kubernetes.io/name": "cart"}, nil),
			[]string{"runner: kubectl", "app_kubernetes_io_name"},
			map[string]any{"namespace": "shop", "pod": "cart-0", "app_kubernetes_io_name": "cart"},
		},
		"push": {
			&event.Event{
				Source: "github", Kind: "push", Name: "acme/shop", Key: "k", Labels: map[string]string{"event": "push", "repository": "acme/shop", "sender": "ann"},
				Data: map[string]any{"repository": map[string]any{"full_name": "acme/shop"}, "sender": map[string]any{"login": "ann"}},
			},
			[]string{"'event': 'push'"},
			map[string]any{"repository": "acme/shop", "sender": "ann"},
		},
		"nothing": {&event.Event{Source: "x", Kind: "webhook", Key: "k"}, []string{"uses: http"}, nil},
		"hostile": {
			alert(map[string]string{"alertname": "{{ secret \"x\" }}' : \n- uses: shell", "a b": "x", "instance": "'}}{{ fail }}", "3": "x"}, map[string]any{"runbook_url": "javascript:alert(1)"}),
			nil,
			map[string]any{"instance": "'}}{{ fail }}"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, o := check(t, c.event)
			text := sketch.Playbook("first", c.event)
			for _, h := range c.has {
				if !strings.Contains(text, h) {
					t.Errorf("no %q in\n%s", h, text)
				}
			}
			for k, v := range c.given {
				if o.Parameters[k] != v {
					t.Errorf("parameter %s is %v, want %v", k, o.Parameters[k], v)
				}
			}
			if len(o.Parameters) != len(c.given) {
				t.Errorf("parameters are %v", o.Parameters)
			}
		})
	}
}

// TestWhateverTheEventSays: what is written checks without a finding, and its trigger fires.
func TestWhateverTheEventSays(t *testing.T) {
	t.Parallel()
	names := []string{"alertname", "instance", "namespace", "pod", "severity", "job", "odd-name", "a.b/c", "__x", "ß", "'", "{{", "type", "Event"}
	rapid.Check(t, func(t *rapid.T) {
		labels := rapid.MapOf(rapid.SampledFrom(names), rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "*", "a?b", "'", "{{ .x }}", "a: b", "# no", "x\ny", "\u2028", "\xff"}))).Draw(t, "labels")
		e := alert(labels, map[string]any{"runbook_url": rapid.String().Draw(t, "link")})
		e.Name, e.Source = rapid.String().Draw(t, "name"), rapid.SampledFrom([]string{"am", "am-2", "x_y"}).Draw(t, "source")
		// An empty label of those that say where to look is none: the run could not look there.
		for _, n := range []string{"instance", "namespace", "pod"} {
			if strings.TrimSpace(e.Labels[n]) == "" {
				delete(e.Labels, n)
				delete(e.Data["labels"].(map[string]any), n)
			}
		}
		_, o := check(t, e)
		for k := range o.Parameters {
			if !slices.ContainsFunc(sketch.Parameters(e), func(p sketch.Parameter) bool { return p.Name == k }) {
				t.Fatalf("parameter %s is not declared", k)
			}
		}
	})
}
