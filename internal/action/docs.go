package action

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/value"
)

// Page is one page of the reference, as a file below docs/actions.
type Page struct {
	File string
	Text string
}

// Docs gives the reference of every action and verb of the set as Markdown: README.md, the index, first. The same set
// gives the same text.
func (s *Set) Docs() []Page {
	pages := []Page{{File: "README.md", Text: s.index()}}
	for _, name := range s.names {
		pages = append(pages, Page{File: file(name), Text: Docs(s.specs[name])})
	}
	return pages
}

const generated = "<!-- Generated from the action's Spec. Change that, then run `make update`. -->\n\n"

func file(name string) string { return strings.ReplaceAll(name, "/", "-") + ".md" }

func (s *Set) index() string {
	var b strings.Builder
	b.WriteString(generated + "# Actions and verbs\n\nWhat a step can use. `tend actions show NAME` prints the same on the terminal.\n")
	for _, group := range []struct {
		title string
		verb  bool
	}{{"Actions", false}, {"Verbs: the language's own commands", true}} {
		fmt.Fprintf(&b, "\n## %s\n\n| name | what it does | effect |\n|---|---|---|\n", group.title)
		for _, name := range s.names {
			if spec := s.specs[name]; spec.Verb == group.verb {
				fmt.Fprintf(&b, "| [%s](%s) | %s | %s |\n", name, file(name), spec.Summary, effect(spec))
			}
		}
	}
	return b.String()
}

func effect(s contract.Spec) string {
	switch {
	case s.Verb:
		return "none of its own"
	case s.EffectOf != nil:
		return "by its inputs"
	case s.Proven:
		return "`" + string(s.Effect) + "`, always"
	default:
		return "`" + string(s.Effect) + "`, unless the step says otherwise"
	}
}

// Docs gives the reference page of a Spec as Markdown.
func Docs(s contract.Spec) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s# %s\n\n%s\n\n%s\n\n", generated, s.Name, s.Summary, s.Doc)
	fmt.Fprintf(&b, "**Effect:** %s.", effect(s))
	if s.Env {
		b.WriteString(" **Environment:** the step's `env` is the process's.")
	}
	if len(s.Targets) > 0 {
		fmt.Fprintf(&b, " **Targets**, unless the step names its own: %s.", code(s.Targets))
	}
	b.WriteString("\n")
	fields(&b, "Inputs", s.Inputs)
	fields(&b, "Outputs", s.Outputs)
	b.WriteString("\n## How it ends\n\n| when | outcome | kind |\n|---|---|---|\n")
	for _, e := range s.Ends {
		kind := ""
		if e.Kind != "" {
			kind = "`" + string(e.Kind) + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", inCell(e.When), strings.ReplaceAll(e.Outcome, "-", " "), kind)
	}
	b.WriteString("\n## Examples\n")
	for _, e := range s.Examples {
		fmt.Fprintf(&b, "\n%s:\n\n```yaml\n%s\n```\n", e.Title, strings.TrimRight(e.YAML, "\n"))
	}
	aliases(&b, s)
	return b.String()
}

func fields(b *strings.Builder, title string, fs []contract.Field) {
	if len(fs) == 0 {
		return
	}
	defaults := slices.ContainsFunc(fs, func(f contract.Field) bool { return f.Required || f.Default != nil })
	fmt.Fprintf(b, "\n## %s\n\n", title)
	if defaults {
		b.WriteString("| name | type | default | |\n|---|---|---|---|\n")
	} else {
		b.WriteString("| name | type | |\n|---|---|---|\n")
	}
	rows(b, "", fs, defaults)
}

func rows(b *strings.Builder, prefix string, fs []contract.Field, defaults bool) {
	for _, f := range fs {
		typ, deflt := string(f.Type), ""
		if f.Items != nil && f.Items.Type != "" {
			typ += " of " + string(f.Items.Type)
		}
		switch {
		case f.Required:
			deflt = "**required**"
		case f.Default != nil:
			deflt = "`" + inCell(cellText(f.Default)) + "`"
		}
		text := f.Description
		if len(f.Enum) > 0 {
			var all []string
			for _, e := range f.Enum {
				all = append(all, value.Text(e))
			}
			text += " One of " + code(all) + "."
		}
		if f.Sensitive {
			text += " Masked; a secret may be given."
		}
		fmt.Fprintf(b, "| `%s%s` | %s |", prefix, f.Name, typ)
		if defaults {
			fmt.Fprintf(b, " %s |", deflt)
		}
		fmt.Fprintf(b, " %s |\n", inCell(text))
		rows(b, prefix+f.Name+".", f.Fields, defaults)
		if f.Items != nil {
			rows(b, prefix+f.Name+"[].", f.Items.Fields, defaults)
		}
	}
}

func cellText(v any) string {
	if s, ok := v.(string); ok && s == "" {
		return `""`
	}
	return value.Text(v)
}

func aliases(b *strings.Builder, s contract.Spec) {
	if len(s.Aliases) == 0 {
		return
	}
	b.WriteString("\n## In documents of the older dialect\n\n| name | its inputs | its outputs |\n|---|---|---|\n")
	for _, a := range s.Aliases {
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", a.Name, mapping(a.Inputs, " → "), mapping(a.Outputs, " = "))
	}
}

func mapping(m map[string]string, sign string) string {
	var out []string
	for from, to := range m {
		out = append(out, "`"+from+"`"+sign+"`"+strings.TrimPrefix(to, ".")+"`")
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func code(list []string) string { return "`" + strings.Join(list, "`, `") + "`" }

// inCell makes text fit into a cell of a table.
func inCell(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\n", " "), "|", `\|`)
}
