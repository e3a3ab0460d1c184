package wire

import (
	"time"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/gitsync"
)

// Repository is where playbooks come from, and how it stands.
type Repository struct {
	Branch      string    `json:"branch,omitempty"`
	Environment string    `json:"environment,omitempty"`
	Healthy     bool      `json:"healthy" doc:"What is live is what it holds, and it can be looked at."`
	Live        *Revision `json:"live,omitempty"`
	Looked      time.Time `json:"looked,omitzero" doc:"When it could be looked at last."`
	Name        string    `json:"name"`
	Owner       string    `json:"owner,omitempty"`
	Path        string    `json:"path,omitempty"`
	Pin         *Pin      `json:"pin,omitempty" doc:"Somebody keeps a revision live."`
	Place       string    `json:"place" doc:"Its address or directory."`
	Problem     string    `json:"problem,omitempty" doc:"Why it cannot be looked at."`
	Project     string    `json:"project"`
	Refused     *Revision `json:"refused,omitempty" doc:"The newest revision, which has errors."`
	Saves       *Saves    `json:"saves,omitempty" doc:"What becomes of a change that the asker proposes. In lists of repositories only."`
	Since       time.Time `json:"since,omitzero" doc:"Of the problem."`
	Waiting     *Revision `json:"waiting,omitempty" doc:"The newest revision, which is good while another one is pinned."`
}

// Saves says what becomes of a change that somebody proposes.
type Saves struct {
	Author string `json:"author" doc:"Who the commit is by: name and address."`
	How    string `json:"how" enum:"branch,patch"`
	Into   string `json:"into,omitempty" doc:"The branch that it is proposed for."`
	Prefix string `json:"prefix,omitempty" doc:"With what the names of branches begin."`
}

// Repositories are several.
type Repositories struct {
	Repositories []Repository `json:"repositories"`
}

// Revision is one state of a repository, as it was checked.
type Revision struct {
	Author      string    `json:"author,omitempty"`
	Changed     []string  `json:"changed,omitempty" doc:"Playbooks that do something else than in the revision before."`
	Committed   time.Time `json:"committed,omitzero"`
	Environment string    `json:"environment,omitempty"`
	Errors      int       `json:"errors,omitempty"`
	Findings    []Finding `json:"findings,omitempty" doc:"The first ones, errors first."`
	Guards      int       `json:"guards"`
	ID          string    `json:"id" doc:"The commit; of a directory a sum of its content."`
	LiveSince   time.Time `json:"liveSince,omitzero"`
	Playbooks   int       `json:"playbooks"`
	Project     string    `json:"project"`
	Repository  string    `json:"repository"`
	Rewritten   string    `json:"rewritten,omitempty" doc:"The commit before it, which is no ancestor of it: history was rewritten."`
	Seen        time.Time `json:"seen"`
	Status      string    `json:"status" enum:"live,good,refused"`
	Title       string    `json:"title,omitempty"`
	Triggers    int       `json:"triggers"`
	Warnings    int       `json:"warnings,omitempty"`
}

// Revisions are several.
type Revisions struct {
	Revisions []Revision `json:"revisions"`
}

// Pin keeps a revision live.
type Pin struct {
	At       time.Time `json:"at"`
	By       string    `json:"by"`
	Revision string    `json:"revision"`
	Why      string    `json:"why,omitempty"`
}

// PinRequest asks that a revision is kept live.
type PinRequest struct {
	Revision string `json:"revision" minLength:"4" maxLength:"64" doc:"Its id, or the beginning of it."`
	Why      string `json:"why,omitempty" maxLength:"2000"`
}

// Finding is something that is wrong with a document.
type Finding struct {
	Column   int    `json:"column,omitempty"`
	File     string `json:"file"`
	Line     int    `json:"line,omitempty"`
	Message  string `json:"message"`
	Remedy   string `json:"remedy,omitempty"`
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	Source   string `json:"source,omitempty" doc:"The line as it stands."`
}

// NewFinding gives a finding as it is told.
func NewFinding(f *document.Finding) Finding {
	return Finding{
		Column: f.Place.Column, File: f.Place.File, Line: f.Place.Line, Message: f.Message, Remedy: f.Remedy, Rule: f.Rule, Severity: string(f.Severity),
		Source: f.SourceLine,
	}
}

// NewRevision gives a revision as it is told.
func NewRevision(r *gitsync.Revision) *Revision {
	if r == nil {
		return nil
	}
	out := &Revision{
		Author: r.Author, Changed: r.Changed, Committed: r.Committed, Environment: r.Environment, Errors: r.Errors, Guards: r.Guards, ID: r.ID,
		LiveSince: r.LiveSince, Playbooks: r.Playbooks, Project: r.Project, Repository: r.Repository, Rewritten: r.Rewritten, Seen: r.Seen,
		Status: string(r.Status), Title: r.Title, Triggers: r.Triggers, Warnings: r.Warnings,
	}
	for i := range r.Findings {
		out.Findings = append(out.Findings, NewFinding(&r.Findings[i]))
	}
	return out
}

// NewRepository gives a repository as it is told.
func NewRepository(r *gitsync.Report) Repository {
	out := Repository{
		Branch: r.Branch, Environment: r.Environment, Healthy: r.Healthy(), Live: NewRevision(r.Live), Looked: r.Looked, Name: r.Name, Owner: r.Owner, Path: r.Path,
		Place: r.Place, Problem: r.Problem, Project: r.Project, Refused: NewRevision(r.Refused), Since: r.Since, Waiting: NewRevision(r.Waiting),
	}
	if r.Pin != nil {
		out.Pin = &Pin{At: r.Pin.At, By: r.Pin.By.Name, Revision: r.Pin.Revision, Why: r.Pin.Why}
	}
	return out
}
