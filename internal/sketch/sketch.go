// Package sketch writes the first draft of a playbook for an event that came in: its labels become parameters, a trigger
// selects events like it, the first steps only look, and a change is no more than a comment with its approval and its
// verification.
//
// It is pure, and what it writes has no finding of `tend lint`, whatever the event says: texts from outside are quoted, and
// never become templates, keys or comments.
package sketch

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/value"
)

// maxParameters bounds what is taken from an event: what has more labels is not read by people either.
const maxParameters = 20

// Parameter is one of the playbook, with where an event has its value.
type Parameter struct {
	Name  string
	Label string
	Path  string // template over the event
	Needs bool   // the steps cannot do without it
}

// Playbook gives the text of a file with a playbook called name and its trigger.
func Playbook(name string, e *event.Event) string {
	s := sketch{e: e, params: Parameters(e)}
	s.line("# Written from the event %s. `tend dev %s` checks and plans it while you write.", plain(e.ID), name)
	s.line("apiVersion: tend/v1")
	s.line("kind: Playbook")
	s.line("metadata:")
	s.line("  name: %s", name)
	s.line("  description: %s", quoted("What is done about "+s.called()+"."))
	s.line("  owner: CHANGE-ME")
	if link := address(e.Data, "annotations", "runbook_url"); link != "" {
		s.line("  links: [%s]", quoted(link))
	}
	if len(s.params) > 0 {
		s.line("parameters:")
	}
	for _, p := range s.params {
		more := ", default: ''"
		if p.Needs {
			more = ""
		}
		s.line("  - {name: %s, type: string%s, description: %s}", p.Name, more, quoted("The label "+p.Label+" of the event."))
	}
	s.line("steps:")
	s.line("  - name: Say what it is about")
	s.line("    uses: log")
	s.line("    with:")
	s.line("      message: >-")
	s.line("        %s", s.told())
	s.evidence()
	s.change()
	s.trigger(name)
	return s.b.String()
}

// Parameters gives what the labels of an event become: those that its data holds, by name.
func Parameters(e *event.Event) []Parameter {
	var out []Parameter
	taken := map[string]bool{}
	for _, label := range slices.Sorted(maps.Keys(e.Labels)) {
		if label == "alertname" || len(out) == maxParameters {
			continue
		}
		name := parameterName(label)
		path := find(e.Data, label, e.Labels[label])
		if name == "" || path == "" || taken[name] {
			continue
		}
		taken[name] = true
		out = append(out, Parameter{Name: name, Label: label, Path: path, Needs: needed(label)})
	}
	return out
}

// needed tells whether a label says where to look.
func needed(label string) bool { return label == "instance" || label == "namespace" || label == "pod" }

type sketch struct {
	b      strings.Builder
	e      *event.Event
	params []Parameter
}

func (s *sketch) line(format string, a ...any) { fmt.Fprintf(&s.b, format+"\n", a...) }

func (s *sketch) called() string { return cmp.Or(plain(s.e.Name), plain(s.e.Kind), "an event") }

func (s *sketch) has(names ...string) bool {
	for _, n := range names {
		if !slices.ContainsFunc(s.params, func(p Parameter) bool { return p.Name == n && p.Label == n }) {
			return false
		}
	}
	return true
}

// told is a template with all parameters, so that nothing that is declared is unused.
func (s *sketch) told() string {
	parts := []string{strings.NewReplacer("{", "(", "}", ")").Replace(s.called())}
	for _, p := range s.params {
		parts = append(parts, p.Name+" {{ $.params."+p.Name+" }}")
	}
	return strings.Join(parts, ", ")
}

// evidence are steps that look where the labels lead: they change nothing.
func (s *sketch) evidence() {
	switch {
	case s.has("namespace", "pod"):
		s.line("  # Looks through a runner on which kubectl works (`runners` of the server's configuration).")
		s.line("  - id: pod")
		s.line("    name: Look at the pod")
		s.line("    uses: shell")
		s.line("    effect: read")
		s.line("    runner: kubectl")
		s.line("    env: {NS: '{{ $.params.namespace }}', POD: '{{ $.params.pod }}'}")
		s.line("    with:")
		s.line("      shell: sh")
		s.line("      script: |")
		s.line(`        kubectl -n "$NS" get pod "$POD" -o wide`)
		s.line(`        kubectl -n "$NS" get events --field-selector "involvedObject.name=$POD" --sort-by=.lastTimestamp | tail -n 20`)
		s.line(`        kubectl -n "$NS" logs "$POD" --all-containers --tail=50`)
		s.line("    timeout: 1m")
		s.line("    ignoreFailure: true")
	case s.has("instance"):
		s.line("  # Looks over ssh: the host's key must be known (known_hosts), and an agent has the key of the user (SSH_AUTH_SOCK).")
		s.line("  - id: host")
		s.line("    name: Look at the host")
		s.line("    uses: ssh")
		s.line("    effect: read")
		s.line("    with:")
		s.line(`      host: '{{ regexReplaceAll ":[0-9]+$" $.params.instance "" }}'`)
		s.line("      user: tend")
		s.line("      shell: sh")
		s.line("      script: |")
		s.line("        uptime; df -h; free -m")
		s.line("        ps -eo pid,user,pcpu,pmem,etime,comm --sort=-pcpu | head -n 15")
		s.line("    timeout: 1m")
		s.line("    ignoreFailure: true")
	default:
		s.line("  # Look before you change anything: with http, sql, ssh, or shell on a runner.")
		s.line("  # - id: health")
		s.line("  #   uses: http")
		s.line("  #   with: {url: 'https://CHANGE-ME/health', expect: ['2xx', '5xx'], timeout: 10s}")
	}
}

