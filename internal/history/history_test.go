package history_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/history"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/value"
)

var update = flag.Bool("update", os.Getenv("TEND_UPDATE") != "", "rewrite the golden files")

var (
	start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ann   = entry.Who{Name: "ann", Via: "terminal"}
)

type bundle struct {
	*history.Fold
	now time.Time
}

func setup(p *program.Program) *bundle {
	b := &bundle{Fold: history.New("run_1", p), now: start}
	b.facts(&entry.RunCreated{Name: p.Metadata.Name, By: ann, Source: "p.yaml", Params: value.Object{"path": "/var/log", "token": "hunter2hunter2"}}, &entry.RunStarted{})
	return b
}

// facts folds facts in, one second apart.
func (b *bundle) facts(ps ...entry.Payload) *bundle {
	for _, p := range ps {
		b.Fact(p, b.now)
		b.now = b.now.Add(time.Second)
	}
	return b
}

func (b *bundle) intent(path string, attempt int, effect, target string) *bundle {
	return b.facts(&entry.StepIntent{
		Path: path, Attempt: attempt, Action: "shell", Effect: effect, Targets: []string{target}, Key: "k",
		Inputs: value.Object{
			"with": map[string]any{"script": "rm -- $X"},
			"env":  map[string]any{"X": "secret is hunter2hunter2", "PW": map[string]any{expr.DeferredKey: map[string]any{"template": "x"}}},
		},
	})
}

func (b *bundle) result(path string, attempt int, o entry.Outcome, output value.Object) *bundle {
	r := &entry.StepResult{Path: path, Attempt: attempt, Outcome: o, Output: output}
	if o != entry.Succeeded {
		r.Fault = &entry.Fault{Kind: "exit", Message: "it ended with code 1", Path: path}
	}
	return b.facts(r)
}

func shell(id string) program.Node {
	return program.Node{Kind: program.KindAction, Uses: "shell", ID: id}
}

func programOf(steps ...program.Node) *program.Program {
	return &program.Program{
		Language: 1, Metadata: contract.Metadata{Name: "reclaim"}, Steps: steps,
		Parameters: []contract.Parameter{{Name: "path", Type: contract.String}, {Name: "token", Type: contract.String, Sensitive: true}},
	}
}

func condition(source string) *expr.Expr { return &expr.Expr{Kind: expr.Logic, Source: source} }

func verified(id string) program.Node {
	check := shell("")
	n := shell(id)
	n.Verify = &program.Check{Step: &check, Until: condition("result.value < 1")}
	n.Retry = &program.Retry{Attempts: 2}
	return n
}

