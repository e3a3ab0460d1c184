package report_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/history"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/report"
	"github.com/tendhq/tend/internal/value"
)

const evil = `<script>alert(1)</script>"'><img src=x onerror=y>`

func fold(t *testing.T) (*history.Fold, *program.Program) {
	t.Helper()
	p := &program.Program{
		Language: 1, Metadata: contract.Metadata{Name: evil},
		Parameters: []contract.Parameter{{Name: "token", Type: contract.String, Sensitive: true}},
		Steps:      []program.Node{{Kind: program.KindAction, Uses: "shell", ID: "a", Name: evil}},
	}
	f := history.New("run_1", p)
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, x := range []entry.Payload{
		&entry.RunCreated{Name: evil, By: entry.Who{Name: evil}, Params: value.Object{"token": "planted-0042", evil: evil}, Event: value.Object{"x": []any{evil}}},
		&entry.RunStarted{},
		&entry.StepIntent{Path: "steps[0]", Attempt: 1, Action: "shell", Effect: "mutate", Targets: []string{evil}, Inputs: value.Object{"with": map[string]any{"script": evil, "t": "x planted-0042"}}},
		&entry.StepResult{Path: "steps[0]", Attempt: 1, Outcome: entry.Failed, Log: &entry.Ref{ID: "l"}, Fault: &entry.Fault{Kind: "exit", Message: evil}},
		&entry.RunEnded{Status: "failed", Fault: &entry.Fault{Kind: "exit", Message: evil, Path: "steps[0]"}},
	} {
		f.Fact(x, at)
		at = at.Add(time.Second)
	}
	return f, p
}

func TestAReportIsOneFileWithoutSurprises(t *testing.T) {
	t.Parallel()
	f, p := fold(t)
	for name, log := range map[string]func(entry.Ref) ([]report.Line, error){
		"log":    func(entry.Ref) ([]report.Line, error) { return []report.Line{{Stream: evil, Text: evil}}, nil },
		"broken": func(entry.Ref) ([]report.Line, error) { return nil, errors.New(evil) },
		"none":   nil,
	} {
		var b strings.Builder
		if err := report.HTML(&b, report.Run{View: f.View(), Program: p, Outputs: map[string]any{"o": evil}, Log: log, By: evil}); err != nil {
			t.Fatal(err)
		}
		page := b.String()
		for _, bad := range []string{"<script", "<img", "src=\"http", "href=", "planted-0042", "@import", "url(h", "url(\""} {
			if strings.Contains(page, bad) {
				t.Errorf("%s: the page has %q", name, bad)
			}
		}
		for _, want := range []string{"<svg", "default-src 'none'", "Time line", "data-status=\"failed\"", "[secret]"} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page has no %q", name, want)
			}
		}
	}
}

func TestARunWithoutProgramIsReportedToo(t *testing.T) {
	t.Parallel()
	f := history.New("run_1", nil)
	var b strings.Builder
	if err := report.HTML(&b, report.Run{View: f.View()}); err != nil || !strings.Contains(b.String(), "run_1") {
		t.Errorf("%v\n%s", err, b.String())
	}
}
