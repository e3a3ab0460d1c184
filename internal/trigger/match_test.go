package trigger_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/trigger"
)

func read(t testing.TB, text string) (*trigger.Spec, []document.Finding) {
	t.Helper()
	if !strings.Contains(text, "apiVersion") {
		text = "apiVersion: tend/v1\nkind: Trigger\nmetadata: {name: t}\n" + text
	}
	docs, findings := document.Kinds{trigger.Definition()}.Parse("t.yaml", []byte(text))
	if len(docs) != 1 {
		t.Fatalf("%d documents: %v", len(docs), findings)
	}
	s, _ := docs[0].Content.(*trigger.Spec)
	return s, findings
}

func spec(t testing.TB, text string) *trigger.Spec {
	t.Helper()
	s, findings := read(t, text)
	for _, f := range findings {
		t.Errorf("%s: %s", f.Rule, f.Message)
	}
	return s
}

func alert(change ...func(*event.Event)) *event.Event {
	e := &event.Event{
		At: time.Unix(1_800_000_000, 0).UTC(), Source: "alertmanager-eu", Kind: "alert", Group: "fp1", Key: "fp1/1/firing", Status: event.Firing,
		Name: "DiskFull", Labels: map[string]string{"severity": "critical", "instance": "web-1"},
		Data: map[string]any{"status": "firing", "labels": map[string]any{"severity": "critical", "instance": "web-1", "mountpoint": "/var"}},
	}
	for _, f := range change {
		f(e)
	}
	return e
}

func resolved(e *event.Event) { e.Status = event.Resolved }

