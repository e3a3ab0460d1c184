package httpapi

import (
	"context"
	"net/http"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/catalog"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/gitsync"
	"github.com/tendhq/tend/internal/wire"
)

// Repositories are where the playbooks of a server come from: *gitsync.Sync is them.
type Repositories interface {
	Status() []gitsync.Report
	Revisions(ctx context.Context, name string, limit int) ([]*gitsync.Revision, error)
	Pin(ctx context.Context, name, revision string, by entry.Who, why string) (*gitsync.Revision, error)
	Unpin(ctx context.Context, name string, by entry.Who, why string) (*gitsync.Revision, error)
	Rollback(ctx context.Context, name string, by entry.Who, why string) (*gitsync.Revision, error)
	Look(ctx context.Context, name string) error

	// Set is what is live.
	Set() *catalog.Set
	Content(ctx context.Context, name, revision string) (*gitsync.Revision, []document.File, error)
	Versions(ctx context.Context, name, playbook, file string) (*gitsync.History, error)
	Pushes(name string) bool
	Prefix(name string) string
	Propose(ctx context.Context, name string, p gitsync.Proposal) (*gitsync.Proposed, error)
}

const kindRepository = "repository"

func (s *server) revisions(a *api) {
	look := access.Need{Verb: access.View, Kind: kindRepository}
	publish := access.Need{Verb: access.Publish, Kind: kindRepository}
	const tag = "repositories"
	add(a, look, http.MethodGet, "/v1/repositories", about{
		id: "listRepositories", tag: tag, summary: "Where playbooks come from: what is live, and why not what is newer",
	}, s.listRepositories)
	add(a, look, http.MethodGet, "/v1/repositories/{repository}/revisions", about{
		id: "listRevisions", tag: tag, summary: "The revisions of a repository that are remembered", text: "The newest first.",
	}, s.listRevisions)
	add(a, publish, http.MethodPost, "/v1/repositories/{repository}/look", about{
		id: "lookAtRepository", tag: tag, summary: "Look at a repository now", text: "The answer comes when what it holds is live or refused.",
	}, s.lookAt)
	add(a, publish, http.MethodPost, "/v1/repositories/{repository}/pin", about{
		id: "pinRevision", tag: tag, summary: "Keep one revision live, whatever comes", text: "It needs no Git. Runs go on with what they began with.",
	}, s.pinRevision)
	add(a, publish, http.MethodPost, "/v1/repositories/{repository}/unpin", about{
		id: "unpinRevision", tag: tag, summary: "Follow the newest good revision again",
	}, s.unpinRevision)
	add(a, publish, http.MethodPost, "/v1/repositories/{repository}/rollback", about{
		id: "rollbackRevision", tag: tag, summary: "Pin the revision that was live before", text: "It needs no Git. A second one goes a step further back.",
	}, s.rollbackRevision)
}

func (s *server) repositories() (Repositories, error) {
	if s.Repositories == nil {
		return nil, fault.New(fault.Unavailable, "no server drives this data directory: repositories are a server's").WithNext("tend serve")
	}
	return s.Repositories, nil
}

type repositoriesOutput struct{ Body wire.Repositories }

func (s *server) listRepositories(ctx context.Context, _ *struct{}) (*repositoriesOutput, error) {
	x, err := s.repositories()
	if err != nil {
		return nil, err
	}
	out := wire.Repositories{Repositories: []wire.Repository{}}
	for _, r := range x.Status() {
		err := s.allow(ctx, access.Need{Verb: access.View, Kind: kindRepository, Project: r.Project})
		if fault.Is(err, fault.Refused) {
			continue
		}
		if err != nil {
			return nil, err
		}
		one := wire.NewRepository(&r)
		one.Saves = &wire.Saves{Author: author(Asker(ctx)).String(), How: "patch", Into: r.Branch}
		if s.publishes(ctx, &r) {
			one.Saves.How, one.Saves.Prefix = "branch", x.Prefix(r.Name)
		}
		out.Repositories = append(out.Repositories, one)
	}
	return &repositoriesOutput{out}, nil
}

// RepositoryPath names a repository.
type RepositoryPath struct {
	Repository string `path:"repository" doc:"Its name." maxLength:"200"`
}

type revisionsInput struct {
	RepositoryPath

	Limit int `query:"limit" minimum:"0" maximum:"100" doc:"How many at most. 0: all that are remembered."`
}

type revisionsOutput struct{ Body wire.Revisions }

func (s *server) listRevisions(ctx context.Context, in *revisionsInput) (*revisionsOutput, error) {
	x, err := s.repositories()
	if err != nil {
		return nil, err
	}
	all, err := x.Revisions(ctx, in.Repository, in.Limit)
	out := wire.Revisions{Revisions: []wire.Revision{}}
	for _, r := range all {
		out.Revisions = append(out.Revisions, *wire.NewRevision(r))
	}
	return &revisionsOutput{out}, err
}

type repositoryOutput struct{ Body wire.Repository }

// stands answers with how a repository stands after something was done.
func stands(x Repositories, name string, err error) (*repositoryOutput, error) {
	if err != nil {
		return nil, err
	}
	for _, r := range x.Status() {
		if r.Name == name {
			return &repositoryOutput{wire.NewRepository(&r)}, nil
		}
	}
	return nil, fault.New(fault.NotFound, "there is no repository %q", name)
}

func (s *server) lookAt(ctx context.Context, in *RepositoryPath) (*repositoryOutput, error) {
	x, err := s.repositories()
	if err != nil {
		return nil, err
	}
	return stands(x, in.Repository, x.Look(ctx, in.Repository))
}

type pinInput struct {
	RepositoryPath

	Body wire.PinRequest
}

func (s *server) pinRevision(ctx context.Context, in *pinInput) (*repositoryOutput, error) {
	x, err := s.repositories()
	if err != nil {
		return nil, err
	}
	_, err = x.Pin(ctx, in.Repository, in.Body.Revision, who(ctx), in.Body.Why)
	return stands(x, in.Repository, err)
}

type publishInput struct {
	RepositoryPath

	Body wire.Reason
}

func (s *server) unpinRevision(ctx context.Context, in *publishInput) (*repositoryOutput, error) {
	x, err := s.repositories()
	if err != nil {
		return nil, err
	}
	_, err = x.Unpin(ctx, in.Repository, who(ctx), in.Body.Why)
	return stands(x, in.Repository, err)
}

func (s *server) rollbackRevision(ctx context.Context, in *publishInput) (*repositoryOutput, error) {
	x, err := s.repositories()
	if err != nil {
		return nil, err
	}
	_, err = x.Rollback(ctx, in.Repository, who(ctx), in.Body.Why)
	return stands(x, in.Repository, err)
}
