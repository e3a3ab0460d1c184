package write

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/repository"
	"github.com/tendhq/tend/internal/spelling"
)

func (p commands) actionsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "actions",
		Short:   "Look up what a step can use",
		GroupID: frame.GroupWrite,
		Args:    frame.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(p.actionsListCommand(), p.actionsShowCommand())
	return c
}

func (p commands) actionsListCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "list",
		Short: "List actions and verbs, and the modules of the repository around the working directory",
		Args:  frame.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			set, err := app.Actions()
			if err != nil {
				return err
			}
			t := frame.Table{Head: []string{"NAME", "EFFECT", "WHAT IT DOES"}}
			var data []map[string]any
			for _, name := range set.Names() {
				s, _ := set.Spec(name)
				effect := string(s.Effect)
				if s.Verb {
					effect = "verb"
				}
				t.Rows = append(t.Rows, []string{name, effect, s.Summary})
				t.Names = append(t.Names, name)
				data = append(data, map[string]any{"name": name, "effect": effect, "summary": s.Summary})
			}
			repo, err := repository.Open(".")
			if err != nil {
				return err
			}
			if repo.Marked { // elsewhere nobody said where to look, and a home directory is large
				for _, name := range repo.Names(document.KindModule) {
					m, err := moduleOf(repo, name)
					if err != nil {
						return err
					}
					effect := cmp.Or(string(m.Effect), "mutate")
					t.Rows = append(t.Rows, []string{name, effect, m.Summary + " (" + m.file + ")"})
					t.Names = append(t.Names, name)
					data = append(data, map[string]any{"name": name, "effect": effect, "summary": m.Summary, "file": m.file, "version": m.version})
				}
			}
			t.Data = data
			return p.List(output, t)
		},
	}
	frame.OutputFlag(c, &output, frame.AsTable, frame.AsJSON, frame.AsYAML, frame.AsName)
	return c
}

func (p commands) actionsShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME",
		Short: "Show inputs, outputs, effect and ends of an action or module",
		Args:  frame.SomeArgs(1, 1, "the name of an action or module"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			set, err := app.Actions()
			if err != nil {
				return nil, cobra.ShellCompDirectiveError
			}
			names := set.Names()
			if repo, err := repository.Open("."); err == nil && repo.Marked {
				names = append(names, repo.Names(document.KindModule)...)
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			set, err := app.Actions()
			if err != nil {
				return err
			}
			s, ok := set.Spec(args[0])
			if !ok {
				if aliased, a, ok := set.Alias(args[0]); ok {
					p.Talk("%s stands for %s here", a.Name, aliased.Name)
					return p.showSpec(aliased)
				}
				repo, err := repository.Open(".")
				if err != nil {
					return err
				}
				names := set.Names()
				if repo.Marked {
					m, err := moduleOf(repo, args[0])
					if err == nil {
						return p.showModule(m)
					}
					if !fault.Is(err, fault.NotFound) {
						return err
					}
					names = append(names, repo.Names(document.KindModule)...)
				}
				e := fault.New(fault.NotFound, "no action or module is called %q", args[0])
				if near := spelling.Nearest(args[0], names); near != "" {
					return e.WithNext("did you mean %q?", near)
				}
				return e.WithNext("`tend actions list` lists them; modules are those of the repository (%s) around the working directory", repository.Marker)
			}
			return p.showSpec(s)
		},
	}
}

// module is a module of a repository, described as an action is.
type module struct {
	contract.Spec
	file, version string
}

func moduleOf(repo *repository.Repo, name string) (*module, error) {
	file, err := repo.Find(document.KindModule, name, "")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "no module is called %q", name)
	}
	if err != nil {
		return nil, err
	}
	docs, findings := playbook.Parse(file.Name, file.Content)
	for _, d := range docs {
		if d.Kind == document.KindModule && spelling.Same(d.Metadata.Name, name) {
			return &module{Spec: compiler.ModuleSpec(d), file: file.Name, version: d.Metadata.Version}, nil
		}
	}
	if err := document.Fault(findings); err != nil {
		return nil, err
	}
	return nil, fault.New(fault.NotFound, "%s holds no module %q", file.Name, name)
}

func (p commands) showModule(m *module) error {
	if err := p.showSpec(m.Spec); err != nil {
		return err
	}
	of := "module of " + m.file
	if m.version != "" {
		of += ", version " + m.version
	}
	_, err := fmt.Fprintf(p.Out, "\n%s\n", of)
	return err
}

func (p commands) showSpec(s contract.Spec) error {
	var b strings.Builder
	st := p.OutStyle
	fmt.Fprintf(&b, "%s  %s\n", st.Bold(s.Name), s.Summary)
	if !s.Verb {
		effect := string(s.Effect)
		if s.Proven {
			effect += ", whatever a step says"
		}
		if s.EffectOf != nil {
			effect += ", depending on the inputs"
		}
		fmt.Fprintf(&b, "effect: %s\n", effect)
	}
	if len(s.Targets) > 0 {
		fmt.Fprintf(&b, "targets: %s\n", strings.Join(s.Targets, ", "))
	}
	if s.Doc != "" && s.Doc != s.Summary {
		fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(s.Doc))
	}
	fields(&b, "inputs", s.Inputs, "")
	fields(&b, "outputs", s.Outputs, "")
	if len(s.Ends) > 0 {
		b.WriteString("\nhow it ends:\n")
		for _, e := range s.Ends {
			outcome := e.Outcome
			if e.Kind != "" {
				outcome += " (" + string(e.Kind) + ")"
			}
			fmt.Fprintf(&b, "  %-28s %s\n", outcome, e.When)
		}
	}
	for _, e := range s.Examples {
		fmt.Fprintf(&b, "\nexample: %s\n%s\n", e.Title, frame.Indent("  "+strings.TrimRight(e.YAML, "\n"), "  "))
	}
	_, err := fmt.Fprint(p.Out, b.String())
	return err
}

func fields(b *strings.Builder, title string, list []contract.Field, pad string) {
	if len(list) == 0 {
		return
	}
	if title != "" {
		fmt.Fprintf(b, "\n%s:\n", title)
	}
	for _, f := range list {
		kind := string(f.Type)
		if f.Required {
			kind += ", required"
		}
		if f.Default != nil {
			kind += fmt.Sprintf(", default %v", f.Default)
		}
		if f.Sensitive {
			kind += ", secret"
		}
		text := f.Description
		if len(f.Enum) > 0 {
			text += fmt.Sprintf(" One of: %s.", strings.Trim(fmt.Sprint(f.Enum), "[]"))
		}
		fmt.Fprintf(b, "%s  %-18s %-24s %s\n", pad, f.Name, kind, strings.TrimSpace(text))
		fields(b, "", f.Fields, pad+"  ")
		if f.Items != nil {
			fields(b, "", f.Items.Fields, pad+"  ")
		}
	}
}
