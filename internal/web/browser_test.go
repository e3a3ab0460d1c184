package web_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/testenv"
	"github.com/tendhq/tend/internal/testenv/tend"
)

func TestMain(m *testing.M) { tend.Main(m) }

// TestInABrowser runs web/e2e: the page in Chromium, against the real server.
func TestInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts browsers")
	}
	node := testenv.Program(t, "node", "node")
	chromium := testenv.Program(t, "chromium", "chromium", "chromium-browser", "google-chrome")
	house := filepath.Join(testenv.Root(t), "web")
	if _, err := os.Stat(filepath.Join(house, "node_modules", "playwright-core")); err != nil {
		testenv.Need(t, "web-modules", errors.New("web/node_modules is not there: cd web && npm ci"))
	}
	files, err := filepath.Glob(filepath.Join(house, "e2e", "*.test.mjs"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no tests: %v", err)
	}
	binary := tend.Binary(t)
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".test.mjs"), func(t *testing.T) { // one after the other: each has a server and a browser
			cmd := exec.CommandContext(t.Context(), node, "--test", "--test-reporter=spec", f)
			cmd.Dir = house
			cmd.Env = append(os.Environ(), tend.BinaryVar+"="+binary, "TEND_CHROMIUM="+chromium)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