// change is a suggestion: nothing happens until somebody takes the comment marks away.
func (s *sketch) change() {
	target := "service:CHANGE-ME"
	for _, n := range []string{"pod", "instance"} {
		if s.has(n) {
			target = n + ":{{ $.params." + n + " }}"
			break
		}
	}
	s.line("  # What may help. It asks a person, looks afterwards whether it did help, and says how to take it back.")
	s.line("  # - name: Repair it")
	s.line("  #   uses: http")
	s.line("  #   with: {url: 'https://CHANGE-ME/restart', method: POST}")
	s.line("  #   target: '%s'", target)
	s.line("  #   approval: {message: 'Repair %s?', within: 30m}", strings.ReplaceAll(target, "'", ""))
	s.line("  #   verify:")
	s.line("  #     uses: http")
	s.line("  #     with: {url: 'https://CHANGE-ME/health', expect: ['2xx', '5xx']}")
	s.line("  #     until: result.status == 200")
	s.line("  #     within: 2m")
	s.line("  #   undo: {none: A restart leaves nothing to restore.}")
}

func (s *sketch) trigger(name string) {
	e := s.e
	s.line("---")
	s.line("apiVersion: tend/v1")
	s.line("kind: Trigger")
	s.line("metadata: {name: %s, description: %s}", name, quoted("Events like "+cmp.Or(plain(e.ID), "the one it was written from")+"."))
	s.line("on:")
	if e.Source != "" {
		s.line("  source: %s", quoted(literal(e.Source)))
	}
	s.line("  kind: %s", quoted(literal(e.Kind)))
	if labels := s.selects(); len(labels) > 0 {
		s.line("  labels:")
		for _, l := range labels {
			s.line("    %s: %s", quoted(l), quoted(literal(e.Labels[l])))
		}
	}
	s.line("playbook: %s", name)
	if len(s.params) > 0 {
		s.line("parameters:")
	}
	for _, p := range s.params {
		path := p.Path
		if !p.Needs {
			path = `default "" ` + path
		}
		s.line("  %s: %s", p.Name, quoted("{{ "+path+" }}"))
	}
	if e.Status != "" {
		s.line("incident: {resolve: true}")
	}
}

// selects are the labels that say what kind of event it is, and not which one.
func (s *sketch) selects() []string {
	var out []string
	for _, l := range []string{"alertname", "event", "action", "type"} {
		if v := s.e.Labels[l]; v != "" && !strings.ContainsAny(v, "\n\r\x00") {
			out = append(out, l)
		}
	}
	return out
}

// find gives a template path to the value of a label: among the labels of the data, or where else the value stands.
func find(data map[string]any, label, text string) string {
	if m, ok := data["labels"].(map[string]any); ok && value.Text(m[label]) == text {
		if _, there := m[label]; there {
			return "$.event.labels" + key(label)
		}
	}
	if text == "" {
		return ""
	}
	return search(data, "$.event", text, 4)
}

func search(m map[string]any, at, text string, depth int) string {
	names := slices.Sorted(maps.Keys(m))
	for _, n := range names {
		if s, ok := m[n].(string); ok && s == text {
			return at + key(n)
		}
	}
	if depth == 0 {
		return ""
	}
	for _, n := range names {
		if below, ok := m[n].(map[string]any); ok && writable(n) {
			if p := search(below, at+key(n), text, depth-1); p != "" {
				return p
			}
		}
	}
	return ""
}

var (
	simple = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	dashed = regexp.MustCompile(`^[A-Za-z0-9_./-]+$`)
	other  = regexp.MustCompile(`[^a-z0-9]+`)
)

func writable(name string) bool { return dashed.MatchString(name) }

// key is the end of a path; "" for a name that no path should have.
func key(name string) string {
	switch {
	case simple.MatchString(name):
		return "." + name
	case dashed.MatchString(name):
		return ".'" + name + "'"
	default:
		return ""
	}
}

func parameterName(label string) string {
	if !writable(label) {
		return ""
	}
	n := strings.Trim(other.ReplaceAllString(strings.ToLower(label), "_"), "_")
	if n == "" || n[0] >= '0' && n[0] <= '9' {
		return ""
	}
	return n
}

// plain makes one line of a text from outside, without what could be read as more than text.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xfeff || r == 0xfffd || r >= 0xd800 && r < 0xe000 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 80 {
		s = string(r[:80])
	}
	return strings.NewReplacer("{{", "((", "}}", "))").Replace(s)
}

// literal is a glob that is the text itself, as far as that can be said.
func literal(s string) string {
	if p := plain(s); p != s {
		return "*"
	}
	return s
}

// quoted is a text in YAML's single quotes.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// address gives an http address from the data, "" when there is none that is plain.
func address(data map[string]any, path ...string) string {
	var v any = data
	for _, p := range path {
		m, _ := v.(map[string]any)
		v = m[p]
	}
	s, _ := v.(string)
	if len(s) > 300 || !regexp.MustCompile(`^https?://[A-Za-z0-9._~:/?#@!$&()*+,;=%-]+$`).MatchString(s) || strings.Contains(s, "@") {
		return ""
	}
	return s
}
