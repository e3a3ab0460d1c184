package web_test

import (
	"bytes"
	"errors"
	"fmt"
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
	node := node(t)
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
			// A browser beside everything else that is tested may be given no time to draw. What fails twice is wrong; what
			// failed once is told in any case.
			for again := range 2 {
				cmd := exec.CommandContext(t.Context(), node, "--test", "--test-reporter=spec", f)
				cmd.Dir = house
				cmd.Env = append(os.Environ(), tend.BinaryVar+"="+binary, "TEND_CHROMIUM="+chromium)
				out, err := cmd.CombinedOutput()
				if err == nil {
					return
				}
				if again > 0 {
					t.Errorf("%v\n%s", err, out)
				} else {
					t.Logf("once more, after %v\n%s", err, out)
				}
			}
		})
	}
}

// node gives a Node that the page is built with too. The one of PATH may be older: scripts/node tells.
func node(t *testing.T) string {
	t.Helper()
	var said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), filepath.Join(testenv.Root(t), "scripts", "node"), "--where")
	cmd.Stderr = &said
	dir, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, strings.TrimSpace(said.String()))
	}
	testenv.Need(t, "node", err)
	return filepath.Join(strings.TrimSpace(string(dir)), "node")
}