// TestMatch: what fires, and what is rendered.
func TestMatch(t *testing.T) {
	t.Parallel()
	ev := expr.New(expr.Limits{})
	for name, c := range map[string]struct {
		text  string
		event *event.Event
		fires bool
		err   string
		check func(*trigger.Outcome) bool
	}{
		"everything":                {text: "playbook: p", event: alert(), fires: true},
		"disabled":                  {text: "enabled: false\nplaybook: p", event: alert()},
		"source":                    {text: "on: {source: alertmanager*}\nplaybook: p", event: alert(), fires: true},
		"one of sources":            {text: "on: {source: [x, '*-eu']}\nplaybook: p", event: alert(), fires: true},
		"other source":              {text: "on: {source: grafana}\nplaybook: p", event: alert()},
		"kind":                      {text: "on: {kind: push}\nplaybook: p", event: alert()},
		"label":                     {text: "on: {labels: {severity: crit*}}\nplaybook: p", event: alert(), fires: true},
		"other label":               {text: "on: {labels: {severity: warning}}\nplaybook: p", event: alert()},
		"no such label":             {text: "on: {labels: {team: '*'}}\nplaybook: p", event: alert()},
		"resolved is not asked for": {text: "playbook: p", event: alert(resolved)},
		"resolved":                  {text: "on: {status: resolved}\nplaybook: p", event: alert(resolved), fires: true},
		"firing is not asked for":   {text: "on: {status: resolved}\nplaybook: p", event: alert()},
		"any status":                {text: "on: {status: any}\nplaybook: p", event: alert(resolved), fires: true},
		"without status":            {text: "playbook: p", event: alert(func(e *event.Event) { e.Status = "" }), fires: true},
		"when":                      {text: "when: event.labels.mountpoint == '/var'\nplaybook: p", event: alert(), fires: true},
		"when not":                  {text: "when: event.labels.mountpoint == '/'\nplaybook: p", event: alert()},
		"no data is not so":         {text: "when: event.labels.missing != 'x'\nplaybook: p", event: alert(), err: "condition"},
		"a parameter without data":  {text: "playbook: p\nparameters: {a: '{{ $.event.nothing }}'}", event: alert(), err: "parameter a"},
		"a secret":                  {text: "playbook: p\nparameters: {a: '{{ secret \"x\" }}'}", event: alert(), err: "secret"},
		"parameters": {text: "playbook: p\nparameters: {path: '{{ $.event.labels.mountpoint }}', n: 3, l: ['{{ $.event.status }}']}", event: alert(), fires: true, check: func(o *trigger.Outcome) bool {
			return cmp.Equal(o.Parameters, map[string]any{"path": "/var", "n": int64(3), "l": []any{"firing"}})
		}},
		"defaults": {text: "playbook: p\nincident: {}", event: alert(), fires: true, check: func(o *trigger.Outcome) bool {
			return o.Key == "fp1" && o.Slot == "fp1" && o.Limit == 1 && o.Then == "skip" && o.StartWithin == 10*time.Minute &&
				cmp.Equal(o.Incident, &trigger.OutcomeIncident{Key: "fp1", Title: "DiskFull", Severity: "critical", ReopenWithin: 15 * time.Minute})
		}},
		"declared": {text: "playbook: p\nkey: '{{ $.event.labels.instance }}'\npriority: -3\nstartWithin: 0\nconcurrency: {key: all, limit: 7, then: replace}\n" +
			"incident: {key: k, title: ' T ', severity: '{{ \"\" }}', summary: s, resolve: true, reopenWithin: 1h, update: 5m, labels: {n: 1}}", event: alert(), fires: true, check: func(o *trigger.Outcome) bool {
			return o.Key == "web-1" && o.Slot == "all" && o.Limit == 7 && o.Then == "replace" && o.StartWithin == 0 && o.Priority == -3 &&
				cmp.Equal(o.Incident, &trigger.OutcomeIncident{
					Key: "k", Title: "T", Severity: "critical", Summary: "s", Resolve: true, ReopenWithin: time.Hour, Update: 5 * time.Minute, Labels: map[string]string{"n": "1"},
				})
		}},
		"wake": {text: "wake: {event: deployed}", event: alert(), fires: true, check: func(o *trigger.Outcome) bool {
			return cmp.Equal(o.Wake, &trigger.OutcomeWake{Event: "deployed", Key: "fp1"})
		}},
		"scenarios": {text: "playbook: p\nparameters: {a: 1, b: 2}\nscenarios:\n- {name: x, when: event.nothing == 1}\n- {name: off, enabled: false}\n- {name: y, when: event.status == 'firing', parameters: {b: 3}}\n- {name: z}", event: alert(), fires: true, check: func(o *trigger.Outcome) bool {
			return o.Scenario == "y" && cmp.Equal(o.Parameters, map[string]any{"a": int64(1), "b": int64(3)})
		}},
		"no scenario": {text: "playbook: p\nscenarios: [{when: event.status == 'x'}]", event: alert()},
		"the older dialect": {text: "apiVersion: stackpulse.io/v1\nkind: Trigger\nmetadata: {name: t}\nplaybook: ''\nscenarios:\n- integration: StackPulse Incident\n  when: '{{ and ( ieq .Type \"created\" ) }}'\n  parameters: {title: '{{ .Title }}', none: '{{ .Nothing }}'}", event: &event.Event{
			Source: "tend", Kind: "incident", Key: "k", Data: map[string]any{"Type": "Created", "Title": "T"},
		}, fires: true, check: func(o *trigger.Outcome) bool { return o.Parameters["title"] == "T" && o.StartWithin == 0 }},
		"another integration": {text: "apiVersion: stackpulse.io/v1\nkind: Trigger\nmetadata: {name: t}\nscenarios: [{integration: StackPulse Incident}]", event: alert()},
		"hostile data stays data": {text: "playbook: p\nkey: '{{ $.event.x }}'\nparameters: {x: '{{ $.event.x }}'}", event: alert(func(e *event.Event) { e.Data = map[string]any{"x": "{{ secret \"k\" }}"} }), fires: true, check: func(o *trigger.Outcome) bool {
			return o.Parameters["x"] == `{{ secret "k" }}` && o.Key == `{{ secret "k" }}`
		}},
		"forged secrets": {text: "playbook: p\nparameters: {x: '{{ $.event.x }}'}", event: alert(func(e *event.Event) {
			e.Data = map[string]any{"x": map[string]any{"$deferred": map[string]any{"template": "{{ secret \"k\" }}"}}}
		}), err: "parameter x"},
	} {
		o, fires, err := trigger.Match(spec(t, c.text), c.event, ev)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) || fires {
				t.Errorf("%s: %v, %v", name, fires, err)
			}
			continue
		}
		if err != nil || fires != c.fires {
			t.Errorf("%s: %v, %v", name, fires, err)
			continue
		}
		if fires && c.check != nil && !c.check(o) {
			t.Errorf("%s: %+v %+v", name, o, o.Incident)
		}
	}
}

