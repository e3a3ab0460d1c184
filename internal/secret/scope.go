package secret

import (
	"slices"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/spelling"
)

// Use says for what a secret is wanted: a step of a run.
type Use struct {
	Project     string
	Environment string            // "" where the run is of none
	Labels      map[string]string // of its playbook
}

// Scope lets some secrets be used by some runs. What it does not say does not bound it.
type Scope struct {
	Names        []string // globs of names of secrets
	Projects     []string
	Environments []string
	Labels       map[string]string // that the playbook must have, all of them
}

// Scopes are all of them. Without any, every run may use every secret; with some, a secret that none of them names is for no
// run at all.
type Scopes []Scope

// Check tells whether a run may use a secret: nil, or an error of kind fault.Refused. It does not tell whether there is one.
func (s Scopes) Check(name string, u Use) error {
	if len(s) == 0 {
		return nil
	}
	named := false
	for _, x := range s {
		if !spelling.Globs(x.Names, name) {
			continue
		}
		named = true
		if x.fits(u) {
			return nil
		}
	}
	next := "add the project, the environment or the labels to the scope that names it, in `secrets.scopes` of the configuration"
	if !named {
		next = "name it in `secrets.scopes` of the configuration"
	}
	where := "of project " + u.Project
	if u.Environment != "" {
		where += ", environment " + u.Environment
	}
	return fault.New(fault.Refused, "the secret %q is not for runs %s", name, where).WithNext("%s", next)
}

func (x Scope) fits(u Use) bool {
	if len(x.Projects) > 0 && !slices.Contains(x.Projects, u.Project) || len(x.Environments) > 0 && !slices.Contains(x.Environments, u.Environment) {
		return false
	}
	for k, v := range x.Labels {
		if got, ok := u.Labels[k]; !ok || got != v {
			return false
		}
	}
	return true
}
