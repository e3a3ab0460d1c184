// Package github decodes GitHub's webhooks: one event for each delivery, its data the payload as GitHub documents it.
// Pushes, pipelines (workflow runs, check suites), deployments, releases and pull requests have kinds of their own; every
// other event keeps its name.
package github

import (
	"strings"
	"time"

	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/signature"
	"github.com/tendhq/tend/internal/source"
)

// Decoder implements source.Decoder.
type Decoder struct{}

var _ source.Decoder = Decoder{}

// Spec implements source.Decoder.
func (Decoder) Spec() source.Spec {
	return source.Spec{
		Name: "github", Schemes: []signature.Scheme{signature.GitHub},
		Doc: "Pushes, workflow runs, deployments, releases and everything else that GitHub's webhooks announce.",
	}
}

var kinds = map[string]string{
	"push": "push", "create": "push", "workflow_run": "pipeline", "check_suite": "pipeline", "check_run": "pipeline", "workflow_job": "pipeline",
	"deployment": "deployment", "deployment_status": "deployment", "release": "release", "pull_request": "pull-request",
}

// Decode implements source.Decoder.
func (Decoder) Decode(r source.Request) ([]event.Event, error) {
	name := r.Header("X-Github-Event")
	if name == "" {
		return nil, fault.New(fault.Invalid, "the header X-GitHub-Event is missing")
	}
	if m := r.Media(); m != "" && m != "application/json" {
		return nil, fault.New(fault.Invalid, "the body is %q", source.Clip(m, 60)).WithNext("choose the content type application/json in the webhook's settings")
	}
	n, err := r.Object()
	if err != nil {
		return nil, err
	}
	if name == "ping" {
		return nil, nil
	}
	repo := n.At("repository", "full_name").Text()
	part := subject(name, n)
	branch := part.branch
	if branch == "" {
		branch = strings.TrimPrefix(n.At("ref").Text(), "refs/heads/")
	}
	e := event.Event{
		Kind: name, At: part.at, Data: n.Map(), Key: r.Header("X-Github-Delivery"), Group: repo + "/" + part.group, Name: repo,
		Labels: source.Set("event", name, "action", n.At("action").Text(), "repository", repo, "branch", branch, "sender", n.At("sender", "login").Text(),
			"conclusion", part.conclusion, "environment", part.environment),
	}
	if k, ok := kinds[name]; ok {
		e.Kind = k
	}
	if e.Key == "" {
		e.Key = source.Sum(r.Body)
	}
	if e.Group == "/" {
		e.Group = e.Key
	}
	return []event.Event{r.Event(e)}, nil
}

// about is what a delivery is about.
type about struct {
	branch, conclusion, environment, group string
	at                                     time.Time
}

func subject(name string, n source.Node) about {
	switch name {
	case "push":
		ref := n.At("ref").Text()
		return about{group: ref, branch: strings.TrimPrefix(ref, "refs/heads/"), at: n.At("head_commit", "timestamp").Time()}
	case "workflow_run":
		w := n.At("workflow_run")
		return about{group: "workflow/" + w.At("name").Text() + "/" + w.At("head_branch").Text(), branch: w.At("head_branch").Text(), conclusion: w.At("conclusion").Text(), at: w.At("updated_at").Time()}
	case "workflow_job":
		w := n.At("workflow_job")
		return about{group: "workflow/" + w.At("workflow_name").Text() + "/" + w.At("head_branch").Text(), branch: w.At("head_branch").Text(), conclusion: w.At("conclusion").Text()}
	case "check_suite", "check_run":
		c := n.At(name)
		suite := c
		if name == "check_run" {
			suite = c.At("check_suite")
		}
		return about{group: "checks/" + suite.At("head_branch").Text(), branch: suite.At("head_branch").Text(), conclusion: c.At("conclusion").Text()}
	case "deployment", "deployment_status":
		d := n.At("deployment")
		return about{group: "deployment/" + d.At("environment").Text(), branch: d.At("ref").Text(), environment: d.At("environment").Text(), conclusion: n.At("deployment_status", "state").Text(), at: d.At("updated_at").Time()}
	case "release":
		return about{group: "release/" + n.At("release", "tag_name").Text(), branch: n.At("release", "target_commitish").Text(), at: n.At("release", "published_at").Time()}
	case "pull_request":
		p := n.At("pull_request")
		return about{group: "pull/" + p.At("number").Text(), branch: p.At("base", "ref").Text(), at: p.At("updated_at").Time()}
	case "issues", "issue_comment":
		return about{group: "issue/" + n.At("issue", "number").Text()}
	default:
		return about{}
	}
}
