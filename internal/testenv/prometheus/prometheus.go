// Package prometheus gives tests a real Prometheus and a real Alertmanager, started by scripts/prometheus, that are quick:
// a value that is out of bounds is an alert at its receiver within a few seconds.
package prometheus

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tendhq/tend/internal/testenv"
)

// What the programs are called in TEND_TEST_REQUIRE.
const (
	Need             = "prometheus"
	NeedAlertmanager = "alertmanager"
)

// Config says what is watched and who is told.
type Config struct {
	Exporter string // host:port of what is measured, at /metrics
	Rules    string // the alerts: a file with rules in Prometheus's format
	Receiver string // the address that Alertmanager posts to
	Token    string // that it posts with
}

// Pair is a running Prometheus with its Alertmanager.
type Pair struct {
	Prometheus   string // address: http://127.0.0.1:…
	Alertmanager string
	Dir          string // their configuration and logs
}

// Present skips the test where one of the programs is not there.
func Present(t testing.TB) {
	t.Helper()
	testenv.Program(t, Need, "prometheus")
	testenv.Program(t, NeedAlertmanager, "prometheus-alertmanager", "alertmanager")
}

// Start starts both. They end with the test.
func Start(t testing.TB, c Config) *Pair {
	t.Helper()
	Present(t)
	dir := t.TempDir()
	rules, token := filepath.Join(dir, "rules.yml"), filepath.Join(dir, "token")
	for name, content := range map[string]string{rules: c.Rules, token: c.Token} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	facts := testenv.Serve(t, Need, "prometheus", "exporter="+c.Exporter, "rules="+rules, "receiver="+c.Receiver, "token="+token)
	return &Pair{
		Prometheus: testenv.Fact(t, facts, "prometheus"), Alertmanager: testenv.Fact(t, facts, "alertmanager"), Dir: testenv.Fact(t, facts, "dir"),
	}
}
