package app

import (
	"os"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/gitsync"
)

// TestRepositoriesAreLookedAtAsTheReferenceSays: without `poll` package gitsync decides, and docs/server.md tells its numbers.
func TestRepositoriesAreLookedAtAsTheReferenceSays(t *testing.T) {
	t.Parallel()
	sources := Repositories(&config.Server{Playbooks: []string{"/srv/playbooks"}, Repositories: []config.Repository{{URL: "https://git.example.org/shop"}}})
	if len(sources) != 2 {
		t.Fatalf("%d sources", len(sources))
	}
	for i := range sources {
		if sources[i].Poll != 0 {
			t.Errorf("%s is looked at every %s: the default is that of gitsync", sources[i].Name, sources[i].Poll)
		}
	}
	text, err := os.ReadFile("../../docs/server.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := "Default: " + strings.TrimSuffix(gitsync.PollGit.String(), "0s") + ", of a directory " + gitsync.PollDir.String() + "."; !strings.Contains(string(text), want) {
		t.Errorf("docs/server.md does not say %q", want)
	}
}
