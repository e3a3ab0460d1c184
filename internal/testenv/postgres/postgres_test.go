package postgres_test

import (
	"testing"

	"github.com/tendhq/tend/internal/testenv/postgres"
)

func TestServer(t *testing.T) {
	t.Parallel()
	s := postgres.Start(t, "log_min_duration_statement=0", "shared_preload_libraries=")
	c := s.Connect(t, s.Database(t))
	var setting string
	if err := c.QueryRow(t.Context(), "show log_min_duration_statement").Scan(&setting); err != nil || setting != "0" {
		t.Errorf("got %q, %v", setting, err)
	}
}
