package write

import (
	"os"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/cli/source"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/lint"
	"github.com/tendhq/tend/internal/repository"
)

func (p commands) lintCommand() *cobra.Command {
	var output, failOn string
	var rules bool
	c := &cobra.Command{
		Use:   "lint [FILE|DIR|NAME ...]",
		Short: "Find what is wrong with playbooks before they run",
		Long: "Checks documents and shows every finding with its place and what to do about it. Without an argument it checks the\n" +
			"repository around the working directory. `# tend:allow RULE reason` silences a rule where it stands.\n\n" +
			"Exits with 3 when there are findings of the severity of --fail-on or worse.",
		GroupID: frame.GroupWrite,
		RunE: func(_ *cobra.Command, args []string) error {
			if rules {
				return p.lintRules(output)
			}
			limit, ok := severities()[document.Severity(failOn)]
			if !ok {
				return fault.New(fault.Invalid, "--fail-on %q is no severity", failOn).WithNext("use error, warning or advice")
			}
			findings, files, err := p.lint(args)
			if err != nil {
				return err
			}
			if err := source.ShowFindings(p.Process, output, findings, files); err != nil {
				return err
			}
			for _, f := range findings {
				if severities()[f.Severity] >= limit {
					return frame.Exit(frame.ExitFindings)
				}
			}
			return nil
		},
	}
	c.Flags().StringVar(&failOn, "fail-on", string(document.Warning), "exit with 3 from this severity on: error, warning, advice")
	c.Flags().BoolVar(&rules, "rules", false, "list the rules instead")
	frame.OutputFlag(c, &output, "text", frame.AsJSON, "sarif", "github")
	return c
}

func severities() map[document.Severity]int {
	return map[document.Severity]int{document.Advice: 1, document.Warning: 2, document.Error: 3}
}

// located is a document with the repository that what it names is looked for in.
type located struct {
	document.File
	repo *repository.Repo
}

// documents reads what a person named: files, directories, names of playbooks, or the whole repository.
func (p commands) documents(args []string) ([]located, error) {
	start := "."
	if len(args) > 0 {
		if _, err := os.Stat(args[0]); err == nil {
			start = args[0]
		}
	}
	first, err := repository.Open(start)
	if err != nil {
		return nil, err
	}
	if len(args) == 0 {
		files, err := first.Files()
		if err == nil && len(files) == 0 {
			err = fault.New(fault.NotFound, "there is no document below %s", first.Root).WithNext("name a file, or begin a repository with `tend init`")
		}
		return locate(first, files), err
	}
	repos := map[string]*repository.Repo{first.Root: first}
	var out []located
	for _, a := range args {
		info, missing := os.Stat(a)
		repo := first
		if missing == nil {
			if repo, err = around(a, first, repos); err != nil {
				return nil, err
			}
		}
		if missing == nil && info.IsDir() {
			below, err := repo.Under(a)
			if err != nil {
				return nil, err
			}
			if len(below) == 0 {
				return nil, fault.New(fault.NotFound, "there is no document below %s", a)
			}
			out = append(out, locate(repo, below)...)
			continue
		}
		f, err := p.document(repo, a)
		if err != nil {
			return nil, err
		}
		out = append(out, located{f, repo})
	}
	return out, nil
}

// around is the repository of one of several files or directories. Those that no tend.yaml gives one share the first.
func around(arg string, first *repository.Repo, repos map[string]*repository.Repo) (*repository.Repo, error) {
	own, err := repository.Open(arg)
	if err != nil {
		return nil, err
	}
	if !own.Marked && !first.Marked {
		return first, nil
	}
	if known := repos[own.Root]; known != nil {
		return known, nil
	}
	repos[own.Root] = own
	return own, nil
}

func locate(repo *repository.Repo, files []document.File) []located {
	var out []located
	for _, f := range files {
		out = append(out, located{f, repo})
	}
	return out
}

func (p commands) document(repo *repository.Repo, arg string) (document.File, error) {
	if arg != "-" {
		return repo.Playbook(arg)
	}
	b, err := p.ReadFile("-", document.MaxSize+1)
	return document.File{Name: "stdin", Content: b}, err
}

// lint checks files, several at a time, and gives the findings in their order.
func (p commands) lint(args []string) ([]document.Finding, int, error) {
	set, err := app.Actions()
	if err != nil {
		return nil, 0, err
	}
	files, err := p.documents(args)
	if err != nil {
		return nil, 0, err
	}
	linters := map[*repository.Repo]*lint.Linter{}
	for _, f := range files {
		if linters[f.repo] == nil {
			linters[f.repo] = lint.New(set, f.repo)
		}
	}
	found := make([][]document.Finding, len(files))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(files)) {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(files) {
					return
				}
				found[i] = linters[files[i].repo].File(files[i].Name, files[i].Content).Findings
			}
		})
	}
	wg.Wait()
	// What is wrong with a module is found by each file that uses it, and told once.
	var all []document.Finding
	told := map[document.Finding]bool{}
	for _, f := range found {
		for _, x := range f {
			if !told[x] {
				told[x] = true
				all = append(all, x)
			}
		}
	}
	return all, len(files), nil
}

func (p commands) lintRules(output string) error {
	t := frame.Table{Head: []string{"RULE", "TEND/V1", "STACKPULSE.IO/V1", "FINDS"}}
	for _, r := range lint.Rules() {
		t.Rows = append(t.Rows, []string{r.Name, frame.Dash(string(r.Strict)), frame.Dash(string(r.Lenient)), r.Finds})
		t.Names = append(t.Names, r.Name)
	}
	t.Data = lint.Rules()
	return p.List(output, t)
}
