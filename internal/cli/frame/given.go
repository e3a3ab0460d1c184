package frame

import "github.com/spf13/cobra"

// Given is what is given to a run that a server is asked for: parameters, the reason, and where the playbook is live.
type Given struct {
	Why                  string
	Project, Environment string

	pairs []string
	file  string
}

// Register adds the flags to a command.
func (g *Given) Register(c *cobra.Command) {
	f := c.Flags()
	f.StringArrayVarP(&g.pairs, "param", "p", nil, "a parameter, as key=value; can be given several times")
	f.StringVar(&g.file, "params", "", "a YAML or JSON file with parameters; - is standard input")
	f.StringVar(&g.Why, "why", "", "the reason, which is recorded")
	f.StringVar(&g.Project, "project", "", "its project")
	f.StringVar(&g.Environment, "environment", "", "the environment that it is live in")
}

// Params reads the parameters.
func (g *Given) Params(p *Process) (map[string]any, error) { return p.Params(g.file, g.pairs) }