// TestStories compares what people see of a few runs with golden files.
func TestStories(t *testing.T) {
	t.Parallel()
	for name, story := range map[string]func() *bundle{
		"pending": func() *bundle {
			return &bundle{Fold: history.New("run_1", programOf(shell("usage"), shell("")))}
		},
		"success": func() *bundle {
			skipped := shell("never")
			skipped.When = condition("params.path == ''")
			b := setup(programOf(shell("usage"), verified("clean"), skipped))
			b.intent("steps[0]", 1, "read", "path:/var/log").result("steps[0]", 1, entry.Succeeded, value.Object{"value": int64(7)})
			b.intent("steps[1]", 1, "idempotent", "path:/var/log").result("steps[1]", 1, entry.Failed, nil)
			b.facts(&entry.RetryScheduled{Path: "steps[1]", Attempt: 2, At: b.now.Add(time.Second)})
			b.intent("steps[1]", 2, "idempotent", "path:/var/log").result("steps[1]", 2, entry.Succeeded, nil)
			b.intent("steps[1].verify", 1, "read", "").result("steps[1].verify", 1, entry.Succeeded, value.Object{"value": int64(0)})
			return b.facts(&entry.StepVerified{Path: "steps[1]", OK: true}, &entry.Condition{Path: "steps[2]", What: "when"},
				&entry.RunEnded{Status: "succeeded", Outputs: value.Object{"note": "hunter2hunter2 is gone"}})
		},
		"acting": func() *bundle {
			return setup(programOf(shell("usage"))).intent("steps[0]", 1, "read", "")
		},
		"retrying": func() *bundle {
			n := shell("usage")
			n.Retry = &program.Retry{Attempts: 3}
			b := setup(programOf(n)).intent("steps[0]", 1, "read", "").result("steps[0]", 1, entry.Failed, nil)
			return b.facts(&entry.RetryScheduled{Path: "steps[0]", Attempt: 2, At: b.now.Add(time.Minute)})
		},
		"in-doubt": func() *bundle {
			b := setup(programOf(shell("clean"))).intent("steps[0]", 1, "mutate", "host:web-1").result("steps[0]", 1, entry.InDoubt, nil)
			return b.facts(&entry.DoubtAsked{Path: "steps[0]", Task: "task_1"})
		},
		"doubt-decided": func() *bundle {
			b := setup(programOf(shell("clean"), shell("next"))).intent("steps[0]", 1, "mutate", "host:web-1").result("steps[0]", 1, entry.InDoubt, nil)
			b.facts(&entry.DoubtAsked{Path: "steps[0]", Task: "task_1"}, &entry.DoubtDecided{Path: "steps[0]", Answer: "happened", By: ann, Why: "I looked"})
			return b.intent("steps[1]", 1, "read", "")
		},
		"approval": func() *bundle {
			n := shell("clean")
			n.Approval = &program.Approval{}
			return setup(programOf(n)).facts(&entry.ApprovalAsked{Path: "steps[0]", Task: "task_1", Expires: start.Add(time.Hour)})
		},
		"rejected": func() *bundle {
			b := setup(programOf(program.Node{Kind: program.KindApprove, ID: "ok"}))
			return b.facts(&entry.TaskOpened{Path: "steps[0]", Task: "task_1"},
				&entry.TaskDecided{Path: "steps[0]", Task: "task_1", Outcome: "rejected", By: []entry.Who{ann}, Why: "not now"},
				&entry.RunEnded{Status: "failed", Fault: &entry.Fault{Kind: "rejected", Message: "rejected by ann: not now", Path: "steps[0]"}})
		},
		"undone": func() *bundle {
			undo := shell("")
			n := shell("drain")
			n.Undo = &program.Undo{Step: &undo}
			p := programOf(n, shell("restart"))
			p.Finally = []program.Node{shell("tell")}
			b := setup(p).intent("steps[0]", 1, "mutate", "host:web-1").result("steps[0]", 1, entry.Succeeded, nil)
			b.facts(&entry.UndoPrepared{Path: "steps[0]", Inputs: value.Object{"with": map[string]any{"script": "undrain"}}})
			b.intent("steps[1]", 1, "mutate", "host:web-1").result("steps[1]", 1, entry.Failed, nil)
			f := entry.Fault{Kind: "exit", Message: "it ended with code 1", Path: "steps[1]"}
			b.facts(&entry.UndoStarted{Fault: f}).intent("steps[0].undo", 1, "mutate", "host:web-1").result("steps[0].undo", 1, entry.Succeeded, nil)
			b.facts(&entry.UndoEnded{Undone: []string{"steps[0]"}}, &entry.FinallyEntered{})
			b.intent("finally[0]", 1, "read", "").result("finally[0]", 1, entry.Succeeded, nil)
			return b.facts(&entry.RunEnded{Status: "failed", Fault: &f, Undone: "fully"})
		},
		"cancelled-in-doubt": func() *bundle {
			lost := &entry.Fault{Kind: "lost", Message: "the process that ran it ended before its result was recorded"}
			n := shell("clean")
			n.OnDoubt = "fail"
			b := setup(programOf(n, shell("next"))).intent("steps[0]", 1, "mutate", "host:web-1").result("steps[0]", 1, entry.InDoubt, nil)
			return b.facts(&entry.RunEnded{Status: "cancelled", Fault: lost, Doubts: []string{"steps[0]"}})
		},
		"interrupted": func() *bundle {
			return setup(programOf(shell("clean"))).intent("steps[0]", 1, "mutate", "host:web-1").facts(&entry.RunInterrupted{Why: "its process ended"})
		},
		"paused": func() *bundle {
			return setup(programOf(shell("clean"))).facts(&entry.RunPaused{By: ann, Why: "lunch"})
		},
		"held": func() *bundle {
			return setup(programOf(shell("clean"))).facts(&entry.StepHeld{Path: "steps[0]", Guard: "gentle", Until: start.Add(time.Hour), Why: "host:web-1 was restarted at 11:50"})
		},
		"runner": func() *bundle {
			return setup(programOf(shell("clean"))).facts(&entry.StepHeld{Path: "steps[0]", For: "runner", Guard: "db-host", Why: "no runner is called db-host"})
		},
		"event": func() *bundle {
			return setup(programOf(program.Node{Kind: program.KindWait})).facts(&entry.WaitStarted{Path: "steps[0]", Event: "deployed", Key: "cart"})
		},
		"caught": func() *bundle {
			block := program.Node{Kind: program.KindSteps, Name: "try it", Steps: []program.Node{shell("a"), shell("b")}, Catch: []program.Node{shell("report")}}
			b := setup(programOf(block)).facts(&entry.BlockStarted{Path: "steps[0]"})
			b.intent("steps[0].steps[0]", 1, "read", "").result("steps[0].steps[0]", 1, entry.Failed, nil)
			b.facts(&entry.CatchEntered{Path: "steps[0]", Fault: entry.Fault{Kind: "exit", Message: "it ended with code 1"}})
			b.intent("steps[0].catch[0]", 1, "read", "").result("steps[0].catch[0]", 1, entry.Succeeded, nil)
			return b.facts(&entry.BlockEnded{Path: "steps[0]", Outcome: "succeeded"}, &entry.RunEnded{Status: "succeeded"})
		},
		"carried": func() *bundle {
			p := programOf(shell("a"), shell("b"))
			b := &bundle{Fold: history.New("run_1", p), now: start}
			b.facts(&entry.RunCreated{Name: "reclaim", By: ann}, &entry.RunCarried{From: "run_0", State: value.Object{"cursor": int64(1)}}, &entry.RunStarted{})
			return b.intent("steps[1]", 1, "read", "")
		},
		"quarantined": func() *bundle {
			return setup(programOf(shell("a"))).facts(&entry.RunQuarantined{Why: "run/run_1 entry 3: its payload was altered"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, filepath.Join("testdata", name+".txt"), tell(story().View()))
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (write it with go test -update)", err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got)\n%s", file, d)
	}
}

// tell prints a view in a form that shows every decision of the fold.
func tell(v *history.View) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%s params=%s outputs=%s changed=%v\n", history.Explain(v), v.Status, value.Text(map[string]any(v.Params)), value.Text(map[string]any(v.Outputs)), v.Changed())
	if why := history.Why(v); strings.Contains(why, "`tend ") || strings.Contains(why, "  ") {
		fmt.Fprintf(&b, "A page names a command: %q\n", why)
	}
	v.Walk(func(s *history.Step, depth int) {
		fmt.Fprintf(&b, "%s%s %s: %s", strings.Repeat("  ", depth), s.Path, s.Label(), s.Status)
		if s.Count > 0 {
			fmt.Fprintf(&b, " attempts=%d took=%s effect=%s inputs=%s", s.Count, s.Duration(), s.Effect, value.Text(map[string]any(s.Inputs)))
		}
		if s.Verified != "" {
			fmt.Fprintf(&b, " verified=%s", s.Verified)
		}
		if s.Why != "" {
			fmt.Fprintf(&b, " why=%q", s.Why)
		}
		if s.Fault != nil {
			fmt.Fprintf(&b, " fault=%q", s.Fault.Message)
		}
		b.WriteString("\n")
	})
	for _, w := range v.Waits {
		fmt.Fprintf(&b, "waits %s for %s %s %s\n", w.Path, w.For, w.On, w.Why)
	}
	for _, m := range v.Moments {
		fmt.Fprintf(&b, "%s %s\n", m.At.Format("15:04:05"), m.Text)
	}
	return b.String()
}

