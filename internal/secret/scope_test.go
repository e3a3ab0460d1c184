package secret_test

import (
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

func TestScopes(t *testing.T) {
	t.Parallel()
	scopes := secret.Scopes{
		{Names: []string{"shop/*"}, Projects: []string{"shop"}, Environments: []string{"stage"}},
		{Names: []string{"shop/*", "db"}, Projects: []string{"shop"}, Environments: []string{"production"}, Labels: map[string]string{"tier": "1", "team": "storage"}},
		{Names: []string{"slack_*"}},
	}
	first := map[string]string{"tier": "1", "team": "storage", "more": "x"}
	for _, c := range []struct {
		name string
		use  secret.Use
		says string // "": it may
	}{
		{"shop/db", secret.Use{Project: "shop", Environment: "stage"}, ""},
		{"shop/db", secret.Use{Project: "shop", Environment: "production", Labels: first}, ""},
		{"shop/db", secret.Use{Project: "shop", Environment: "production", Labels: map[string]string{"tier": "1"}}, "environment production"},
		{"shop/db", secret.Use{Project: "shop", Environment: "production", Labels: map[string]string{"tier": "2", "team": "storage"}}, "environment production"},
		{"shop/db", secret.Use{Project: "shop"}, "not for runs of project shop"},
		{"shop/db", secret.Use{Project: "bank", Environment: "stage"}, "project bank"},
		{"db", secret.Use{Project: "shop", Environment: "stage"}, "add the project"},
		{"slack_token", secret.Use{Project: "bank"}, ""},
		{"hook", secret.Use{Project: "shop", Environment: "stage"}, "name it in"},
	} {
		err := scopes.Check(c.name, c.use)
		if c.says == "" && err != nil || c.says != "" && (!fault.Is(err, fault.Refused) || !strings.Contains(err.Error()+fault.NextOf(err), c.says)) {
			t.Errorf("%s for %+v: %v", c.name, c.use, err)
		}
	}
	if err := (secret.Scopes{}).Check("hook", secret.Use{}); err != nil {
		t.Errorf("without scopes: %v", err)
	}
}
