// Package gitlab decodes GitLab's webhooks: one event for each delivery, its data the payload as GitLab documents it.
package gitlab

import (
	"cmp"
	"strings"

	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/signature"
	"github.com/tendhq/tend/internal/source"
)

// Decoder implements source.Decoder.
type Decoder struct{}

var _ source.Decoder = Decoder{}

// Spec implements source.Decoder.
func (Decoder) Spec() source.Spec {
	return source.Spec{
		Name: "gitlab", Schemes: []signature.Scheme{signature.GitLab, signature.Standard},
		Doc: "Pushes, pipelines, deployments, releases and merge requests from GitLab's webhooks.",
	}
}

var kinds = map[string]string{
	"push": "push", "tag_push": "push", "pipeline": "pipeline", "build": "pipeline", "deployment": "deployment",
	"release": "release", "merge_request": "pull-request",
}

// Decode implements source.Decoder.
func (Decoder) Decode(r source.Request) ([]event.Event, error) {
	n, err := r.Object()
	if err != nil {
		return nil, err
	}
	name, err := n.At("object_kind").Must()
	if err != nil {
		return nil, err
	}
	repo := n.At("project", "path_with_namespace").Text()
	a := n.At("object_attributes")
	ref := cmp.Or(n.At("ref").Text(), a.At("ref").Text(), a.At("target_branch").Text())
	branch := strings.TrimPrefix(strings.TrimPrefix(ref, "refs/heads/"), "refs/tags/")
	env := n.At("environment").Text()
	group := name + "/" + branch
	switch name {
	case "merge_request":
		group = name + "/" + a.At("iid").Text()
	case "deployment":
		group = name + "/" + env
	case "release":
		group = name + "/" + n.At("tag").Text()
	}
	e := event.Event{
		Kind: name, Data: n.Map(), Name: repo, Group: repo + "/" + group,
		Key: cmp.Or(r.Header("Idempotency-Key"), r.Header("X-Gitlab-Event-Uuid"), source.Sum(r.Body)),
		At:  a.At("updated_at").Time(),
		Labels: source.Set("event", name, "action", cmp.Or(a.At("action").Text(), n.At("action").Text()), "repository", repo, "branch", branch,
			"status", cmp.Or(a.At("status").Text(), n.At("status").Text(), n.At("build_status").Text()), "environment", env,
			"sender", cmp.Or(n.At("user_username").Text(), n.At("user", "username").Text())),
	}
	if k, ok := kinds[name]; ok {
		e.Kind = k
	}
	return []event.Event{r.Event(e)}, nil
}
