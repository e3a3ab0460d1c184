// Package azuredevops decodes the service hooks of Azure DevOps (consumer "Web Hooks"): one event for each notification,
// its data the payload as "Service hooks events" documents it.
package azuredevops

import (
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
		Name: "azuredevops", Schemes: []signature.Scheme{signature.Basic, signature.Bearer},
		Doc: "Builds, releases, pushes, pull requests and work items from the service hooks of Azure DevOps.",
	}
}

// kind of an eventType: by its beginning, the first that fits.
var kinds = [][2]string{
	{"git.push", "push"},
	{"git.pullrequest.", "pull-request"},
	{"ms.vss-code.git-pullrequest-", "pull-request"},
	{"build.", "pipeline"},
	{"ms.vss-pipelines.", "pipeline"},
	{"ms.vss-release.release-", "release"},
	{"ms.vss-release.deployment-", "deployment"},
}

// Decode implements source.Decoder.
func (Decoder) Decode(r source.Request) ([]event.Event, error) {
	n, err := r.Object()
	if err != nil {
		return nil, err
	}
	id, err := n.At("id").Must()
	if err != nil {
		return nil, err
	}
	typ, err := n.At("eventType").Must()
	if err != nil {
		return nil, err
	}
	res := n.At("resource")
	repo := res.At("repository", "name").Text()
	about := ""
	for _, p := range [][]string{{"definition", "name"}, {"release", "name"}, {"pipeline", "name"}, {"run", "name"}, {"repository", "name"}, {"fields", "System.Title"}} {
		if about = res.At(p...).Text(); about != "" {
			break
		}
	}
	e := event.Event{
		Kind: typ, At: n.At("createdDate").Time(), Data: n.Map(), Key: id, Name: about,
		Group: strings.Join([]string{n.At("resourceContainers", "project", "id").Text(), typ, about}, "/"),
		Labels: source.Set("event", typ, "publisher", n.At("publisherId").Text(), "repository", repo, "status", res.At("status").Text(),
			"result", res.At("result").Text(), "environment", res.At("environment", "name").Text()),
	}
	if e.Name == "" {
		e.Name = typ
	}
	for _, k := range kinds {
		if strings.HasPrefix(typ, k[0]) {
			e.Kind = k[1]
			break
		}
	}
	return []event.Event{r.Event(e)}, nil
}
