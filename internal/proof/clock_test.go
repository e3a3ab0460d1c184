package proof_test

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	playbooks "github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/testenv/tend"
)

// TestClockWentBack: what was recorded by a clock that was an hour ahead is kept, verifies, and goes on in its order; what
// waits for a time fires late, never early.
func TestClockWentBack(t *testing.T) {
	t.Parallel()
	h := tend.New(t)
	fine := playbook(h, "fine", fineSteps)
	began := time.Now()
	waits := ahead(t, h, began.Add(time.Hour), `
steps:
  - {id: before, uses: log, with: {message: before}}
  - {id: w, uses: wait, with: {duration: 10m}}
  - {id: after, uses: log, with: {message: after}}
`)

	expect(t, h.Run("runs", "verify", "--all"), 0)
	expect(t, h.Run("runs", "list"), 0, waits+" +ahead +interrupted")
	expect(t, h.Run("runs", "show", waits, "-t"), 0, "before .*succeeded")
	expect(t, h.Run("run", fine), 0, "^succeeded")

	// It goes on where it was, and waits on: its time has not come.
	var out strings.Builder
	c := h.Command("runs", "resume", waits)
	c.Stdout = &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, "it waits", func() bool {
		return strings.Contains(h.Run("runs", "list", "--status", "waiting").Out, waits)
	})
	expect(t, h.Run("runs", "explain", waits), 0, "waits at w \\(wait\\) until "+began.Add(time.Hour+10*time.Minute).UTC().Format("2006-01-02 15:"))
	expect(t, h.Run("run", fine), 0, "^succeeded")
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	if strings.Contains(out.String(), "after") {
		t.Errorf("it went on before its time:\n%s", out.String())
	}
	expect(t, h.Run("runs", "cancel", waits, "--why", "enough"), 0, "^cancelled")
	expect(t, h.Run("runs", "verify", "--all"), 0)
	expect(t, h.Run("runs", "export", waits, "--html"), 0)
}

// ahead runs steps in the house's data directory as a process does whose clock shows that time, until they wait, and ends
// it. It gives the run.
func ahead(t *testing.T, h *tend.House, clock time.Time, steps string) (id string) {
	t.Helper()
	set, err := app.Actions()
	if err != nil {
		t.Fatal(err)
	}
	docs, findings := playbooks.Parse("ahead.yaml", []byte("apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: ahead}\n"+steps))
	if err := document.Fault(findings); err != nil {
		t.Fatal(err)
	}
	prog, findings := compiler.Compile(docs[0], set, nil)
	if err := document.Fault(findings); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(config.Flags{DataDir: h.Data}, func(name string) string {
		if name == "HOME" {
			return h.Home
		}
		return ""
	})
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(clock)) // of the bubble, whose clock this sets
		ctx := context.Background()
		s, err := app.Open(ctx, app.Options{Config: cfg, Getenv: os.Getenv, Brief: true, Via: "terminal", MayMake: true})
		if err != nil {
			t.Fatal(err)
		}
		if id, err = s.Engine.Start(ctx, engine.Start{Program: prog, By: entry.Who{Name: "ada"}, Dir: h.Dir}); err != nil {
			t.Fatal(err)
		}
		for waiting := false; !waiting; time.Sleep(time.Millisecond) {
			p, err := s.Engine.Rows(ctx, store.Filter{Kind: "run", ID: id, Status: []string{"waiting"}, Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			waiting = len(p.Rows) > 0
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return id
}
