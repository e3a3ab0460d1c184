package httpapi_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/httpapi"
	"github.com/tendhq/tend/internal/wire"
)

// TestConnections: of what a server is connected to people see what belongs to their projects, and what belongs to none.
func TestConnections(t *testing.T) {
	t.Parallel()
	gate := &policed{}
	gate.policy.Bindings = []access.Binding{
		{Name: "shop", Subjects: []string{"user:shop"}, Role: access.Viewer, Projects: []string{"shop"}},
		{Name: "all", Subjects: []string{"user:all"}, Role: access.Viewer},
	}
	ask := network(t, httpapi.Config{Engine: newEngine(t), Gate: gate, Connected: func(context.Context) (*wire.Connections, error) {
		return &wire.Connections{
			Sources: []wire.Source{{Name: "s-shop", Project: "shop"}, {Name: "s-home", Project: "default"}},
			Channels: []wire.Channel{
				{Name: "c-any"}, {Name: "c-shop", Projects: []string{"other", "shop"}}, {Name: "c-other", Projects: []string{"other"}},
			},
			Integrations: []wire.Integration{{Name: "i-server"}, {Name: "i-shop", Project: "shop", Repository: "r"}, {Name: "i-other", Project: "other", Repository: "r"}},
			Duties:       []wire.Duty{{Name: "d"}}, Runners: []wire.ConnectedRunner{{Name: "r"}},
		}, nil
	}})
	for who, want := range map[string]string{
		"shop": "s-shop c-any c-shop i-server i-shop d r",
		"all":  "s-shop s-home c-any c-shop c-other i-server i-shop i-other d r",
	} {
		status, body, _ := ask(http.MethodGet, "/v1/integrations", "", "Authorization", "Bearer "+who)
		var c wire.Connections
		if err := json.Unmarshal([]byte(body), &c); err != nil || status != http.StatusOK || c.Repositories == nil {
			t.Fatalf("%d %v %s", status, err, body)
		}
		var got []string
		for _, x := range c.Sources {
			got = append(got, x.Name)
		}
		for i := range c.Channels {
			got = append(got, c.Channels[i].Name)
		}
		for i := range c.Integrations {
			got = append(got, c.Integrations[i].Name)
		}
		for i := range c.Duties {
			got = append(got, c.Duties[i].Name)
		}
		for i := range c.Runners {
			got = append(got, c.Runners[i].Name)
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s sees %s", who, s)
		}
	}
	if status, body, _ := ask(http.MethodGet, "/v1/integrations", "", "Authorization", "Bearer stranger"); status != http.StatusForbidden {
		t.Errorf("somebody without a role: %d %s", status, body)
	}
	nobody := network(t, httpapi.Config{Engine: newEngine(t), Gate: gate})
	if status, body, _ := nobody(http.MethodGet, "/v1/integrations", "", "Authorization", "Bearer all"); status != http.StatusServiceUnavailable || !strings.Contains(body, "tend serve") {
		t.Errorf("without a server: %d %s", status, body)
	}
}
