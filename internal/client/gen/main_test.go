package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tendhq/tend/internal/testenv"
)

// TestTheClientIsCurrent compares the client's methods with the contract; TEND_UPDATE=1 writes them anew.
func TestTheClientIsCurrent(t *testing.T) {
	t.Parallel()
	root := testenv.Root(t)
	want, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(root, "internal", "client", output)
	if os.Getenv("TEND_UPDATE") != "" {
		if err := os.WriteFile(name, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(name); err != nil || string(got) != string(want) {
		t.Errorf("internal/client/%s is not what docs/openapi.json says (%v): run `make update`", output, err)
	}
}