func loop() program.Node {
	return program.Node{Kind: program.KindForeach, ID: "all", Foreach: &program.Foreach{}, Steps: []program.Node{shell("one"), shell("two")}}
}

func TestALongLoopStaysSmall(t *testing.T) {
	t.Parallel()
	const n = 20_000
	b := setup(programOf(loop()))
	b.facts(&entry.BlockStarted{Path: "steps[0]"}, &entry.LoopListed{Path: "steps[0]", Count: n, Range: true})
	for i := range int64(n) {
		key := fmt.Sprint(i)
		base := `steps[0].foreach["` + key + `"].steps`
		b.facts(&entry.IterationStarted{Path: "steps[0]", Index: i, Key: key})
		b.intent(base+"[0]", 1, "read", "").result(base+"[0]", 1, entry.Succeeded, nil)
		o := entry.Succeeded
		if i%1000 == 7 {
			o = entry.Failed
		}
		b.intent(base+"[1]", 1, "read", "").result(base+"[1]", 1, o, nil)
	}
	v := b.facts(&entry.BlockEnded{Path: "steps[0]", Outcome: "failed"}).View()
	l := v.Steps[0].Loop
	if l.Count != n || l.Started != n || l.Failed != 20 || l.Succeeded != n-20 {
		t.Errorf("counted %+v", l)
	}
	kept := v.Steps[0].Steps
	if len(kept) != 30 || l.Forgotten != n-30 {
		t.Errorf("%d iterations are kept, %d forgotten", len(kept), l.Forgotten)
	}
	if first, last := kept[0], kept[len(kept)-1]; first.Key != "7" || first.Status != history.Failed || last.Key != "19999" {
		t.Errorf("kept are %s … %s", first.Key, last.Key)
	}
	if len(v.Moments) > 2000 || v.Earlier == 0 {
		t.Errorf("%d moments are kept, %d not", len(v.Moments), v.Earlier)
	}
	all, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) > 1<<20 {
		t.Errorf("the view takes %d bytes", len(all))
	}
}

