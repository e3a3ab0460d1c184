package telemetry_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/testenv"
)

// metricsOf are the names of our metrics in an expression.
var metricsOf = regexp.MustCompile(`\btend_[a-z_]+`)

// known gives the names of all metrics, from the sources that make them.
func known(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, name := range []string{"metrics.go", "gauges.go"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?:counter|histogram|desc)\("([a-z_]+)"|"tend_([a-z_]+)"`).FindAllStringSubmatch(string(b), -1) {
			out["tend_"+m[1]+m[2]] = true
		}
	}
	if len(out) < 25 {
		t.Fatalf("only %d metrics are known", len(out))
	}
	return out
}

func wantKnown(t *testing.T, known map[string]bool, where, text string) {
	t.Helper()
	for _, m := range metricsOf.FindAllString(text, -1) {
		m = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(m, "_bucket"), "_count"), "_sum")
		if !known[m] {
			t.Errorf("%s asks for %s, which there is not", where, m)
		}
	}
}

// TestAlerts: each alert asks for what there is, and has a runbook; promtool agrees where it is installed.
func TestAlerts(t *testing.T) {
	t.Parallel()
	root := testenv.Root(t)
	name := filepath.Join(root, "packaging", "prometheus", "alerts.yaml")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert       string
				Expr        string
				Annotations map[string]string
			}
		}
	}
	if err := yaml.Load(b, &file); err != nil || len(file.Groups) != 1 || len(file.Groups[0].Rules) < 10 {
		t.Fatalf("%v: %+v", err, file)
	}
	known, alerts := known(t), map[string]bool{}
	for _, r := range file.Groups[0].Rules {
		alerts[r.Alert+".md"] = true
		wantKnown(t, known, r.Alert, r.Expr)
		if !strings.HasSuffix(r.Annotations["runbook_url"], "/docs/runbooks/"+r.Alert+".md") {
			t.Errorf("%s has no runbook", r.Alert)
		}
		if text, err := os.ReadFile(filepath.Join(root, "docs", "runbooks", r.Alert+".md")); err != nil || !strings.Contains(string(text), r.Expr) {
			t.Errorf("the runbook of %s does not say when it fires (%v)", r.Alert, err)
		}
	}
	files, err := os.ReadDir(filepath.Join(root, "docs", "runbooks"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.Name() != "README.md" && !alerts[f.Name()] {
			t.Errorf("docs/runbooks/%s is of no alert", f.Name())
		}
	}
}

// TestAlertsLoad: Prometheus takes the alerts as they are.
func TestAlertsLoad(t *testing.T) {
	t.Parallel()
	promtool := testenv.Program(t, "prometheus", "promtool")
	rules := filepath.Join(testenv.Root(t), "packaging", "prometheus", "alerts.yaml")
	if out, err := exec.CommandContext(t.Context(), promtool, "check", "rules", rules).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestDashboard(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join(testenv.Root(t), "packaging", "grafana", "tend.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		UID    string
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(b, &d); err != nil || d.UID != "tend" || len(d.Panels) < 10 {
		t.Fatalf("%v, %d panels", err, len(d.Panels))
	}
	known := known(t)
	for _, p := range d.Panels {
		if len(p.Targets) == 0 {
			t.Errorf("%q shows nothing", p.Title)
		}
		for _, x := range p.Targets {
			wantKnown(t, known, p.Title, x.Expr)
		}
	}
	doc, err := os.ReadFile(filepath.Join(testenv.Root(t), "docs", "monitoring.md"))
	if err != nil {
		t.Fatal(err)
	}
	for m := range known {
		if !strings.Contains(string(doc), m) {
			t.Errorf("docs/monitoring.md says nothing of %s", m)
		}
	}
}