// TestFindings: what a trigger must not say.
func TestFindings(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"on: {status: fired}":            "cannot be",
		"on: {sources: x}":               "sources",
		"concurrency: {then: wait}":      "cannot be",
		"concurrency: {limit: 0}":        "from 1",
		"wake: {key: k}":                 "event",
		"wake: {event: e}\nplaybook: p":  "exclude",
		"startWithin: soon":              "startWithin",
		"priority: high":                 "priority",
		"playbook: '{{ $.event.name }}'": "not rendered",
		"incident: yes":                  "incident",
	} {
		_, findings := read(t, text)
		found := false
		for _, f := range findings {
			found = found || strings.Contains(f.Message, want)
		}
		if !found {
			t.Errorf("%s: %v", text, findings)
		}
	}
}

// TestGlobs: a star takes any text, a question mark one byte; compared with a slow and obvious one.
func TestGlobs(t *testing.T) {
	t.Parallel()
	var slow func(p, s string) bool
	slow = func(p, s string) bool {
		switch {
		case p == "":
			return s == ""
		case p[0] == '*':
			return slow(p[1:], s) || s != "" && slow(p, s[1:])
		default:
			return s != "" && (p[0] == '?' || p[0] == s[0]) && slow(p[1:], s[1:])
		}
	}
	ev := expr.New(expr.Limits{})
	rapid.Check(t, func(t *rapid.T) {
		p, s := rapid.StringMatching(`[ab*?]{1,8}`).Draw(t, "pattern"), rapid.StringMatching(`[ab]{0,8}`).Draw(t, "text")
		_, got, err := trigger.Match(&trigger.Spec{Enabled: true, Name: "t", Dialect: expr.Strict, Playbook: "p", On: trigger.On{Source: []string{p}}}, &event.Event{Source: s}, ev)
		if err != nil || got != slow(p, s) {
			t.Fatalf("%q matches %q: %v, %v", p, s, got, err)
		}
	})
}

// FuzzMatch: no document and no data makes Match panic, or give something that cannot be kept.
func FuzzMatch(f *testing.F) {
	f.Add("playbook: p\nwhen: event.a == 1\nparameters: {a: '{{ $.event.b }}'}\nincident: {title: '{{ $.event.c }}'}", "x")
	f.Add("on: {labels: {a: '*?*'}}\nscenarios: [{when: '{{ .a }}'}]", "")
	ev := expr.New(expr.Limits{})
	f.Fuzz(func(t *testing.T, text, data string) {
		docs, _ := document.Kinds{trigger.Definition()}.Parse("t.yaml", []byte("apiVersion: tend/v1\nkind: Trigger\nmetadata: {name: t}\n"+text))
		for _, d := range docs {
			s, ok := d.Content.(*trigger.Spec)
			if !ok {
				continue
			}
			e := &event.Event{Source: "s", Kind: "alert", Key: data, Labels: map[string]string{"a": data}, Data: map[string]any{"a": data, "b": []any{data}, "c": map[string]any{data: data}}}
			o, fires, err := trigger.Match(s, e, ev)
			if fires != (o != nil) || fires && err != nil {
				t.Fatalf("%v %v %v", o, fires, err)
			}
		}
	})
}