func TestManyAttemptsKeepTheFirstAndTheLast(t *testing.T) {
	t.Parallel()
	b := setup(programOf(shell("a")))
	for i := 1; i <= 500; i++ {
		b.intent("steps[0]", i, "read", "").result("steps[0]", i, entry.InDoubt, nil)
	}
	s := b.View().Steps[0]
	if s.Count != 500 || len(s.Attempts) != 10 || s.Attempts[0].Number != 1 || s.Attempts[9].Number != 500 {
		t.Errorf("%d attempts, kept %d", s.Count, len(s.Attempts))
	}
}

func TestWhatCannotBeReadIsRemarked(t *testing.T) {
	t.Parallel()
	b := setup(programOf(shell("a")))
	b.Add(entry.Entry{Stream: "run/run_1", Seq: 3, Kind: "from-the-future", Version: 1})
	b.Add(entry.Entry{Stream: "run/run_1", Seq: 4, Kind: entry.KindStepIntent, Version: 1, Payload: []byte(`{"path":7}`), Erased: true})
	b.intent("steps[9].foreach[\"x\"].steps[0]", 1, "read", "")
	b.intent("][", 1, "read", "")
	v := b.View()
	if len(v.Remarks) != 2 || v.Erased != 1 {
		t.Errorf("remarks %q, erased %d", v.Remarks, v.Erased)
	}
	if got := history.Explain(v); !strings.Contains(got, "is running") {
		t.Errorf("explained as %q", got)
	}
}

func TestNoSecretGetsIn(t *testing.T) {
	t.Parallel()
	b := setup(programOf(shell("a"))).intent("steps[0]", 1, "mutate", "host:hunter2hunter2")
	b.facts(&entry.StepResult{Path: "steps[0]", Attempt: 1, Outcome: entry.Failed, Output: value.Object{"x": []any{"hunter2hunter2"}}, Fault: &entry.Fault{Kind: "exit", Message: "hunter2hunter2"}})
	all, err := json.Marshal(b.View())
	if err != nil {
		t.Fatal(err)
	}
	if s := string(all) + history.Explain(b.View()); strings.Contains(s, "hunter2") || strings.Contains(s, "deferred") {
		t.Errorf("a secret shows in %s", s)
	}
}
