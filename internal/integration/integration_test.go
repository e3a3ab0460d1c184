package integration_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/integration"
)

func TestSecrets(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config map[string]any
		want   []string
	}{
		"nothing":        {nil, nil},
		"by its key":     {map[string]any{"token": "chat_token", "apiKey": "api", "signing": "sign", "channel": "#ops"}, []string{"api", "chat_token", "sign"}},
		"said":           {map[string]any{"host": "db", "login": map[string]any{"secret": "ops-db"}}, []string{"ops-db"}},
		"within a list":  {map[string]any{"many": []any{map[string]any{"password": "a"}, map[string]any{"password": "a"}, "b"}}, []string{"a"}},
		"no text":        {map[string]any{"token": int64(4), "password": nil, "key": ""}, nil},
		"another number": {map[string]any{"keys": "x", "tokens": "y"}, nil},
	} {
		if diff := cmp.Diff(c.want, (&integration.Spec{Config: c.config}).Secrets()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
