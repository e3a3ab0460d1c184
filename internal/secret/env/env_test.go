package env_test

import (
	"context"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/secret/env"
	"github.com/tendhq/tend/internal/secret/secrettest"
)

func with(vars map[string]string) *env.Provider {
	return env.New(func(k string) (string, bool) { v, ok := vars[k]; return v, ok }, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
}

func TestConformance(t *testing.T) {
	t.Parallel()
	secrettest.Run(t, secrettest.Harness{With: func(_ *testing.T, secrets map[string]string) secret.Provider {
		vars := map[string]string{}
		for name, text := range secrets {
			vars[env.Prefix+secret.EnvName(name)] = text
		}
		return with(vars)
	}})
}

func TestNames(t *testing.T) {
	t.Parallel()
	p := with(map[string]string{"TEND_SECRET_PROD_DB_KEY": "with a line break\n", "prod_db_key": "not this", "TEND_SECRET_EMPTY": ""})
	for _, name := range []string{"prod/db-key", "PROD_DB_KEY", "prod.db.key"} {
		f, err := p.Find(context.Background(), name)
		if err != nil || f.Value.Reveal() != "with a line break\n" || f.Version != "process of 2026-01-02T03:04:05Z" {
			t.Errorf("%s: %q, %v", name, f.Version, err)
		}
	}
	if _, err := p.Find(context.Background(), "empty"); err != nil {
		t.Errorf("an empty variable is there: %v", err)
	}
	if _, err := (secret.Chain{p}).Find(context.Background(), "empty"); !fault.Is(err, fault.Invalid) {
		t.Errorf("and too short to be a secret: %v", err)
	}
}
